"""When things fail: what the caller is told, what the log keeps, and what neither may hold."""

import gc
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn

import pytest

from chalicelib import aws
from chalicelib.api.contract import OPERATIONS
from chalicelib.users import listing
from tests.api.client import Client
from tests.api.conformity import Answer
from tests.api.conftest import Logs
from tests.builders import customer, lead, operations, refusals, save, sent_requests
from tests.exporting import before, unreachable

SECRETS = ["mj@clinica-sol.co", "María", "Gómez", "3001234567", "Clínica", "garcia", "Vorfall"]
FIELDS = {
    *("level", "event", "request_id", "operation", "route", "status", "ms", "actor_id"),
    *("dynamodb_requests", "capacity_units", "_aws"),
}


def _burst(*_: object, **__: object) -> NoReturn:
    people: dict[str, str] = {}
    try:
        people["María Gómez <mj@clinica-sol.co>"].strip()
    except LookupError as error:
        message = f"cannot make sense of {error}"
        raise ValueError(message) from error
    pytest.fail("it was to fail")


def test_a_bug_tells_the_caller_the_request_id_and_nothing_else(
    edge: Client, monkeypatch: pytest.MonkeyPatch, logs: Logs
) -> None:
    monkeypatch.setattr(listing, "page", _burst)
    answer = edge.get("/v1/customers", "viewer")
    request_id = answer.headers["x-request-id"]
    assert (answer.status, answer.json) == (
        500,
        {
            "type": "/problems/internal",
            "title": "Something went wrong on our side",
            "status": 500,
            "instance": "/v1/customers",
            "request_id": request_id,
        },
    )
    (line,) = logs()
    assert (line["level"], line["request_id"], line["status"]) == ("ERROR", request_id, 500)
    assert line["error"] == ["ValueError", "KeyError"]
    assert any("_burst" in frame for frame in line["traceback"])
    for secret in ("María", "clinica", "sense"):
        assert secret not in str(line)
        assert secret not in answer.body


def test_a_bug_in_one_request_leaves_the_next_one_alone(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(listing, "page", _burst)
        assert api.get("/v1/customers").status == 500
    assert api.get("/v1/customers").status == 200


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("code", "problem", "error"),
    [
        ("AccessDeniedException", "service-misconfigured", "StoreRefusedError"),
        ("ResourceNotFoundException", "service-misconfigured", "StoreRefusedError"),
        ("ValidationException", "internal", "GetError"),
    ],
)
def test_what_no_repetition_mends_is_told_as_such(
    api: Client, logs: Logs, code: str, problem: str, error: str
) -> None:
    with refusals("GetItem", code):
        answer = api.get("/v1/customers/cus_0042")
    assert (answer.status, answer.problem) == (500, problem)
    line = logs()[-1]
    assert (line["level"], line["error"][0]) == ("ERROR", error)
    assert len(line["error"]) < 5


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("reason", "problem", "error"),
    [
        ("ValidationError", "internal", "TransactWriteError"),
        ("ItemCollectionSizeLimitExceeded", "internal", "TransactWriteError"),
        ("AccessDenied", "service-misconfigured", "StoreRefusedError"),
    ],
)
def test_a_transaction_that_no_repetition_mends_is_told_as_such(
    api: Client, logs: Logs, reason: str, problem: str, error: str
) -> None:
    save(customer())
    reasons = [{"Code": "None"}, {"Code": reason, "Message": "a word of Gómez"}, {"Code": "None"}]
    cancelled = "TransactionCanceledException"
    with refusals("TransactWriteItems", cancelled, CancellationReasons=reasons):
        answer = api.switch({"access": "suspended", "reason": "Privacy 4711"})
    assert (answer.status, answer.problem) == (500, problem)
    lines = logs()
    assert lines[-1]["error"][0] == error
    assert "Gómez" not in str(lines)
    assert api.get("/v1/customers/cus_0042").json["access"] == "active"


def test_a_store_that_is_busy_is_said_to_be_and_when_to_come_again(
    api: Client, no_waiting: list[float], logs: Logs
) -> None:
    save(customer())
    for code in (
        *("ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError"),
        *("RequestLimitExceeded", "ServiceUnavailable"),
    ):
        no_waiting.clear()
        with refusals("Query", code), sent_requests() as sent:
            answer = api.get("/v1/customers")
        assert (answer.status, answer.problem) == (503, "store-unavailable"), code
        assert answer.headers["retry-after"] == "2"
        assert answer.json["detail"] == "The data store is busy; try again in a while"
        assert operations(sent).count("Query") <= 4
        assert sum(no_waiting) <= 7
        cause, line = logs()
        assert (cause["event"], cause["level"]) == ("aws.unavailable", "WARNING")
        assert (cause["service"], cause["operation"], cause["code"]) == ("dynamodb", "Query", code)
        assert (line["status"], "error" in line) == (503, False)
    assert api.get("/v1/customers").status == 200


