"""Erasing a person, to test with: whom, and by what."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from chalicelib import aws
from chalicelib.settings import settings
from chalicelib.users.model import Ecosystem
from infra import stage
from infra.erase import __main__ as command
from infra.erase.__main__ import Done, Queues, erase
from infra.erase.person import find
from infra.target import Target
from tests.builders import author, customer
from tests.conftest import REGION
from tests.exporting import object_keys
from tests.following import invoke, items

TABLES = ("users", "ecosystems", "search", "totals", "audit", "exports")

PERSON = customer(
    "cus_0042",
    first_name="Wayra",
    last_name="Quispe",
    company_email="wayra@puma-punku.example",
    phone_number="+51987654321",
    company_name="Consultorio Puma",
    ecosystem=Ecosystem("eco_17", "puma-punku", "2026-03-01T16:00:00Z"),
    registered_at="2026-02-28T15:04:05Z",
)
NEIGHBOUR = customer(
    "cus_00421", ecosystem=Ecosystem("eco_18", "clinica-sol", "2026-03-01T17:00:00Z")
)


def dead_letters_of_exports() -> str:
    """A new queue, in the place of the stage's; its address."""
    url: str = boto3.client("sqs", REGION).create_queue(QueueName="dead")["QueueUrl"]
    return url


def erase_person(dead_exports: str, user_id: str = "cus_0042") -> Done:
    """Erase them as the command does."""
    queues = Queues(settings().projection_dead_letters_url, dead_exports)
    return erase(find(user_id), author("operator"), _apply, queues)


def _apply(records: Any) -> int:
    return invoke(list(records))["poisoned"]


def run_command(monkeypatch: pytest.MonkeyPatch, dead_exports: str, *arguments: str) -> int:
    """Run `make erase` on the stores of the test, as confirmed; the exit status."""
    dead = settings().projection_dead_letters_url
    place = stage.Stage(
        Target("test", REGION),
        resources={"ProjectionDeadLetters": dead, "ExportsDeadLetters": dead_exports},
        parameters={},
        tags={},
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    monkeypatch.setattr(stage, "find", lambda _: place)
    monkeypatch.setattr(stage.Stage, "enter", lambda _: None)
    monkeypatch.setattr(command, "_applying", lambda _: _apply)
    return command.main([*arguments, "--yes"])


def stored_texts() -> Iterator[tuple[str, str]]:
    """Everything that is stored, as text: tables, and objects, unpacked."""
    for table in TABLES:
        for item in items(table):
            yield table, json.dumps(item, ensure_ascii=False)
    for prefix in ("exports/", "schedule/"):
        for key in object_keys(prefix):
            body = aws.s3().get_object(Bucket="exports-bucket", Key=key)["Body"].read()
            yield key, _unpacked(body)


def _unpacked(body: bytes) -> str:
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return body.decode()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())
