"""Many items at once: read and written in batches, until every one of them is."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.dynamodb import Item
from chalicelib.errors import StoreUnavailableError
from chalicelib.users.tables import store

_READ_AT_ONCE = 100
_WRITTEN_AT_ONCE = 25
_WRITERS = 8
_ATTEMPTS = 8
_LONGEST_WAIT_SECONDS = 1.0

Key = Mapping[str, Mapping[str, Any]]


def get_all(table: str, keys: Sequence[Key], *, consistent: bool) -> list[Item]:
    """The items of those keys that exist, in no order. Raises `StoreUnavailableError`."""
    found: list[Item] = []
    for at in range(0, len(keys), _READ_AT_ONCE):
        wanted = {
            table: {"Keys": list(keys[at : at + _READ_AT_ONCE]), "ConsistentRead": consistent}
        }
        for _ in _patiently():
            answer = store().dispatch("BatchGetItem", {"RequestItems": wanted})
            found += answer["Responses"].get(table, ())
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                break
    return found


def write_all(table: str, kind: str, contents: Sequence[Key], *, until: datetime) -> None:
    """Put (`kind` Put, `contents` items) or delete (`kind` Delete, `contents` keys) them all.

    Nothing is sent after `until`. All requests are over when it returns, or raises
    `StoreUnavailableError`.
    """
    member = {"Put": "Item", "Delete": "Key"}[kind]
    requests = [{f"{kind}Request": {member: content}} for content in contents]
    batches = [
        requests[at : at + _WRITTEN_AT_ONCE] for at in range(0, len(requests), _WRITTEN_AT_ONCE)
    ]
    if len(batches) == 1:
        _write(table, batches[0], until)
    elif batches:
        with ThreadPoolExecutor(min(_WRITERS, len(batches))) as pool:
            # A context of its own for each, so that what it costs is counted with the rest.
            running = [
                pool.submit(copy_context().run, _write, table, batch, until) for batch in batches
            ]
        for one in running:
            one.result()


def _write(table: str, requests: list[dict[str, Any]], until: datetime) -> None:
    wanted = {table: requests}
    for _ in _patiently():
        if clock.now() >= until:
            message = "There was not enough time to write everything"
            raise StoreUnavailableError(message)
        answer = store().dispatch("BatchWriteItem", {"RequestItems": wanted})
        wanted = answer.get("UnprocessedItems") or {}
        if not wanted:
            return


def _patiently() -> Iterator[None]:
    """One turn at a time, with longer and longer waits between them; an error at the end."""
    yield
    for attempt in range(_ATTEMPTS):
        longest = min(0.05 * 2**attempt, _LONGEST_WAIT_SECONDS)
        time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
        yield
    message = "The data store is busy; try again in a while"
    raise StoreUnavailableError(message)
