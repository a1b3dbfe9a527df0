"""Remove a stage with all that it holds: `make destroy STAGE=staging`.

It asks first. What is protected against deletion is refused, and so is production while any of its
tables holds anything: restoring from backups is the only way back from here.

What is left of a stage is found by its name and region, whether the stack is still there or not: so
it can be begun again wherever it stopped, also after a first deployment that failed.

Exit status: 0 it is gone, 1 it stays, 2 it could not be done.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra.deploy import DeployError, Target

_TABLES = (
    *("UsersTable", "EcosystemsTable", "AuditTable", "ExportsTable"),
    *("SearchTable", "TotalsTable"),
)

_PRODUCTION = "prod"


class RefusedError(Exception):
    """The stage stays as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What is there of a stage: names of tables and buckets, ids of pools, and the stack."""

    tables: Sequence[str]
    buckets: Sequence[str]
    pools: Sequence[str]
    has_stack: bool

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.tables or self.buckets or self.pools or self.has_stack)


def find(target: Target) -> Remains:
    """What is there of the stage.

    CloudFormation names a table or a bucket after the stack, its name in the template and chance:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    table = re.compile(rf"{target.stack}-({'|'.join(_TABLES)})-[A-Z0-9]+")
    tables = [name for name in _listed_tables(target) if table.fullmatch(name)]
    return Remains(
        tables=sorted(tables, key=lambda name: _TABLES.index(name.split("-")[-2])),
        buckets=list(_buckets(target)),
        pools=list(_pools(target)),
        has_stack=_has_stack(target),
    )


def _listed_tables(target: Target) -> Iterator[str]:
    """All but those that are just being deleted."""
    dynamodb = target.client("dynamodb")
    for page in dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if not name.startswith(f"{target.stack}-"):
                continue
            with suppress(dynamodb.exceptions.ResourceNotFoundException):
                if dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] != "DELETING":
                    yield name


def _buckets(target: Target) -> Iterator[str]:
    """Those of the region alone: an account may have a stage of the same name in another."""
    s3, prefix = target.client("s3"), f"{target.stack}-exportsbucket-"
    pages = s3.get_paginator("list_buckets").paginate(Prefix=prefix, BucketRegion=target.region)
    for page in pages:
        for name in (one["Name"] for one in page["Buckets"]):
            # S3 tells it of each bucket itself; what only looks like S3 may leave out the filters.
            if re.fullmatch(rf"{prefix}[a-z0-9]+", name) and _region(s3, name) == target.region:
                yield name


def _region(s3: Any, bucket: str) -> str | None:
    """Where the bucket lies; None for one that is gone, which S3 may list a while longer."""
    try:
        region: str = s3.head_bucket(Bucket=bucket)["BucketRegion"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return None
        raise
    return region


def _pools(target: Target) -> Iterator[str]:
    pages = target.client("cognito-idp").get_paginator("list_user_pools")
    for page in pages.paginate(MaxResults=60):
        for pool in page["UserPools"]:
            if pool["Name"] == target.stack:
                yield pool["Id"]


def _has_stack(target: Target) -> bool:
    try:
        target.client("cloudformation").describe_stacks(StackName=target.stack)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def check(target: Target, remains: Remains) -> dict[str, bool]:
    """Whether each table that would be lost has something in it.

    Raises `RefusedError` where something is protected, or belongs to production and is not empty.
    """
    dynamodb = target.client("dynamodb")
    filled = {}
    for name in remains.tables:
        if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            raise RefusedError(_protected(name, target.stage))
        filled[name] = bool(dynamodb.scan(TableName=name, Limit=1)["Items"])
    for pool in remains.pools:
        described = target.client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
        if described.get("DeletionProtection") == "ACTIVE":
            raise RefusedError(_protected(f"the user pool {pool}", target.stage))
    if target.stage == _PRODUCTION and any(filled.values()):
        names = ", ".join(name for name, has_items in filled.items() if has_items)
        message = f"This is production, and it holds data: {names}. Empty them first"
        raise RefusedError(message)
    return filled


def _protected(what: str, stage: str) -> str:
    return (
        f'{what} is protected. Set DeletionProtection = "false" for [{stage}] in '
        f"infra/stages.toml, then: make deploy STAGE={stage}"
    )


def destroy(target: Target, remains: Remains) -> None:
    """Remove what would outlive the stack, then the stack. Raises `DeployError`.

    The pool comes last, for it cannot go before its domain, which the stack removes.
    """
    for table in remains.tables:
        target.client("dynamodb").delete_table(TableName=table)
    for bucket in remains.buckets:
        _remove_bucket(target.client("s3"), bucket)
    if remains.has_stack:
        _remove_stack(target)
    cognito = target.client("cognito-idp")
    for pool in remains.pools:
        with suppress(cognito.exceptions.ResourceNotFoundException):
            cognito.delete_user_pool(UserPoolId=pool)


def _remove_stack(target: Target) -> None:
    cloudformation = target.client("cloudformation")
    cloudformation.delete_stack(StackName=target.stack)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=target.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 1800}
        )
    except WaiterError as error:
        message = f"The stack {target.stack} could not be deleted: see its events"
        raise DeployError(message) from error


def _remove_bucket(s3: Any, bucket: str) -> None:
    """With all objects, older versions of them should somebody keep those, and begun uploads."""
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if objects:
            # A page holds as many as can be deleted in one request: a thousand.
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    s3.delete_bucket(Bucket=bucket)


def _is_confirmed(target: Target, remains: Remains, filled: Mapping[str, bool]) -> bool:
    lines = [f"{name}{'' if has_items else ' (empty)'}" for name, has_items in filled.items()]
    lines += [*remains.buckets, *(f"user pool {pool}" for pool in remains.pools)]
    lines += [f"stack {target.stack}"] if remains.has_stack else []
    sys.stdout.write(
        f"This removes the stage {target.stage} in {target.region} for good:\n  "
        + "\n  ".join(lines)
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
        remains = find(target)
        if not remains:
            sys.stderr.write(f"There is nothing of {target.stack} in {region}\n")
            return 2
        if not _is_confirmed(target, remains, check(target, remains)):
            sys.stdout.write("Nothing was removed.\n")
            return 1
        destroy(target, remains)
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
