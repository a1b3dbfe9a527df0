"""What is derived of one user in other tables, and how to get from what is there to what is due.

Pure but for the clock. The state of a user, one item in the table of totals, says what is counted
and indexed of them; `counting` reads and writes it.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from chalicelib.users.entries import Document
from chalicelib.users.item import from_item, sort_keys
from chalicelib.users.totals import Counter, counters_of

REINDEX_MARK = "reindexed_at"
"""The attribute of a user that `make reindex` sets: a new value has everything written again."""

RawItem = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Derived:
    """What is, or is to be, counted and indexed of a user: nothing where there is no document."""

    document: Document | None = None
    segment: str | None = None
    mark: str | None = None

    @classmethod
    def of(cls, image: Mapping[str, Any]) -> Self:
        """What is to be derived of the user that the item is; nothing of what is none."""
        try:
            user = from_item(image)
        except ValueError:
            return cls()
        segment = sort_keys(user).get("segment")
        return cls(Document.of(user), segment, _text(image, REINDEX_MARK))

    def counters(self) -> Iterable[Counter]:
        """The counters in which the user counts."""
        return counters_of(self.document, self.segment) if self.document else ()


@dataclass(frozen=True, slots=True)
class State:
    """What is written down of a user.

    `stale` are earlier documents whose entries may still be there. While entries are being
    written, `lease_until` (RFC 3339) is when that will be over, and `owner` names who does it.
    """

    revision: int = 0
    derived: Derived = Derived()
    stale: tuple[Document, ...] = ()
    lease_until: str | None = None
    owner: str | None = None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The state that an item of the table of totals holds."""
        document = _document(item["document"]["M"]) if "document" in item else None
        return cls(
            revision=int(item["revision"]["N"]),
            derived=Derived(document, _text(item, "segment"), _text(item, "mark")),
            stale=tuple(_document(one["M"]) for one in item.get("stale", {}).get("L", ())),
            lease_until=_text(item, "lease_until"),
            owner=_text(item, "owner"),
        )

    def to_item(self) -> RawItem:
        """The attributes of the item, but for its key."""
        item: RawItem = {"revision": {"N": str(self.revision)}}
        if self.derived.document:
            item["document"] = _map(self.derived.document)
        if self.stale:
            item["stale"] = {"L": [_map(one) for one in self.stale]}
        texts = {
            "segment": self.derived.segment,
            "mark": self.derived.mark,
            "lease_until": self.lease_until,
            "owner": self.owner,
        }
        return {**item, **{name: {"S": text} for name, text in texts.items() if text is not None}}


@dataclass(frozen=True, slots=True)
class Change:
    """From what is derived of a user, as seen, to what is due."""

    user_id: str
    seen: State
    due: Derived

    @classmethod
    def of(cls, user_id: str, seen: State, image: Mapping[str, Any]) -> Self:
        """What the user's item makes necessary; a mark that a writer dropped counts as kept."""
        due = Derived.of(image)
        if due.document and due.mark is None:
            due = replace(due, mark=seen.derived.mark)
        return cls(user_id, seen, due)

    @property
    def is_needed(self) -> bool:
        """Whether anything is to be done: also where somebody stopped half-way."""
        return self.seen.lease_until is not None or self.seen.derived != self.due

    @property
    def writes_entries(self) -> bool:
        """Whether there is more to be done than to count."""
        return bool(self.puts() or self.deletes())

    def puts(self) -> list[RawItem]:
        """The entries to write. With one word they all change: each holds all the words."""
        if self.due.document is None:
            return []
        keys = self.due.document.entries(self.user_id)
        known = self.seen.derived.document
        is_sound = self.seen.lease_until is None and self.seen.derived.mark == self.due.mark
        if is_sound and known and known.words == self.due.document.words:
            keys -= known.entries(self.user_id)
        words = {"S": self.due.document.words}
        return [{**_entry_key(*key), "h": words} for key in sorted(keys)]

    def deletes(self) -> list[RawItem]:
        """The keys of the entries to delete."""
        gone: set[tuple[str, str]] = set()
        for document in self.before():
            gone |= document.entries(self.user_id)
        if self.due.document:
            gone -= self.due.document.entries(self.user_id)
        return [_entry_key(*key) for key in sorted(gone)]

    def before(self) -> tuple[Document, ...]:
        """The earlier documents whose entries may be there."""
        known = self.seen.derived.document
        documents = dict.fromkeys((*self.seen.stale, *([known] if known else ())))
        return tuple(one for one in documents if one != self.due.document)

    def counts(self) -> dict[Counter, int]:
        """By how much each counter moves."""
        tally = Tally(self.due.counters())
        tally.subtract(Tally(self.seen.derived.counters()))
        return {counter: by for counter, by in tally.items() if by}

    def under_way(self, lease_until: str, owner: str) -> State:
        """The state while the entries are being written."""
        return State(self.seen.revision + 1, self.due, self.before(), lease_until, owner)

    def done(self) -> State | None:
        """The state when all is done; None where nothing is left to be said of the user."""
        return State(self.seen.revision + 1, self.due) if self.due.document else None


def is_concerned(record: Mapping[str, Any]) -> bool:
    """Whether a record of the stream tells of a change to what is counted or indexed."""
    images = [record["dynamodb"].get(name) for name in ("OldImage", "NewImage")]
    return None in images or Derived.of(images[0]) != Derived.of(images[1])


def _entry_key(bucket: str, entry: str) -> RawItem:
    return {"bucket": {"S": bucket}, "entry": {"S": entry}}


def _map(document: Document) -> dict[str, Any]:
    return {"M": {name: {"S": getattr(document, name)} for name in document.__slots__}}


def _document(inner: Mapping[str, Any]) -> Document:
    return Document(**{name: inner[name]["S"] for name in Document.__slots__})


def _text(item: Mapping[str, Any], name: str) -> str | None:
    text: str | None = item.get(name, {}).get("S")
    return text
