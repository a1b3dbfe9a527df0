"""Lists of store users: one page of one, all of one, and one store user."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from math import inf
from operator import and_

from pynamodb.expressions.operand import Path

from chalicelib.errors import NotFoundError, OutOfReachError, StaleCursorError
from chalicelib.settings import settings
from chalicelib.users import paging, totals
from chalicelib.users.budget import MAX_UNITS, UNITS_A_GET
from chalicelib.users.cursor import Position
from chalicelib.users.filters import Filters, bounds, conditions, fits, registered
from chalicelib.users.item import from_item
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.paging import Read, Source, Total
from chalicelib.users.ranges import Range
from chalicelib.users.segmented import MOST, Segmented
from chalicelib.users.segments import Segment
from chalicelib.users.slices import newest_first
from chalicelib.users.tables import store
from chalicelib.users.totals import Place

# The field that a list can be sorted by → the index in that order and its range key.
SORTS: Mapping[str, tuple[str, str]] = {
    "registered_at": ("by_registered", "registered_at"),
    "first_name": ("by_name", "sort_name"),
    "company_name": ("by_company", "sort_company"),
    "subscription.ends_on": ("by_ends_on", "sort_ends_on"),
}
DEFAULT_SORT = "-registered_at"

_MOST_READ = 110
"""Rows read for the page of a number, those passed over included: with the counters, 8 RRU."""

_LAST = "\U0010ffff"
_UNITS_A_ROW, _UNITS_A_KEY, _UNITS_A_QUERY = 0.06, 0.016, 0.5


@dataclass(frozen=True, slots=True)
class UserPage:
    """Store users in order, cursors to both sides, the number before them, and the total."""

    users: list[StoreUser]
    next: str | None
    prev: str | None
    start: int
    total: Total | None = None


def page(  # noqa: PLR0913 - which list, which page of it, and what with it
    kind: Kind,
    filters: Filters,
    sort: str,
    token: str | None,
    limit: int,
    *,
    counting: bool = True,
) -> UserPage:
    """The page of at most `limit` users at the cursor `token`, or the first.

    A page holds fewer where the filter is rare and the bound on work is reached; it then has a
    `next`. One Query without a filter, and a small one for the total. A total that was counted
    on the first page stays that one. `counting` off leaves the total out where it would take a
    request. Raises `StaleCursorError`.
    """
    rows = rows_of(kind, filters, sort)
    is_plain = not filters.look_at_customers
    source: Source = rows if is_plain else _Filtered(rows, filters, sort, counting)
    found = users_of(paging.page(source, _query(kind, filters, sort, limit), token, limit))
    if found.total is None and is_plain and counting:
        found = replace(found, total=_total(kind, filters, sort))
    return replace(found, total=_sound(found.total, found))


def numbered_page(kind: Kind, sort: str, number: int, limit: int) -> UserPage:
    """The page of that number, from 1, of the whole list by registration. At most four requests.

    Raises `OutOfReachError` where too many registered in the same minute to find it.
    """
    offset = (number - 1) * limit
    place, count = totals.locate(kind, offset, descending=sort.startswith("-"))
    if place is not None and place.skip + limit > _MOST_READ:
        message = "too many registered in the same minute to find this page: walk by cursors"
        raise OutOfReachError(message)
    rows = rows_of(kind, Filters(), sort)
    first = Position((), forward=True, start=min(offset, count))
    query = _query(kind, Filters(), sort, limit)
    found = paging.page(_Located(rows, place), query, None, limit, first)
    return replace(users_of(found), total=Total(count, is_exact=True))


def count(kind: Kind, filters: Filters) -> int:
    """How many users the list has: for the progress of an export.

    As the counters say; where none tells, or they say nobody, all are read to be counted.
    """
    return _told(kind, filters) or rows_of(kind, filters, DEFAULT_SORT).count()


def slices(kind: Kind, filters: Filters) -> Iterator[Range]:
    """The ranges that, one after the other, make the list in its usual order: newest first."""
    rows = rows_of(kind, filters, DEFAULT_SORT)
    return (replace(rows, between=one) for one in newest_first(kind, filters))


def find(kind: Kind, user_id: str) -> StoreUser:
    """The user as of now: one strongly consistent GetItem. Raises `NotFoundError`."""
    answer = store().get_item(settings().users_table, user_id, consistent_read=True)
    item = answer.get("Item")
    if item is None or item.get("kind") != {"S": kind.value}:
        message = f"There is no {kind.value} {user_id}"
        raise NotFoundError(message)
    return from_item(item)


def rows_of(kind: Kind, filters: Filters, sort: str) -> Range:
    """The range of the index, and the condition on it, that a list comes down to."""
    index, range_key = SORTS[sort.removeprefix("-")]
    between = registered(filters)
    on_key = range_key == "registered_at"
    found = conditions(filters)
    if between is not None and not on_key:
        found.append(between)
    return Range(
        table=settings().users_table,
        index=index,
        hash_attribute="kind",
        hash_value=kind.value,
        key_attributes=(range_key, "id"),
        between=between if on_key else None,
        condition=reduce(and_, found) if found else None,
        descending=sort.startswith("-"),
    )


@dataclass(frozen=True, slots=True)
class _Filtered:
    """A filter on customers: read from its segments where few fit, else from the whole list.

    The counters say beforehand which is cheaper. A walk stays with the way that it began: the
    keys of the two have different lengths.
    """

    rows: Range
    filters: Filters
    sort: str
    counting: bool

    def read(self, here: Position, limit: int) -> Read:
        if len(here.key) > 1:
            return self.rows.read(here, limit)
        known = totals.segments()
        if here.key:
            return self._segmented(self._fitting(known)).read(here, limit)
        if not known:
            return self.rows.read(here, limit)
        fitting = self._fitting(known)
        share = sum(fitting.values()) / max(sum(known.values()), 1)
        source = self._cheaper(fitting, share, limit)
        return replace(source.read(here, limit), total=self._total(fitting))

    def _fitting(self, known: Mapping[Segment, int] | None) -> dict[Segment, int]:
        if known is None:
            message = "There are too many plans by now to go on so; begin at the first page"
            raise StaleCursorError(message)
        return {one: number for one, number in known.items() if fits(self.filters, one)}

    def _cheaper(self, fitting: Mapping[Segment, int], share: float, limit: int) -> Source:
        a_segment = max(_UNITS_A_QUERY, (limit + 2) * _UNITS_A_KEY)
        of_segments = len(fitting) * a_segment + limit * UNITS_A_GET
        of_list = (limit + 1) / share * _UNITS_A_ROW if share else inf
        is_in_order = self.sort.removeprefix("-") == "registered_at"
        is_bounded = len(fitting) <= MOST and of_segments <= MAX_UNITS
        if is_in_order and is_bounded and of_segments < of_list:
            return self._segmented(fitting)
        return replace(self.rows, share=share)

    def _segmented(self, segments: Iterable[Segment]) -> Segmented:
        return Segmented(self.filters, tuple(segments), self.sort.startswith("-"))

    def _total(self, fitting: Mapping[Segment, int]) -> Total | None:
        if bounds(self.filters) is None:
            return Total(sum(fitting.values()), is_exact=True)
        if self.counting and len(fitting) <= MOST:
            return self._segmented(fitting).count()
        return None


@dataclass(frozen=True, slots=True)
class _Located:
    """The whole list from a place on that the counters gave; None: from behind its end."""

    rows: Range
    place: Place | None

    def read(self, _here: Position, limit: int) -> Read:
        if self.place is None:
            return Read([], None)
        at, skip = Path("registered_at"), self.place.skip
        prefix = self.place.prefix
        between = at <= f"{prefix}{_LAST}" if self.rows.descending else at >= prefix
        begin = Position((), forward=True, start=0)
        found = replace(self.rows, between=between).read(begin, skip + limit)
        return replace(found, rows=found.rows[skip:])


def _told(kind: Kind, filters: Filters) -> int:
    """How many the list has as far as a counter tells, else 0."""
    if not filters.look_at_customers:
        total = _total(kind, filters, DEFAULT_SORT)
        return total.number if total else 0
    known = totals.segments() if bounds(filters) is None else None
    return sum(number for one, number in (known or {}).items() if fits(filters, one))


def _total(kind: Kind, filters: Filters, sort: str) -> Total | None:
    """How many the list has, no filter on customers applied; None where no counter tells."""
    if filters.registered_since or filters.registered_before:
        return None
    if bounds(filters) is None:
        is_dated = sort.removeprefix("-") == "registered_at"
        return Total(totals.of_list(kind, dated_only=is_dated), is_exact=True)
    first, last = filters.registered_from, filters.registered_to
    return Total(totals.registered_within(kind, first, last), is_exact=True)


def _sound(total: Total | None, page: UserPage) -> Total | None:
    """The total, unless the counters lag behind what the page itself shows."""
    shown = page.start + len(page.users) + (page.next is not None)
    return Total(shown, is_exact=False) if total and total.number < shown else total


def _query(kind: Kind, filters: Filters, sort: str, limit: int) -> str:
    """The text that cursors are bound to."""
    return repr((kind.value, filters, sort, limit))


def users_of(found: paging.Page) -> UserPage:
    """The page with the users in it; what ends with it, it also counts."""
    users = [from_item(item) for item in found.items]
    whole = Total(found.start + len(users), is_exact=True) if found.next is None else None
    return UserPage(users, found.next, found.prev, found.start, found.total or whole)
