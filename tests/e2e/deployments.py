"""Deployments on an emulator of one's own: of today's package, and of the oldest supported one."""

import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
import yaml

from infra.deploy import deploy
from infra.package import ARCHIVE, ROOT, Package
from infra.target import Target

OLDEST = ROOT / "tests" / "fixtures" / "oldest"
_OURS = {"app.py", "chalicelib", "__pycache__"}


def client(port: int, service: str) -> Any:
    """A client of the service on the emulator."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        endpoint_url=f"http://localhost:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def outputs(port: int, stage: str) -> dict[str, str]:
    """The outputs of the stage's stack."""
    cloudformation = client(port, "cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=f"store-users-{stage}")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def left(port: int) -> list[str]:
    """Return the names of tables, pools and buckets of all stages, and of the stacks."""
    pools = client(port, "cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    buckets = [one["Name"] for one in client(port, "s3").list_buckets()["Buckets"]]
    stacks = client(port, "cloudformation").describe_stacks()["Stacks"]
    # Deployments of all stages share the bucket of packages.
    kept = [name for name in buckets if not name.startswith("store-users-artifacts-")]
    tables = client(port, "dynamodb").list_tables()["TableNames"]
    return [*tables, *(one["Id"] for one in pools), *kept, *(one["StackName"] for one in stacks)]


def target(port: int, stage: str) -> Target:
    """Where the stage is deployed to; the credentials are the environment's."""
    return Target(stage, "us-east-1", f"http://localhost:{port}")


def deploy_today(port: int, stage: str, **parameters: str) -> dict[str, str]:
    """Deploy what is built, unprotected unless `parameters` say otherwise; its outputs."""
    given = {"DeletionProtection": "false", "EmulatorEndpoint": f"http://localhost:{port}"}
    return deploy(target(port, stage), {**given, **parameters})


def deploy_oldest(port: int, stage: str, folder: Path) -> dict[str, str]:
    """Deploy the oldest package as today's is deployed; its outputs. It is put into `folder`."""
    parameters = {
        "DeletionProtection": "false",
        "PasswordSignIn": "true",
        "EmulatorEndpoint": f"http://localhost:{port}",
    }
    names = deploy(target(port, stage), parameters, what=_oldest(folder))
    # MiniStack takes the text "false" for true; today's template has a truth value there.
    for output in (one for one in names if one.endswith("Table")):
        client(port, "dynamodb").update_table(
            TableName=names[output], DeletionProtectionEnabled=False
        )
    return names


def oldest_template() -> dict[str, Any]:
    """The template of the oldest deployment."""
    template: dict[str, Any] = yaml.safe_load((OLDEST / "template.yaml").read_text())
    return template


def _oldest(folder: Path) -> Package:
    """Its code, with the libraries of today's package beside it."""
    archive = folder / "oldest.zip"
    with (
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made,
        zipfile.ZipFile(ARCHIVE) as today,
        zipfile.ZipFile(OLDEST / "code.zip") as old,
    ):
        for name in today.namelist():
            if PurePosixPath(name).parts[0] not in _OURS:
                made.writestr(name, today.read(name))
        for name in old.namelist():
            made.writestr(name, old.read(name))
    return Package(archive, OLDEST / "template.yaml")
