"""Orders of exports that do not fit the contract: each is told what is wrong."""

from typing import Any

import pytest

from tests.api.client import Client

KEY = "0b8f2a64-1111-4222-8333-444455556660"
LEADS = {"resource": "leads"}
STATES = "['trialing', 'active', 'past_due', 'suspended', 'cancelled', 'expired']"


def test_without_a_key_nothing_is_ordered(edge: Client) -> None:
    answer = edge.order(None, LEADS)
    assert (answer.status, answer.problem) == (400, "idempotency-key-required")
    assert answer.json["detail"] == "Send a UUID of yours, and keep it"


@pytest.mark.parametrize(
    "key",
    [
        *("", "1", "not-a-uuid", "0b8f2a64111142228333444455556660", KEY + "0", KEY[:-1]),
        *(f"{{{KEY}}}", f"urn:uuid:{KEY}", KEY.replace("0", "g"), f'"{KEY}"'),
        f"{KEY}, {KEY}",
    ],
)
def test_a_key_that_is_no_uuid_is_a_fault(edge: Client, key: str) -> None:
    answer = edge.order(key, LEADS)
    assert (answer.status, answer.problem) == (400, "invalid-request")
    (fault,) = answer.json["errors"]
    assert (fault["in"], fault["name"]) == ("header", "Idempotency-Key")


# The body of an order → name and detail of each fault.
FAULTY: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no resource": ({}, [("", "'resource' is a required property")]),
    "another resource": (
        {"resource": "ecosystems"},
        [("resource", "'ecosystems' is not one of ['customers', 'leads']")],
    ),
    "resource is a list": (
        {"resource": ["leads"]},
        [("resource", "['leads'] is not one of ['customers', 'leads']")],
    ),
    "another format": (
        {**LEADS, "format": "xls"},
        [("format", "'xls' is not one of ['xlsx', 'csv']")],
    ),
    "another language": (
        {**LEADS, "language": "pt"},
        [("language", "'pt' is not one of ['es', 'en']")],
    ),
    "an unknown member": (
        {**LEADS, "columns": []},
        [("", "Additional properties are not allowed ('columns' was unexpected)")],
    ),
    "leads by access": (
        {**LEADS, "filters": {"access": "active"}},
        [("filters", "Additional properties are not allowed ('access' was unexpected)")],
    ),
    "the list's other parameters": (
        {**LEADS, "filters": {"limit": 10, "sort": "name"}},
        [
            (
                "filters",
                "Additional properties are not allowed ('limit', 'sort' were unexpected)",
            )
        ],
    ),
    "a period that no caller sets": (
        {**LEADS, "filters": {"registered_since": "2026-01-01T00:00:00Z"}},
        [("filters", "Additional properties are not allowed ('registered_since' was unexpected)")],
    ),
    "access of another name": (
        {"resource": "customers", "filters": {"access": "off"}},
        [("filters/access", "'off' is not one of ['active', 'suspended']")],
    ),
    "status is no list": (
        {"resource": "customers", "filters": {"status": "active"}},
        [("filters/status", "'active' is not of type 'array'")],
    ),
    "status of another name": (
        {"resource": "customers", "filters": {"status": ["active", "new"]}},
        [("filters/status/1", f"'new' is not one of {STATES}")],
    ),
    "no states": (
        {"resource": "customers", "filters": {"status": []}},
        [("filters/status", "[] should be non-empty")],
    ),
    "an empty plan": (
        {"resource": "customers", "filters": {"plan": [""]}},
        [("filters/plan/0", "'' should be non-empty")],
    ),
    "no day of the calendar": (
        {**LEADS, "filters": {"registered_from": "2026-02-30"}},
        [("filters/registered_from", "'2026-02-30' is not a 'date'")],
    ),
    "filters is null": ({**LEADS, "filters": None}, [("filters", "None is not of type 'object'")]),
    "a text": (
        "leads",
        [
            ("", "'leads' is not of type 'object'"),
            ("", "'leads' is not valid under any of the given schemas"),
        ],
    ),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_an_order_that_does_not_fit_is_told_what_is_wrong(edge: Client, kind: str) -> None:
    body, faults = FAULTY[kind]
    answer = edge.order(KEY, body)
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert sorted((one["name"], one["detail"]) for one in answer.json["errors"]) == faults
    assert {one["in"] for one in answer.json["errors"]} == {"body"}
