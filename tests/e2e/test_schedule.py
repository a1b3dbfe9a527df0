"""The scheduled lead export on the running stack: its rule, its run, its message."""

import json
import re
import uuid
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Stack, eventually


@pytest.fixture(scope="module")
def admin(stack: Stack) -> str:
    return stack.token("admin")


def test_a_rule_runs_the_schedule_on_mondays_at_six_in_bogota(stack: Stack) -> None:
    events = stack.client("events")
    function = stack.facts["functions"]["schedule"]
    rules = {
        rule["ScheduleExpression"]: [
            target["Arn"].rpartition(":")[2]
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        ]
        for rule in events.list_rules()["Rules"]
        if rule.get("State") == "ENABLED"
    }
    assert rules == {"cron(0 11 ? * MON *)": [function]}


def test_the_scheduled_lead_export_sends_a_link_once_however_often_it_is_triggered(
    stack: Stack, admin: str
) -> None:
    queue = _subscribed_queue(stack)
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


def _subscribed_queue(stack: Stack) -> str:
    sqs = stack.client("sqs")
    queue: str = sqs.create_queue(QueueName=f"inbox-{uuid.uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    stack.client("sns").subscribe(
        TopicArn=stack.facts["topic"], Protocol="sqs", Endpoint=arn["QueueArn"]
    )
    return queue


def _trigger(stack: Stack, at: str) -> None:
    event = {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": at,
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/schedule"],
        "detail": {},
    }
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
