"""Hash chain of the audit: numbers and digests of a subject's entries, and where they break.

An entry carries the digest of the entry before it (`prev`) and of itself (`hash`). Pure functions
over items as DynamoDB writes them.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from chalicelib.dynamodb import Item

_PREFIX = "n"
"""Sorts after the digits that the keys of entries without a hash begin with."""

_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Link:
    """What of an item makes the chain: its key, the hashes that it holds, and its real digest."""

    entry: str
    prev: str | None
    hash: str | None
    digest: str

    @classmethod
    def of(cls, item: Item) -> Self:
        """Return the link that the item is."""
        prev, kept = (item.get(name, {}).get("S") for name in ("prev", "hash"))
        return cls(item["entry"]["S"], prev, kept, digest(item))


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


def find_break(links: Iterable[Link]) -> Break | None:
    """Return where the chain of a subject's links, in any order, first breaks.

    Entries of an older version have no hash. The first link holds the digest of one of them; later
    ones were written by the older version while it was still running.
    """
    ordered = sorted(links, key=lambda link: link.entry)
    chained = [link for link in ordered if link.entry.startswith(_PREFIX)]
    expected = {link.digest for link in ordered if not link.entry.startswith(_PREFIX)} or {""}
    for number, link in enumerate(chained, start=1):
        cause = _fault(link, number, expected)
        if cause is not None:
            return Break(link.entry, cause)
        expected = {link.digest}
    return None


def _fault(link: Link, number: int, expected: set[str]) -> str | None:
    if link.entry != key(number):
        return f"{key(number)} is missing before it"
    if link.hash != link.digest:
        return "it was changed: its hash is another"
    if link.prev not in expected:
        return "the entry before it was changed or removed: its hash is another"
    return None


def _number_of(item: Item) -> int:
    """Return the number of a link, 0 for an entry of before hashes."""
    entry = item["entry"]["S"]
    return int(entry.removeprefix(_PREFIX)) if entry.startswith(_PREFIX) else 0
