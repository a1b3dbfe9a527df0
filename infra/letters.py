"""Show the dead letters of a stage, or see to the schedule's and the exports': `make letters`.

Shown are ids alone, for what is about a person does not belong on a screen. `ORDER=1` orders the
runs of the scheduled export that lie there: a repetition orders nothing twice. `ORDER=now` orders
one of now, whatever lies there, and another one in another minute. `DROP=exports` removes what
cannot be run any more, once it is shown. Those of the projection are put back by `make replay`, and
never dropped: they are changes.

Exit status: 0 it is done, 1 a run could not be ordered, 2 it could not be looked at.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from infra import stage as stages

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_QUEUES = {
    "projection": "ProjectionDeadLetters",
    "exports": "ExportsDeadLetters",
    "schedule": "ScheduleDeadLetters",
}
_HIDDEN_SECONDS = 300
"""For so long a letter is ours while it is seen to; it is given back as soon as that is over."""
_SCHEDULED_TIME = "SCHEDULED_TIME"
"""The message attribute with which Scheduler says when a run was due that it could not start."""
_BATCH = 10
"""As many letters SQS hands out, or takes back, in one request."""


class _Letters:
    """The letters of a queue, hidden from everybody else while they are looked at."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._handles: dict[str, str] = {}

    def __iter__(self) -> "Iterator[MessageTypeDef]":
        """Each letter once, until none is left: SQS may hand one out again."""
        while messages := self._receive():
            new = [one for one in messages if one["MessageId"] not in self._handles]
            self._handles |= {one["MessageId"]: one["ReceiptHandle"] for one in messages}
            yield from new

    def _receive(self) -> "Sequence[MessageTypeDef]":
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=[_SCHEDULED_TIME],
        )
        return answer.get("Messages", ())

    def delete(self, letter: "MessageTypeDef") -> None:
        """Take the letter off the queue."""
        handle = self._handles.pop(letter["MessageId"])
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=handle)

    def give_back(self) -> None:
        """Let the letters that were not deleted be read again at once."""
        handles = list(self._handles.values())
        for start in range(0, len(handles), _BATCH):
            # One that is not taken back was hidden for too long, and lies there already.
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles[start : start + _BATCH])
                ],
            )


@contextmanager
def _letters(stage: stages.Stage, name: str) -> Iterator[_Letters]:
    letters = _Letters(stage.target.client("sqs"), stage.resources[_QUEUES[name]])
    try:
        yield letters
    finally:
        letters.give_back()


def show(stage: stages.Stage, drop: str | None = None) -> int:
    """Tell of every letter, and delete what is told of the queue to `drop`; how many there were."""
    number = 0
    for name in _QUEUES:
        with _letters(stage, name) as letters:
            for letter in letters:
                number += 1
                sent_at = int(letter["Attributes"]["SentTimestamp"]) / 1000
                put_at = datetime.fromtimestamp(sent_at, UTC)
                about = _about(name, letter)
                sys.stdout.write(f"{name:<10}  {put_at:%Y-%m-%dT%H:%M:%SZ}  {about}\n")
                if name == drop:
                    letters.delete(letter)
    return number


def order_missed(stage: stages.Stage) -> tuple[list[str], int]:
    """Order the runs that lie there; the ids of the exports, and how many runs failed."""
    ordered, failed = [], 0
    with _letters(stage, "schedule") as letters:
        for letter in list(letters):
            if jobs := _run(stage, _missed(letter)):
                ordered += jobs
                letters.delete(letter)
            else:
                failed += 1
    return ordered, failed


def order_now(stage: stages.Stage) -> tuple[list[str], int]:
    """Order a run of this minute; the ids of the exports, and how many runs failed."""
    ordered = _run(stage, {"time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}", "id": "by-hand"})
    return ordered, int(not ordered)


def _run(stage: stages.Stage, event: Mapping[str, str]) -> list[str]:
    client: LambdaClient = stage.target.client("lambda")
    payload = json.dumps(event).encode()
    answer = client.invoke(FunctionName=stage.resources["Schedule"], Payload=payload)
    told: list[str] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return []
    return told


def _missed(letter: "MessageTypeDef") -> dict[str, str]:
    """The event of a run that failed in the function, or never reached it (Scheduler's letter).

    An event that cannot be read is empty, and fails again.
    """
    if _SCHEDULED_TIME in (said := letter.get("MessageAttributes", {})):
        return {"time": said[_SCHEDULED_TIME]["StringValue"], "id": letter["MessageId"]}
    try:
        body = json.loads(letter["Body"])
        return {"time": str(body["time"]), "id": str(body.get("id", letter["MessageId"]))}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _about(name: str, letter: "MessageTypeDef") -> str:
    try:
        body = json.loads(letter["Body"])
        if name == "schedule":
            return f"the run of {_missed(letter)['time']}"
        if name == "exports":
            return f"{body['job']['id']['S']}, asked for at {body['job']['requested_at']['S']}"
        change = body["dynamodb"]
        keys = change.get("Keys") or change.get("NewImage") or {}
        return f"{keys.get('id', {}).get('S', 'nobody')}, record {body.get('eventID')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "not to be read"


_ORDERS = {"1": order_missed, "now": order_now}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.letters", description=__doc__)
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--order", choices=_ORDERS, help="1: the missed runs; now: one of now")
    doing.add_argument("--drop", choices=("exports", "schedule"))
    given = parser.parse_args(arguments)
    try:
        stage = stages.find(given.stage)
        if given.order:
            ordered, failed = _ORDERS[given.order](stage)
            sys.stdout.write(f"ordered: {', '.join(ordered) or 'nothing'}; {failed} failed\n")
            return 1 if failed else 0
        number = show(stage, given.drop)
        if given.drop:
            sys.stdout.write(f"Those of {given.drop} are dropped.\n")
    except (stages.StageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It stopped: {error}\n")
        return 2
    if not number:
        sys.stdout.write("There are no dead letters.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
