"""The fields of one record: each read by its rule, and every fault kept on the way."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from chalicelib import clock

_MOST_CHARACTERS = 1000
_MOST_UNKNOWN = 100
_MOST = 10**14
"""The largest whole number that all readers of JSON agree on (RFC 8259 §6)."""

_DIGITS = re.compile(r"[0-9]{1,16}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339 §5.6; `datetime.fromisoformat` takes much more than that.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_INSTANT_RULE = "an instant with its offset from UTC, such as 2026-03-01T15:04:05Z"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def is_empty(value: Any) -> bool:
    """Whether `value` says nothing: no text in it, however deeply it is nested."""
    if isinstance(value, dict):
        return all(map(is_empty, value.values()))
    if isinstance(value, list):
        return all(map(is_empty, value))
    return value is None or (isinstance(value, str) and not value.strip())


def has_surrogates(text: str) -> bool:
    """Whether `text` holds what is no character: bytes that were not UTF-8, or half a pair."""
    return not text.isascii() and _SURROGATE.search(text) is not None


class Fields:
    """Reads fields by their names; what is missing or wrong comes back empty."""

    def __init__(self, unknown: set[str]) -> None:
        """Collect into `unknown` the names of members that nobody knows."""
        self.faults: list[str] = []
        self._unknown = unknown

    def require(self, name: str, value: Any) -> None:
        """Fault a field that is missing."""
        if is_empty(value):
            self.faults.append(f"{name} is missing")

    def text(self, name: str, value: Any) -> str:
        """Text, without the white space around it."""
        if value is None:
            return ""
        if not isinstance(value, str):
            return self._fault(f"{name} must be text")
        text = value.strip()
        if "\0" in text or has_surrogates(text):
            return self._fault(f"{name} holds a NUL character or half a surrogate pair")
        if len(text) > _MOST_CHARACTERS:
            return self._fault(f"{name} is longer than {_MOST_CHARACTERS:,} characters")
        return text

    def word(self, name: str, value: Any, pattern: re.Pattern[str], rule: str) -> str:
        """Text of a pattern, which `rule` tells a person."""
        text = self.text(name, value)
        if not text or pattern.fullmatch(text):
            return text
        return self._fault(f"{name} must be {rule}")

    def instant(self, name: str, value: Any) -> str:
        """An instant, in UTC to the second."""
        text = self.text(name, value)
        return text and (_instant(text) or self._fault(f"{name} must be {_INSTANT_RULE}"))

    def day(self, name: str, value: Any) -> str:
        """A date of the calendar: YYYY-MM-DD."""
        text = self.text(name, value)
        if not text or _is_day(text):
            return text
        return self._fault(f"{name} must be a date of the calendar, such as 2026-03-31")

    def whole(self, name: str, value: Any, least: int = 0) -> int | None:
        """A whole number, written as a number or in digits."""
        if is_empty(value):
            return None
        number = _whole(value)
        if number is None or not least <= number <= _MOST:
            self._fault(f"{name} must be a whole number from {least} to {_MOST}")
            return None
        return number

    def members(self, name: str, value: Any, known: Sequence[str]) -> Mapping[str, Any]:
        """An object, of which only the members `known` count."""
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            self._fault(f"{name} must be a JSON object")
            return {}
        self.note_unknown(value, known, f"{name}.")
        return value

    def listed(self, name: str, value: Any) -> Sequence[Any]:
        """A list."""
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            self._fault(f"{name} must be a list")
            return []
        return value

    def note_unknown(self, record: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
        """Remember the members that are not `known`, up to a bound."""
        for member in record.keys() - set(known):
            if len(self._unknown) < _MOST_UNKNOWN:
                self._unknown.add(f"{prefix}{member}")

    def _fault(self, text: str) -> str:
        self.faults.append(text)
        return ""


def _instant(text: str) -> str:
    if not _INSTANT.fullmatch(text):
        return ""
    try:
        return clock.instant(clock.parse_instant(text.upper()))
    except (ValueError, OverflowError):
        return ""


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if _DIGITS.fullmatch(text) else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
