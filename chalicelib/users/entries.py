"""The search index, as pure functions: which entries a user has, and how they answer a search.

An entry is a suffix of a folded word of the user, so that *contains* becomes *begins with*, which
a sort key can answer. Its partition is the list and the first two characters of the suffix:

    bucket  customer#ma
    entry   maria#<inverted time of registration>#cus_0042
    h       573001234567 clinica co gomez jose maria mj ruiz sol

`h` holds all the words of the user, so that further words of a search are filtered where the
entries are, and so that every reader can tell which of a user's entries is the one that counts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from chalicelib.users.model import StoreUser
from chalicelib.users.text import digits, words

SHORTEST = 2
"""Characters of the shortest suffix that has an entry, and of a bucket's name."""

LONGEST = 16
"""Characters of a suffix that are kept; longer words of a search are told apart by `h`."""

SEARCHABLE = 256
"""Characters of a field that are searched: so the words of a user stay some kilobytes at most."""

_INTERNATIONAL = re.compile(r"\s*(?:\+|00)[\d\s().\-/]+")
_COUNTRY_CODE = 3
_SECOND = len("2026-03-01T15:04:05")
_SHORTEST_NUMBER, _SHORTEST_INTERNATIONAL = 6, 9

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Document:
    """What the index knows of a user: the list, RFC 3339 registration, words with blanks between.

    `words` are folded, distinct and sorted.
    """

    kind: str
    registered_at: str
    words: str

    @classmethod
    def of(cls, user: StoreUser) -> Self:
        """The document of the user: the words of four fields, and the phone's digits as one."""
        fields = (user.first_name, user.last_name, user.company_email, user.company_name)
        found = {word for field in fields for word in words(field[:SEARCHABLE])}
        found.add(digits(user.phone_number[:SEARCHABLE]))
        return cls(user.kind.value, user.registered_at, " ".join(sorted(found - {""})))

    def entries(self, user_id: str) -> set[tuple[str, str]]:
        """The keys (`bucket`, `entry`) of all entries of the user."""
        tail = f"#{age(self.registered_at)}#{user_id}"
        return {
            (bucket_of(self.kind, suffix), suffix + tail)
            for word in self.words.split()
            for suffix in _suffixes(word)
        }


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody searches for: folded words, longest first, all of which have to occur.

    `number` is set where the whole text is one international phone number: its digits, country
    code included. It also finds numbers that were stored without their country code.
    """

    words: tuple[str, ...]
    number: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """The search that `text` stands for; without a letter or digit it has no words."""
        number = digits(text).removeprefix("00")
        if _INTERNATIONAL.fullmatch(text) and len(number) >= _SHORTEST_INTERNATIONAL:
            return cls((number[_COUNTRY_CODE:],), number)
        found = sorted(set(words(text)), key=lambda word: (-len(word), word))
        told = [word for at, word in enumerate(found) if not _within(word, found[:at])]
        return cls(tuple(told))

    def matches(self, text: str) -> bool:
        """Whether every word occurs in `text`, which is the `words` of a document."""
        if not all(word in text for word in self.words):
            return False
        return self.number is None or _has_number(text, self.number)


def bucket_of(kind: str, suffix: str) -> str:
    """The partition in which the entries of `suffix` lie."""
    return f"{kind}#{suffix[:SHORTEST]}"


def head_of(word: str) -> str:
    """How entries that contain `word` begin."""
    return word[:LONGEST]


def is_canonical(entry: str, text: str, head: str) -> bool:
    """Whether `entry` is the one that counts of a user's entries that begin with `head`.

    It is the smallest of them. It follows from `text`, the user's words, alone, so that no user
    is met twice in a walk, on whatever pages their entries lie.
    """
    smallest = None
    at = text.find(head)
    while at >= 0:
        end = text.find(" ", at, at + LONGEST)
        suffix = text[at : end if end >= 0 else at + LONGEST]
        if smallest is None or suffix < smallest:
            smallest = suffix
        at = text.find(head, at + 1)
    return smallest == entry[: entry.index("#")]


def age(registered_at: str) -> str:
    """Eight characters that sort the newest first; what is no time comes last.

    The time is taken as it stands there, without its offset, as the lists sort it.
    """
    try:
        moment = datetime.fromisoformat(registered_at[:_SECOND]).replace(tzinfo=UTC)
    except ValueError:
        return "z" * 8
    left = _LAST_SECOND - int(moment.timestamp())
    return "".join(_BASE32[left >> shift & 31] for shift in range(35, -1, -5))


def age_of(entry: str) -> str:
    """The age in an entry."""
    return entry[entry.index("#") + 1 :][:8]


def user_id_of(entry: str) -> str:
    """The id of the user that `entry` belongs to."""
    return entry.rpartition("#")[2]


def _suffixes(word: str) -> set[str]:
    return {word[at : at + LONGEST] for at in range(len(word) - SHORTEST + 1)}


def _within(word: str, others: list[str]) -> bool:
    return any(word in other for other in others)


def _has_number(text: str, number: str) -> bool:
    """Whether a run of digits in `text` holds the number, or is the number without its country."""
    for run in text.split():
        if number in run:
            return True
        cut = len(number) - len(run)
        whole = run.isdecimal() and len(run) >= _SHORTEST_NUMBER
        if whole and 0 < cut <= _COUNTRY_CODE and number.endswith(run):
            return True
    return False
