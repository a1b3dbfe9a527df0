"""One page of an ordered range of a table or index: both directions, filters, bounded work."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.dynamodb import Item
from chalicelib.users import cursor
from chalicelib.users.cursor import Position
from chalicelib.users.tables import store

_MAX_EVALUATED = 4_000
"""Rows evaluated for a page at the most: some 1.6 MB of an index, 200 RRU, in four requests."""

_MAX_CHUNK = 1_000
_FIRST_FILTERED_CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The rows to page through: one partition of a table or index, in order of its range key.

    `key_attributes` are the names of the range key and of the table's own key: they make the
    position of a row. `hash_attribute` and `hash_value` name the partition.
    """

    table: str
    index: str | None
    hash_attribute: str
    hash_value: str
    key_attributes: tuple[str, ...]
    between: Condition | None = None
    condition: Condition | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Items in order, cursors to both sides (None: nothing there), and the number before them."""

    items: list[Item]
    next: str | None
    prev: str | None
    start: int


@dataclass(slots=True)
class _Read:
    """What was read in one direction; `edge` is where reading stopped, None at the very end."""

    items: list[Item]
    edge: tuple[str, ...] | None


def page(rows: Range, query: str, token: str | None, limit: int) -> Page:
    """The page of at most `limit` rows at `token`, or the first one.

    `query` is the text that cursors are bound to. Raises `StaleCursorError`.
    """
    here = cursor.decode(token, query) if token else Position((), forward=True, start=0)
    read = _read(rows, here, limit)
    sides = _ahead(rows, here, read) if here.forward else _behind(rows, here, read)
    items = read.items if here.forward else read.items[::-1]
    start, next_position, prev_position = sides
    return Page(items, _token(next_position, query), _token(prev_position, query), start)


def walk(rows: Range) -> Iterator[list[Item]]:
    """Every row, in chunks as DynamoDB answers them: for exports."""
    key: tuple[str, ...] | None = ()
    while key is not None:
        answer = _query(rows, key, forward=True, limit=_MAX_CHUNK)
        yield answer["Items"]
        last = answer.get("LastEvaluatedKey")
        key = _key_of(rows, last) if last else None


def count(rows: Range) -> int:
    """How many rows there are, filter applied. Reads them all: for exports, not for pages."""
    total = 0
    key: tuple[str, ...] = ()
    while True:
        answer = _query(rows, key, forward=True, limit=_MAX_CHUNK, select="COUNT")
        total += int(answer["Count"])
        if not (last := answer.get("LastEvaluatedKey")):
            return total
        key = _key_of(rows, last)


def _ahead(
    rows: Range, here: Position, read: _Read
) -> tuple[int, Position | None, Position | None]:
    following = (
        Position(read.edge, forward=True, start=here.start + len(read.items)) if read.edge else None
    )
    if not here.key and here.forward and here.start == 0:
        return 0, following, None
    # An empty page can be left backwards too: from where reading stopped, since the row at
    # `here` itself lies before this page.
    first = _key_of(rows, read.items[0]) if read.items else (read.edge or ())
    return here.start, following, Position(first, forward=False, start=here.start)


def _behind(
    rows: Range, here: Position, read: _Read
) -> tuple[int, Position | None, Position | None]:
    start = max(0, here.start - len(read.items)) if read.edge else 0
    last = _key_of(rows, read.items[0]) if read.items else (read.edge or ())
    following = Position(last, forward=True, start=start + len(read.items))
    return start, following, Position(read.edge, forward=False, start=start) if read.edge else None


def _token(position: Position | None, query: str) -> str | None:
    return cursor.encode(position, query) if position else None


def _read(rows: Range, here: Position, limit: int) -> _Read:
    """Up to `limit` rows from `here` on; one more is read to learn whether there are more."""
    items: list[Item] = []
    key, evaluated = here.key, 0
    while len(items) <= limit:
        size = _chunk(rows, limit + 1 - len(items), len(items), evaluated)
        answer = _query(rows, key, forward=here.forward, limit=size)
        items += answer["Items"]
        evaluated += answer["ScannedCount"]
        last = answer.get("LastEvaluatedKey")
        if last is None and len(items) <= limit:
            return _Read(items, None)
        if last is not None:
            key = _key_of(rows, last)
        if len(items) <= limit and evaluated >= _MAX_EVALUATED:
            return _Read(items, key)
    return _Read(items[:limit], _key_of(rows, items[limit - 1]))


def _chunk(rows: Range, wanted: int, found: int, evaluated: int) -> int:
    """How many rows to have evaluated next: as many as the density of hits seen so far asks for."""
    if rows.condition is None:
        return wanted
    if not evaluated:
        return max(_FIRST_FILTERED_CHUNK, wanted)
    guess = wanted * evaluated // max(found, 1)
    return max(wanted, min(guess, _MAX_CHUNK, _MAX_EVALUATED - evaluated))


def _query(
    rows: Range, key: tuple[str, ...], *, forward: bool, limit: int, select: str | None = None
) -> dict[str, Any]:
    return store().query(
        rows.table,
        rows.hash_value,
        range_key_condition=rows.between,
        filter_condition=rows.condition,
        exclusive_start_key=_start_key(rows, key) if key else None,
        index_name=rows.index,
        limit=limit,
        scan_index_forward=forward != rows.descending,
        select=select,
    )


def _key_of(rows: Range, item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in rows.key_attributes)


def _start_key(rows: Range, key: tuple[str, ...]) -> dict[str, dict[str, str]]:
    names = (rows.hash_attribute, *rows.key_attributes)
    return {name: {"S": value} for name, value in zip(names, (rows.hash_value, *key), strict=True)}
