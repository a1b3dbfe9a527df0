"""The fields of a record: what each may hold, and what is said of everything else."""

import json

import pytest

from infra.load.columns import Columns
from infra.load.rows import Checker, Row
from infra.load.sources import RawRow
from tests.unit.load.checking import (
    CUSTOMER,
    LEAD,
    check_json,
    faults_of,
    faults_of_json,
    subscription_of,
    user_of,
)


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
    assert user_of({**LEAD, "registered_at": text}).registered_at == stored


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
    assert faults_of({**LEAD, "registered_at": text}) == [
        "registered_at must be an instant with its offset from UTC, such as 2026-03-01T15:04:05Z"
    ]


@pytest.mark.parametrize("missing", ["id", "kind", "registered_at"])
def test_what_is_required_is_named_where_it_is_missing(missing: str) -> None:
    assert faults_of({**LEAD, missing: " "}) == [f"{missing} is missing"]
    without = {name: value for name, value in LEAD.items() if name != missing}
    assert faults_of_json(without) == [f"{missing} is missing"]


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
            "encounters_used must be a whole number from 0 to 100000000000000",
        ),
        (
            "encounters_included",
            "1.5",
            "encounters_included must be a whole number from 0 to 100000000000000",
        ),
        ("version", "0", "version must be a whole number from 1 to 100000000000000"),
        ("version", "9" * 16, "version must be a whole number from 1 to 100000000000000"),
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
            "licences: a count must be a whole number from 0 to 100000000000000",
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
    assert fault in faults_of({**CUSTOMER, column: value})


def test_a_state_that_the_shop_adds_is_no_fault() -> None:
    subscription = subscription_of(status="on_hold")
    assert subscription
    assert subscription.status == "on_hold"


def test_a_subscription_that_ends_before_it_starts_is_refused() -> None:
    cells = {**CUSTOMER, "starts_on": "2026-03-02", "ends_on": "2026-03-01"}
    assert faults_of(cells) == ["ends_on is before starts_on"]
    assert user_of({**cells, "ends_on": "2026-03-02"}).subscription


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
    assert faults_of(cells) == [
        "id is missing",
        "kind must be lead or customer",
        "first_name is longer than 1,000 characters",
        "registered_at must be an instant with its offset from UTC, such as 2026-03-01T15:04:05Z",
        "access must be active or suspended",
        "ends_on must be a date of the calendar, such as 2026-03-31",
        "encounters_used must be a whole number from 0 to 100000000000000",
    ]


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
        ("version", True, "version must be a whole number from 1 to 100000000000000"),
        ("version", 1.5, "version must be a whole number from 1 to 100000000000000"),
        ("version", 10**30, "version must be a whole number from 1 to 100000000000000"),
        ("ecosystem", "e1", "ecosystem must be a JSON object"),
        ("subscription", [1], "subscription must be a JSON object"),
        ("subscription", {"encounters": 3}, "encounters must be a JSON object"),
        ("subscription", {"licences": {"a": 1}}, "licences must be a list"),
        ("subscription", {"licences": [{"count": 1}]}, "licences: a status is missing"),
    ],
)
def test_json_of_another_type_is_refused(member: str, value: object, fault: str | None) -> None:
    checked = check_json(json.dumps({**CUSTOMER, member: value}))
    assert isinstance(checked, Row) if fault is None else checked == [fault]


def test_unknown_members_are_collected_and_left_out() -> None:
    checker = Checker(Columns(["row"]))
    record = {**CUSTOMER, "colour": "red", "subscription": {"plan": "Lite", "price": 3}}
    assert isinstance(checker.check(RawRow(1, (json.dumps(record),))), Row)
    assert checker.unknown_members == {"colour", "subscription.price"}
