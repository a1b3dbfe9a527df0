"""The columns of a file: their names; a line of cells → a record, nested as the item contract."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

TEXTS = ("first_name", "last_name", "company_email", "phone_number", "company_name")
"""The five columns of free text, which are attributes of the same names."""

REQUIRED = ("id", "kind", "registered_at")

DAYS = frozenset({"starts_on", "ends_on"})
"""The columns that hold a calendar date."""

IGNORED = frozenset({"line", "problem"})
"""What a reject file has before the columns of the file that it comes from."""

JSON_ROW = "row"
"""The one column of JSON Lines, and of the reject file of JSON Lines: a whole record as JSON."""

_ECOSYSTEM = {
    "ecosystem_id": ("ecosystem", "id"),
    "ecosystem_name": ("ecosystem", "name"),
    "ecosystem_deployed_at": ("ecosystem", "deployed_at"),
}
_SUBSCRIPTION = {
    "plan": ("subscription", "plan"),
    "billing_period": ("subscription", "billing_period"),
    "status": ("subscription", "status"),
    "starts_on": ("subscription", "starts_on"),
    "ends_on": ("subscription", "ends_on"),
    "encounters_included": ("subscription", "encounters", "included"),
    "encounters_used": ("subscription", "encounters", "used"),
    "licences": ("subscription", "licences"),
}
_PATHS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in (*REQUIRED, *TEXTS, "access", "version")},
    **_ECOSYSTEM,
    **_SUBSCRIPTION,
}
_NESTED = {"ecosystem": frozenset(_ECOSYSTEM), "subscription": frozenset(_SUBSCRIPTION)}
_COUNTS = "licences_"

ALL = frozenset(_PATHS)
"""Every column that says something about a store user, by its bare name."""


class HeaderError(Exception):
    """The header does not fit; the message tells a person what the file lacks or has."""


class CellError(Exception):
    """A line cannot be read as a record; the message says why, and repeats nothing of it."""


class Columns:
    """The columns of one file: what is known of them, and how a line becomes a record."""

    def __init__(self, header: Sequence[str]) -> None:
        """Raises `HeaderError` where a column is missing or there twice."""
        self.names = tuple(canonical(title) for title in header)
        self._is_json = JSON_ROW in self.names and "id" not in self.names
        _refuse_missing(self.names, self._is_json)
        _refuse_repeated(self.names, header)
        self.given = ALL if self._is_json else frozenset().union(*map(given_by, self.names))
        self.unknown = tuple(
            printable(title) or f"column {number}, which has no name"
            for number, (name, title) in enumerate(zip(self.names, header, strict=True), 1)
            if not self._is_known(name)
        )

    def record(self, cells: Sequence[str]) -> Mapping[str, Any]:
        """What the cells of one line say, nested as in the item contract; empty cells are left out.

        Raises `CellError`.
        """
        filled = {
            name: cell.strip()
            for name, cell in zip(self.names, cells, strict=True)
            if cell.strip() and self._is_known(name)
        }
        return _object(filled.get(JSON_ROW, ""), "the line") if self._is_json else _nested(filled)

    def _is_known(self, name: str) -> bool:
        if self._is_json:
            return name == JSON_ROW or name in IGNORED
        return bool(given_by(name)) or name in IGNORED


def canonical(title: str) -> str:
    """The bare name of a column: "Subscription Ends-On" → "ends_on"."""
    name = re.sub(r"[\s.-]+", "_", title.strip().lower())
    bare = name.removeprefix("subscription_")
    return bare if bare in _SUBSCRIPTION or bare.startswith(_COUNTS) else name


def given_by(name: str) -> frozenset[str]:
    """The columns that the one of this bare name speaks for; none where nobody knows it."""
    if name in _NESTED:
        return _NESTED[name]
    if name in _PATHS:
        return frozenset({name})
    return frozenset({"licences"} if name.startswith(_COUNTS) else ())


def printable(text: str) -> str:
    """`text` from a file such that a terminal can show it: no control characters, not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text.strip())[:64]


def parse_json(text: str) -> Any:
    """The JSON value that `text` holds. Raises `CellError`."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_members)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg.lower()} at character {error.pos + 1}"
        raise CellError(message) from error
    except RecursionError as error:
        message = "is JSON nested too deeply"
        raise CellError(message) from error
    except ValueError as error:  # Python's own limit to the digits of a number
        message = "holds a number of too many digits"
        raise CellError(message) from error


def _refuse_missing(names: Sequence[str], is_json: bool) -> None:  # noqa: FBT001 - private
    missing = [] if is_json else [name for name in REQUIRED if name not in names]
    if missing:
        message = f"lacks the column {', '.join(missing)}: its header must name {_REQUIRED_TEXT}"
        raise HeaderError(message)


_REQUIRED_TEXT = f"{', '.join(REQUIRED[:-1])} and {REQUIRED[-1]}"


def _refuse_repeated(names: Sequence[str], header: Sequence[str]) -> None:
    for name in names:
        titles = [printable(header[at]) for at, other in enumerate(names) if other == name]
        if name and len(titles) > 1:
            message = f"has one column more than once: {', '.join(titles)}"
            raise HeaderError(message)


def _nested(filled: Mapping[str, str]) -> Mapping[str, Any]:
    record: dict[str, Any] = {
        name: dict(_object(filled[name], name)) for name in _NESTED if name in filled
    }
    for name, path in _PATHS.items():
        if name in filled:
            value = _licences(filled[name]) if name == "licences" else filled[name]
            _put(record, path, value, name)
    counts = [
        {"status": name.removeprefix(_COUNTS), "count": text}
        for name, text in filled.items()
        if name.startswith(_COUNTS)
    ]
    if counts:
        subscription = record.setdefault("subscription", {})
        subscription["licences"] = [*_listed(subscription.get("licences")), *counts]
    return record


def _put(record: dict[str, Any], path: Sequence[str], value: Any, name: str) -> None:
    *parents, last = path
    inner = record
    for parent in parents:
        inner = inner.setdefault(parent, {})
        if not isinstance(inner, dict):
            message = f"{name} has no place in what the column {path[0]} holds"
            raise CellError(message)
    if inner.get(last) not in (None, ""):
        message = f"{name} is there twice: in its own column and in the column {path[0]}"
        raise CellError(message)
    inner[last] = value


def _listed(value: Any) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    message = "licences must be a list"
    raise CellError(message)


def _licences(text: str) -> list[Any]:
    """`[{"status": "available", "count": 3}]` or `available:3;assigned:16` → a list of members."""
    if text.startswith("["):
        try:
            return _listed(parse_json(text))
        except CellError as error:
            message = f"licences {error}"
            raise CellError(message) from error
    pairs = [pair.partition(":") for pair in re.split(r"[;|,]", text) if pair.strip()]
    return [{"status": status.strip(), "count": count.strip()} for status, _, count in pairs]


def _object(text: str, name: str) -> Mapping[str, Any]:
    try:
        value = parse_json(text)
    except CellError as error:
        message = f"{name} {error}"
        raise CellError(message) from error
    if not isinstance(value, dict):
        message = f"{name} is not a JSON object"
        raise CellError(message)
    return value


def _refuse_constant(name: str) -> None:
    message = f"holds {name}, which is not JSON"
    raise CellError(message)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "is JSON in which a member is there twice"
        raise CellError(message)
    return members
