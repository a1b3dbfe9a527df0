"""An API whose AWS fails: an answer, or a problem that says when to come again. Once at most."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.client import Client
from tests.api.conformity import Answer
from tests.builders import customer, lead, save, save_ecosystem
from tests.faults.cloud import Cloud
from tests.faults.faults import (
    BROKEN,
    CLOCK_IS_OFF,
    EXPIRED_TOKEN,
    THROTTLED,
    TRIES,
    Act,
    lost_answer,
    reset,
)

OFF = {"access": "suspended", "reason": "Privacy 4711"}
READS: dict[str, tuple[str, Callable[[Client], Answer]]] = {
    "list": ("dynamodb.Query", lambda staff: staff.get("/v1/customers")),
    "search": ("dynamodb.Query", lambda staff: staff.get("/v1/customers", q="gomez")),
    "detail": ("dynamodb.GetItem", lambda staff: staff.get("/v1/customers/cus_0042")),
    "history": (
        "dynamodb.Query",
        lambda staff: staff.get("/v1/customers/cus_0042/access/history"),
    ),
    "gateway": (
        "dynamodb.GetItem",
        lambda staff: staff.get("/v1/ecosystems/eco_17/access", "gateway"),
    ),
}


@pytest.fixture(autouse=True)
def _people(staff: Client) -> None:  # noqa: ARG001 - the tables
    save(customer(), lead())
    save_ecosystem()


def _assert_come_again(answer: Answer) -> None:
    assert (answer.status, answer.problem) == (503, "store-unavailable")
    assert answer.headers["retry-after"] == "2"


def _lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == event]


def _assert_switched_once(staff: Client) -> None:
    """As all who ask are told: staff, gateways, and whoever reads the history."""
    row = staff.get("/v1/customers/cus_0042").json
    assert (row["access"], row["version"]) == ("suspended", 8)
    assert staff.get("/v1/ecosystems/eco_17/access", "gateway").json["access"] == "suspended"
    history = staff.get("/v1/customers/cus_0042/access/history").json["data"]
    assert [(entry["to"], entry["reason"]) for entry in history] == [("suspended", "Privacy 4711")]


def _assert_untouched(staff: Client) -> None:
    row = staff.get("/v1/customers/cus_0042").json
    assert (row["access"], row["version"]) == ("active", 7)
    assert staff.get("/v1/ecosystems/eco_17/access", "gateway").json["access"] == "active"
    assert staff.get("/v1/customers/cus_0042/access/history").json["data"] == []


# --- reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [THROTTLED, BROKEN, reset, lost_answer])
def test_a_burst_that_passes_is_not_noticed_by_whoever_reads(
    staff: Client, cloud: Cloud, act: Act
) -> None:
    for name, (operation, read) in READS.items():
        expected = read(staff).json
        cloud.endpoint.fail(operation, act, times=TRIES - 1)
        answer = read(staff)
        assert (answer.status, answer.json) == (200, expected), name
        cloud.endpoint.mend()


@pytest.mark.parametrize("act", [THROTTLED, reset])
def test_whoever_reads_while_it_goes_on_is_told_when_to_come_again(
    staff: Client, cloud: Cloud, act: Act
) -> None:
    for operation, read in READS.values():
        cloud.endpoint.fail(operation, act, times=TRIES)
        _assert_come_again(read(staff))
        assert read(staff).status == 200
        cloud.endpoint.mend()


@pytest.mark.parametrize("act", [EXPIRED_TOKEN, CLOCK_IS_OFF])
def test_a_signature_that_is_refused_is_not_sent_again_and_is_nobodys_bug(
    staff: Client, cloud: Cloud, act: Act, capsys: pytest.CaptureFixture[str]
) -> None:
    for operation, read in READS.values():
        cloud.endpoint.fail(operation, act)
        _assert_come_again(read(staff))
        (line,) = _lines(capsys, "aws.unavailable")
        assert (line["level"], line["service"]) == ("ERROR", "dynamodb")
        assert read(staff).status == 200
        cloud.endpoint.mend()


def test_a_list_whose_store_is_slow_is_asked_for_again_after_five_seconds(
    staff: Client, cloud: Cloud
) -> None:
    with cloud.endpoint.holding("dynamodb.Query", times=1):
        answer = staff.get("/v1/customers")
    assert [row["id"] for row in answer.json["data"]] == ["cus_0042"]
    assert cloud.endpoint.count("dynamodb.Query") == 2


# --- the switch ---------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [THROTTLED, BROKEN, reset, lost_answer])
def test_a_switch_that_meets_a_burst_is_done_once(staff: Client, cloud: Cloud, act: Act) -> None:
    cloud.endpoint.fail("dynamodb.TransactWriteItems", act, times=TRIES - 1)
    answer = staff.switch(OFF)
    assert (answer.status, answer.json["access"], answer.json["version"]) == (200, "suspended", 8)
    assert cloud.endpoint.count("dynamodb.TransactWriteItems") == TRIES
    _assert_switched_once(staff)


def test_a_switch_whose_answer_is_slow_is_done_once(staff: Client, cloud: Cloud) -> None:
    """Five seconds are waited for it; meanwhile it was done."""
    with cloud.endpoint.holding("dynamodb.TransactWriteItems", how="after", times=1):
        answer = staff.switch(OFF)
    assert (answer.status, answer.json["version"]) == (200, 8)
    assert cloud.endpoint.count("dynamodb.TransactWriteItems") == 2
    _assert_switched_once(staff)


def test_a_switch_of_which_every_answer_is_lost_is_done_once_however_often_it_is_sent(
    staff: Client, cloud: Cloud
) -> None:
    cloud.endpoint.fail("dynamodb.TransactWriteItems", lost_answer, times=TRIES)
    _assert_come_again(staff.switch(OFF))
    _assert_switched_once(staff)
    for _ in range(2):
        answer = staff.switch(OFF)
        assert (answer.status, answer.json["version"]) == (200, 8)
    _assert_switched_once(staff)


@pytest.mark.parametrize(
    ("operation", "act", "times"),
    [
        ("dynamodb.GetItem", THROTTLED, TRIES),
        ("dynamodb.GetItem", EXPIRED_TOKEN, 1),
        ("dynamodb.TransactWriteItems", THROTTLED, TRIES),
        ("dynamodb.TransactWriteItems", reset, TRIES),
        ("dynamodb.TransactWriteItems", EXPIRED_TOKEN, 1),
        ("dynamodb.TransactWriteItems", CLOCK_IS_OFF, 1),
    ],
)
def test_a_switch_that_was_not_done_changes_nothing_and_can_be_sent_again(
    staff: Client, cloud: Cloud, operation: str, act: Act, times: int
) -> None:
    cloud.endpoint.fail(operation, act, times=times)
    _assert_come_again(staff.switch(OFF))
    _assert_untouched(staff)
    assert staff.switch(OFF).status == 200
    _assert_switched_once(staff)


def test_a_switch_whose_result_cannot_be_looked_at_is_done_once(
    staff: Client, cloud: Cloud
) -> None:
    """Every answer is lost, and then the repetition's read is throttled as well."""
    cloud.endpoint.fail("dynamodb.TransactWriteItems", lost_answer, times=TRIES)
    _assert_come_again(staff.switch(OFF))
    cloud.endpoint.fail("dynamodb.GetItem", THROTTLED, times=TRIES)
    _assert_come_again(staff.switch(OFF))
    assert staff.switch(OFF).json["version"] == 8
    _assert_switched_once(staff)


