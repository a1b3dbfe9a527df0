"""The scheduled lead export on the running stack: its schedule, its run, its message."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Stack, eventually, subscribed_queue


@pytest.fixture(scope="module")
def admin(stack: Stack) -> str:
    return stack.token("admin")


def _schedule(stack: Stack) -> Any:
    client = stack.client("scheduler")
    (listed,) = client.list_schedules()["Schedules"]
    return client.get_schedule(Name=listed["Name"])


def test_a_schedule_runs_the_function_on_mondays_at_six(stack: Stack) -> None:
    """Its time zone is a test of the template's: the emulator keeps none, and runs it in UTC."""
    found = _schedule(stack)
    assert (found["State"], found["ScheduleExpression"]) == ("ENABLED", "cron(0 6 ? * MON *)")
    function = found["Target"]["Arn"].rpartition(":")[2]
    assert function == stack.facts["functions"]["schedule"]
    assert stack.client("events").list_rules()["Rules"] == [], "there is no second clock"


def test_the_scheduled_lead_export_sends_a_link_once_however_often_it_is_triggered(
    stack: Stack, admin: str
) -> None:
    queue = subscribed_queue(stack.client, stack.facts["topic"])
    for _ in range(2):
        _trigger(stack, "2026-11-23T11:00:00Z")
    messages = eventually(lambda: _messages(stack, queue, at_least=2))
    leads = stack.call("GET", "/v1/leads?limit=100", token=admin).json["data"]
    for text in messages:
        assert _rows(text) == len(leads)
        link = re.search(r"https?://\S+", text)
        assert link is not None
        assert urlsplit(link[0]).path.endswith("/file")
        opened = stack.call("GET", link[0])
        assert opened.status == 302
        assert stack.call("GET", opened.headers["Location"]).content[:2] == b"PK"
        assert stack.call("GET", link[0][:-4] + "AAAA").status == 401
    assert _messages(stack, queue, at_least=0) == []


def test_the_exports_are_ordered_when_the_clock_says_so(stack: Stack, admin: str) -> None:
    def scheduled() -> set[str]:
        listed = stack.call("GET", "/v1/exports", token=admin).json["data"]
        return {one["id"] for one in listed if one["origin"] == "scheduled"}

    client, before = stack.client("scheduler"), scheduled()
    client.create_schedule(
        Name="at-once",
        ScheduleExpression="at(2026-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=_schedule(stack)["Target"],
    )
    try:
        # The emulator looks at its clock every ten seconds.
        eventually(lambda: len(scheduled() - before) == 2, seconds=40)
    finally:
        client.delete_schedule(Name="at-once")


def _trigger(stack: Stack, at: str) -> None:
    event = {"time": at, "id": "d32c5kddcf5bb8c3"}
    answer = stack.client("lambda").invoke(
        FunctionName=stack.facts["functions"]["schedule"], Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


_INBOX: dict[str, list[str]] = {}


def _messages(stack: Stack, queue: str, *, at_least: int) -> list[str]:
    got = stack.client("sqs").receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
    )
    texts = [json.loads(message["Body"])["Message"] for message in got.get("Messages", ())]
    if not at_least:
        return texts
    inbox = _INBOX.setdefault(queue, [])
    inbox += texts
    return inbox if len(inbox) >= at_least else []


def _rows(text: str) -> int:
    found = re.search(r"^(?:Filas|Rows): (\d+)$", text, re.MULTILINE)
    assert found is not None
    return int(found[1])
