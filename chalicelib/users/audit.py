"""The audit: who did what, when and why. Append only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.constants import ITEM
from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.dynamodb import Item
from chalicelib.settings import settings
from chalicelib.users import paging
from chalicelib.users.ranges import Range
from chalicelib.users.tables import store


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act: `at` is RFC 3339, `by` a member of the staff or a part of the system."""

    subject: str
    at: str
    by: str
    action: str
    facts: Mapping[str, Any]
    request_id: str


def customer(customer_id: str) -> str:
    """The subject under which the acts on a customer are kept."""
    return f"customer#{customer_id}"


def export(export_id: str) -> str:
    """The subject under which the acts on an export are kept."""
    return f"export#{export_id}"


def append(entry: Entry) -> None:
    """Write the entry down. Raises `StoreUnavailableError`."""
    kwargs = put_kwargs(entry)
    store().dispatch("PutItem", kwargs)


def put_kwargs(entry: Entry) -> dict[str, Any]:
    """The Put that writes the entry down, for a transaction."""
    return store().get_operation_kwargs(
        settings().audit_table,
        entry.subject,
        range_key=f"{entry.at}#{clock.ulid(clock.now())}",
        key=ITEM,
        attributes={
            "at": {"S": entry.at},
            "by": {"S": entry.by},
            "action": {"S": entry.action},
            "facts": {"S": json.dumps(entry.facts)},
            "request_id": {"S": entry.request_id},
        },
        condition=Path("subject").does_not_exist(),
    )


def page(subject: str, token: str | None, limit: int) -> paging.Page:
    """A page of the items of `subject`, newest first. Raises `StaleCursorError`."""
    rows = Range(
        table=settings().audit_table,
        index=None,
        hash_attribute="subject",
        hash_value=subject,
        key_attributes=("entry",),
        descending=True,
    )
    return paging.page(rows, repr((subject, limit)), token, limit)


def from_item(item: Item) -> Entry:
    """The entry that an item of the audit table holds."""
    return Entry(
        subject=item["subject"]["S"],
        at=item["at"]["S"],
        by=item["by"]["S"],
        action=item["action"]["S"],
        facts=json.loads(item["facts"]["S"]),
        request_id=item["request_id"]["S"],
    )
