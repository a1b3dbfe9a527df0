"""A list by registration, cut into slices that can be read side by side: for exports.

The counters say where to cut, so that a slice takes one request or so. Where they are behind, a
slice takes more of them; but whatever they say, the slices are the list: each row is in one.
"""

from collections.abc import Iterator

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib.users import totals
from chalicelib.users.filters import Filters, bounds
from chalicelib.users.model import Kind

_ROWS = 1_000
"""About so many a slice: as many as a Query of a walk reads."""

_LAST = "\U0010ffff"
_NEXT = "\0"
"""What makes of a text the one that follows it."""


def newest_first(kind: Kind, filters: Filters) -> Iterator[Condition | None]:
    """The conditions on `registered_at` that make the slices; None: all of the list is one.

    Every text, whatever it is that stands there for a time, fulfils one of them or is outside of
    what the filters allow.
    """
    low, high = bounds(filters) or (None, None)
    for cut in _cuts(kind, low or "", high or _LAST):
        yield _between(f"{cut}{_NEXT}", high)
        high = cut
    yield _between(low, high)


def _cuts(kind: Kind, low: str, high: str) -> Iterator[str]:
    """Texts between the two, the last first; behind each lie about a thousand rows."""
    behind = 0
    for prefix, number in totals.spread(kind, low, high, at_most=_ROWS):
        cut = f"{prefix}{_LAST}"
        if behind and behind + number > _ROWS and low <= cut < high:
            yield cut
            high, behind = cut, 0
        behind += number


def _between(low: str | None, high: str | None) -> Condition | None:
    at = Path("registered_at")
    if low is None or high is None:
        condition: Condition | None = at >= low if low else at <= high if high else None
        return condition
    return at.between(low, high)
