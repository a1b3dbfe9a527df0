"""A row of a file → a store user, or everything that is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.users.item import from_item, to_item
from chalicelib.users.model import (
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
)
from infra.load.columns import ALL, Columns, HeaderError
from infra.load.rows import Checker, Row
from infra.load.sources import RawRow

LEAD = {"id": "u1", "kind": "lead", "registered_at": "2026-03-01T15:04:05Z"}
CUSTOMER = {**LEAD, "kind": "customer"}


def _checked(cells: dict[str, str]) -> Row | list[str]:
    return Checker(Columns(list(cells))).check(RawRow(2, tuple(cells.values())))


def _user(cells: dict[str, str]) -> StoreUser:
    row = _checked(cells)
    assert isinstance(row, Row), row
    return row.user


def _subscription(**cells: str) -> Subscription | None:
    return _user({**CUSTOMER, **cells}).subscription


def _faults(cells: dict[str, str]) -> list[str]:
    faults = _checked(cells)
    assert isinstance(faults, list)
    return faults


def _json(text: str) -> Row | list[str]:
    return Checker(Columns(["row"])).check(RawRow(1, (text,)))


def _json_user(record: dict[str, Any]) -> StoreUser:
    row = _json(json.dumps(record))
    assert isinstance(row, Row), row
    return row.user


def _json_faults(record: dict[str, Any]) -> list[str]:
    faults = _json(json.dumps(record))
    assert isinstance(faults, list)
    return faults


def test_a_lead_needs_an_id_a_kind_and_a_moment_and_no_more() -> None:
    expected = StoreUser("u1", Kind.LEAD, "", "", "", "", "", "2026-03-01T15:04:05Z", version=1)
    assert _user(LEAD) == expected


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
    assert _user(cells) == StoreUser(
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
    user = _json_user(record)
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
    assert _user({**CUSTOMER, "access": ""}).access == "active"
    assert _user(CUSTOMER).access == "active"


def test_empty_columns_of_a_subscription_are_no_subscription() -> None:
    assert _subscription(plan="", status=" ", licences="", encounters_used="") is None
    assert _json_user({**CUSTOMER, "subscription": {"licences": []}}).subscription is None
    assert _json_user({**CUSTOMER, "ecosystem": {}, "subscription": None}).ecosystem is None


def test_an_ecosystem_without_a_name_is_called_by_its_id() -> None:
    assert _user({**CUSTOMER, "ecosystem_id": "e1"}).ecosystem == Ecosystem("e1", "e1", None)


@pytest.mark.parametrize(
    "cells",
    [
        {"licences": "available:3;assigned:16"},
        {"licences": "available: 3 | assigned: 16"},
        {"subscription_licences": "available:3,assigned:16"},
        {"licences": '[{"status":"available","count":3},{"status":"assigned","count":16}]'},
        {"licences_available": "3", "Licences Assigned": "16", "licences_suspended": ""},
        {"licences": "available:3", "subscription_licences_assigned": "16"},
        {
            "subscription": '{"licences": [{"status": "available", "count": 3}]}',
            "licences_assigned": "16",
        },
    ],
)
def test_licences_are_read_in_every_way_of_writing(cells: dict[str, str]) -> None:
    subscription = _subscription(**cells)
    assert subscription
    assert subscription.licences == (Licences("available", 3), Licences("assigned", 16))


def test_columns_may_hold_json() -> None:
    user = _user(
        {**CUSTOMER, "ecosystem": '{"id": "e1"}', "subscription": '{"plan": "Lite"}', "status": "x"}
    )
    assert user.ecosystem == Ecosystem("e1", "e1", None)
    assert user.subscription == Subscription("Lite", None, "x", None, None, None, ())


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-03-01T15:04:05Z", "2026-03-01T15:04:05Z"),
        ("2026-03-01T15:04:05+00:00", "2026-03-01T15:04:05Z"),
        ("2026-03-01 10:04:05.999-05:00", "2026-03-01T15:04:05Z"),
        ("2026-12-31t23:30:00-01:00", "2027-01-01T00:30:00Z"),
        ("2026-03-01T15:04:05z", "2026-03-01T15:04:05Z"),
    ],
)
def test_a_moment_of_any_offset_is_kept_in_utc(text: str, stored: str) -> None:
    assert _user({**LEAD, "registered_at": text}).registered_at == stored


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-01", "2026-03-01T15:04:05", "2026-03-01T15:04Z", "2026-02-30T15:04:05Z"),
        *(
            "20260301T150405Z",
            "2026-W09-7T15:04:05Z",
            "01/03/2026 15:04",
            "0001-01-01T00:00:00+05:00",
        ),
        *("٢٠٢٦-03-01T15:04:05Z", "2026-03-01T25:00:00Z", "now"),
    ],
)
def test_a_moment_that_is_none_is_told_what_is_expected(text: str) -> None:
    assert _faults({**LEAD, "registered_at": text}) == [
        "registered_at must be an instant with its offset from UTC, such as 2026-03-01T15:04:05Z"
    ]


@pytest.mark.parametrize("missing", ["id", "kind", "registered_at"])
def test_what_is_required_is_named_where_it_is_missing(missing: str) -> None:
    assert _faults({**LEAD, missing: " "}) == [f"{missing} is missing"]
    without = {name: value for name, value in LEAD.items() if name != missing}
    assert _json_faults(without) == [f"{missing} is missing"]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("id", "a b", "id must be 1 to 64 of the characters A-Z, a-z, 0-9, _ and -"),
        ("id", "ñ", "id must be 1 to 64 of the characters A-Z, a-z, 0-9, _ and -"),
        ("id", "x" * 65, "id must be 1 to 64 of the characters A-Z, a-z, 0-9, _ and -"),
        ("kind", "Customer", "kind must be lead or customer"),
        ("access", "on", "access must be active or suspended"),
        ("first_name", "x" * 1001, "first_name is longer than 1,000 characters"),
        ("plan", "x" * 1001, "plan is longer than 1,000 characters"),
        ("billing_period", "weekly", "billing_period must be monthly or annual"),
        ("status", "Active", "status must be a lower-case word, such as active or past_due"),
        ("status", "a" * 33, "status must be a lower-case word, such as active or past_due"),
        ("starts_on", "2026-02-29", "starts_on must be a date of the calendar, such as 2026-03-31"),
        ("ends_on", "20260301", "ends_on must be a date of the calendar, such as 2026-03-31"),
        ("ends_on", "3/1/2026", "ends_on must be a date of the calendar, such as 2026-03-31"),
        (
            "encounters_used",
            "-1",
            "encounters_used must be a whole number from 0 to 9007199254740991",
        ),
        (
            "encounters_included",
            "1.5",
            "encounters_included must be a whole number from 0 to 9007199254740991",
        ),
        ("version", "0", "version must be a whole number from 1 to 9007199254740991"),
        ("version", "9" * 16, "version must be a whole number from 1 to 9007199254740991"),
        ("ecosystem_name", "Sur", "ecosystem_id is missing"),
        (
            "ecosystem_id",
            "e/1",
            "ecosystem_id must be 1 to 64 of the characters A-Z, a-z, 0-9, _ and -",
        ),
        ("licences", "available", "licences: a count is missing"),
        (
            "licences",
            "available:x",
            "licences: a count must be a whole number from 0 to 9007199254740991",
        ),
        ("licences", "a:1;a:2", "licences name a state twice"),
        (
            "licences",
            "Free:1",
            "licences must be a lower-case word, such as active or past_due, in each of its states",
        ),
        (
            "licences",
            '[{"status": "a"',
            "licences is not JSON: expecting ',' delimiter at character 16",
        ),
        ("licences", "[1]", "licences must be a JSON object"),
        ("subscription", "Plus", "subscription is not JSON: expecting value at character 1"),
        ("ecosystem", "[]", "ecosystem is not a JSON object"),
    ],
)
def test_a_wrong_cell_is_told_what_it_must_be(column: str, value: str, fault: str) -> None:
    assert fault in _faults({**CUSTOMER, column: value})


def test_a_state_that_the_shop_adds_is_no_fault() -> None:
    subscription = _subscription(status="on_hold")
    assert subscription
    assert subscription.status == "on_hold"


def test_a_subscription_that_ends_before_it_starts_is_refused() -> None:
    cells = {**CUSTOMER, "starts_on": "2026-03-02", "ends_on": "2026-03-01"}
    assert _faults(cells) == ["ends_on is before starts_on"]
    assert _user({**cells, "ends_on": "2026-03-02"}).subscription


def test_a_lead_has_nothing_of_a_customer() -> None:
    cells = {**LEAD, "access": "active", "ecosystem_id": "e1", "plan": "Lite", "licences": ""}
    assert _faults(cells) == [
        "a lead has no access",
        "a lead has no ecosystem",
        "a lead has no subscription",
    ]
    assert _user({**LEAD, "access": "", "ecosystem_id": "", "plan": " "}).kind is Kind.LEAD
    record: dict[str, Any] = {**LEAD, "ecosystem": None, "subscription": {"licences": []}}
    assert _json_user(record).kind is Kind.LEAD


def test_every_fault_of_a_row_is_listed() -> None:
    cells = {
        "id": "",
        "kind": "person",
        "registered_at": "yesterday",
        "first_name": "x" * 2000,
        "access": "off",
        "ends_on": "never",
        "encounters_used": "many",
    }
    assert _faults(cells) == [
        "id is missing",
        "kind must be lead or customer",
        "first_name is longer than 1,000 characters",
        "registered_at must be an instant with its offset from UTC, such as 2026-03-01T15:04:05Z",
        "access must be active or suspended",
        "ends_on must be a date of the calendar, such as 2026-03-31",
        "encounters_used must be a whole number from 0 to 9007199254740991",
    ]


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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1]", "the line is not a JSON object"),
        ('"u1"', "the line is not a JSON object"),
        ("", "the line is not JSON: expecting value at character 1"),
        ('{"id": "u1",}', "the line is not JSON: "),
        ('{"id": NaN}', "the line holds NaN, which is not JSON"),
        ('{"id": [-Infinity]}', "the line holds -Infinity, which is not JSON"),
        ('{"id": "a", "id": "b"}', "the line is JSON in which a member is there twice"),
        ("[" * 100_000, "the line is JSON nested too deeply"),
        ('{"version": ' + "9" * 5000 + "}", "the line holds a number of too many digits"),
    ],
)
def test_a_line_that_is_no_json_object_is_told_why(text: str, problem: str) -> None:
    faults = _json(text)
    assert isinstance(faults, list)
    assert len(faults) == 1
    assert faults[0].startswith(problem)


@pytest.mark.parametrize(
    ("member", "value", "fault"),
    [
        ("id", 7, "id must be text"),
        ("id", "u1\n", None),
        ("first_name", ["Ana"], "first_name must be text"),
        ("phone_number", 573001234567, "phone_number must be text"),
        ("first_name", "\ud800", "first_name holds a NUL character or half a surrogate pair"),
        ("first_name", "a\0b", "first_name holds a NUL character or half a surrogate pair"),
        ("version", 3.0, None),
        ("version", True, "version must be a whole number from 1 to 9007199254740991"),
        ("version", 1.5, "version must be a whole number from 1 to 9007199254740991"),
        ("version", 10**30, "version must be a whole number from 1 to 9007199254740991"),
        ("ecosystem", "e1", "ecosystem must be a JSON object"),
        ("subscription", [1], "subscription must be a JSON object"),
        ("subscription", {"encounters": 3}, "encounters must be a JSON object"),
        ("subscription", {"licences": {"a": 1}}, "licences must be a list"),
        ("subscription", {"licences": [{"count": 1}]}, "licences: a status is missing"),
    ],
)
def test_json_of_another_type_is_refused(member: str, value: object, fault: str | None) -> None:
    checked = _json(json.dumps({**CUSTOMER, member: value}))
    assert isinstance(checked, Row) if fault is None else checked == [fault]


def test_unknown_members_are_collected_and_left_out() -> None:
    checker = Checker(Columns(["row"]))
    record = {**CUSTOMER, "colour": "red", "subscription": {"plan": "Lite", "price": 3}}
    assert isinstance(checker.check(RawRow(1, (json.dumps(record),))), Row)
    assert checker.unknown_members == {"colour", "subscription.price"}


def test_a_member_that_is_said_twice_is_refused() -> None:
    cells = {**CUSTOMER, "subscription": '{"plan": "Lite"}', "plan": "Plus"}
    assert _faults(cells) == [
        "plan is there twice: in its own column and in the column subscription"
    ]
    cells = {**CUSTOMER, "subscription": '{"encounters": 3}', "encounters_used": "1"}
    assert _faults(cells) == ["encounters_used has no place in what the column subscription holds"]


def test_unknown_columns_are_named_as_they_stand() -> None:
    columns = Columns(["Line", "problem", *LEAD, "Favourite\x1b[31m colour", "", "row"])
    assert columns.unknown == ("Favourite?[31m colour", "column 7, which has no name", "row")


def test_columns_of_the_reject_file_are_no_surprise() -> None:
    cells = {"line": "17", "problem": "kind is missing", **LEAD}
    assert Columns(list(cells)).unknown == ()
    assert _user(cells) == _user(LEAD)
    cells = {"line": "17", "problem": "kind is missing", "row": json.dumps(LEAD)}
    assert Columns(list(cells)).unknown == ()
    assert _user(cells) == _user(LEAD)


def test_a_header_without_the_required_columns_is_refused() -> None:
    with pytest.raises(HeaderError) as raised:
        Columns(["id", "first_name"])
    assert str(raised.value) == (
        "lacks the column kind, registered_at: its header must name id, kind and registered_at"
    )


def test_a_header_with_a_column_twice_is_refused() -> None:
    with pytest.raises(HeaderError) as raised:
        Columns([*LEAD, "Plan", "subscription_plan"])
    assert str(raised.value) == "has one column more than once: Plan, subscription_plan"
    assert Columns([*LEAD, "", ""]).unknown == (
        "column 4, which has no name",
        "column 5, which has no name",
    )


def test_a_row_knows_which_columns_its_file_has() -> None:
    row = _checked({**CUSTOMER, "access": "active", "ecosystem": "", "licences_available": ""})
    assert isinstance(row, Row)
    ecosystem = {"ecosystem_id", "ecosystem_name", "ecosystem_deployed_at"}
    assert row.given == {*CUSTOMER, "access", *ecosystem, "licences"}
    row = _json(json.dumps(CUSTOMER))
    assert isinstance(row, Row)
    assert row.given == ALL - {"access"}


_NAMES = st.sampled_from([*sorted(ALL), "row", "ecosystem", "subscription", "encounters", "count"])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4)
)


@given(record=st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_whatever_a_record_holds_it_is_a_store_user_or_faulty(record: dict[str, Any]) -> None:
    for given_record in (record, {**CUSTOMER, **record}):
        checked = _json(json.dumps(given_record))
        assert checked
        if isinstance(checked, Row):
            assert from_item(to_item(checked.user)) == checked.user


@given(cells=st.dictionaries(_NAMES, st.text('{}[]":;|,x1 ') | st.text(), max_size=6))
def test_whatever_cells_hold_they_are_a_store_user_or_faulty(cells: dict[str, str]) -> None:
    checked = _checked({**CUSTOMER, **cells})
    assert checked
    if isinstance(checked, Row):
        assert from_item(to_item(checked.user)) == checked.user
