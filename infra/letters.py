"""Show the dead letters of a stage, or see to the schedule's and the exports': `make letters`.

Shown are ids alone, for what is about a person does not belong on a screen. `ORDER=1` orders the
runs of the scheduled export that lie there, or one of now where none does: a repetition orders
nothing twice. `DROP=exports` removes what cannot be run any more. Those of the projection are put
back by `make replay`, and never dropped: they are changes.

Exit status: 0 it is done, 1 a run could not be ordered, 2 it could not be looked at.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from infra import stage as stages

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

_QUEUES = {
    "projection": "ProjectionDeadLetters",
    "exports": "ExportsDeadLetters",
    "schedule": "ScheduleDeadLetters",
}
_HIDDEN_SECONDS = 60
"""For so long a letter is ours while it is seen to."""


def show(stage: stages.Stage) -> int:
    """Tell of every letter; how many there are."""
    number = 0
    for name in _QUEUES:
        for letter in _letters(stage, name, hidden_seconds=0):
            number += 1
            put_at = datetime.fromtimestamp(int(letter["Attributes"]["SentTimestamp"]) / 1000, UTC)
            sys.stdout.write(f"{name:<10}  {put_at:%Y-%m-%dT%H:%M:%SZ}  {_about(name, letter)}\n")
    return number


def order(stage: stages.Stage) -> tuple[list[str], int]:
    """Order the runs that lie there, or one of now; the ids of the exports, and what failed."""
    sqs: SQSClient = stage.target.client("sqs")
    letters = list(_letters(stage, "schedule", hidden_seconds=_HIDDEN_SECONDS))
    if not letters:
        ordered = _run(stage, json.dumps(_event_of_now(stage)))
        return ordered, int(not ordered)
    ordered, failed = [], 0
    for letter in letters:
        if jobs := _run(stage, letter["Body"]):
            ordered += jobs
            url = stage.resources[_QUEUES["schedule"]]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
        else:
            failed += 1
    return ordered, failed


def _run(stage: stages.Stage, event: str) -> list[str]:
    client: LambdaClient = stage.target.client("lambda")
    answer = client.invoke(FunctionName=stage.resources["Schedule"], Payload=event.encode())
    told: list[str] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return []
    return told


def _event_of_now(stage: stages.Stage) -> dict[str, Any]:
    """As EventBridge makes it: https://docs.aws.amazon.com/eventbridge/latest/ref/events.html."""
    return {
        "version": "0",
        "id": "by-hand",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "",
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}",
        "region": stage.target.region,
        "resources": [],
        "detail": {},
    }


def _letters(stage: stages.Stage, name: str, *, hidden_seconds: int) -> Iterator[Any]:
    """Each letter once, until nothing new comes."""
    sqs: SQSClient = stage.target.client("sqs")
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=stage.resources[_QUEUES[name]],
            MaxNumberOfMessages=10,
            VisibilityTimeout=hidden_seconds,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        new = [one for one in answer.get("Messages", ()) if one["MessageId"] not in seen]
        if not new:
            return
        seen |= {one["MessageId"] for one in new}
        yield from new


def _about(name: str, letter: Mapping[str, Any]) -> str:
    try:
        body = json.loads(letter["Body"])
        if name == "schedule":
            return f"the run of {body['time']}"
        if name == "exports":
            return f"{body['job']['id']['S']}, asked for at {body['job']['requested_at']['S']}"
        change = body["dynamodb"]
        keys = change.get("Keys") or change.get("NewImage") or {}
        return f"{keys.get('id', {}).get('S', 'nobody')}, record {body.get('eventID')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "not to be read"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.letters", description=__doc__)
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--order", action="store_true")
    doing.add_argument("--drop", choices=("exports", "schedule"))
    given = parser.parse_args(arguments)
    try:
        stage = stages.find(given.stage)
        if given.order:
            ordered, failed = order(stage)
            sys.stdout.write(f"ordered: {', '.join(ordered) or 'nothing'}; {failed} failed\n")
            return 1 if failed else 0
        number = show(stage)
        if given.drop:
            sqs: SQSClient = stage.target.client("sqs")
            sqs.purge_queue(QueueUrl=stage.resources[_QUEUES[given.drop]])
            sys.stdout.write(f"Those of {given.drop} are dropped.\n")
    except (stages.StageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It stopped: {error}\n")
        return 2
    if not number:
        sys.stdout.write("There are no dead letters.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
