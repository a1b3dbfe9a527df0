"""Every row of a list or of a filter, streamed: one chunk is read while another is written."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chalicelib.users import listing, paging
from chalicelib.users.item import from_item
from chalicelib.users.listing import Filters
from chalicelib.users.model import Kind, StoreUser

_T = TypeVar("_T")


def everyone(kind: Kind, filters: Filters) -> Iterator[list[StoreUser]]:
    """Every user of the list in its default order, in chunks as DynamoDB answers them.

    The list's own range: what a page shows and what a file holds cannot differ. Raises
    `StoreUnavailableError`; then nothing that was yielded may pass for the whole.
    """
    # What a filter narrows down in another way than by a range is to be dispatched here.
    found = paging.walk(listing.rows_of(kind, filters, listing.DEFAULT_SORT))
    for items in _read_ahead(found):
        yield [from_item(item) for item in items]


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
