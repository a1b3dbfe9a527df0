"""Put the records back that the projection could not apply: `make replay`.

Each message of the dead-letter queue is applied again by the function itself. What goes through
leaves the queue; what still makes no sense goes back there, whole.

Exit status: 0 the queue is empty, 1 something still makes no sense, 2 it could not be done.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.derivation import Derivation, of_stage
from infra.stage import StageError

_VISIBILITY_SECONDS = 120
_WAIT_SECONDS = 2


def replay(derivation: Derivation) -> tuple[int, int]:
    """Apply what lies on the queue now; how many went through, and how many did not."""
    applied = poisoned = 0
    for message in _waiting(derivation):
        record = json.loads(message["Body"])
        # Before the message is deleted, so that nothing is lost whatever happens in between.
        failed = derivation.apply([record])
        derivation.sqs.delete_message(
            QueueUrl=derivation.dead_letters_url, ReceiptHandle=message["ReceiptHandle"]
        )
        applied, poisoned = applied + (not failed), poisoned + failed
    return applied, poisoned


def _waiting(derivation: Derivation) -> Iterator[Any]:
    """As many messages as there are at the beginning: what fails again is a new one."""
    attributes = derivation.sqs.get_queue_attributes(
        QueueUrl=derivation.dead_letters_url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    left = int(attributes["ApproximateNumberOfMessages"])
    while left > 0:
        answer = derivation.sqs.receive_message(
            QueueUrl=derivation.dead_letters_url,
            MaxNumberOfMessages=min(left, 10),
            VisibilityTimeout=_VISIBILITY_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        left -= len(messages)
        yield from messages


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.replay", description=__doc__)
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    stage = parser.parse_args(arguments).stage
    try:
        applied, poisoned = replay(of_stage(stage))
    except (StageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It stopped: {error}. What was not applied is still on the queue.\n")
        return 2
    sys.stdout.write(f"{applied} put back; {poisoned} still make no sense and lie there again.\n")
    return 1 if poisoned else 0


if __name__ == "__main__":
    sys.exit(main())
