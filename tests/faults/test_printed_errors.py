"""Errors that leave a function: all that it prints is read, and names no person."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.pool import ISSUER, running_pool
from tests.exporting import event
from tests.faults.cloud import Cloud, Running
from tests.faults.faults import Answer, Forward, Request

PERSON = "Zoraida Quiñones"


def _refuse_by_name(request: Request, _: Forward) -> Answer:
    """An error of a service whose message quotes what it was sent."""
    assert request.body
    body = json.dumps({"__type": "com.amazonaws#InvalidMessageContents", "message": PERSON})
    return Answer(400, {"Content-Type": "application/x-amz-json-1.0"}, body.encode())


def _worker(cloud: Cloud) -> Running:
    """The message has no job but a person for a key."""
    whole = event("sqs")
    whole["Records"][0] |= {"body": json.dumps({"job": {"id": {PERSON: "exp_1"}}})}
    return cloud.start("worker", whole)


def _stream(cloud: Cloud) -> Running:
    """A record makes no sense, and the queue for dead letters quotes it in its refusal."""
    cloud.endpoint.fail("sqs.SendMessage", _refuse_by_name)
    record = {"eventID": "1", "eventName": "INSERT", "dynamodb": {"Keys": {PERSON: {"S": "led_1"}}}}
    return cloud.start("stream", {"Records": [record]}, limit_seconds=60)


def _schedule(cloud: Cloud) -> Running:
    """The time of the event is a name."""
    return cloud.start("schedule", {**event("scheduler"), "time": PERSON})


def _watch(cloud: Cloud) -> Running:
    """The stream of the audit tells of an entry without a key."""
    return cloud.start("watch", {"Records": [{"eventName": "MODIFY", "dynamodb": {PERSON: {}}}]})


def _authorizer(cloud: Cloud) -> Running:
    """The address of the keys is a name, and cannot be fetched."""
    with running_pool() as pool:
        token = pool.token("viewer")
    cloud.environment |= {"TOKEN_KEYS_URL": f"file:///{PERSON}", "TOKEN_ISSUER": ISSUER}
    arn = "arn:aws:execute-api:us-east-1:000000000000:abc/api/GET/v1/leads"
    asked = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": arn}
    return cloud.start("authorizer", asked)


@pytest.mark.parametrize(
    ("begin", "error"),
    [
        (_worker, "AttributeDeserializationError"),
        (_stream, "InvalidMessageContents"),
        (_schedule, "ValueError"),
        (_watch, "KeyError"),
        (_authorizer, "KeysUnavailableError"),
    ],
    ids=["worker", "stream", "schedule", "watch", "authorizer"],
)
def test_an_error_that_leaves_a_function_is_told_by_its_class_and_frames_alone(
    cloud: Cloud, begin: Callable[[Cloud], Running], error: str
) -> None:
    running = begin(cloud)
    running.fails_with(error)
    printed = running.log.read_text()
    assert not any(word in printed for word in PERSON.split())
    lines: list[dict[str, Any]] = [
        line for line in running.logged() if line["event"] == "invocation.failed"
    ]
    assert [(line["level"], line["error"][0]) for line in lines] == [("ERROR", error)]
    assert any(frame.endswith(f" {begin.__name__[1:]}") for frame in lines[0]["traceback"])


def test_a_refused_token_is_said_in_the_one_word_that_api_gateway_knows(cloud: Cloud) -> None:
    arn = "arn:aws:execute-api:us-east-1:000000000000:abc/api/GET/v1/leads"
    asked = {"type": "TOKEN", "authorizationToken": f"Bearer {PERSON}", "methodArn": arn}
    refused = cloud.start("authorizer", asked)
    refused.fails_with("RefusedTokenError: Unauthorized")
    assert not any(word in refused.log.read_text() for word in PERSON.split())
