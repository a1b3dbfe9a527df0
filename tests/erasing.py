"""Erasing a person, to test with: whom, and by what."""

from typing import Any

import boto3

from chalicelib.settings import settings
from chalicelib.users.model import Ecosystem
from infra.erase.__main__ import Done, Queues, erase
from infra.erase.person import find
from tests.builders import author, customer
from tests.conftest import REGION
from tests.following import invoke

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
