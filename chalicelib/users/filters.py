"""What a list is filtered by, and the conditions of DynamoDB that it comes down to."""

import re
from dataclasses import dataclass, fields
from datetime import timedelta

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.users.model import Access, Ecosystem, StoreUser
from chalicelib.users.segments import Segment

_NUMBER = re.compile("-?[0-9]{1,38}")
"""An id that the shop can have written as a number: DynamoDB refuses longer ones."""

_FIRST_INSTANT = ""
_LAST_INSTANT = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is filtered by; the names are the contract's. None or () lets all pass.

    `registered_from` and `registered_to` are dates, inclusive, in UTC. `registered_since` and
    `registered_before` bound a half-open period of RFC 3339 instants; no caller over HTTP sets it.
    `q` is a search, which `searching` sees to. `access` `active` means that an ecosystem is
    deployed and can be entered; `suspended` also finds customers without an ecosystem.
    """

    q: str | None = None
    registered_from: str | None = None
    registered_to: str | None = None
    registered_since: str | None = None
    registered_before: str | None = None
    access: str | None = None
    ecosystem: str | None = None
    billing_period: str | None = None
    status: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()

    @property
    def are_empty(self) -> bool:
        """Whether everybody passes."""
        return self == Filters()

    @property
    def look_at_customers(self) -> bool:
        """Whether they ask for more than a search and a time of registration."""
        return any(
            getattr(self, field.name)
            for field in fields(self)
            if field.name != "q" and not field.name.startswith("registered_")
        )


def bounds(filters: Filters) -> tuple[str, str] | None:
    """The least and the greatest `registered_at` that pass, as text; None where all do.

    Instants are compared as text. Bounds are cut to the second, without the `Z`, so that a writer
    who adds fractions of seconds is sorted in as well.
    """
    lower = max(filters.registered_from or _FIRST_INSTANT, _second(filters.registered_since))
    upper = min(
        f"{filters.registered_to}~" if filters.registered_to else _LAST_INSTANT,
        _before(filters.registered_before),
    )
    if (lower, upper) == (_FIRST_INSTANT, _LAST_INSTANT):
        return None
    return lower or " ", max(lower or " ", upper)


def passes(filters: Filters, user: StoreUser) -> bool:
    """Whether the user passes, a search aside."""
    found = bounds(filters)
    if found and not found[0] <= user.registered_at <= found[1]:
        return False
    return not filters.look_at_customers or fits(filters, Segment.of(user))


def fits(filters: Filters, segment: Segment) -> bool:
    """Whether the customers of the segment pass, whenever they registered."""
    return (
        filters.access in (None, segment.access)
        and (filters.access != Access.ACTIVE or segment.is_deployed)
        and filters.ecosystem in (None, "deployed" if segment.is_deployed else "none")
        and filters.billing_period in (None, segment.billing_period)
        and (not filters.status or segment.status in filters.status)
        and (not filters.plan or segment.plan in filters.plan)
    )


def registered(filters: Filters) -> Condition | None:
    """The condition on `registered_at`: one BETWEEN, which is all that a range key takes."""
    found = bounds(filters)
    return Path("registered_at").between(*found) if found else None


def conditions(filters: Filters) -> list[Condition]:
    """The conditions on everything else."""
    found: list[Condition] = []
    if filters.access:
        found.append(Path("access") == filters.access)
    if filters.ecosystem == "deployed" or filters.access == Access.ACTIVE:
        found.append(is_deployed())
    if filters.ecosystem == "none":
        found.append(~is_deployed())
    if filters.billing_period:
        found.append(Path("subscription.billing_period") == filters.billing_period)
    if filters.status:
        found.append(_one_of("subscription.status", filters.status))
    if filters.plan:
        found.append(_one_of("subscription.plan", filters.plan))
    return found


def is_deployed() -> Condition:
    """The condition that a customer has an ecosystem, as `item` reads it."""
    identifier = Path("ecosystem.id")
    condition: Condition = identifier.is_type("S") & (identifier != "")
    condition |= identifier.is_type("N")
    return condition


def has_ecosystem(ecosystem: Ecosystem | None) -> Condition:
    """The condition that a customer has this ecosystem, or none at all.

    The shop may have written the id as a number.
    """
    if ecosystem is None:
        none: Condition = ~is_deployed()
        return none
    identifier = Path("ecosystem.id")
    condition: Condition = identifier == ecosystem.id
    if _NUMBER.fullmatch(ecosystem.id):
        condition |= identifier == {"N": ecosystem.id}
    return condition


def _one_of(path: str, values: tuple[str, ...]) -> Condition:
    condition: Condition = Path(path).is_in(*values)
    return condition


def _second(instant: str | None) -> str:
    return clock.instant(clock.parse_instant(instant))[:-1] if instant else _FIRST_INSTANT


def _before(instant: str | None) -> str:
    """The last text that lies before `instant`: the second before it, whatever its fraction."""
    if instant is None:
        return _LAST_INSTANT
    return clock.instant(clock.parse_instant(instant) - timedelta(seconds=1))[:-1] + "~"
