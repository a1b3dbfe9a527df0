"""Pages of anything that can be read in order, both ways, from a place on: cursors and counts."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.dynamodb import Item
from chalicelib.users import cursor
from chalicelib.users.cursor import Position

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are; not `is_exact`: at least so many, where counting stopped."""

    number: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Row:
    """An item, and the key that makes its position."""

    key: Key
    item: Item


@dataclass(frozen=True, slots=True)
class Read:
    """What was read in one direction.

    `edge` is where reading stopped, None at the very end. `total` is there where reading the
    first page went with counting.
    """

    rows: list[Row]
    edge: Key | None
    total: Total | None = None


class Source(Protocol):
    """What can be paged through."""

    def read(self, here: Position, limit: int) -> Read:
        """Up to `limit` rows from `here` on, nearest first; fewer where that takes too much."""


@dataclass(frozen=True, slots=True)
class Page:
    """Items in order, cursors to both sides (None: nothing there), and the number before them."""

    items: list[Item]
    next: str | None
    prev: str | None
    start: int
    total: Total | None = None


def page(
    source: Source, query: str, token: str | None, limit: int, first: Position | None = None
) -> Page:
    """The page of at most `limit` rows at `token`, or the first one, which begins at `first`.

    `query` is the text that cursors are bound to. Raises `StaleCursorError`.
    """
    here = cursor.decode(token, query) if token else first or Position((), forward=True, start=0)
    read = source.read(here, limit)
    total = Total(*here.total) if here.total else read.total
    start, following, before = _ahead(here, read) if here.forward else _behind(here, read)
    rows = read.rows if here.forward else read.rows[::-1]
    items = [row.item for row in rows]
    return Page(items, _token(following, query, total), _token(before, query, total), start, total)


def _ahead(here: Position, read: Read) -> tuple[int, Position | None, Position | None]:
    following = (
        Position(read.edge, forward=True, start=here.start + len(read.rows)) if read.edge else None
    )
    if not here.key and here.start == 0:
        return 0, following, None
    # An empty page can be left backwards too: from where reading stopped, since the row at
    # `here` itself lies before this page.
    first = read.rows[0].key if read.rows else (read.edge or ())
    return here.start, following, Position(first, forward=False, start=here.start)


def _behind(here: Position, read: Read) -> tuple[int, Position | None, Position | None]:
    start = max(0, here.start - len(read.rows)) if read.edge else 0
    last = read.rows[0].key if read.rows else (read.edge or ())
    following = Position(last, forward=True, start=start + len(read.rows))
    return start, following, Position(read.edge, forward=False, start=start) if read.edge else None


def _token(position: Position | None, query: str, total: Total | None) -> str | None:
    if position is None:
        return None
    counted = (total.number, total.is_exact) if total else None
    return cursor.encode(Position(position.key, position.forward, position.start, counted), query)
