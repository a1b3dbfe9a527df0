"""Store users as JSON, and the page of a list around them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from chalicelib.users.model import Access, StoreUser, Subscription
from chalicelib.users.paging import Total


def lead_row(user: StoreUser) -> dict[str, Any]:
    """A row of the leads, which is all that there is to a lead."""
    return {**_person(user), "version": user.version}


def customer_row(user: StoreUser) -> dict[str, Any]:
    """A row of the customers."""
    subscription = user.subscription
    return {
        **_person(user),
        **_ecosystem(user),
        "subscription": _subscription(subscription) if subscription else None,
        "version": user.version,
    }


def customer_detail(user: StoreUser) -> dict[str, Any]:
    """A customer with everything that the detail window shows."""
    change = user.access_change
    return {
        **customer_row(user),
        "subscription": _subscription_detail(user.subscription) if user.subscription else None,
        "access_change": (
            {
                "at": change.at,
                "by": change.by,
                "by_id": change.by_id,
                "reason": change.reason,
            }
            if change
            else None
        ),
    }


class _Page(Protocol):
    """What the pages of all lists have."""

    @property
    def next(self) -> str | None: ...
    @property
    def prev(self) -> str | None: ...
    @property
    def start(self) -> int: ...
    @property
    def total(self) -> Total | None: ...


def page(rows: Sequence[Mapping[str, Any]], limit: int, found: _Page) -> dict[str, Any]:
    """The one shape of every list. A total that was not counted is unknown, never a guess."""
    total = found.total
    relation = "unknown" if total is None else "exact" if total.is_exact else "at_least"
    return {
        "data": rows,
        "page": {
            "limit": limit,
            "start": found.start,
            "next": found.next,
            "prev": found.prev,
            "total": total.number if total else None,
            "total_relation": relation,
        },
    }


def link_header(path: str, parameters: Mapping[str, Any], found: _Page) -> str:
    """The `Link` header of a page (RFC 8288); `parameters` are those of the request."""
    places = ("cursor", "page")
    fixed = {name: value for name, value in parameters.items() if name not in places}
    cursors = {"next": found.next, "prev": found.prev, "first": ""}
    parts = []
    for relation, cursor in cursors.items():
        if cursor is not None:
            query = urlencode({**fixed, **({"cursor": cursor} if cursor else {})}, doseq=True)
            parts.append(f'<{path}?{query}>; rel="{relation}"')
    return ", ".join(parts)


def _person(user: StoreUser) -> dict[str, Any]:
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "company_email": user.company_email,
        "phone_number": user.phone_number,
        "company_name": user.company_name,
        "registered_at": user.registered_at,
    }


def _ecosystem(user: StoreUser) -> dict[str, Any]:
    ecosystem = user.ecosystem
    return {
        "ecosystem": (
            {"id": ecosystem.id, "name": ecosystem.name, "deployed_at": ecosystem.deployed_at}
            if ecosystem
            else None
        ),
        "access": user.access if user.access in set(Access) else None,
    }


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "plan": subscription.plan,
        "billing_period": subscription.billing_period,
        "status": subscription.status,
        "starts_on": subscription.starts_on,
        "ends_on": subscription.ends_on,
    }


def _subscription_detail(subscription: Subscription) -> dict[str, Any]:
    encounters = subscription.encounters
    return {
        **_subscription(subscription),
        "encounters": (
            {"included": encounters.included, "used": encounters.used} if encounters else None
        ),
        "licences": [
            {"status": part.status, "count": part.count} for part in subscription.licences
        ],
    }
