"""Change sets of a stack: make one, show it, carry it out, and tell why it failed.

A change that would replace or delete what holds data is refused unless it was asked for by name.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError

from infra.target import DeployError, Target, stack_outputs

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import RollbackConfigurationTypeDef

_BEGUN = "User Initiated"
"""The reason of the first event of a change: older ones are of another."""

_ENDED = "Resource creation cancelled"
"""The reason of resources that failed because another one had."""


_HOLDS_DATA = {
    *("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"),
    *("AWS::SQS::Queue", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"),
}
"""Exports wait in the queues; cursors and links are signed with the secret."""

ROLLBACK_ALARMS = (
    *("ApiErrorsAlarm", "ServerErrorsAlarm", "SignInAlarm"),
    *("StreamErrorsAlarm", "WorkerErrorsAlarm"),
)
"""Those that ring within minutes of bad code, and that a caller cannot ring: refused tokens ring
`AuthorizerErrorsAlarm`, not `SignInAlarm`. CloudFormation watches five at the most. Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html"""


def _silent(_line: str) -> None:
    """Tell nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a deployment is carried out.

    `replaceable`: logical names of what may be replaced or deleted although it holds data.
    `rollback_minutes`: how long after an update an alarm still rolls it back. `tell` gets lines.
    """

    replaceable: Collection[str] = ()
    rollback_minutes: int = 0
    tell: Callable[[str], None] = _silent


QUIET = Options()
"""Nothing may be lost, nothing is told."""


@dataclass(frozen=True, slots=True)
class Change:
    """A template, where it lies for CloudFormation, where and how it is to be deployed."""

    target: Target
    template: Mapping[str, Any]
    template_url: str
    tags: Mapping[str, str]
    options: Options

    def apply(self, parameters: Mapping[str, str], *, watched: bool = False) -> dict[str, str]:
        """Make a change set, show it, and carry it out; return the outputs of the stack after it.

        `watched`: alarms roll it back. Raises `DeployError`, also where data would be lost.
        """
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
            RollbackConfiguration=self._rollback(watched=watched),
        )
        if _is_ready(client, stack, name):
            self._review(client, name)
            minutes = self.options.rollback_minutes if watched else 0
            _execute(client, stack, name, created=not outputs, minutes=minutes)
        return stack_outputs(self.target)

    def _rollback(self, *, watched: bool) -> "RollbackConfigurationTypeDef":
        """What is left out, CloudFormation takes from the change before."""
        if not watched:
            return {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}
        return {
            "RollbackTriggers": [
                {"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in self._quiet_alarms()
            ],
            "MonitoringTimeInMinutes": self.options.rollback_minutes,
        }

    def _quiet_alarms(self) -> Iterator[str]:
        """An alarm that rings already would roll back the very change that is to end it."""
        client: CloudFormationClient = self.target.client("cloudformation")
        pages = client.get_paginator("list_stack_resources").paginate(StackName=self.target.stack)
        listed = chain.from_iterable(page["StackResourceSummaries"] for page in pages)
        names = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed}
        there = [names[name] for name in ROLLBACK_ALARMS if names.get(name)]
        if not there:
            return
        found = self.target.client("cloudwatch").describe_alarms(AlarmNames=there)["MetricAlarms"]
        for alarm in found:
            if alarm["StateValue"] == "ALARM":
                self.options.tell(f"{alarm['AlarmName']} rings already: it rolls nothing back.")
            else:
                yield alarm["AlarmArn"]

    def _review(self, client: "CloudFormationClient", name: str) -> None:
        """Tell what changes. Raises `DeployError` where data would be lost that need not be."""
        stack = self.target.stack
        pages = client.get_paginator("describe_change_set").paginate(
            StackName=stack, ChangeSetName=name
        )
        changes: list[Any] = [
            one["ResourceChange"]
            for one in chain.from_iterable(page["Changes"] for page in pages)
            if "ResourceChange" in one
        ]
        self.options.tell(f"Changes of {stack}:")
        for change in changes:
            self.options.tell(f"  {_as_line(change)}")
        if lost := [one["LogicalResourceId"] for one in changes if self.loses_data(one)]:
            client.delete_change_set(StackName=stack, ChangeSetName=name)
            names = " ".join(lost)
            message = (
                f"it would replace or delete what holds data: {names}. Nothing was changed. Where "
                f'that is right: make deploy STAGE={self.target.stage} REPLACE="{names}"'
            )
            raise DeployError(message)

    def loses_data(self, change: Any) -> bool:
        """Return True if a resource change takes data away that may not be lost."""
        name = change["LogicalResourceId"]
        if change["ResourceType"] not in _HOLDS_DATA or name in self.options.replaceable:
            return False
        replacement = change.get("Replacement", "False")
        if replacement == "Conditional":
            return self._may_be_replaced(change)
        return bool(change["Action"] == "Remove" or replacement == "True")

    def _may_be_replaced(self, change: Any) -> bool:
        """Return True if one of the changed properties may take the resource's place.

        "Always" depends here on the value of another resource. Of the types that hold data, a table
        alone has properties that replace it on a condition; the emulator says so of all buckets.
        Source: `conditionalCreateOnlyProperties` in the schemas of CloudFormation's registry.
        """
        targets = [one["Target"] for one in change.get("Details", ())]
        if any(one["RequiresRecreation"] == "Always" for one in targets):
            return True
        if change["ResourceType"] != "AWS::DynamoDB::Table":
            return False
        perhaps = {one["Name"] for one in targets if one["RequiresRecreation"] == "Conditionally"}
        return perhaps != {"AttributeDefinitions"} or not self._keeps_attributes(change)

    def _keeps_attributes(self, change: Any) -> bool:
        """Return True if no attribute of the table changes its type.

        CloudFormation says of any change of them, such as for a new index, that the table may be
        replaced; it is where the type of one changes. Source: https://docs.aws.amazon.com/
        AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
        """
        client = self.target.client("dynamodb")
        table = client.describe_table(TableName=change["PhysicalResourceId"])["Table"]
        properties = self.template["Resources"][change["LogicalResourceId"]]["Properties"]
        before, after = (
            {one["AttributeName"]: one["AttributeType"] for one in of["AttributeDefinitions"]}
            for of in (table, properties)
        )
        return all(after.get(name, kind) == kind for name, kind in before.items())


_REPLACEMENTS = {"True": "is replaced", "Conditional": "may be replaced"}


def _as_line(change: Any) -> str:
    replacement = _REPLACEMENTS.get(change.get("Replacement", ""), "")
    line = f"{change['Action']:<7} {change['ResourceType']:<36} {change['LogicalResourceId']}"
    return f"{line:<76} {replacement}".rstrip()


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


def _execute(
    client: "CloudFormationClient", stack: str, name: str, *, created: bool, minutes: int
) -> None:
    client.execute_change_set(StackName=stack, ChangeSetName=name)
    event = "stack_create_complete" if created else "stack_update_complete"
    try:
        client.get_waiter(event).wait(  # type: ignore[call-overload]
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 1800 + 60 * minutes}
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
