"""The stack of a stage: where it is, its name, and clients of the services there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

NEVER_STOOD = {"REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
"""The states of a stack whose creation failed: CloudFormation takes no update of it."""


def endpoint_of_environment() -> str | None:
    """Return the address of the emulator that stands for AWS here, or None: AWS itself."""
    return os.environ.get("AWS_ENDPOINT_URL") or None


class DeployError(Exception):
    """The deployment did not go through; the message says what CloudFormation said."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to deploy to. `endpoint` is the emulator's address; None is AWS itself."""

    stage: str
    region: str
    endpoint: str | None = None

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return f"store-users-{self.stage}"

    def client(self, service: str) -> Any:
        """A client of the service there; the credentials are the environment's."""
        return boto3.client(service, region_name=self.region, endpoint_url=self.endpoint)  # type: ignore[call-overload]


def describe_stack(target: Target) -> Mapping[str, Any]:
    """Return what CloudFormation says of the stack; empty where there is none."""
    try:
        stacks = target.client("cloudformation").describe_stacks(StackName=target.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    described: Mapping[str, Any] = stacks[0]
    return described


def stack_outputs(target: Target) -> dict[str, str]:
    """Return the outputs of the stack; empty where there is no stack."""
    outputs = describe_stack(target).get("Outputs", ())
    return {one["OutputKey"]: one["OutputValue"] for one in outputs}
