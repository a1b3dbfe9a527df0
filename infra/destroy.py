"""Remove a stage with all that it holds: `make destroy STAGE=staging`.

It asks first. What is protected against deletion is refused, and so is a stage of production with
anything in it: restoring from backups is the only way back from here.

Exit status: 0 it is gone, 1 it stays, 2 it could not be done.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra.deploy import DeployError, Target, stack_outputs

_TABLES = (
    *("UsersTable", "EcosystemsTable", "AuditTable", "ExportsTable"),
    *("SearchTable", "TotalsTable"),
)

_PRODUCTION = "prod"


class RefusedError(Exception):
    """The stage stays as it is; the message says why."""


def check(target: Target, outputs: Mapping[str, str]) -> dict[str, bool]:
    """Whether each table that would be lost has something in it.

    Raises `RefusedError` where something is protected, or belongs to production and is not empty.
    """
    dynamodb = target.client("dynamodb")
    filled = {}
    for name in _tables(target, outputs):
        if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            raise RefusedError(_protected(name, target.stage))
        filled[name] = bool(dynamodb.scan(TableName=name, Limit=1)["Items"])
    pool = target.client("cognito-idp").describe_user_pool(UserPoolId=outputs["UserPoolId"])
    if pool["UserPool"].get("DeletionProtection") == "ACTIVE":
        raise RefusedError(_protected(f"the user pool {outputs['UserPoolId']}", target.stage))
    if target.stage == _PRODUCTION and any(filled.values()):
        names = ", ".join(name for name, has_items in filled.items() if has_items)
        message = f"This is production, and it holds data: {names}. Empty them first"
        raise RefusedError(message)
    return filled


def _tables(target: Target, outputs: Mapping[str, str]) -> list[str]:
    """Those that are still there: somebody may have begun before."""
    there: set[str] = set()
    for page in target.client("dynamodb").get_paginator("list_tables").paginate():
        there |= set(page["TableNames"])
    return [outputs[table] for table in _TABLES if outputs[table] in there]


def _protected(what: str, stage: str) -> str:
    return (
        f'{what} is protected. Set DeletionProtection = "false" for [{stage}] in '
        f"infra/stages.toml, then: make deploy STAGE={stage}"
    )


def destroy(target: Target, outputs: Mapping[str, str]) -> None:
    """Remove what would outlive the stack, then the stack. Raises `DeployError`.

    In this order it can be begun again wherever it stopped: the outputs of the stack name what is
    left. Only the pool comes last, for it cannot go before its domain, which the stack removes.
    """
    for table in _tables(target, outputs):
        target.client("dynamodb").delete_table(TableName=table)
    _remove_bucket(target.client("s3"), outputs["ExportsBucket"])
    cloudformation = target.client("cloudformation")
    cloudformation.delete_stack(StackName=target.stack)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=target.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 1800}
        )
    except WaiterError as error:
        message = f"The stack {target.stack} could not be deleted: see its events"
        raise DeployError(message) from error
    cognito = target.client("cognito-idp")
    with suppress(cognito.exceptions.ResourceNotFoundException):
        cognito.delete_user_pool(UserPoolId=outputs["UserPoolId"])


def _remove_bucket(s3: Any, bucket: str) -> None:
    if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        return
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=bucket)


def _is_confirmed(target: Target, outputs: Mapping[str, str], filled: Mapping[str, bool]) -> bool:
    lines = [f"{name}{'' if has_items else ' (empty)'}" for name, has_items in filled.items()]
    sys.stdout.write(
        f"This removes the stage {target.stage} in {target.region} for good:\n  "
        + "\n  ".join([*lines, outputs["ExportsBucket"], f"user pool {outputs['UserPoolId']}"])
        + f"\nType {target.stage} to go on: "
    )
    sys.stdout.flush()
    return sys.stdin.readline().strip() == target.stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.destroy", description=__doc__)
    parser.add_argument("--stage", required=True)
    stage = parser.parse_args(arguments).stage
    region = boto3.Session().region_name
    if not region:
        sys.stderr.write("Say which region: export AWS_DEFAULT_REGION=us-east-1\n")
        return 2
    target = Target(stage, region)
    try:
        outputs = stack_outputs(target)
        if not outputs:
            sys.stderr.write(f"There is no stack {target.stack} in {region}\n")
            return 2
        if not _is_confirmed(target, outputs, check(target, outputs)):
            sys.stdout.write("Nothing was removed.\n")
            return 1
        destroy(target, outputs)
    except RefusedError as error:
        sys.stderr.write(f"Refused: {error}\n")
        return 1
    except (DeployError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It stopped: {error}\n")
        return 2
    sys.stdout.write(f"The stage {stage} is gone.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
