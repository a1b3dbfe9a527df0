"""A store user ↔ the item of the shop: nothing is lost in writing, nothing odd breaks reading."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.users.item import access_change_attribute, from_item, sort_keys, to_item
from chalicelib.users.model import (
    AccessChange,
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
)
from tests.builders import ECOSYSTEM, SUBSCRIPTION, RawItem, customer

NOTHING = Subscription(None, None, None, None, None, None, ())
PERSON = ("first_name", "last_name", "company_email", "phone_number", "company_name")
ODD: list[dict[str, Any]] = [
    {"NULL": True},
    {"BOOL": False},
    {"S": ""},
    {"M": {}},
    {"M": {"unknown": {"S": "x"}}},
    {"L": []},
    {"L": [{"NULL": True}, {"S": "x"}, {"M": {}}]},
    {"SS": ["x"]},
    {"B": b"x"},
]
BARE: RawItem = {
    "id": {"S": "cus_1"},
    "kind": {"S": "customer"},
    "registered_at": {"S": "2026-03-01T15:04:05Z"},
}

texts = st.text(max_size=20)
optional_texts = st.none() | st.text(min_size=1, max_size=20)
numbers = st.integers(0, 10**12)
encounters = st.builds(Encounters, numbers, st.none() | numbers)
licences = st.lists(st.builds(Licences, texts, numbers), max_size=3).map(tuple)
subscriptions = st.builds(Subscription, *([optional_texts] * 5), st.none() | encounters, licences)
ecosystems = st.builds(Ecosystem, *([st.text(min_size=1, max_size=20)] * 2), optional_texts)
changes = st.builds(AccessChange, texts, texts, optional_texts, numbers)
people: dict[str, Any] = {
    "id": st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    "registered_at": texts,
    "version": numbers,
    **dict.fromkeys(PERSON, texts),
}
leads = st.builds(StoreUser, kind=st.just(Kind.LEAD), **people)
customers = st.builds(
    StoreUser,
    kind=st.just(Kind.CUSTOMER),
    ecosystem=st.none() | ecosystems,
    access=optional_texts,
    subscription=st.none() | subscriptions,
    access_change=st.none() | changes,
    **people,
)


def _customer_item(**attributes: dict[str, Any]) -> StoreUser:
    return from_item({**BARE, **attributes})


@settings(deadline=None)
@given(leads | customers)
def test_a_user_is_read_as_it_was_written(user: StoreUser) -> None:
    assert from_item(to_item(user)) == user


def test_an_item_is_what_the_contract_says() -> None:
    bought = replace(SUBSCRIPTION, licences=(Licences("assigned", 16),))
    change = AccessChange("now", "ana", None, 7)
    assert to_item(customer(subscription=bought, access_change=change)) == {
        "id": {"S": "cus_0042"},
        "kind": {"S": "customer"},
        "first_name": {"S": "María José"},
        "last_name": {"S": "Gómez Ruiz"},
        "company_email": {"S": "mj@clinica-sol.co"},
        "phone_number": {"S": "+573001234567"},
        "company_name": {"S": "Clínica Sol"},
        "registered_at": {"S": "2026-03-01T15:04:05Z"},
        "version": {"N": "7"},
        "sort_name": {"S": "maria jose gomez ruiz"},
        "sort_company": {"S": "clinica sol"},
        "sort_ends_on": {"S": "2027-02-28"},
        "segment": {"S": '["active","Premium","annual","active",true]'},
        "segment_order": {"S": "2026-03-01T15:04:05Z#cus_0042"},
        "access": {"S": "active"},
        "ecosystem": {
            "M": {
                "id": {"S": "eco_17"},
                "name": {"S": "clinica-sol"},
                "deployed_at": {"S": "2026-03-04T10:00:00Z"},
            }
        },
        "subscription": {
            "M": {
                "plan": {"S": "Premium"},
                "billing_period": {"S": "annual"},
                "status": {"S": "active"},
                "starts_on": {"S": "2026-03-01"},
                "ends_on": {"S": "2027-02-28"},
                "encounters": {"M": {"included": {"N": "5000"}, "used": {"N": "1270"}}},
                "licences": {"L": [{"M": {"status": {"S": "assigned"}, "count": {"N": "16"}}}]},
            }
        },
        "access_change": {"M": {"at": {"S": "now"}, "by": {"S": "ana"}, "version": {"N": "7"}}},
    }


def test_what_the_switch_leaves_has_no_reason_where_none_was_given() -> None:
    made = AccessChange("now", "ana", None, 8)
    assert access_change_attribute(made) == {"at": "now", "by": "ana", "version": 8}


def test_a_customer_without_anything_is_shown_as_empty() -> None:
    empty = dict.fromkeys(PERSON, "")
    nothing = {"ecosystem": None, "access": None, "subscription": None, "version": 0}
    assert _customer_item() == customer("cus_1", **empty, **nothing)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_text_is_shown_as_empty(odd: dict[str, Any]) -> None:
    user = _customer_item(**dict.fromkeys(PERSON, odd))
    assert [getattr(user, name) for name in PERSON] == ["", "", "", "", ""]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_part_is_shown_as_missing(odd: dict[str, Any]) -> None:
    user = _customer_item(ecosystem=odd, access=odd, version=odd)
    assert (user.ecosystem, user.access, user.version) == (None, None, 0)
    assert _customer_item(subscription=odd).subscription in (None, NOTHING)
    change = _customer_item(access_change=odd).access_change
    assert change in (None, AccessChange("", "", None, 0))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_text_of_a_subscription_is_shown_as_missing(odd: dict[str, Any]) -> None:
    names = ("plan", "billing_period", "status", "starts_on", "ends_on")
    assert _customer_item(subscription={"M": dict.fromkeys(names, odd)}).subscription == NOTHING


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_encounters_and_licences_are_shown_as_none(odd: dict[str, Any]) -> None:
    user = _customer_item(subscription={"M": {"encounters": odd, "licences": odd}})
    assert user.subscription
    assert user.subscription.encounters in (None, Encounters(None, None))
    assert user.subscription.licences in ((), (Licences("", 0),))


@pytest.mark.parametrize("odd", [*ODD, {"N": "1270.5"}, {"S": "many"}], ids=repr)
def test_an_odd_count_is_shown_as_unknown(odd: dict[str, Any]) -> None:
    part = {"encounters": {"M": {"included": odd, "used": {"N": "7"}}}}
    user = _customer_item(subscription={"M": part}, version=odd)
    assert user.subscription
    assert user.subscription.encounters == Encounters(None, 7)
    assert user.version == 0


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_ecosystem_without_an_id_is_not_deployed(odd: dict[str, Any]) -> None:
    assert _customer_item(ecosystem={"M": {"id": odd, "name": {"S": "sol"}}}).ecosystem is None


def test_an_ecosystem_without_a_name_goes_by_its_id() -> None:
    user = _customer_item(ecosystem={"M": {"id": {"S": "eco_17"}, "name": {"NULL": True}}})
    assert user.ecosystem == Ecosystem("eco_17", "eco_17", None)


def test_a_number_in_the_place_of_text_is_shown_by_its_digits() -> None:
    assert _customer_item(phone_number={"N": "3001234567"}).phone_number == "3001234567"


_scalars = st.sampled_from(
    [
        {"S": "x"},
        {"S": ""},
        {"N": "7"},
        {"N": "-0.5"},
        {"NULL": True},
        {"BOOL": True},
        {"SS": ["x"]},
    ]
)
_NAMES = st.sampled_from(
    [*to_item(customer()), *SUBSCRIPTION.__slots__, *ECOSYSTEM.__slots__, "status", "count"]
)
odd_attributes = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"M": st.dictionaries(_NAMES, inner, max_size=4)}),
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(_NAMES, odd_attributes), st.sampled_from(Kind))
def test_no_item_however_odd_breaks_reading_or_what_is_derived(item: RawItem, kind: Kind) -> None:
    user = from_item({**item, "kind": {"S": kind.value}})
    keys = sort_keys(user)
    assert all(0 < len(key.encode()) <= 1_024 for key in keys.values())
    assert from_item(to_item(user)).version == user.version


def test_a_lead_never_has_ecosystem_access_or_subscription() -> None:
    user = from_item({**to_item(customer()), "kind": {"S": "lead"}})
    assert (user.ecosystem, user.access, user.subscription) == (None, None, None)
    written = to_item(customer(kind=Kind.LEAD))
    assert not {"ecosystem", "access", "subscription", "sort_ends_on"} & set(written)


@pytest.mark.parametrize("kind", [{}, {"S": ""}, {"S": "partner"}, {"NULL": True}], ids=repr)
def test_an_item_of_no_known_kind_is_refused(kind: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is not a valid Kind"):
        from_item({**BARE, "kind": kind})
