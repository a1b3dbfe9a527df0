"""The queue of exports → the running of each."""

import json
from typing import Any

from chalice.app import Blueprint, SQSEvent

from chalicelib import log
from chalicelib.exports import delivery, running
from chalicelib.exports.visibility import MARGIN_SECONDS, hidden
from chalicelib.users.tables import ExportItem

_RETRY_SECONDS = 30

workers = Blueprint(__name__)


# The ARN is a placeholder: infra/resources.yaml puts that of the queue in its place.
# One message at a time: a batch would be delivered again as a whole when one of them fails.
@workers.on_sqs_message(queue_arn="arn:aws:sqs:us-east-1:000000000000:exports", batch_size=1)
@log.without_messages()
def worker(event: SQSEvent) -> None:
    """Run the export of each message. An error makes SQS deliver it again later."""
    context: Any = event.context  # Chalice's types take it for a mapping

    def remaining_seconds() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    for message in event:
        try:
            with hidden(message.receipt_handle):
                job = ExportItem.from_raw_data(json.loads(message.body)["job"])
                log.event("export.received", export_id=job.id, request_id=job.request_id)
                running.run(job, remaining_seconds)
        except running.BusyError as error:
            delivery.hide(message.receipt_handle, error.lease_seconds + MARGIN_SECONDS)
            raise
        except Exception:
            # What cannot ever be run is to reach the dead letters within minutes, too.
            delivery.hide(message.receipt_handle, _RETRY_SECONDS)
            raise
