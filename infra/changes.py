"""Change sets of a stack: make one, carry it out, and tell why it failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import WaiterError

from infra.target import DeployError, Target, stack_outputs

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_BEGUN = "User Initiated"
"""The reason of the first event of a change: older ones are of another."""

_ENDED = "Resource creation cancelled"
"""The reason of resources that failed because another one had."""


@dataclass(frozen=True, slots=True)
class Change:
    """A template, where it is to be deployed, and what all its resources are tagged with."""

    target: Target
    template_url: str
    tags: Mapping[str, str]

    def apply(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Make a change set and carry it out; the outputs of the stack after it."""
        client: CloudFormationClient = self.target.client("cloudformation")
        outputs, stack = stack_outputs(self.target), self.target.stack
        name = f"deploy-{datetime.now(UTC):%Y%m%d%H%M%S%f}"
        client.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if outputs else "CREATE",
            TemplateURL=self.template_url,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {"Stage": self.target.stage, **parameters}.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Tags=[{"Key": key, "Value": value} for key, value in self.tags.items()],
        )
        if _is_ready(client, stack, name):
            _execute(client, stack, name, created=not outputs)
        return stack_outputs(self.target)


def _is_ready(client: "CloudFormationClient", stack: str, name: str) -> bool:
    """Whether the change set has changes to carry out. Raises `DeployError` if it is refused."""
    waiter = client.get_waiter("change_set_create_complete")
    try:
        waiter.wait(
            StackName=stack, ChangeSetName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )
    except WaiterError as error:
        reason = client.describe_change_set(StackName=stack, ChangeSetName=name).get(
            "StatusReason", ""
        )
        if "didn't contain changes" in reason or "No updates" in reason:
            client.delete_change_set(StackName=stack, ChangeSetName=name)
            return False
        raise DeployError(reason) from error
    return True


def _execute(client: "CloudFormationClient", stack: str, name: str, *, created: bool) -> None:
    client.execute_change_set(StackName=stack, ChangeSetName=name)
    event = "stack_create_complete" if created else "stack_update_complete"
    try:
        client.get_waiter(event).wait(  # type: ignore[call-overload]
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 1800}
        )
    except WaiterError as error:
        raise DeployError(failures(client, stack)) from error


def failures(client: "CloudFormationClient", stack: str) -> str:
    """Return what failed since the change set was executed, one line a resource, in order."""
    failed: list[tuple[str, str]] = []
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    for event in chain.from_iterable(page["StackEvents"] for page in pages):
        status, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
        if reason == _BEGUN:
            break
        if status.endswith(("FAILED", "ROLLBACK_IN_PROGRESS")) and not reason.startswith(_ENDED):
            failed.append((event["LogicalResourceId"], reason))
    return "\n".join(f"{name}: {reason}" for name, reason in reversed(failed)) or (
        "CloudFormation gives no reason: see the events of the stack"
    )
