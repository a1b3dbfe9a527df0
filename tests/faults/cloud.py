"""An AWS for one test: what the template makes, the processes that run on it, its queue."""

import json
import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import aws
from chalicelib.settings import settings
from tests.conftest import (
    ENVIRONMENT,
    REGION,
    create_tables,
    forget_clients,
    template_parameter,
    template_resources,
)
from tests.exporting import event
from tests.faults.endpoint import Endpoint
from tests.faults.function import Invocation, invoke

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([invoke.__module__])

_PATIENCE_SECONDS = 40
_LIMIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was received from the queue of exports, and how often."""

    body: str
    receipt_handle: str
    received: int = 1

    @property
    def export_id(self) -> str:
        """The job that it carries."""
        job_id: str = json.loads(self.body)["job"]["id"]["S"]
        return job_id

    @property
    def delivery(self) -> dict[str, Any]:
        """What Lambda hands to the worker."""
        whole = event("sqs")
        whole["Records"][0] |= {"body": self.body, "receiptHandle": self.receipt_handle}
        return whole


@dataclass(frozen=True, slots=True)
class Running:
    """A function at work in a process of its own."""

    process: ForkServerProcess
    log: Path

    def kill(self) -> None:
        """End it as Lambda does, or a machine that goes away: at once, without a word."""
        self.process.kill()
        assert self.ends() == -signal.SIGKILL, self.log.read_text()

    def succeeds(self) -> None:
        """Wait for its end, which is a good one."""
        assert self.ends() == 0, self.log.read_text()

    def fails_with(self, error: str) -> None:
        """Wait for its end, which is that error: Lambda delivers the message again."""
        assert self.ends() == 1, self.log.read_text()
        assert error in self.log.read_text().splitlines()[-1], self.log.read_text()

    def ends(self) -> int | None:
        """Wait for its end, whatever that is: 0 is a good one."""
        self.process.join(_PATIENCE_SECONDS)
        return self.process.exitcode

    def logged(self) -> list[dict[str, Any]]:
        """The events that it has logged."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    def events(self) -> list[str]:
        """Their names."""
        return [line["event"] for line in self.logged()]


@dataclass(slots=True)
class Cloud:
    """Tables, bucket, queues, topics and secret in an engine, and the endpoint in front of it."""

    engine: str
    endpoint: Endpoint
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    _started: list[Running] = field(default_factory=list)

    def create(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Create all of it, and let this process use it past the endpoint."""
        self.environment = {**ENVIRONMENT, "S3_ADDRESSING_STYLE": "path"}
        with monkeypatch.context() as patch:
            self._enter(patch)
            create_tables()
            self._create_rest()
        self._enter(monkeypatch)
        forget_clients()

    def start(
        self,
        handler: str,
        event: Mapping[str, Any],
        *,
        limit_seconds: float = _LIMIT_SECONDS,
        ahead_seconds: float = 0,
    ) -> Running:
        """Invoke the function; it runs on beside the test."""
        invocation = Invocation(
            handler=handler,
            event=event,
            environment={**_plain(), **self.environment, "AWS_ENDPOINT_URL": self.endpoint.url},
            log=self.folder / f"{len(self._started)}-{handler}.log",
            limit_seconds=limit_seconds,
            ahead_seconds=ahead_seconds,
        )
        begun = Running(_PROCESSES.Process(target=invoke, args=(invocation,)), invocation.log)
        begun.process.start()
        self._started.append(begun)
        return begun

    def work(self, message: Message, **how: float) -> Running:
        """Deliver the message to a worker, which runs on beside the test."""
        return self.start("worker", message.delivery, **how)

    def receive(self) -> Message:
        """The next message of the queue of exports; there is one."""
        message = self.receive_if_any()
        assert message is not None
        return message

    def receive_if_any(self) -> Message | None:
        """The next message of the queue of exports."""
        answer = aws.sqs().receive_message(
            QueueUrl=settings().exports_queue_url, MessageSystemAttributeNames=["All"]
        )
        for found in answer.get("Messages", ()):
            received = int(found["Attributes"]["ApproximateReceiveCount"])
            return Message(found["Body"], found["ReceiptHandle"], received)
        return None

    def close(self) -> None:
        """End every process that was started here."""
        for begun in self._started:
            begun.process.kill()
            begun.process.join()
            begun.process.close()
        forget_clients()

    def _enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {**self.environment, "AWS_ENDPOINT_URL": self.engine}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)

    def _create_rest(self) -> None:
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=ENVIRONMENT["EXPORTS_BUCKET"])
        boto3.client("secretsmanager", region_name=REGION).create_secret(
            Name=ENVIRONMENT["SIGNING_SECRET_ID"], SecretString="a secret of the tests"
        )
        sns = boto3.client("sns", region_name=REGION)
        for variable, topic in (("MARKETING_TOPIC_ARN", "marketing"), ("ALARM_TOPIC_ARN", "alarm")):
            made = sns.create_topic(Name=topic)
            self.environment[variable] = made["TopicArn"]
        self.environment["EXPORTS_QUEUE_URL"] = self._create_queues()
        letters = boto3.client("sqs", region_name=REGION).create_queue(QueueName="projection")
        self.environment["PROJECTION_DEAD_LETTERS_URL"] = letters["QueueUrl"]

    def _create_queues(self) -> str:
        """The queue of exports and its dead letters, as the template has them."""
        sqs = boto3.client("sqs", region_name=REGION)
        letters = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])
        properties = template_resources()["ExportsQueue"]["Properties"]
        redrive = {
            "deadLetterTargetArn": found["Attributes"]["QueueArn"],
            "maxReceiveCount": properties["RedrivePolicy"]["maxReceiveCount"],
        }
        attributes: Mapping[Any, str] = {
            "VisibilityTimeout": str(
                template_parameter(properties["VisibilityTimeout"])["Default"]
            ),
            "RedrivePolicy": json.dumps(redrive),
        }
        made = sqs.create_queue(QueueName="exports", Attributes=attributes)
        return made["QueueUrl"]

    @property
    def dead_letters_url(self) -> str:
        """Where messages go that were delivered too often."""
        return settings().exports_queue_url.replace("exports", "dead-letters")


def _plain() -> dict[str, str]:
    """This environment without what somebody's own AWS configuration says."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
