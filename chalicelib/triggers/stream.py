"""The stream of the users table → the projection."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint, DynamoDBEvent

from chalicelib import aws, clock, log, metrics
from chalicelib.aws_errors import calling
from chalicelib.dynamodb import start_usage
from chalicelib.errors import StoreError
from chalicelib.settings import settings
from chalicelib.users import counting, projection
from chalicelib.users.derived import is_concerned

_MESSAGE_BYTES = 250_000
"""SQS has taken 1 MiB since 2025, 256 KiB before, and still does in some places."""

_SECONDS_WITHOUT_CONTEXT = 60
"""The time-out of the function, by default: `StreamSeconds` in infra/resources.yaml."""

Record = Mapping[str, Any]
streams = Blueprint(__name__)


# The ARN is a placeholder: infra/resources.yaml puts that of the table's stream in its place.
@streams.on_dynamodb_record("arn:aws:dynamodb:us-east-1:000000000000:table/users/stream/0")
@log.without_messages()
def stream(event: DynamoDBEvent) -> dict[str, int]:
    """Apply the records; how many there were, and how many of them made no sense.

    A record that makes no sense goes to the dead-letter queue, whole, and the rest goes on. Where
    DynamoDB fails, the batch is left to the retries of Lambda: nothing is skipped.
    """
    started, usage, until = time.perf_counter(), start_usage(), _end_of(event)
    records = event.to_dict()["Records"]
    poisoned = {id(record): record for record in records if not _apply(record)}
    poisoned |= {id(record): record for record in _unprojectable(records, until)}
    for record in poisoned.values():
        _send_to_dlq(record)
    metrics.event(
        "projection",
        request_id=getattr(event.context, "aws_request_id", None),
        records=len(records),
        poisoned=len(poisoned),
        lag_seconds=_lag_seconds(records),
        ms=round((time.perf_counter() - started) * 1000, 1),
        **asdict(usage),
    )
    return {"records": len(records), "poisoned": len(poisoned)}


def _end_of(event: DynamoDBEvent) -> datetime:
    """When Lambda will end this invocation."""
    context: Any = event.context
    left = context.get_remaining_time_in_millis() / 1000 if context else _SECONDS_WITHOUT_CONTEXT
    return clock.now() + timedelta(seconds=left)


def _lag_seconds(records: Sequence[Record]) -> float:
    """How long ago the oldest of the changes was made; DynamoDB tells it to the second."""
    changes = [one.get("dynamodb") for one in records]
    made = [one.get("ApproximateCreationDateTime") for one in changes if isinstance(one, dict)]
    times = [float(at) for at in made if isinstance(at, int | float)]
    return round(max(clock.now().timestamp() - min(times), 0.0), 1) if times else 0.0


def _apply(record: Record) -> bool:
    """Apply the record to the user and the ecosystem. Return False if it makes no sense."""
    try:
        projection.apply(record)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one bad record must not hold up a shard
        _log_poison(record, error)
        return False
    return True


def _unprojectable(records: Sequence[Record], until: datetime) -> list[Record]:
    """Project the users of the records. Return the records of those that cannot be projected."""
    told = {user_id: record for record in records if (user_id := _concerned(record))}
    if _project_users(told, until):
        return []
    return [
        record for user_id, record in told.items() if not _project_users({user_id: record}, until)
    ]


def _project_users(told: Mapping[str, Record], until: datetime) -> bool:
    """Project these users into search and counters. Return False if one makes no sense."""
    try:
        counting.bring_up(told, until)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        if len(told) == 1:
            _log_poison(next(iter(told.values())), error)
        return False
    return True


def _concerned(record: Record) -> str | None:
    """The id of the user if what is counted or indexed of them has changed."""
    try:
        return projection.user_id_of(record) if is_concerned(record) else None
    except (KeyError, AttributeError, TypeError):
        return None  # No such record can be applied, either: it is among the dead letters already.


def _log_poison(record: Record, error: Exception) -> None:
    facts = {"record_id": record.get("eventID"), **log.failure(error)}
    log.event("projection.poison", level="ERROR", **facts)


def _send_to_dlq(record: Record) -> None:
    """Keep the record, whole, on the dead-letter queue.

    One too large for a message is kept without its images: its key is enough to apply it again,
    since the projection reads the user as of then.
    """
    body = json.dumps(record, ensure_ascii=False)
    if len(body.encode()) > _MESSAGE_BYTES:
        change = {name: record["dynamodb"].get(name) for name in ("Keys", "SequenceNumber")}
        body = json.dumps({"eventID": record.get("eventID"), "dynamodb": change})
    with calling("sqs"):
        aws.sqs().send_message(QueueUrl=settings().projection_dead_letters_url, MessageBody=body)
