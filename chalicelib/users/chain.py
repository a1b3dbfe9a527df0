"""Hash chain of the audit: numbers and digests of a subject's entries, and where they break.

An entry carries the digest of the entry before it (`prev`) and of itself (`hash`). Pure functions
over items as DynamoDB writes them.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.dynamodb import Item

_PREFIX = "n"
"""Sorts after the digits that the keys of entries without a hash begin with."""

_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry of a subject that does not fit, by its key, and in which way."""

    entry: str
    cause: str


def key(number: int) -> str:
    """Return the sort key of the entry of that number, 1 for the first."""
    return f"{_PREFIX}{number:0{_DIGITS}}"


def linked(attributes: Item, last: Item | None) -> dict[str, Any]:
    """Return the item that follows `last`, the newest one of the subject, if there is any."""
    number = _number_of(last) if last else 0
    prev = {"S": digest(last) if last else ""}
    item = {**attributes, "entry": {"S": key(number + 1)}, "prev": prev}
    return {**item, "hash": {"S": digest(item)}}


def digest(item: Item) -> str:
    """Return the SHA-256, in hexadecimal, of all attributes but `hash`, as canonical JSON.

    Canonical: as DynamoDB types them, names sorted, no blanks, in UTF-8.
    """
    hashed = {name: value for name, value in item.items() if name != "hash"}
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def find_break(items: Sequence[Item]) -> Break | None:
    """Return where the chain of a subject's items, in order of their keys, first breaks.

    Entries of an older version have no hash. The first link holds the digest of one of them; later
    ones were written by the older version while it was still running.
    """
    before, links = _divided(items)
    expected = [digest(item) for item in before] or [""]
    for number, item in enumerate(links, start=1):
        cause = _fault(item, number, expected)
        if cause is not None:
            return Break(item["entry"]["S"], cause)
        expected = [item["hash"]["S"]]
    return None


def _divided(items: Iterable[Item]) -> tuple[list[Item], list[Item]]:
    before: list[Item] = []
    links: list[Item] = []
    for item in items:
        (links if item["entry"]["S"].startswith(_PREFIX) else before).append(item)
    return before, links


def _fault(item: Item, number: int, expected: Sequence[str]) -> str | None:
    if item["entry"]["S"] != key(number):
        return f"{key(number)} is missing before it"
    if item.get("hash", {}).get("S") != digest(item):
        return "it was changed: its hash is another"
    if item["prev"]["S"] not in expected:
        return "the entry before it was changed or removed: its hash is another"
    return None


def _number_of(item: Item) -> int:
    """Return the number of a link, 0 for an entry of before hashes."""
    entry = item["entry"]["S"]
    return int(entry.removeprefix(_PREFIX)) if entry.startswith(_PREFIX) else 0
