"""The columns of a file: their names, and the JSON and the licences that cells may hold."""

import json

import pytest

from chalicelib.users.model import Ecosystem, Licences, Subscription
from infra.load.columns import ALL, Columns, HeaderError
from infra.load.rows import Row
from tests.unit.load.checking import (
    CUSTOMER,
    LEAD,
    check_cells,
    check_json,
    faults_of,
    subscription_of,
    user_of,
)


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
    subscription = subscription_of(**cells)
    assert subscription
    assert subscription.licences == (Licences("available", 3), Licences("assigned", 16))


def test_columns_may_hold_json() -> None:
    user = user_of(
        {**CUSTOMER, "ecosystem": '{"id": "e1"}', "subscription": '{"plan": "Lite"}', "status": "x"}
    )
    assert user.ecosystem == Ecosystem("e1", "e1", None)
    assert user.subscription == Subscription("Lite", None, "x", None, None, None, ())


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
    faults = check_json(text)
    assert isinstance(faults, list)
    assert len(faults) == 1
    assert faults[0].startswith(problem)


def test_a_member_that_is_said_twice_is_refused() -> None:
    cells = {**CUSTOMER, "subscription": '{"plan": "Lite"}', "plan": "Plus"}
    assert faults_of(cells) == [
        "plan is there twice: in its own column and in the column subscription"
    ]
    cells = {**CUSTOMER, "subscription": '{"encounters": 3}', "encounters_used": "1"}
    assert faults_of(cells) == [
        "encounters_used has no place in what the column subscription holds"
    ]


def test_unknown_columns_are_named_as_they_stand() -> None:
    columns = Columns(["Line", "problem", *LEAD, "Favourite\x1b[31m colour", "", "row"])
    assert columns.unknown == ("Favourite?[31m colour", "column 7, which has no name", "row")


def test_columns_of_the_reject_file_are_no_surprise() -> None:
    cells = {"line": "17", "problem": "kind is missing", **LEAD}
    assert Columns(list(cells)).unknown == ()
    assert user_of(cells) == user_of(LEAD)
    cells = {"line": "17", "problem": "kind is missing", "row": json.dumps(LEAD)}
    assert Columns(list(cells)).unknown == ()
    assert user_of(cells) == user_of(LEAD)


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
    row = check_cells({**CUSTOMER, "access": "active", "ecosystem": "", "licences_available": ""})
    assert isinstance(row, Row)
    ecosystem = {"ecosystem_id", "ecosystem_name", "ecosystem_deployed_at"}
    assert row.given == {*CUSTOMER, "access", *ecosystem, "licences"}
    row = check_json(json.dumps(CUSTOMER))
    assert isinstance(row, Row)
    assert row.given == ALL - {"access"}
