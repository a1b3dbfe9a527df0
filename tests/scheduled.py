"""The scheduled lead export to test with: its runs, and marketing's inbox."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib import aws, clock
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs
from chalicelib.settings import settings
from chalicelib.triggers.schedule import schedule
from chalicelib.users.tables import ExportItem
from tests.builders import lead, save
from tests.exporting import Clock, before, deliver, event, queued, taken, unreachable


@dataclass(frozen=True)
class Mail:
    """A message that marketing gets."""

    subject: str
    text: str
    facts: dict[str, str]

    @property
    def token(self) -> str:
        return self.text.rsplit("?token=", 1)[1].rstrip("\n")


@dataclass(frozen=True)
class Inbox:
    """Marketing: a queue that has subscribed to the topic."""

    queue_url: str

    def take_raw(self) -> list[dict[str, Any]]:
        """What has come since the last time, as SNS hands it on."""
        return [json.loads(body) for body in taken(self.queue_url)]

    def take(self) -> list[Mail]:
        """What has come since the last time, all leads before new ones."""
        mails = []
        for body in map(json.loads, taken(self.queue_url)):
            facts = {name: value["Value"] for name, value in body["MessageAttributes"].items()}
            mails.append(Mail(body["Subject"], body["Message"], facts))
        return sorted(mails, key=lambda mail: "new" in mail.facts["file_name"])


def subscribed(topic_arn: str | None = None) -> Inbox:
    """A new inbox, of marketing's topic or of another."""
    url = aws.sqs().create_queue(QueueName="inbox")["QueueUrl"]
    found = aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    aws.sns().subscribe(
        TopicArn=topic_arn or settings().marketing_topic_arn,
        Protocol="sqs",
        Endpoint=found["Attributes"]["QueueArn"],
    )
    return Inbox(url)


def register(*moments: str) -> None:
    """Leads have registered at these moments, after which they are named."""
    save(*(lead(moment.replace(":", ""), registered_at=moment) for moment in moments))


def moments(*names: str) -> list[str]:
    """The ids of the leads who registered at these moments, the newest first."""
    return [moment.replace(":", "") for moment in sorted(names, reverse=True)]


def fire(due_at: str, event_id: str = "53dc4d37") -> list[str]:
    """Hand the event of the schedule to the function as Lambda does; the ids of the jobs."""
    due = {**event("scheduler"), "time": due_at, "id": event_id}
    ids: list[str] = schedule(due, None)
    return ids


def run(now: Clock, due_at: str) -> tuple[ExportItem, ExportItem]:
    """A whole run, five seconds late; the jobs of all leads and of the new ones."""
    everyone, new = _fired_late(now, due_at)
    for message in queued():
        deliver(message)
    return jobs.find(everyone), jobs.find(new)


def run_for_new(now: Clock, due_at: str) -> ExportItem:
    """As much of a run, five seconds late, as concerns the new leads; their job."""
    _, new = _fired_late(now, due_at)
    deliver(_message_of(new))
    return jobs.find(new)


def failed_run_for_new(now: Clock, due_at: str) -> ExportItem:
    """The same, but the file could not be stored in three attempts."""
    _, new = _fired_late(now, due_at)
    message = _message_of(new)
    with before(aws.s3(), "s3.PutObject", unreachable):
        for _ in range(2):
            with suppress(StoreUnavailableError):
                deliver(message)
        deliver(message)
    return jobs.find(new)


def _fired_late(now: Clock, due_at: str) -> list[str]:
    now.at = clock.parse_instant(due_at)
    now.goes_on(5)
    return fire(due_at)


def _message_of(job_id: str) -> dict[str, Any]:
    return next(message for message in queued() if message["job"]["id"] == {"S": job_id})
