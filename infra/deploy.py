"""Deploy the package with CloudFormation: to an AWS account, or to the local stack, the same way.

`python -m infra.deploy --stage NAME` deploys the stack `store-users-NAME` with the credentials and
the region of the environment, and the settings of infra/stages.toml.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra import package
from infra.emulator_gaps import apply_gateway_responses
from infra.package import BUILT, Package, PackageError
from infra.parameters import StagesError, misfits, stage_parameters, stage_tags, stages_file

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


_BEGUN = "User Initiated"
"""The reason of the first event of a change: older ones are of another."""

_ENDED = "Resource creation cancelled"
"""The reason of resources that failed because another one had."""


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


def deploy(
    target: Target,
    parameters: Mapping[str, str],
    tags: Mapping[str, str] | None = None,
    what: Package = BUILT,
) -> dict[str, str]:
    """Create the stack, or bring it up to the package; its outputs. Raises `DeployError`.

    The address of the API is known only once it is there, and the functions cannot refer to it
    without a circle in the template: where it is not given, a second pass fills it in.
    """
    template = yaml.safe_load(what.template.read_text())
    if wrong := misfits(parameters, template["Parameters"]):
        raise DeployError("\n  ".join([f"see {stages_file().name}:", *wrong]))
    change = _Change(target, upload(target, template, what.archive), tags or {})
    given = {**_stored_public_url(target), **parameters}
    outputs = change.apply(given)
    address = parameters.get("PublicUrl") or _address(target, parameters, outputs)
    if outputs["PublicUrl"] != address:
        outputs = change.apply({**given, "PublicUrl": address})
    if target.endpoint is not None:
        apply_gateway_responses(target.client("apigateway"), outputs["RestAPIId"])
    return outputs


def stack_outputs(target: Target) -> dict[str, str]:
    """The outputs of the stack; none where there is no stack. Raises `DeployError`."""
    client: CloudFormationClient = target.client("cloudformation")
    try:
        stacks = client.describe_stacks(StackName=target.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    if stacks[0]["StackStatus"] in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
        message = f"The first deployment failed: delete the stack {target.stack}, and try again"
        raise DeployError(message)
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", ())}


def _stored_public_url(target: Target) -> dict[str, str]:
    stored = stack_outputs(target).get("PublicUrl")
    return {"PublicUrl": stored} if stored else {}


def _address(target: Target, parameters: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    if domain := parameters.get("DomainName"):
        return f"https://{domain}"
    if target.endpoint is None:
        return outputs["EndpointURL"].rstrip("/")
    return f"{target.endpoint}/_aws/execute-api/{outputs['RestAPIId']}/api"


def upload(target: Target, template: Any, code: Path) -> str:
    """Put code and template where CloudFormation finds them; the template's address."""
    s3 = target.client("s3")
    account = target.client("sts").get_caller_identity()["Account"]
    bucket = _artifacts_bucket(target, account)
    # Somebody else could have made a bucket of that name.
    ours = {"Bucket": bucket, "ExpectedBucketOwner": account}
    archive = code.read_bytes()
    key = f"{hashlib.sha256(archive).hexdigest()}.zip"
    s3.put_object(**ours, Key=key, Body=archive)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{key}"
    # As JSON: CloudFormation refuses the aliases that YAML writes for what occurs twice. Source:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    text = json.dumps(template, ensure_ascii=False, separators=(",", ":")).encode()
    template_key = f"{hashlib.sha256(text).hexdigest()}.json"
    s3.put_object(**ours, Key=template_key, Body=text)
    address: str = s3.meta.endpoint_url
    return f"{address}/{bucket}/{template_key}"


def _artifacts_bucket(target: Target, account: str) -> str:
    bucket = f"store-users-artifacts-{account}-{target.region}"
    s3 = target.client("s3")
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            message = f"The bucket {bucket} is not this account's, or cannot be used: {error}"
            raise DeployError(message) from error
        location = {"LocationConstraint": target.region}
        extra = {} if target.region == "us-east-1" else {"CreateBucketConfiguration": location}
        s3.create_bucket(Bucket=bucket, **extra)
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
    return bucket


@dataclass(frozen=True, slots=True)
class _Change:
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


def main() -> int:
    """Deploy to AWS; say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    stage: str = parser.parse_args().stage
    region = boto3.Session().region_name
    if not region:
        sys.stderr.write("Say which region: export AWS_DEFAULT_REGION=us-east-1\n")
        return 2
    try:
        parameters, tags = stage_parameters(stage), stage_tags(stage)
        package.build()
        outputs = deploy(Target(stage, region), parameters, tags)
    except (StagesError, DeployError, PackageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"The deployment did not go through: {error}\n")
        return 1
    people = f"user pool {outputs['UserPoolId']}" if "UserPoolId" in outputs else "your issuer's"
    sys.stdout.write(f"{outputs['PublicUrl']}/ is up; people: {people}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
