"""A row of a file → a store user, or what is wrong with it as a whole."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.users.item import from_item, to_item
from chalicelib.users.model import Ecosystem, Encounters, Kind, Licences, StoreUser, Subscription
from infra.load.columns import ALL, Columns
from infra.load.rows import Checker, Row
from infra.load.sources import RawRow
from tests.unit.load.checking import (
    CUSTOMER,
    LEAD,
    check_cells,
    check_json,
    faults_of,
    subscription_of,
    user_of,
    user_of_json,
)

_NAMES = st.sampled_from([*sorted(ALL), "row", "ecosystem", "subscription", "encounters", "count"])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4)
)
# The first text of a fresh checkout waits for Hypothesis's table of Unicode: a second or two.
_patient = settings(suppress_health_check=[HealthCheck.too_slow])


def test_a_lead_needs_an_id_a_kind_and_a_moment_and_no_more() -> None:
    expected = StoreUser("u1", Kind.LEAD, "", "", "", "", "", "2026-03-01T15:04:05Z", version=1)
    assert user_of(LEAD) == expected


def test_a_customer_is_read_from_columns_in_any_order() -> None:
    cells = {
        "Subscription Ends-On": "2027-02-28",
        "Plan": "Premium",
        "billing_period": "annual",
        "subscription.status": "past_due",
        "STARTS_ON": "2026-03-01",
        "encounters_included": "1000",
        "subscription_encounters_used": "17",
        "licences": "available:3;assigned:16",
        "ecosystem id": "eco-1",
        "ecosystem_name": "Clínica Sur",
        "ecosystem_deployed_at": "2026-03-02T10:00:00-05:00",
        "access": "suspended",
        "version": "7",
        "Company Name": "Clínica del Sur S.A.",
        "phone-number": "+57 300 1234567",
        "company_email": "ana@sur.example",
        "last_name": "Gómez",
        "first_name": "  Ana  ",
        "registered_at": "2026-03-01T10:04:05-05:00",
        "kind": "customer",
        "id": "Us_er-1",
    }
    assert user_of(cells) == StoreUser(
        id="Us_er-1",
        kind=Kind.CUSTOMER,
        first_name="Ana",
        last_name="Gómez",
        company_email="ana@sur.example",
        phone_number="+57 300 1234567",
        company_name="Clínica del Sur S.A.",
        registered_at="2026-03-01T15:04:05Z",
        ecosystem=Ecosystem("eco-1", "Clínica Sur", "2026-03-02T15:00:00Z"),
        access="suspended",
        subscription=Subscription(
            plan="Premium",
            billing_period="annual",
            status="past_due",
            starts_on="2026-03-01",
            ends_on="2027-02-28",
            encounters=Encounters(1000, 17),
            licences=(Licences("available", 3), Licences("assigned", 16)),
        ),
        version=7,
    )


def test_a_customer_is_read_from_json_as_the_item_contract_nests_it() -> None:
    record = {
        **CUSTOMER,
        "first_name": "Ana",
        "ecosystem": {"id": "e1", "name": "Sur", "deployed_at": None},
        "subscription": {
            "plan": "Lite",
            "starts_on": "2026-03-01",
            "encounters": {"included": 10},
            "licences": [{"status": "available", "count": 3}],
        },
    }
    user = user_of_json(record)
    assert (user.first_name, user.access, user.version) == ("Ana", "active", 1)
    assert user.ecosystem == Ecosystem("e1", "Sur", None)
    assert user.subscription == Subscription(
        plan="Lite",
        billing_period=None,
        status=None,
        starts_on="2026-03-01",
        ends_on=None,
        encounters=Encounters(10, None),
        licences=(Licences("available", 3),),
    )
    assert from_item(to_item(user)) == user


def test_a_customer_without_a_word_on_access_is_active() -> None:
    assert user_of({**CUSTOMER, "access": ""}).access == "active"
    assert user_of(CUSTOMER).access == "active"


def test_empty_columns_of_a_subscription_are_no_subscription() -> None:
    assert subscription_of(plan="", status=" ", licences="", encounters_used="") is None
    assert user_of_json({**CUSTOMER, "subscription": {"licences": []}}).subscription is None
    assert user_of_json({**CUSTOMER, "ecosystem": {}, "subscription": None}).ecosystem is None


def test_an_ecosystem_without_a_name_is_called_by_its_id() -> None:
    assert user_of({**CUSTOMER, "ecosystem_id": "e1"}).ecosystem == Ecosystem("e1", "e1", None)


def test_a_lead_has_nothing_of_a_customer() -> None:
    cells = {**LEAD, "access": "active", "ecosystem_id": "e1", "plan": "Lite", "licences": ""}
    assert faults_of(cells) == [
        "a lead has no access",
        "a lead has no ecosystem",
        "a lead has no subscription",
    ]
    assert user_of({**LEAD, "access": "", "ecosystem_id": "", "plan": " "}).kind is Kind.LEAD
    record: dict[str, Any] = {**LEAD, "ecosystem": None, "subscription": {"licences": []}}
    assert user_of_json(record).kind is Kind.LEAD


def test_the_second_row_of_an_id_or_of_an_ecosystem_is_refused() -> None:
    checker = Checker(Columns([*CUSTOMER, "ecosystem_id"]))
    moment = CUSTOMER["registered_at"]
    assert isinstance(checker.check(RawRow(2, ("u1", "customer", moment, "e1"))), Row)
    assert checker.check(RawRow(3, ("u1", "lead", moment, ""))) == ["line 2 has the same id"]
    assert checker.check(RawRow(4, ("u2", "customer", moment, "e1"))) == [
        "line 2 has the same ecosystem_id"
    ]
    assert isinstance(checker.check(RawRow(5, ("u2", "customer", moment, "e2"))), Row)


def test_a_row_that_was_refused_does_not_take_its_id_away() -> None:
    checker = Checker(Columns(list(LEAD)))
    assert isinstance(checker.check(RawRow(2, ("u1", "lead", "never"))), list)
    assert isinstance(checker.check(RawRow(3, tuple(LEAD.values()))), Row)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (("u1", "lead"), "the row has 2 cells, the header 3"),
        (("u1", "lead", "", ""), "the row has 4 cells, the header 3"),
        (("u1", "lead", "a\0"), "the row holds a NUL character"),
        (("u1", "lead", "\udce9"), "the row is not UTF-8 text: save the file as UTF-8"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_why(cells: tuple[str, ...], problem: str) -> None:
    assert Checker(Columns(list(LEAD))).check(RawRow(2, cells)) == [problem]


@_patient
@given(record=st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_whatever_a_record_holds_it_is_a_store_user_or_faulty(record: dict[str, Any]) -> None:
    for given_record in (record, {**CUSTOMER, **record}):
        checked = check_json(json.dumps(given_record))
        assert checked
        if isinstance(checked, Row):
            assert from_item(to_item(checked.user)) == checked.user


@_patient
@given(cells=st.dictionaries(_NAMES, st.text('{}[]":;|,x1 ') | st.text(), max_size=6))
def test_whatever_cells_hold_they_are_a_store_user_or_faulty(cells: dict[str, str]) -> None:
    checked = check_cells({**CUSTOMER, **cells})
    assert checked
    if isinstance(checked, Row):
        assert from_item(to_item(checked.user)) == checked.user
