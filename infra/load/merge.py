"""What a row changes of the store user that is stored under its id. No AWS call here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from chalicelib.users.item import from_item, to_item
from chalicelib.users.model import (
    Access,
    Ecosystem,
    Encounters,
    Kind,
    StoreUser,
    Subscription,
)
from infra.load.columns import TEXTS
from infra.load.rows import NO_SUBSCRIPTION, Row

_PLAIN = ("plan", "billing_period", "status", "starts_on", "ends_on", "licences")
_ATTRIBUTES = (
    *(spec.name for spec in fields(StoreUser)),
    "sort_name",
    "sort_company",
    "sort_ends_on",
    "segment",
    "segment_order",
)


class RowRefusedError(Exception):
    """The row cannot be loaded because of what is stored; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Change:
    """What to store, None where it is stored already; `access_kept` tells of a wish refused."""

    user: StoreUser | None
    access_kept: bool


def change(row: Row, item: Mapping[str, Any]) -> Change:
    """What the row makes of the stored `item`.

    The access stays: only the switch changes it. So does what the file has no column for.
    Raises `RowRefusedError`.
    """
    stored = _stored(item)
    if stored.kind is Kind.CUSTOMER and row.user.kind is Kind.LEAD and stored.ecosystem:
        message = "the stored customer has an ecosystem: a lead would leave it without an owner"
        raise RowRefusedError(message)
    merged = _merged(row, stored)
    if ("starts_on" in row.given) is not ("ends_on" in row.given):
        _refuse_reversed_days(merged)
    wished = "access" in row.given and merged.kind is stored.kind is Kind.CUSTOMER
    access_kept = wished and row.user.access != (stored.access or Access.ACTIVE)
    user = None if merged == stored else replace(merged, version=stored.version + 1)
    return Change(user, access_kept)


def update(user: StoreUser, item: Mapping[str, Any]) -> dict[str, Any]:
    """What UpdateItem needs to make the stored `item` say what `user` says, if it is as it was.

    Only what differs is named: other attributes of the shop's stay as they are.
    """
    wanted = to_item(user)
    changed = [name for name in _ATTRIBUTES if wanted.get(name) != item.get(name)]
    sets = [f"#{name} = :{name}" for name in changed if name in wanted]
    gone = [f"#{name}" for name in changed if name not in wanted]
    values = {f":{name}": wanted[name] for name in changed if name in wanted}
    seen = {":seen": item["version"]} if "version" in item else {}
    unchanged = "#version = :seen" if seen else "attribute_not_exists(#version)"
    return {
        "Key": {"id": item["id"]},
        "UpdateExpression": f"SET {', '.join(sets)}{' REMOVE ' * bool(gone)}{', '.join(gone)}",
        "ConditionExpression": f"attribute_exists(id) AND {unchanged}",
        "ExpressionAttributeNames": {f"#{name}": name for name in changed},
        "ExpressionAttributeValues": values | seen,
    }


def _stored(item: Mapping[str, Any]) -> StoreUser:
    try:
        return from_item(item)
    except ValueError as error:
        message = "what is stored under this id is neither a lead nor a customer"
        raise RowRefusedError(message) from error


def _merged(row: Row, stored: StoreUser) -> StoreUser:
    kept = {name: getattr(stored, name) for name in TEXTS if name not in row.given}
    if row.user.kind is Kind.LEAD:
        return replace(row.user, version=stored.version, **kept)
    return replace(
        row.user,
        **kept,
        ecosystem=_ecosystem(row, stored.ecosystem),
        access=stored.access if stored.kind is Kind.CUSTOMER else row.user.access,
        subscription=_subscription(row, stored.subscription),
        access_change=stored.access_change,
        version=stored.version,
    )


def _ecosystem(row: Row, stored: Ecosystem | None) -> Ecosystem | None:
    ecosystem = row.user.ecosystem
    if "ecosystem_id" not in row.given:
        return stored
    if ecosystem is None or stored is None or ecosystem.id != stored.id:
        return ecosystem
    names = {"name", "deployed_at"}
    kept = {name: getattr(stored, name) for name in names if f"ecosystem_{name}" not in row.given}
    return replace(ecosystem, **kept)


def _subscription(row: Row, stored: Subscription | None) -> Subscription | None:
    given = row.user.subscription or NO_SUBSCRIPTION
    kept = stored or NO_SUBSCRIPTION
    plain = {name: getattr(given if name in row.given else kept, name) for name in _PLAIN}
    encounters = _encounters(row, given.encounters, kept.encounters)
    subscription = Subscription(**plain, encounters=encounters)
    return None if subscription == NO_SUBSCRIPTION else subscription


def _encounters(row: Row, given: Encounters | None, kept: Encounters | None) -> Encounters | None:
    given = given or Encounters(None, None)
    kept = kept or Encounters(None, None)
    included = (given if "encounters_included" in row.given else kept).included
    used = (given if "encounters_used" in row.given else kept).used
    return None if included is None and used is None else Encounters(included, used)


def _refuse_reversed_days(user: StoreUser) -> None:
    subscription = user.subscription
    if subscription is None or not (subscription.starts_on and subscription.ends_on):
        return
    if subscription.ends_on < subscription.starts_on:
        message = "with the day that is stored, ends_on is before starts_on"
        raise RowRefusedError(message)
