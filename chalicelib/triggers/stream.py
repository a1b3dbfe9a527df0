"""The stream of the users table → the projection."""

import json
from dataclasses import asdict

from chalice.app import Blueprint, DynamoDBEvent

from chalicelib import aws, log
from chalicelib.dynamodb import start_usage
from chalicelib.errors import StoreUnavailableError
from chalicelib.settings import settings
from chalicelib.users import projection

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
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad record must not hold up a shard
            facts = {"record_id": record.get("eventID"), **log.failure(error)}
            log.event("projection.poison", level="ERROR", **facts)
            aws.sqs().send_message(
                QueueUrl=settings().projection_dead_letters_url, MessageBody=json.dumps(record)
            )
            poisoned += 1
    log.event("projection", records=len(records), poisoned=poisoned, **asdict(usage))
