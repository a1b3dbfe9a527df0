"""A store user ↔ the item that the shop writes into the `users` table. No AWS call here.

Reading forgives: in real data anything but `id`, `kind` and `registered_at` may be missing, empty
or of another type, and one odd item must not take a whole list down. Writing is strict.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chalicelib.users.model import (
    AccessChange,
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
)
from chalicelib.users.segments import Segment
from chalicelib.users.text import fold

_LAST = "\U0010ffff"
"""What a sort key holds where there is nothing to sort by: it sorts behind every text."""

VERSION_LIMIT = 10**15
"""Versions are below: fifteen digits, as the contract's `If-Match` has at most."""

_SORT_KEY_CHARACTERS = 200
"""DynamoDB takes 1,024 bytes for a sort key; a character has at most four."""

_INSTANT_CHARACTERS = 100

SEGMENT_KEYS = ("segment", "segment_order")

_T = TypeVar("_T")


def from_item(item: Mapping[str, Any]) -> StoreUser:
    """The store user that `item` (attribute name → {type: value}) holds."""
    kind = Kind(_text(item, "kind"))
    customer = kind is Kind.CUSTOMER
    return StoreUser(
        id=_text(item, "id"),
        kind=kind,
        first_name=_text(item, "first_name"),
        last_name=_text(item, "last_name"),
        company_email=_text(item, "company_email"),
        phone_number=_text(item, "phone_number"),
        company_name=_text(item, "company_name"),
        registered_at=_text(item, "registered_at"),
        ecosystem=_in_map(item, "ecosystem", _ecosystem) if customer else None,
        access=_text(item, "access") or None if customer else None,
        subscription=_in_map(item, "subscription", _subscription) if customer else None,
        access_change=access_change_of(item) if customer else None,
        version=_version(item),
    )


def ecosystem_id(item: Mapping[str, Any]) -> str:
    """The id of the ecosystem that `item` names, whatever else is odd about it; "" for none."""
    return _in_map(item, "ecosystem", lambda inner: _text(inner, "id")) or ""


def to_item(user: StoreUser) -> dict[str, dict[str, Any]]:
    """The whole item of `user`, with the sort keys that the lists need."""
    plain: dict[str, Any] = {
        "id": user.id,
        "kind": str(user.kind),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "company_email": user.company_email,
        "phone_number": user.phone_number,
        "company_name": user.company_name,
        "registered_at": user.registered_at,
        "version": user.version,
        **sort_keys(user),
    }
    if user.kind is Kind.CUSTOMER:
        plain |= _customer_attributes(user)
    return {name: _attribute(value) for name, value in plain.items() if value is not None}


def access_change_attribute(change: AccessChange) -> dict[str, Any]:
    """What the switch leaves on the customer: {attribute: value}, for an update."""
    made: dict[str, Any] = _as_map(change)
    return {name: value for name, value in made.items() if value is not None}


def access_change_of(item: Mapping[str, Any]) -> AccessChange | None:
    """The change that `access_change_attribute` left in the item."""
    return _in_map(item, "access_change", _access_change)


def sort_keys(user: StoreUser) -> dict[str, str]:
    """The derived attributes that are keys of indexes; customers alone have the last three."""
    keys = {
        "sort_name": _sort_key(f"{user.first_name} {user.last_name}"),
        "sort_company": _sort_key(user.company_name),
    }
    if user.kind is Kind.CUSTOMER:
        ends_on = user.subscription.ends_on if user.subscription else None
        keys["sort_ends_on"] = _sort_key(ends_on or "")
        if user.registered_at:
            keys["segment"] = Segment.of(user).name
            keys["segment_order"] = segment_order(user.registered_at, user.id)
    return keys


def segment_order(registered_at: str, user_id: str) -> str:
    """The order of the customers of a segment: that of the list, with equal times told apart."""
    return f"{registered_at[:_INSTANT_CHARACTERS]}#{user_id}"


def _sort_key(text: str) -> str:
    return fold(text)[:_SORT_KEY_CHARACTERS] or _LAST


def _customer_attributes(user: StoreUser) -> dict[str, Any]:
    return {
        "access": user.access,
        "ecosystem": _as_map(user.ecosystem),
        "subscription": _as_map(user.subscription),
        "access_change": _as_map(user.access_change),
    }


def _as_map(part: Any) -> Any:
    if isinstance(part, tuple):
        return [_as_map(one) for one in part]
    if hasattr(part, "__slots__"):
        return {name: _as_map(getattr(part, name)) for name in part.__slots__}
    return part


def _attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, list):
        return {"L": [_attribute(one) for one in value]}
    return {"M": {name: _attribute(one) for name, one in value.items() if one is not None}}


def _text(item: Mapping[str, Any], name: str) -> str:
    attribute = item.get(name) or {}
    value = attribute.get("S", attribute.get("N", ""))
    return value if isinstance(value, str) else ""


def _number(item: Mapping[str, Any], name: str) -> int | None:
    try:
        return int(_text(item, name))
    except ValueError:
        return None


def _version(item: Mapping[str, Any]) -> int:
    """The version, or 0 for anything that the contract's `ETag` and conditions cannot hold."""
    number = _number(item, "version") if "N" in (item.get("version") or {}) else None
    return number if number is not None and 0 < number < VERSION_LIMIT else 0


def _in_map(
    item: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _T]
) -> _T | None:
    attribute = item.get(name) or {}
    inner = attribute.get("M")
    return read(inner) if inner else None


def _ecosystem(inner: Mapping[str, Any]) -> Ecosystem | None:
    identifier = _text(inner, "id")
    if not identifier:
        return None
    name = _text(inner, "name") or identifier
    return Ecosystem(identifier, name, _text(inner, "deployed_at") or None)


def _subscription(inner: Mapping[str, Any]) -> Subscription:
    return Subscription(
        plan=_text(inner, "plan") or None,
        billing_period=_text(inner, "billing_period") or None,
        status=_text(inner, "status") or None,
        starts_on=_text(inner, "starts_on") or None,
        ends_on=_text(inner, "ends_on") or None,
        encounters=_in_map(inner, "encounters", _encounters),
        licences=_licences(inner),
    )


def _encounters(inner: Mapping[str, Any]) -> Encounters:
    return Encounters(_number(inner, "included"), _number(inner, "used"))


def _licences(inner: Mapping[str, Any]) -> tuple[Licences, ...]:
    attribute = inner.get("licences") or {}
    maps = [one["M"] for one in attribute.get("L", ()) if "M" in one]
    return tuple(Licences(_text(one, "status"), _number(one, "count") or 0) for one in maps)


def _access_change(inner: Mapping[str, Any]) -> AccessChange:
    return AccessChange(
        at=_text(inner, "at"),
        by=_text(inner, "by"),
        reason=_text(inner, "reason") or None,
        version=_number(inner, "version") or 0,
        by_id=_text(inner, "by_id") or None,
    )
