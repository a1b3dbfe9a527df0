"""`make destroy`: it asks, it refuses, and it leaves nothing behind.

Against the template of tests/fixtures, which holds data and has no functions.
"""

import os
import subprocess
import sys
from typing import Any

from infra.package import ROOT
from tests.e2e.emptystack import client, deploy_oldest, outputs


def _destroy(port: int, stage: str, typed: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "infra.destroy", "--stage", stage],
        cwd=ROOT,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://localhost:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _put_user(port: int, names: dict[str, str]) -> None:
    item = {"id": {"S": "cus_1"}, "kind": {"S": "customer"}}
    client(port, "dynamodb").put_item(TableName=names["UsersTable"], Item=item)


def _left(port: int) -> list[Any]:
    pools = client(port, "cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    buckets = [one["Name"] for one in client(port, "s3").list_buckets()["Buckets"]]
    return [*client(port, "dynamodb").list_tables()["TableNames"], *pools, *buckets]


def test_a_stage_is_removed_with_all_that_it_holds_once_its_name_is_typed(
    emulator_port: int,
) -> None:
    names = deploy_oldest(emulator_port, "staging", retained=True)
    _put_user(emulator_port, names)
    client(emulator_port, "s3").put_object(
        Bucket=names["ExportsBucket"], Key="exports/1", Body=b"a file"
    )

    kept = _destroy(emulator_port, "staging", "yes\n")
    assert (kept.returncode, kept.stdout.splitlines()[-1]) == (
        1,
        "Type staging to go on: Nothing was removed.",
    )
    assert f"  {names['UsersTable']}\n  {names['EcosystemsTable']} (empty)\n" in kept.stdout
    assert outputs(emulator_port, "staging") == names

    done = _destroy(emulator_port, "staging", "staging\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("The stage staging is gone.\n")
    assert _left(emulator_port) == []
    again = _destroy(emulator_port, "staging", "staging\n")
    assert (again.returncode, again.stderr) == (
        2,
        "There is no stack store-users-staging in us-east-1\n",
    )


def test_what_is_protected_is_refused_without_a_question(emulator_port: int) -> None:
    names = deploy_oldest(emulator_port, "staging", protected=True)
    refused = _destroy(emulator_port, "staging", "staging\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"Refused: {names['UsersTable']} is protected.")
    assert outputs(emulator_port, "staging") == names


def test_production_with_data_is_refused_without_a_question(emulator_port: int) -> None:
    stage = "prod"
    names = deploy_oldest(emulator_port, stage)
    _put_user(emulator_port, names)
    refused = _destroy(emulator_port, stage, f"{stage}\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"Refused: This is production, and it holds data: {names['UsersTable']}. Empty them first\n"
    )
    assert outputs(emulator_port, stage) == names
