"""One partition of a table or index, in order of its range key: pages, walks and counts of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.dynamodb import Item
from chalicelib.users.budget import MAX_CHUNK, Budget
from chalicelib.users.cursor import Position
from chalicelib.users.pace import Pace
from chalicelib.users.paging import Key, Read, Row
from chalicelib.users.tables import store

_FIRST_FILTERED_CHUNK = 200
_WALK_CHUNK = 1_000

_RESERVE = 6.0
"""Read units left of the bound for the counters that are asked along with a filtered page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The rows of one partition, in order of its range key.

    `key_attributes` are the names of the range key and of the table's own key: they make the
    position of a row. `hash_attribute` and `hash_value` name the partition. `condition` is
    DynamoDB's to check, `accept` ours, where DynamoDB has no words for it. `share` is how many
    of the rows are expected to pass, 0 where nobody knows.
    """

    table: str
    index: str | None
    hash_attribute: str
    hash_value: str
    key_attributes: tuple[str, ...]
    between: Condition | None = None
    condition: Condition | None = None
    accept: Callable[[Item], bool] | None = None
    descending: bool = False
    share: float = 0.0

    def read(self, here: Position, limit: int) -> Read:
        """Up to `limit` rows from `here` on; one more is read to learn whether there are more."""
        items: list[Item] = []
        key, budget = here.key, Budget(reserve=_RESERVE)
        while len(items) <= limit:
            size = self._chunk(budget, limit + 1 - len(items), len(items))
            if size < 1:
                return Read(self._rows(items), key)
            answer = self.query(key, forward=here.forward, limit=size)
            items += self._accepted(answer["Items"])
            budget.note(answer)
            last = answer.get("LastEvaluatedKey")
            if last is None and len(items) <= limit:
                return Read(self._rows(items), None)
            if last is not None:
                key = self.key_of(last)
        rows = self._rows(items[:limit])
        return Read(rows, rows[-1].key)

    def walk(self, pace: Pace) -> Iterator[list[Item]]:
        """Every row, in chunks as DynamoDB answers them: for exports."""
        key: Key | None = ()
        while key is not None:
            pace.wait()
            answer = self.query(key, forward=True, limit=_WALK_CHUNK)
            pace.note(answer["ConsumedCapacity"]["CapacityUnits"])
            yield self._accepted(answer["Items"])
            last = answer.get("LastEvaluatedKey")
            key = self.key_of(last) if last else None

    def count(self, at_most: int | None = None) -> int:
        """How many rows there are that DynamoDB lets pass, counting up to `at_most` of them."""
        total = 0
        key: Key = ()
        while at_most is None or total < at_most:
            size = _WALK_CHUNK if at_most is None else min(at_most - total, MAX_CHUNK)
            answer = self.query(key, forward=True, limit=size, select="COUNT")
            total += int(answer["Count"])
            if not (last := answer.get("LastEvaluatedKey")):
                return total
            key = self.key_of(last)
        return total

    def query(
        self, key: Key, *, forward: bool, limit: int, select: str | None = None
    ) -> dict[str, Any]:
        """DynamoDB's answer to one Query for what lies behind `key`."""
        return store().query(
            self.table,
            self.hash_value,
            range_key_condition=self.between,
            filter_condition=self.condition,
            exclusive_start_key=self._start_key(key) if key else None,
            index_name=self.index,
            limit=limit,
            scan_index_forward=forward != self.descending,
            select=select,
        )

    def key_of(self, item: Item) -> Key:
        """What makes the position of an item."""
        return tuple(item[name]["S"] for name in self.key_attributes)

    def _accepted(self, items: list[Item]) -> list[Item]:
        return items if self.accept is None else [one for one in items if self.accept(one)]

    def _rows(self, items: list[Item]) -> list[Row]:
        return [Row(self.key_of(item), item) for item in items]

    def _chunk(self, budget: Budget, wanted: int, found: int) -> int:
        if self.condition is None and self.accept is None:
            return wanted
        if budget.rows:
            return budget.for_hits(wanted, found)
        return budget.chunk(ceil(wanted / self.share) if self.share else _FIRST_FILTERED_CHUNK)

    def _start_key(self, key: Key) -> dict[str, dict[str, str]]:
        names = (self.hash_attribute, *self.key_attributes)
        return {
            name: {"S": value} for name, value in zip(names, (self.hash_value, *key), strict=True)
        }
