"""What a stage derives from its store users: where it lies, and the function that keeps it."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra import emulator
from infra.deploy import Target, stack_outputs
from infra.local import read_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient


class DerivationError(Exception):
    """The stage cannot be worked on; the message says why."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The parts of a stage that derive: names, and clients to reach them."""

    users_table: str
    totals_table: str
    dead_letters_url: str
    function: str
    target: Target

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """The client of the tables: patient, since this is not a person's request."""
        patient = Config(retries={"mode": "standard", "total_max_attempts": 10})
        return boto3.client(
            "dynamodb",
            region_name=self.target.region,
            endpoint_url=self.target.endpoint,
            config=patient,
        )

    @property
    def sqs(self) -> "SQSClient":
        """The client of the dead-letter queue."""
        client: SQSClient = self.target.client("sqs")
        return client

    def apply(self, records: Sequence[Any]) -> int:
        """Have the function apply records of the stream; how many of them made no sense.

        Raises `DerivationError` where the function fails: nothing is lost by that.
        """
        client: LambdaClient = self.target.client("lambda")
        event = json.dumps({"Records": list(records)}).encode()
        answer = client.invoke(FunctionName=self.function, Payload=event)
        told = answer["Payload"].read()
        if "FunctionError" in answer:
            message = f"the function {self.function} failed; its log says why"
            raise DerivationError(message)
        poisoned: int = json.loads(told)["poisoned"]
        return poisoned


def of_stage(stage: str) -> Derivation:
    """The derivation of a deployed stage, or of the local stack where `stage` is empty.

    Raises `DerivationError`.
    """
    return _deployed(stage) if stage else _local()


def _local() -> Derivation:
    os.environ.update(emulator.environment())
    os.environ.pop("AWS_PROFILE", None)
    try:
        stack = read_stack()
    except LookupError as error:
        raise DerivationError(str(error)) from error
    return Derivation(
        stack["tables"]["users"],
        stack["tables"]["totals"],
        stack["dead_letters"],
        stack["functions"]["stream"],
        Target("local", stack["region"], stack["endpoint"]),
    )


def _deployed(stage: str) -> Derivation:
    region = boto3.Session().region_name
    if not region:
        message = "say which region: export AWS_DEFAULT_REGION=us-east-1"
        raise DerivationError(message)
    target = Target(stage, region)
    outputs = stack_outputs(target)
    if "ProjectionDeadLettersUrl" not in outputs:
        message = f"there is no stack {target.stack} in {region}, or it is older than this"
        raise DerivationError(message)
    return Derivation(
        outputs["UsersTable"],
        outputs["TotalsTable"],
        outputs["ProjectionDeadLettersUrl"],
        outputs["StreamFunction"],
        target,
    )
