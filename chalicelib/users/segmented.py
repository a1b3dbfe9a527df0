"""Customers by their segments: the pages of a filter that few fit, without reading the others.

A filter comes down to some segments, each a partition of an index of keys alone. Their keys are
merged in order of registration, and the rows of the page are read by id.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib.settings import settings
from chalicelib.users.batches import get_all
from chalicelib.users.cursor import Position
from chalicelib.users.filters import Filters, bounds, passes
from chalicelib.users.item import from_item
from chalicelib.users.model import Kind
from chalicelib.users.paging import Read, Row, Total
from chalicelib.users.ranges import Range
from chalicelib.users.segments import Segment

MOST = 128
"""Segments that are read for one page at the most; each takes half a read unit at the least."""

MOST_COUNTED = 1_000
_READERS = 8
_FIRST, _LAST = " ", "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Segmented:
    """The customers of some segments in order of registration and id."""

    filters: Filters
    segments: Sequence[Segment]
    descending: bool

    def read(self, here: Position, limit: int) -> Read:
        """Up to `limit` customers from `here` on; fewer where one has left the segments since."""
        place = here.key[0] if here.key else None
        orders = self._orders(place, limit + 1, downwards=here.forward == self.descending)
        ids = {order: order.rpartition("#")[2] for order in orders[:limit]}
        keys = [{"id": {"S": user_id}} for user_id in ids.values()]
        found = get_all(settings().users_table, keys, consistent=False)
        items = {
            item["id"]["S"]: item
            for item in found
            if item.get("kind") == {"S": Kind.CUSTOMER.value}
            and passes(self.filters, from_item(item))
        }
        rows = [Row((order,), items[user_id]) for order, user_id in ids.items() if user_id in items]
        return Read(rows, (orders[limit - 1],) if len(orders) > limit else None)

    def count(self) -> Total:
        """How many there are, counted up to 1,000."""
        counted = 0
        for segment in self.segments:
            rows = _range(segment, self._between(None, downwards=False), descending=False)
            counted += rows.count(MOST_COUNTED + 1 - counted)
            if counted > MOST_COUNTED:
                return Total(MOST_COUNTED, is_exact=False)
        return Total(counted, is_exact=True)

    def _orders(self, place: str | None, wanted: int, *, downwards: bool) -> list[str]:
        """The next keys behind `place`, of all the segments together."""
        between = self._between(place, downwards=downwards)
        ranges = [_range(segment, between, descending=downwards) for segment in self.segments]
        limit = wanted + (place is not None)  # The bound is inclusive.
        with ThreadPoolExecutor(_READERS) as pool:
            reading = [pool.submit(copy_context().run, _first, one, limit) for one in ranges]
        keys = sorted((key for one in reading for key in one.result()), reverse=downwards)
        return [key for key in keys if key != place][:wanted]

    def _between(self, place: str | None, *, downwards: bool) -> Condition:
        low, high = bounds(self.filters) or (_FIRST, _LAST)
        if place is not None:
            low, high = (low, min(high, place)) if downwards else (max(low, place), high)
        condition: Condition = Path("segment_order").between(low, max(low, high))
        return condition


def _range(segment: Segment, between: Condition, *, descending: bool) -> Range:
    return Range(
        table=settings().users_table,
        index="by_segment",
        hash_attribute="segment",
        hash_value=segment.name,
        key_attributes=("segment_order", "id"),
        between=between,
        descending=descending,
    )


def _first(rows: Range, limit: int) -> list[str]:
    answer = rows.query((), forward=True, limit=limit)
    return [item["segment_order"]["S"] for item in answer["Items"]]
