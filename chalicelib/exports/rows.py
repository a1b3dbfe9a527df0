"""Every row of a list, filter or search, streamed: one chunk is read while another is written."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chalicelib.users import listing, searching
from chalicelib.users.filters import Filters
from chalicelib.users.item import from_item
from chalicelib.users.model import Kind, StoreUser

_T = TypeVar("_T")


def everyone(kind: Kind, filters: Filters) -> Iterator[list[StoreUser]]:
    """Every user whom a walk through the pages of the list or search shows, in chunks.

    The same ranges and the same search as those of the pages: what the screen shows and what a
    file holds cannot differ. Raises `StoreUnavailableError`; then nothing that was yielded may
    pass for the whole.
    """
    if filters.q is not None:
        yield from _read_ahead(searching.everyone(kind, filters))
        return
    for items in _read_ahead(listing.rows_of(kind, filters, listing.DEFAULT_SORT).walk()):
        yield [from_item(item) for item in items]


def count(kind: Kind, filters: Filters) -> int | None:
    """How many they are; None for a search: to count what one finds is to make it twice."""
    return None if filters.q is not None else listing.count(kind, filters)


def _read_ahead(chunks: Iterator[_T]) -> Iterator[_T]:
    """The chunks, each of which is fetched while the one before it is being used.

    Two at the most are held. Most of the time of a request is waiting: so a thread pays even on
    one core. More ranges at a time would not: see docs/decisions/0009-exports-are-streams.md.
    """
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        coming = reader.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield chunk
