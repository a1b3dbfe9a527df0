"""The stream of the audit table → an alarm, wherever an entry was changed or removed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalice.app import Blueprint, DynamoDBEvent

from chalicelib import log, metrics
from chalicelib.users import audit

Record = Mapping[str, Any]
watches = Blueprint(__name__)


# The ARN is a placeholder: infra/resources.yaml puts that of the table's stream in its place.
@watches.on_dynamodb_record("arn:aws:dynamodb:us-east-1:000000000000:table/audit/stream/0")
@log.without_messages()
def watch(event: DynamoDBEvent) -> dict[str, int]:
    """Ring for each entry that was changed or removed; return how many there were.

    An erasure removes the entries of one customer, and says so first, under a subject that no
    function may write. Raises `StoreUnavailableError`: Lambda tries the batch again.
    """
    touched = [one for one in event.to_dict()["Records"] if one["eventName"] != "INSERT"]
    announced = set(_announced(touched)) if touched else set()
    rung = 0
    for record in touched:
        subject, entry = (record["dynamodb"]["Keys"][name]["S"] for name in ("subject", "entry"))
        if record["eventName"] == "REMOVE" and (subject, _made_at(record)) in announced:
            log.event("audit.erased", entry=entry)
            continue
        metrics.event(
            "audit.changed",
            level="ERROR",
            subject=subject,
            entry=entry,
            act=record["eventName"],
            changed=1,
        )
        rung += 1
    return {"records": len(touched), "rung": rung}


def _announced(records: list[Record]) -> Iterator[tuple[str, datetime]]:
    """Yield the subjects that an erasure let go, each with the instant of a record it covers."""
    instants = {_made_at(record) for record in records}
    for entry in audit.announcements(since=min(instants)):
        for instant in instants:
            subject = audit.announces(entry, instant)
            if subject is not None:
                yield subject, instant


def _made_at(record: Record) -> datetime:
    return datetime.fromtimestamp(record["dynamodb"]["ApproximateCreationDateTime"], UTC)
