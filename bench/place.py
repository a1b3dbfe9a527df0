"""Where a load runs: DynamoDB Local, moto's queue, the bucket of bench.bucket; all end with it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from bench import tables
from bench.bucket import bucket
from bench.engine import engine, free_port, wait_until_ready
from chalicelib.settings import settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: the addresses of engine, bucket and queue."""

    dynamodb: str
    s3: str
    sqs: str
    queue_url: str

    def point_code_here(self) -> None:
        """Have the code of this process use it."""
        tables.point_code_at(self.dynamodb)
        os.environ.update(
            AWS_ENDPOINT_URL_S3=self.s3,
            AWS_ENDPOINT_URL_SQS=self.sqs,
            EXPORTS_QUEUE_URL=self.queue_url,
            S3_ADDRESSING_STYLE="path",
        )
        settings.cache_clear()

    def queue(self) -> Any:
        """A client of the queue."""
        return _sqs(self.sqs)

    def queue_depth(self) -> int:
        """Messages that wait, and that are being worked on."""
        names: Any = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        found = self.queue().get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return sum(int(number) for number in found["Attributes"].values())


@contextlib.contextmanager
def new_place() -> Iterator[Place]:
    """All of it, with nothing in it yet. Raises `EngineError`."""
    with engine() as dynamodb, bucket() as s3, _queues() as sqs:
        queue_url = _sqs(sqs).create_queue(QueueName="exports")["QueueUrl"]
        yield Place(dynamodb, s3, sqs, queue_url)


@contextlib.contextmanager
def _queues() -> Iterator[str]:
    """The address of moto's queues, which end with the block."""
    port = free_port()
    command: Sequence[str] = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", f"-p{port}"]
    with subprocess.Popen(  # noqa: S603 - our own words
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until_ready(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _sqs(endpoint: str) -> Any:
    return boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1")
