"""Every row of a list, filter or search, streamed: the next are read while some are used."""

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from chalicelib.users import listing, searching
from chalicelib.users.filters import Filters
from chalicelib.users.item import from_item
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.pace import Pace

_T = TypeVar("_T")

_AHEAD, _AHEAD_OF_FEW = 2, 4
"""Slices that are begun while one is used, and where a filter lets few of their rows pass.

Each holds a chunk once it is read, some 9 MB of it where all pass: so memory bounds them.
"""

_FEW = 500

OBJECTS_BETWEEN_COLLECTIONS = 200_000
"""Those of four chunks or so. A chunk is used and let go of, and nothing in it refers to itself:
to look for cycles after each 700 objects, as Python does, takes as long as the whole rest."""


def everyone(kind: Kind, filters: Filters) -> Iterator[list[StoreUser]]:
    """Every user whom a walk through the pages of the list or search shows, in chunks.

    The same ranges and the same search as those of the pages: what the screen shows and what a
    file holds cannot differ. Raises `StoreUnavailableError`; then nothing that was yielded may
    pass for the whole.
    """
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 10, 10)
    if filters.q is not None:
        yield from _read_ahead([searching.everyone(kind, filters)])
        return
    pace = Pace()
    for items in _read_ahead(part.walk(pace) for part in listing.slices(kind, filters)):
        yield [from_item(item) for item in items]


def count(kind: Kind, filters: Filters) -> int | None:
    """How many they are; None for a search: to count what one finds is to make it twice."""
    return None if filters.q is not None else listing.count(kind, filters)


def _read_ahead(walks: Iterable[Iterator[list[_T]]]) -> Iterator[list[_T]]:
    """The chunks of one walk after the other, the next ones of which are read meanwhile.

    Most of the time of a request is waiting: so threads pay even on one core. See
    docs/decisions/0009-exports-are-streams.md.
    """
    coming, most = iter(walks), _AHEAD
    ahead: deque[tuple[Iterator[list[_T]], Future[list[_T] | None]]] = deque()
    with ThreadPoolExecutor(_AHEAD_OF_FEW + 1, "read-ahead") as readers:

        def read(walk: Iterator[list[_T]]) -> Future[list[_T] | None]:
            context = copy_context()
            return readers.submit(lambda: context.run(next, walk, None))

        def begin() -> None:
            while len(ahead) < most and (walk := next(coming, None)) is not None:
                ahead.append((walk, read(walk)))

        begin()
        while ahead:
            walk, reading = ahead.popleft()
            begin()
            while (chunk := reading.result()) is not None:
                reading = read(walk)
                most = _AHEAD_OF_FEW if len(chunk) < _FEW else _AHEAD
                yield chunk