# --- S3 and Secrets Manager ---------------------------------------------------------------------


def test_while_s3_is_down_all_but_files_goes_on_and_health_says_so(
    staff: Client, cloud: Cloud
) -> None:
    cloud.endpoint.fail("s3.HeadObject", reset, times=TRIES)
    health = staff.get("/v1/health", "gateway")
    assert (health.status, health.json["status"]) == (503, "failing")
    assert [name for name, state in health.json["checks"].items() if state != "ok"] == ["bucket"]
    for _, read in READS.values():
        assert read(staff).status == 200
    assert staff.switch(OFF).status == 200
    _assert_switched_once(staff)
    assert staff.get("/v1/health", "gateway").status == 200


def test_pages_whose_keys_cannot_be_fetched_can_be_asked_for_again(
    staff: Client, cloud: Cloud
) -> None:
    save(lead("led_0008"))
    cloud.endpoint.fail("secretsmanager.GetSecretValue", reset, times=TRIES)
    _assert_come_again(staff.get("/v1/leads", limit=1))
    page = staff.get("/v1/leads", limit=1)
    assert (page.status, page.json["page"]["next"] is None) == (200, False)


def test_keys_that_are_known_serve_on_and_are_asked_for_once_in_ten_seconds(
    staff: Client, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(lead("led_0008", registered_at="2026-01-31T08:00:00Z"))
    cursor = staff.get("/v1/leads", limit=1).json["page"]["next"]
    cloud.endpoint.fail("secretsmanager.GetSecretValue", reset, times=1_000)
    asked = cloud.endpoint.count("secretsmanager.GetSecretValue")
    now = time.time
    monkeypatch.setattr("time.time", lambda: now() + 301)
    for _ in range(3):
        page = staff.get("/v1/leads", limit=1, cursor=cursor)
        assert [row["id"] for row in page.json["data"]] == ["led_0008"]
    assert cloud.endpoint.count("secretsmanager.GetSecretValue") == asked + TRIES
