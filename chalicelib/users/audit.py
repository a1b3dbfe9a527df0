"""The audit: who did what, when and why. Append only, a hash chain for each subject.

The number of an entry is its sort key, and a write is refused where the key is taken: of two
writers at once one comes second, reads the other's entry, and follows it. So no chain forks.
"""

import json
import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.constants import ITEM
from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.dynamodb import ConditionFailedError, Item, TransactionCanceledError
from chalicelib.errors import StoreUnavailableError
from chalicelib.settings import settings
from chalicelib.users import chain, paging
from chalicelib.users.model import Author
from chalicelib.users.ranges import Range
from chalicelib.users.tables import store

_TRIES = 10
_LONGEST_PAUSE_SECONDS = 0.5
_ANNOUNCED_FOR = timedelta(hours=1)
"""An erasure removes the entries of one person within seconds of its announcement."""

_CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""The announcement has the time of the machine that erases, the removal that of DynamoDB."""

_ANNOUNCEMENTS_A_PAGE = 100

_TAKEN = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_BUSY = "Too much happens to this at the moment; try again in a while"

Write = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act; `at` is RFC 3339."""

    subject: str
    at: str
    by: Author
    action: str
    facts: Mapping[str, Any]
    request_id: str


def customer(customer_id: str) -> str:
    """The subject under which the acts on a customer are kept."""
    return f"customer#{customer_id}"


def export(export_id: str) -> str:
    """The subject under which the acts on an export are kept."""
    return f"export#{export_id}"


def person(subject: str) -> str:
    """The subject under which the acts on a member of the staff are kept."""
    return f"person#{subject}"


ERASURES = "erasures"
"""The subject under which it is kept who is to be erased, and who was."""

ANNOUNCED = "erasure.announced"


def announcements(since: datetime) -> Iterator[Entry]:
    """Yield what is kept of erasures, newest first, as far back as can announce what is since."""
    oldest = clock.instant(since - _ANNOUNCED_FOR)
    start = None
    while True:
        answer = store().query(
            settings().audit_table,
            ERASURES,
            scan_index_forward=False,
            consistent_read=True,
            exclusive_start_key=start,
            limit=_ANNOUNCEMENTS_A_PAGE,
        )
        for entry in map(from_item, answer["Items"]):
            if entry.at < oldest:
                return
            yield entry
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def announces(entry: Entry, removed_at: datetime) -> str | None:
    """Return the subject whose entries the announcement lets go at that instant, else None."""
    announced_at = clock.parse_instant(entry.at)
    earliest = announced_at - _CLOCKS_DIFFER_BY
    is_valid = earliest <= removed_at <= announced_at + _ANNOUNCED_FOR
    if entry.action != ANNOUNCED or not is_valid:
        return None
    return customer(entry.facts["user_id"])


def append(entry: Entry) -> None:
    """Write the entry down: one Query, one PutItem. Raises `StoreUnavailableError`."""
    attributes = _attributes(entry)
    for attempt in range(_TRIES):
        item = chain.linked(attributes, _last(entry.subject))
        try:
            store().dispatch("PutItem", _put_kwargs(item))
        except ConditionFailedError as error:
            if error.item == item:
                return  # The answer to this very write was lost, and the SDK repeated it.
            _pause(attempt)
        else:
            return
    raise StoreUnavailableError(_BUSY)


def transact(
    entry: Entry,
    *,
    checks: Sequence[Write] = (),
    deletes: Sequence[Write] = (),
    puts: Sequence[Write] = (),
    updates: Sequence[Write] = (),
) -> None:
    """Write the entry and the act itself in one transaction: one Query, one TransactWriteItems.

    It is tried again where only the number of the entry was taken meanwhile. Raises
    `TransactionCanceledError` where the act met a condition or another transaction, and
    `StoreUnavailableError`.
    """
    attributes = _attributes(entry)
    place = len(checks) + len(deletes)
    for attempt in range(_TRIES):
        item = chain.linked(attributes, _last(entry.subject))
        try:
            store().transact_write_items(
                condition_check_items=[dict(one) for one in checks],
                delete_items=[dict(one) for one in deletes],
                put_items=[_put_kwargs(item), *(dict(one) for one in puts)],
                update_items=[dict(one) for one in updates],
                # The SDK's own retries carry the same token, so that a lost answer is not a
                # second act: DynamoDB keeps a token for ten minutes.
                client_request_token=str(uuid.uuid4()),
            )
        except TransactionCanceledError as error:
            if not _is_only_taken(error.codes, place):
                raise
            _pause(attempt)
        else:
            return
    raise StoreUnavailableError(_BUSY)


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
        by=Author(item["by"]["S"], item.get("by_id", {}).get("S")),
        action=item["action"]["S"],
        facts=json.loads(item["facts"]["S"]),
        request_id=item["request_id"]["S"],
    )


def _attributes(entry: Entry) -> Item:
    """Return what of the item does not depend on the entry before it."""
    told = {
        "subject": entry.subject,
        "id": clock.ulid(clock.now()),  # Equal acts of one second are two.
        "at": entry.at,
        "by": entry.by.name,
        "by_id": entry.by.id,
        "action": entry.action,
        "facts": json.dumps(entry.facts),
        "request_id": entry.request_id,
    }
    return {name: {"S": value} for name, value in told.items() if value is not None}


def _last(subject: str) -> Item | None:
    answer = store().query(
        settings().audit_table, subject, limit=1, scan_index_forward=False, consistent_read=True
    )
    items: list[Item] = answer["Items"]
    return items[0] if items else None


def _put_kwargs(item: Item) -> dict[str, Any]:
    return store().get_operation_kwargs(
        settings().audit_table,
        item["subject"]["S"],
        range_key=item["entry"]["S"],
        key=ITEM,
        attributes=dict(item),
        condition=Path("subject").does_not_exist(),
        return_values_on_condition_failure="ALL_OLD",
    )


def _is_only_taken(codes: Sequence[str], place: int) -> bool:
    """Return True if another entry came first, and everything else of the transaction holds."""
    others = {*codes[:place], *codes[place + 1 :]}
    return codes[place] in _TAKEN and others <= {"None"}


def _pause(attempt: int) -> None:
    longest = min(0.02 * 2**attempt, _LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
