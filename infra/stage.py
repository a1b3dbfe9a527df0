"""A stage as it is deployed: its resources, and the configuration that its functions run with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3

from infra import stack_file
from infra.target import Target, endpoint_of_environment

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient


class StageError(Exception):
    """The stage cannot be worked on; the message says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`resources` are the physical ids by the names that they have in the template.

    `parameters` and `tags` are those that it was deployed with, `made_at` is when it first was.
    """

    target: Target
    resources: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    made_at: datetime

    def variables(self) -> dict[str, str]:
        """The environment that the functions run with."""
        client: LambdaClient = self.target.client("lambda")
        found = client.get_function_configuration(FunctionName=self.resources["APIHandler"])
        return dict(found["Environment"]["Variables"])

    def enter(self) -> None:
        """Let the code of the functions work in this process, on this stage."""
        os.environ.update(self.variables())
        os.environ["AWS_REGION"] = self.target.region
        if self.target.endpoint is not None:
            os.environ["AWS_ENDPOINT_URL"] = self.target.endpoint


def find(name: str) -> Stage:
    """The deployed stage of that name, or the local stack where it is empty.

    Raises `StageError`.
    """
    target = _deployed(name) if name else _local()
    client: CloudFormationClient = target.client("cloudformation")
    pages = client.get_paginator("list_stack_resources").paginate(StackName=target.stack)
    try:
        listed: list[Any] = [one for page in pages for one in page["StackResourceSummaries"]]
        stack = client.describe_stacks(StackName=target.stack)["Stacks"][0]
    except client.exceptions.ClientError as error:
        message = f"there is no stack {target.stack} in {target.region}: {error}"
        raise StageError(message) from error
    given = stack.get("Parameters", ())
    return Stage(
        target,
        resources={one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed},
        parameters={one["ParameterKey"]: one["ParameterValue"] for one in given},
        tags={one["Key"]: one["Value"] for one in stack.get("Tags", ())},
        made_at=stack["CreationTime"],
    )


def _local() -> Target:
    try:
        return stack_file.enter(stack_file.read())
    except LookupError as error:
        raise StageError(str(error)) from error


def _deployed(name: str) -> Target:
    region = boto3.Session().region_name
    if not region:
        message = "say which region: export AWS_DEFAULT_REGION=us-east-1"
        raise StageError(message)
    return Target(name, region, endpoint_of_environment())
