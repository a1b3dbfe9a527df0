"""The stream of the users table → the projection."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chalice.app import Blueprint, DynamoDBEvent

from chalicelib import aws, log
from chalicelib.dynamodb import StoreRefusedError, start_usage
from chalicelib.errors import StoreUnavailableError
from chalicelib.settings import settings
from chalicelib.users import projection

_MESSAGE_BYTES = 250_000
"""SQS has taken 1 MiB since 2025, 256 KiB before, and still does in some places."""

streams = Blueprint(__name__)


# The ARN is a placeholder: infra/resources.yaml puts that of the table's stream in its place.
@streams.on_dynamodb_record("arn:aws:dynamodb:us-east-1:000000000000:table/users/stream/0")
def stream(event: DynamoDBEvent) -> None:
    """Apply the records in order.

    A record that makes no sense goes to the dead-letter queue, whole, and the rest goes on. Where
    DynamoDB fails, the batch is left to the retries of Lambda: nothing is skipped.
    """
    usage = start_usage()
    records = event.to_dict()["Records"]
    poisoned = 0
    for record in records:
        try:
            projection.apply(record)
        except (StoreUnavailableError, StoreRefusedError):
            raise
        except Exception as error:  # noqa: BLE001 - one bad record must not hold up a shard
            facts = {"record_id": record.get("eventID"), **log.failure(error)}
            log.event("projection.poison", level="ERROR", **facts)
            _put_aside(record)
            poisoned += 1
    log.event("projection", records=len(records), poisoned=poisoned, **asdict(usage))


def _put_aside(record: Mapping[str, Any]) -> None:
    """Keep the record, whole, on the dead-letter queue.

    One too large for a message is kept without its images: its key is enough to apply it again,
    since the projection reads the user as of then.
    """
    body = json.dumps(record, ensure_ascii=False)
    if len(body.encode()) > _MESSAGE_BYTES:
        change = {name: record["dynamodb"].get(name) for name in ("Keys", "SequenceNumber")}
        body = json.dumps({"eventID": record.get("eventID"), "dynamodb": change})
    aws.sqs().send_message(QueueUrl=settings().projection_dead_letters_url, MessageBody=body)
