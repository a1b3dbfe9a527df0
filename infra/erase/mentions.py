"""Reasons that members of the staff gave for acts on others, and that may mention the person."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.settings import settings
from chalicelib.users import audit
from infra.erase.person import Person, scan


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """An act on another customer, and its reason; `at` is RFC 3339."""

    customer_id: str
    at: str
    by: str
    reason: str

    def __str__(self) -> str:
        """Return all of it, for a person to look at."""
        return f"{self.customer_id}, {self.at}, {self.by}: {self.reason}"


def find(person: Person) -> list[Mention]:
    """Return what of the audit may mention the person, by customer and time.

    A name is often that of others, too, so a person has to look. The same reason stands in the
    customer's item and standing where it is that of the last change.
    """
    return sorted(_mentions(person))


def _mentions(person: Person) -> Iterator[Mention]:
    prefix, own = audit.customer(""), audit.customer(person.id)
    for item in scan(settings().audit_table):
        subject = item["subject"]["S"]
        if subject.startswith(prefix) and subject != own and person.is_mentioned_in(_reason(item)):
            yield Mention(
                subject.removeprefix(prefix), item["at"]["S"], item["by"]["S"], _reason(item)
            )


def _reason(item: Any) -> str:
    return json.loads(item["facts"]["S"]).get("reason") or ""
