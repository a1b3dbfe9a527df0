"""Table stream → derived data: sort keys, versions, and the ecosystems that gateways ask about.

A record comes at least once, late, or again after newer ones. So it is taken as no more than the
news that a store user changed: the user is read as of now, and what is derived is brought up to
that. Every write is conditioned on what was read; whoever was faster has a record of their own.

An ecosystem's access changes through the switch alone: the `access` that the shop writes is what
an ecosystem starts with until the switch is used on its customer. Where a user's item says
otherwise later (the shop wrote back a copy that it read before the switch), the item is put right.
`kept_access` sees to that.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib.dynamodb import ConditionFailedError, Item
from chalicelib.errors import SenselessChangeError
from chalicelib.settings import settings
from chalicelib.users import kept_access, suspensions
from chalicelib.users.item import (
    SEGMENT_KEYS,
    access_change_attribute,
    ecosystem_id,
    from_item,
    sort_keys,
)
from chalicelib.users.model import Access, AccessChange, Kind, StoreUser
from chalicelib.users.tables import store

_SOURCES = (
    "kind",
    "first_name",
    "last_name",
    "company_name",
    "registered_at",
    "version",
    "access",
)
_SOURCES_WITHIN = {
    "subscription": ("ends_on", "status", "plan", "billing_period"),
    "ecosystem": ("id",),
}
"""What `_complete` derives from: a write to any of it makes a record of its own."""


def apply(record: Mapping[str, Any]) -> None:
    """Bring the derived data of the user that a record of the stream tells of up to now.

    Raises `ValueError` where that makes no sense (it will not the next time either), and
    `StoreUnavailableError`.
    """
    change = record["dynamodb"]
    images = [change[name] for name in ("OldImage", "NewImage") if change.get(name)]
    told = {ecosystem_id(image) for image in images} - {""}
    # Read before the user: what happens to them after that is seen by the conditions below.
    records = [kept_access.record_of(one) for one in sorted(told)]
    user_id = user_id_of(record)
    image = store().get_item(settings().users_table, user_id, consistent_read=True).get("Item")
    user = from_item(image) if image else None
    for known in records:
        if known is None or known.customer_id != user_id:
            continue
        if user is None or not user.has_ecosystem(known.id):
            kept_access.release(known)
    if user is not None and image is not None:
        _bring_up(user, image)


def user_id_of(record: Mapping[str, Any]) -> str:
    """The id of the user that a record of the stream tells of. Raises `KeyError` without one."""
    change = record["dynamodb"]
    keys = change.get("Keys") or change.get("NewImage") or change["OldImage"]
    user_id: str = keys["id"]["S"]
    return user_id


def _bring_up(user: StoreUser, image: Item) -> None:
    access, change = user.access, user.access_change
    try:
        if user.kind is Kind.CUSTOMER:
            standing = suspensions.find(user.id)
            if standing is not None:  # It holds whatever becomes of the ecosystem.
                access, change = str(standing.access), standing.change
            if user.ecosystem is not None:
                access, change = kept_access.keep(user, user.ecosystem, standing)
    finally:
        _restore(user, image, access, change)
        _complete(user, image, access)
    if not user.registered_at:
        raise SenselessChangeError(user.id, "no registered_at: the lists by registration lack it")


def _complete(user: StoreUser, image: Item, access: str | None) -> None:
    """Fill in what a writer left out: sort keys, version, and the access that is due."""
    is_unset = user.kind is Kind.CUSTOMER and user.access is None
    keys = sort_keys(replace(user, access=access or str(Access.ACTIVE)) if is_unset else user)
    missing: dict[str, Any] = {
        name: value for name, value in keys.items() if image.get(name) != {"S": value}
    }
    if not user.version:
        missing["version"] = 1
    if is_unset:
        missing["access"] = access or str(Access.ACTIVE)
    actions: list[Any] = [Path(name).set(value) for name, value in missing.items()]
    # A customer who is a lead again must leave the index of customers.
    actions += [Path(name).remove() for name in SEGMENT_KEYS if name in image and name not in keys]
    if actions:
        _update_user(user.id, actions, _unchanged(image))


def _restore(user: StoreUser, image: Item, access: str | None, change: AccessChange | None) -> None:
    """Put the access and the last use of the switch right where a writer has overwritten them."""
    actions: list[Any] = []
    if user.access is not None and access is not None and user.access != access:
        actions.append(Path("access").set(access))
    if change is not None and user.access_change != change:
        actions.append(Path("access_change").set(access_change_attribute(change)))
    if not actions:
        return
    version = max(user.version, change.version if change else 0) + 1
    actions.append(Path("version").set(version))
    seen = _same("version", image.get("version")) & _same("access", image.get("access"))
    _update_user(user.id, actions, Path("id").exists() & seen)


def _unchanged(image: Item) -> Condition:
    """Everything that the derived attributes come from is as the image says."""
    condition: Condition = Path("id").exists()
    for name in _SOURCES:
        condition &= _same(name, image.get(name))
    for name, members in _SOURCES_WITHIN.items():
        inner: Mapping[str, Any] = image.get(name, {}).get("M") or {}
        for member in members:
            condition &= _same(f"{name}.{member}", inner.get(member))
    return condition


def _same(path: str, attribute: Mapping[str, Any] | None) -> Condition:
    if attribute is None:
        missing: Condition = Path(path).does_not_exist()
        return missing
    equal: Condition = Path(path) == attribute
    return equal


def _update_user(user_id: str, actions: list[Any], condition: Condition) -> None:
    try:
        store().update_item(settings().users_table, user_id, actions=actions, condition=condition)
    except ConditionFailedError:
        return  # A newer write came first; its own record brings what is derived from it.
