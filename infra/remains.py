"""What there is of a stage in its account: find it, and remove it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.target import NEVER_STOOD, DeployError, Target, describe_stack

_TABLES = (
    *("UsersTable", "EcosystemsTable", "AuditTable", "ExportsTable"),
    *("SearchTable", "TotalsTable"),
)

_PRODUCTION = "prod"

_UNPROTECT_TABLE = "aws dynamodb update-table --table-name {} --no-deletion-protection-enabled"
_UNPROTECT_POOL = (
    "aws cognito-idp update-user-pool --user-pool-id {} --deletion-protection INACTIVE"
)


class RefusedError(Exception):
    """The stage stays as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What is there of a stage: names of tables and buckets, ids of pools, and the stack.

    `status` is that of the stack; None where there is none.
    """

    tables: Sequence[str]
    buckets: Sequence[str]
    pools: Sequence[str]
    status: str | None

    @property
    def stands(self) -> bool:
        """True if the stack was made whole: it can be deployed again."""
        return self.status is not None and self.status not in NEVER_STOOD

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.tables or self.buckets or self.pools or self.status)


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
        status=describe_stack(target).get("StackStatus"),
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


def check(target: Target, remains: Remains) -> dict[str, bool]:
    """Return for each table that would be lost if it has an item.

    Raises `RefusedError` where something is protected, or belongs to production and is not empty.
    What is empty and protected is no reason where its stack does not stand: a creation that failed,
    or a deletion of the stack alone, left it.
    """
    filled = {name: _has_item(target, name) for name in remains.tables}
    for name, has_items in filled.items():
        if _is_table_protected(target, name) and (has_items or remains.stands):
            raise RefusedError(_protected(target, remains, name, _UNPROTECT_TABLE.format(name)))
    for pool in remains.pools:
        if _is_pool_protected(target, pool) and (_has_person(target, pool) or remains.stands):
            command = _UNPROTECT_POOL.format(pool)
            raise RefusedError(_protected(target, remains, f"the user pool {pool}", command))
    if target.stage == _PRODUCTION and any(filled.values()):
        names = ", ".join(name for name, has_items in filled.items() if has_items)
        message = f"This is production, and it holds data: {names}. Empty them first"
        raise RefusedError(message)
    return filled


def _has_item(target: Target, table: str) -> bool:
    return bool(target.client("dynamodb").scan(TableName=table, Limit=1)["Items"])


def _has_person(target: Target, pool: str) -> bool:
    return bool(target.client("cognito-idp").list_users(UserPoolId=pool, Limit=1)["Users"])


def _has_file(target: Target, bucket: str) -> bool:
    page = target.client("s3").list_object_versions(Bucket=bucket, MaxKeys=1)
    return bool(page.get("Versions") or page.get("DeleteMarkers"))


def _is_table_protected(target: Target, name: str) -> bool:
    table = target.client("dynamodb").describe_table(TableName=name)["Table"]
    return bool(table.get("DeletionProtectionEnabled"))


def _is_pool_protected(target: Target, pool: str) -> bool:
    described = target.client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
    return bool(described.get("DeletionProtection") == "ACTIVE")


def _protected(target: Target, remains: Remains, what: str, command: str) -> str:
    """A deployment takes the protection off only where the stack stands that protects it."""
    if remains.stands:
        return (
            f'{what} is protected. Set DeletionProtection = "false" for [{target.stage}] in '
            f"infra/stages.toml, then: make deploy STAGE={target.stage}"
        )
    return f"{what} is protected, and holds data. To lose it: {command}"


def remove_failed(target: Target) -> None:
    """Remove the stack whose creation failed, and what that left, protected or not.

    Raises `RefusedError` if something of it holds data, `DeployError`. What earlier stacks of the
    name left stays.
    """
    made, found = _made_by_stack(target), find(target)
    left = replace(
        found,
        tables=[name for name in found.tables if name in made],
        buckets=[name for name in found.buckets if name in made],
        pools=[pool for pool in found.pools if pool in made],
    )
    holding = [name for name in left.tables if _has_item(target, name)]
    holding += [name for name in left.buckets if _has_file(target, name)]
    holding += [pool for pool in left.pools if _has_person(target, pool)]
    if holding:
        message = (
            f"The first deployment failed, and what it left holds data: {', '.join(holding)}. "
            f"Save what you need of it, then: make destroy STAGE={target.stage}"
        )
        raise RefusedError(message)
    destroy(target, left)


def _made_by_stack(target: Target) -> set[str]:
    """From its events: its list of resources may leave out what a rollback kept."""
    client = target.client("cloudformation")
    pages = client.get_paginator("describe_stack_events").paginate(StackName=target.stack)
    events = chain.from_iterable(page["StackEvents"] for page in pages)
    return {event.get("PhysicalResourceId", "") for event in events}


def destroy(target: Target, remains: Remains) -> None:
    """Remove what would outlive the stack, then the stack. Raises `DeployError`.

    Protection is taken off: `check` says first if that is right. The pool comes last, for it cannot
    go before its domain, which the stack removes.
    """
    dynamodb, cognito = target.client("dynamodb"), target.client("cognito-idp")
    for table in remains.tables:
        if _is_table_protected(target, table):
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
    for bucket in remains.buckets:
        _remove_bucket(target.client("s3"), bucket)
    # DynamoDB refuses to delete a table that is being deleted, and the stack deletes some of them.
    for table in remains.tables:
        dynamodb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 2})
    if remains.status:
        _remove_stack(target)
    for pool in remains.pools:
        with suppress(cognito.exceptions.ResourceNotFoundException):
            if _is_pool_protected(target, pool):
                cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
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
    """With all objects, their older versions if those are kept, and begun uploads."""
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
