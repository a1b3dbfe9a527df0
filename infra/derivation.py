"""What a stage derives from its store users: where it lies, and the function that keeps it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra import stage
from infra.target import Target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Derivation:
    """The parts of a stage that derive: names, and clients to reach them."""

    users_table: str
    totals_table: str
    ecosystems_table: str
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

        Raises `StageError` where the function fails: nothing is lost by that.
        """
        client: LambdaClient = self.target.client("lambda")
        event = json.dumps({"Records": list(records)}).encode()
        answer = client.invoke(FunctionName=self.function, Payload=event)
        told = answer["Payload"].read()
        if "FunctionError" in answer:
            message = f"the function {self.function} failed; its log says why"
            raise stage.StageError(message)
        poisoned: int = json.loads(told)["poisoned"]
        return poisoned


def of_stage(name: str) -> Derivation:
    """The derivation of a deployed stage, or of the local stack where the name is empty.

    Raises `StageError`.
    """
    found = stage.find(name)
    return Derivation(
        found.resources["UsersTable"],
        found.resources["TotalsTable"],
        found.resources["EcosystemsTable"],
        found.resources["ProjectionDeadLetters"],
        found.resources["Stream"],
        found.target,
    )
