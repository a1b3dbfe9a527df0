"""Exports to test with: orders, the queue and its worker, files, and a clock to set."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib import aws, clock
from chalicelib.exports import jobs, orders
from chalicelib.settings import settings
from chalicelib.triggers.worker import worker
from chalicelib.users import audit
from chalicelib.users.tables import ExportItem
from tests.builders import author
from tests.conftest import ENVIRONMENT, REGION
from tests.workbooks import Book, csv_rows

MONDAY = "2026-03-02T11:00:00Z"
ANA = author("ana@example.com")
UNFINISHED: Mapping[str, str | None] = {
    "period": None,
    "origin": "manual",
    "finished_at": None,
    "expires_at": None,
    "rows": None,
    "size_bytes": None,
    "sha256": None,
    "file_name": None,
    "download_url": None,
    "error": None,
}
"""What the API tells of an export that somebody asked for and that has not ended."""


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, at: str) -> None:
        self.at = clock.parse_instant(at)

    def __call__(self) -> datetime:
        return self.at

    def goes_on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def stop_clock(monkeypatch: pytest.MonkeyPatch, at: str = MONDAY) -> Clock:
    """Let it be the instant `at`."""
    stopped = Clock(at)
    monkeypatch.setattr(clock, "now", stopped)
    return stopped


class TickingClock(Clock):
    """A clock that goes on by so many seconds each time that somebody looks at it."""

    def __init__(self, at: str, seconds: float) -> None:
        super().__init__(at)
        self._seconds = seconds

    def __call__(self) -> datetime:
        self.goes_on(self._seconds)
        return self.at


@contextmanager
def configured(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Iterator[None]:
    """Set the environment of the tests, for what needs no AWS."""
    for name, value in {**ENVIRONMENT, **changes}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def order(**changes: Any) -> orders.Order:
    """Ana's order of all leads as CSV, but for `changes`."""
    whole = {
        "resource": "leads",
        "format": "csv",
        "language": "es",
        "filters": {},
        "by": ANA,
        "key": "key-1",
        "request_id": "req-1",
    }
    return orders.Order(**{**whole, **changes})


def ordered(**changes: Any) -> dict[str, Any]:
    """Order an export; the message that waits for the worker."""
    orders.submit(order(**changes))
    (message,) = queued()
    return message


def finished(**changes: Any) -> ExportItem:
    """Order an export and let the worker run it; the job afterwards."""
    message = ordered(**changes)
    deliver(message)
    return stored_job(message)


def stored_job(message: Mapping[str, Any]) -> ExportItem:
    """The job of a message as it is stored, deleted or not."""
    job = jobs.find_file(message["job"]["id"]["S"])
    assert job is not None
    return job


def stored_jobs() -> list[Any]:
    """Every job that is stored, as an item."""
    whole = boto3.client("dynamodb", region_name=REGION).scan(TableName="exports")
    return [one for one in whole["Items"] if "shelf" in one]


def queued() -> list[dict[str, Any]]:
    """The messages that wait for the worker; they are taken off the queue."""
    return [json.loads(body) for body in taken(settings().exports_queue_url)]


def taken(queue_url: str) -> list[str]:
    """Everything on a queue, taken off it."""
    bodies: list[str] = []
    while found := aws.sqs().receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10):
        if "Messages" not in found:
            break
        for message in found["Messages"]:
            bodies.append(message["Body"])
            aws.sqs().delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def event(name: str) -> dict[str, Any]:
    """An event of AWS as Lambda hands it to a function: tests/events/`name`.json."""
    whole: dict[str, Any] = json.loads(
        Path(__file__).parent.joinpath("events", f"{name}.json").read_text()
    )
    return whole


class LambdaContext:
    """As much of Lambda's context as the worker looks at: the time that is left."""

    def __init__(self, *remaining_seconds: float) -> None:
        """The answers to the first questions; the last one stays."""
        self._answers = list(remaining_seconds)

    def get_remaining_time_in_millis(self) -> int:
        seconds = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        return int(seconds * 1000)


def deliver(message: Mapping[str, Any], context: LambdaContext | None = None) -> None:
    """Hand the message to the worker as Lambda does, with all the time of its limit."""
    delivery = event("sqs")
    delivery["Records"][0]["body"] = json.dumps(message)
    worker(delivery, context or LambdaContext(900))


def object_keys(prefix: str = "exports/") -> list[str]:
    """Every file of an export that lies in the bucket."""
    listed = aws.s3().list_objects_v2(Bucket=settings().exports_bucket, Prefix=prefix)
    return [found["Key"] for found in listed.get("Contents", ())]


def unfinished_uploads() -> list[str]:
    """The keys of the uploads in parts that were neither finished nor given up."""
    listed = aws.s3().list_multipart_uploads(Bucket=settings().exports_bucket)
    return [begun["Key"] for begun in listed.get("Uploads", ())]


def content(job: ExportItem) -> bytes:
    """The file of the job."""
    found = aws.s3().get_object(Bucket=settings().exports_bucket, Key=job.object_key)
    return found["Body"].read()


def ids(job: ExportItem) -> list[str]:
    """The ids of the store users in the file of the job, as they follow."""
    whole = content(job)
    rows = csv_rows(whole) if job.format == "csv" else Book(whole).rows()
    return [row[-1] for row in rows[1:]]


def audited(job: ExportItem) -> list[str]:
    """What was done with the job, in order of the alphabet: a stopped clock knows no other."""
    found = audit.page(audit.export(job.id), None, 100).items
    return sorted(audit.from_item(item).action for item in found)


class At:
    """Acts once, at the call of that number; complains where there were fewer."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        self.left = number
        self._act = act

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self._act()


@contextmanager
def before(client: Any, call: str, act: Callable[[], object]) -> Iterator[None]:
    """Act before each call, such as `s3.PutObject`; what `act` raises takes the call's place."""

    def handler(**_: object) -> None:
        act()

    client.meta.events.register_first(f"before-call.{call}", handler)
    try:
        yield
    finally:
        client.meta.events.unregister(f"before-call.{call}", handler)
    assert not isinstance(act, At) or act.left <= 0, f"too few calls of {call}"


def die() -> NoReturn:
    """As a worker does whose memory or time is over, or whose machine goes away."""
    raise SystemExit


def unreachable() -> NoReturn:
    """What botocore says after the last of its retries."""
    raise EndpointConnectionError(endpoint_url="https://nowhere.example")
