"""Lists of store users: one page of one, all of one, and one store user."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import and_

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.errors import NotFoundError
from chalicelib.settings import settings
from chalicelib.users import paging
from chalicelib.users.item import from_item
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.tables import store

# What a list can be sorted by → the index in that order and its range key.
SORTS: Mapping[str, tuple[str, str]] = {
    "registered_at": ("by_registered", "registered_at"),
    "name": ("by_name", "sort_name"),
    "company": ("by_company", "sort_company"),
    "ends_on": ("by_ends_on", "sort_ends_on"),
}
DEFAULT_SORT = "-registered_at"

_FIRST_INSTANT = ""
_LAST_INSTANT = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is filtered by; the names are the contract's. None or () lets all pass.

    `registered_from` and `registered_to` are dates, inclusive, in UTC. `registered_since` and
    `registered_before` bound a half-open period of RFC 3339 instants; no caller over HTTP sets it.
    """

    registered_from: str | None = None
    registered_to: str | None = None
    registered_since: str | None = None
    registered_before: str | None = None
    access: str | None = None
    ecosystem: str | None = None
    billing_period: str | None = None
    status: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserPage:
    """Store users in order, cursors to both sides, and the number of users before them."""

    users: list[StoreUser]
    next: str | None
    prev: str | None
    start: int


def page(kind: Kind, filters: Filters, sort: str, token: str | None, limit: int) -> UserPage:
    """The page of at most `limit` users at the cursor `token`, or the first.

    A page holds fewer where the filter is rare and the bound on work is reached; it then has a
    `next`. One Query without a filter. Raises `StaleCursorError`.
    """
    rows = rows_of(kind, filters, sort)
    query = repr((kind.value, filters, sort, limit))
    found = paging.page(rows, query, token, limit)
    return UserPage([from_item(item) for item in found.items], found.next, found.prev, found.start)


def everyone(kind: Kind, filters: Filters) -> Iterator[list[StoreUser]]:
    """Every user of the list in its default order, in chunks: for exports."""
    for items in paging.walk(rows_of(kind, filters, DEFAULT_SORT)):
        yield [from_item(item) for item in items]


def count(kind: Kind, filters: Filters) -> int:
    """How many users the list has. Reads them all: for exports, not for pages."""
    return paging.count(rows_of(kind, filters, DEFAULT_SORT))


def find(kind: Kind, user_id: str) -> StoreUser:
    """The user as of now: one strongly consistent GetItem. Raises `NotFoundError`."""
    answer = store().get_item(settings().users_table, user_id, consistent_read=True)
    item = answer.get("Item")
    if item is None or item.get("kind") != {"S": kind.value}:
        message = f"There is no {kind.value} {user_id}"
        raise NotFoundError(message)
    return from_item(item)


def rows_of(kind: Kind, filters: Filters, sort: str) -> paging.Range:
    """The range of the index, and the condition on it, that a list comes down to."""
    index, range_key = SORTS[sort.removeprefix("-")]
    registered = _registered(filters)
    on_key = range_key == "registered_at"
    conditions = _conditions(filters)
    if registered is not None and not on_key:
        conditions.append(registered)
    return paging.Range(
        table=settings().users_table,
        index=index,
        hash_attribute="kind",
        hash_value=kind.value,
        key_attributes=(range_key, "id"),
        between=registered if on_key else None,
        condition=reduce(and_, conditions) if conditions else None,
        descending=sort.startswith("-"),
    )


def _registered(filters: Filters) -> Condition | None:
    """The condition on `registered_at`: one BETWEEN, which is all that a range key takes.

    Instants are compared as text. Bounds are cut to the second, without the `Z`, so that a writer
    who adds fractions of seconds is sorted in as well.
    """
    lower = max(
        f"{filters.registered_from}T00:00:00" if filters.registered_from else _FIRST_INSTANT,
        _second(filters.registered_since),
    )
    upper = min(
        f"{filters.registered_to}T23:59:59~" if filters.registered_to else _LAST_INSTANT,
        _before(filters.registered_before),
    )
    if (lower, upper) == (_FIRST_INSTANT, _LAST_INSTANT):
        return None
    return Path("registered_at").between(lower or " ", max(lower or " ", upper))


def _second(instant: str | None) -> str:
    return clock.instant(clock.parse_instant(instant))[:-1] if instant else _FIRST_INSTANT


def _before(instant: str | None) -> str:
    """The last text that lies before `instant`: the second before it, whatever its fraction."""
    if instant is None:
        return _LAST_INSTANT
    return clock.instant(clock.parse_instant(instant) - timedelta(seconds=1))[:-1] + "~"


def _one_of(path: str, values: tuple[str, ...]) -> Condition:
    condition: Condition = Path(path).is_in(*values)
    return condition


def _conditions(filters: Filters) -> list[Condition]:
    conditions: list[Condition] = []
    if filters.access:
        conditions.append(Path("access") == filters.access)
    if filters.ecosystem:
        identifier = Path("ecosystem.id")
        deployed = (identifier.is_type("S") & (identifier != "")) | identifier.is_type("N")
        conditions.append(deployed if filters.ecosystem == "deployed" else ~deployed)
    if filters.billing_period:
        conditions.append(Path("subscription.billing_period") == filters.billing_period)
    if filters.status:
        conditions.append(_one_of("subscription.status", filters.status))
    if filters.plan:
        conditions.append(_one_of("subscription.plan", filters.plan))
    return conditions