def test_every_way_to_the_store_can_be_busy(api: Client, no_waiting: list[float]) -> None:
    save(customer(), lead())
    off = {"access": "suspended", "reason": "Privacy incident 4711"}
    calls: dict[str, Callable[[], Answer]] = {
        "GetItem": lambda: api.get("/v1/customers/cus_0042"),
        "TransactWriteItems": lambda: api.switch(off),
        "Query": lambda: api.get("/v1/customers/cus_0042/access/history"),
    }
    for operation, call in calls.items():
        with refusals(operation, "ThrottlingException"):
            answer = call()
        assert (answer.status, answer.problem) == (503, "store-unavailable"), operation
    with refusals("GetItem", "ThrottlingException"):
        assert api.get("/v1/ecosystems/eco_17/access", "gateway").status == 503
    assert no_waiting
    assert api.get("/v1/customers/cus_0042").json["access"] == "active"


def test_a_throttle_that_passes_is_not_noticed(api: Client, no_waiting: list[float]) -> None:
    save(customer())
    with refusals("GetItem", "ThrottlingException", times=2):
        assert api.get("/v1/customers/cus_0042").status == 200
    assert len(no_waiting) == 2


def test_without_the_signing_keys_there_are_no_cursors_but_single_pages(api: Client) -> None:
    save(customer(), customer("cus_2"))
    with before(aws.secrets_manager(), "secrets-manager.GetSecretValue", unreachable):
        answer = api.get("/v1/customers", limit=1)
        assert (answer.status, answer.problem) == (503, "store-unavailable")
        assert api.get("/v1/customers", limit=2).status == 200


def test_a_queue_that_cannot_be_reached_is_a_store_that_is_unavailable(api: Client) -> None:
    key = "0b8f2a64-1111-4222-8333-444455556660"
    with before(aws.sqs(), "sqs.SendMessage", unreachable):
        answer = api.order(key, {"resource": "leads"})
    assert (answer.status, answer.problem) == (503, "store-unavailable")
    assert api.get("/v1/exports").json["data"] == []
    assert api.order(key, {"resource": "leads"}).status == 202


def _calls(api: Client) -> list[tuple[str, int, Answer]]:
    """Calls of many kinds, with their operation and status, and the answers."""
    off = {"access": "suspended", "reason": "Clínica Sol, Vorfall"}
    return [
        ("list_customers", 200, api.get("/v1/customers", plan="Clínica garcia")),
        ("list_customers", 200, api.get("/v1/customers", q="garcia")),
        ("list_customers", 400, api.get("/v1/customers", q="garcia", access="garcia")),
        ("list_leads", 403, api.get("/v1/leads", "none")),
        ("get_customer", 200, api.get("/v1/customers/cus_0042")),
        ("get_lead", 404, api.get("/v1/leads/garcia")),
        ("change_access", 200, api.switch(off)),
        ("change_access", 412, api.switch({**off, "reason": "garcia"})),
        ("change_access", 400, api.switch({"access": "mj@clinica-sol.co"})),
        ("get_config", 200, api.get("/v1/config", None)),
        ("other", 405, api.call("POST", "/v1/customers", None)),
    ]


def test_each_request_leaves_one_line_that_names_no_person_and_no_word_that_was_sought(
    api: Client, logs: Logs
) -> None:
    save(customer())
    calls = _calls(api)
    lines = logs()
    assert len(lines) == len(calls)
    for line, (operation, status, answer) in zip(lines, calls, strict=True):
        shown = {"people", "rows_read"} & line.keys()
        assert line.keys() == FIELDS | shown, operation
        assert bool(shown) == ('"id":"cus_0042"' in answer.body), operation
        assert (line["level"], line["event"]) == ("INFO", "request")
        assert (line["operation"], line["status"]) == (operation, status)
        assert line["request_id"] == answer.headers["x-request-id"]
        assert isinstance(line["ms"], float)
        assert not any(secret in str(line) for secret in SECRETS)
    assert lines[4]["route"] == OPERATIONS["get_customer"].path
    assert (lines[4]["dynamodb_requests"], lines[4]["capacity_units"]) == (1, 0.5)
    assert lines[9]["dynamodb_requests"] == 0


def test_the_log_knows_the_actor_by_an_id_that_is_nobodys_name(edge: Client, logs: Logs) -> None:
    edge.get("/v1/session", "viewer")
    edge.get("/v1/config", None)
    first, second = logs()
    assert first["actor_id"] == "f5a43da7-74da-5bc0-b2f7-2b26501d9657"
    assert "viewer@staff.example" not in str(first)
    assert second["actor_id"] == ""


def test_requests_that_lack_a_header_leave_nothing_behind_in_memory(edge: Client) -> None:
    """An error that is made once and raised each time grows by its traceback, frames and all."""

    def kept() -> int:
        gc.collect()
        return sum(isinstance(one, TracebackType) for one in gc.get_objects())

    edge.switch({"access": "active"}, if_match=None)
    edge.order(None, {"resource": "leads"})
    before_them = kept()
    for _ in range(20):
        edge.switch({"access": "active"}, if_match=None)
        edge.order(None, {"resource": "leads"})
    assert kept() - before_them < 20
