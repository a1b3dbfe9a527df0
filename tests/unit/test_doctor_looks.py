"""What the doctor says of sign-in, subscriptions and sources that do not work."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber

from infra.conform.__main__ import RESOURCES
from infra.doctor.running import sources
from infra.doctor.signing_in import sign_in
from infra.doctor.telling import subscriptions
from infra.stage import Stage
from infra.target import Target
from tests.exporting import configured

TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"
KEYS = b'{"keys": [{"kid": "first"}]}'
WELL: Mapping[str, tuple[int, bytes]] = {
    "/keys": (200, KEYS),
    "/oauth2/authorize": (302, b"/login"),
    "/login": (200, b"<form>"),
    "/error": (200, b"<p>redirect_mismatch"),
    "/v1/session": (401, b"{}"),
}


class _Server(ThreadingHTTPServer):
    """Issuer, sign-in page and API in one: answers by path, and the queries that came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = dict(WELL)
        self.queries: dict[str, dict[str, list[str]]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server, asked = cast("_Server", self.server), urlsplit(self.path)
        server.queries[asked.path] = parse_qs(asked.query)
        status, body = server.answers[asked.path]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", body.decode())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """A stage whose addresses are all those of the server."""
    with _Server() as started:
        threading.Thread(target=started.serve_forever, daemon=True).start()
        addresses = {"TOKEN_KEYS_URL": "/keys", "SIGN_IN_URL": "", "PUBLIC_URL": ""}
        changes = {name: f"{started.url}{path}" for name, path in addresses.items()}
        with configured(monkeypatch, PAGE_CLIENT_ID="page", **changes):
            yield started
        started.shutdown()


def _stage(**parameters: str) -> Stage:
    return Stage(
        Target("trial", "us-east-1"),
        resources={"AlarmTopic": TOPIC, "MarketingTopic": TOPIC},
        parameters=parameters,
        tags={},
        made_at=datetime.now(UTC),
    )


def _ill() -> dict[str, str]:
    return {one.about: one.seen for one in sign_in(_stage()) if not one.is_well}


def test_a_sign_in_that_works_is_well(server: _Server) -> None:
    told = {one.about: one.seen for one in sign_in(_stage()) if one.is_well}
    assert told == {
        "sign-in keys": f"200, 1 keys at {server.url}/keys",
        "sign-in page": f"200 {server.url}/login",
        "authorizer": "401 to a forged token",
    }
    asked = server.queries["/oauth2/authorize"]
    assert (asked["client_id"], asked["redirect_uri"]) == (["page"], [f"{server.url}/"])


@pytest.mark.parametrize(
    ("path", "answer", "about"),
    [
        ("/keys", (500, b""), "sign-in keys"),
        ("/keys", (200, b"<html>"), "sign-in keys"),
        ("/keys", (200, b'{"keys": []}'), "sign-in keys"),
        ("/keys", (200, b"[]"), "sign-in keys"),
        ("/login", (503, b""), "sign-in page"),
        ("/oauth2/authorize", (302, b"/error?error=redirect_mismatch"), "sign-in page"),
        ("/v1/session", (503, b"{}"), "authorizer"),
        ("/v1/session", (200, b"{}"), "authorizer"),
    ],
)
def test_each_part_of_a_sign_in_that_fails_is_named(
    server: _Server, path: str, answer: tuple[int, bytes], about: str
) -> None:
    server.answers[path] = answer
    assert list(_ill()) == [about]


def test_an_issuer_that_cannot_be_reached_is_found_and_the_rest_is_looked_at(
    server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9/keys"
    changes = {"SIGN_IN_URL": "", "PUBLIC_URL": server.url}
    with configured(monkeypatch, TOKEN_KEYS_URL=nowhere, **changes):
        told = {one.about: (one.is_well, one.seen) for one in sign_in(_stage())}
    assert told["sign-in keys"][0] is False
    assert told["sign-in keys"][1].startswith("cannot be reached: URLError")
    assert told["sign-in page"] == (True, "none of ours: SignInUrl is empty")
    assert told["authorizer"][0] is True


def _subscribed(*arns: str) -> dict[str, Any]:
    return {
        "Subscriptions": [
            {"SubscriptionArn": arn, "Endpoint": f"{number}@example.com"}
            for number, arn in enumerate(arns)
        ]
    }


CONFIRMED = f"{TOPIC}:5e8b0c4e"
PENDING = "PendingConfirmation"


@pytest.mark.parametrize(
    ("arns", "address", "protected", "seen"),
    [
        ([CONFIRMED], "0@example.com", "true", "1 confirmed"),
        ([CONFIRMED], "", "true", "1 confirmed"),
        ([], "", "false", "none"),
        ([PENDING], "0@example.com", "true", "1 of 1 not confirmed"),
        ([CONFIRMED, PENDING], "0@example.com", "true", "1 of 2 not confirmed"),
        ([CONFIRMED, "Deleted"], "0@example.com", "true", "1 of 2 not confirmed"),
        ([], "0@example.com", "false", "the address in AlarmEmail was removed"),
        ([CONFIRMED], "1@example.com", "true", "the address in AlarmEmail was removed"),
        ([], "", "true", "no one is subscribed"),
    ],
)
def test_subscriptions_that_reach_no_one_are_found(
    arns: list[str],
    address: str,
    protected: str,
    seen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sns = boto3.client(
        "sns", region_name="us-east-1", aws_access_key_id="", aws_secret_access_key=""
    )
    monkeypatch.setattr(Target, "client", lambda *_: sns)
    with Stubber(sns) as stubbed:
        for _ in range(2):
            stubbed.add_response("list_subscriptions_by_topic", _subscribed(*arns))
        parameters = {"AlarmEmail": address, "DeletionProtection": protected}
        alarms, marketing = subscriptions(_stage(ScheduledExport="DISABLED", **parameters))
    assert (alarms.about, alarms.seen) == ("subscriptions of AlarmTopic", seen)
    assert alarms.is_well == (seen in {"none", "1 confirmed"})
    assert marketing.is_well == (PENDING not in arns and "Deleted" not in arns)
    assert f"--topic-arn {TOPIC} --protocol email" in alarms.remedy


def test_every_source_of_a_function_that_is_off_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = RESOURCES.read_text().splitlines()
    names = [one.split()[0] for one in lines if one.endswith(" AWS::Lambda::EventSourceMapping")]
    assert len(names) == 3
    keys = {"aws_access_key_id": "", "aws_secret_access_key": ""}
    clients = {one: boto3.client(one, "us-east-1", **keys) for one in ("lambda", "cloudwatch")}  # type: ignore[call-overload]
    monkeypatch.setattr(Target, "client", lambda _, service: clients[service])
    ids = {name: str(uuid4()) for name in names}
    stage = replace(_stage(), resources=ids | {"Stream": "stream"})
    with Stubber(clients["lambda"]) as functions, Stubber(clients["cloudwatch"]) as metrics:
        for one in ids.values():
            off = {"State": "Disabled", "UUID": one}
            functions.add_response("get_event_source_mapping", off, {"UUID": one})
        metrics.add_response("get_metric_statistics", {"Datapoints": []})
        told = [one for one in sources(stage) if not one.is_well]
    assert [one.about for one in told] == [f"source {name}" for name in names]
    assert all(one.seen == "Disabled" and "--enabled --uuid" in one.remedy for one in told)
