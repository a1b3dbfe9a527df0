"""`make destroy`: it asks, it refuses, it leaves nothing behind, and it can be begun again."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from infra import package
from infra.package import ROOT
from tests.e2e.deployments import client, deploy_today, left, outputs
from tests.faults.endpoint import Endpoint
from tests.faults.faults import Answer, Request, lost_answer


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    package.build()


def _command(stage: str) -> list[str]:
    return [sys.executable, "-m", "infra.destroy", "--stage", stage]


def _destroy(
    port: int, stage: str, typed: str, region: str = "us-east-1"
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(stage),
        cwd=ROOT,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://localhost:{port}",
            "AWS_DEFAULT_REGION": region,
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


def _fill(port: int, names: dict[str, str]) -> None:
    """A user, a file, an older version of it, and an upload that nobody has finished."""
    _put_user(port, names)
    s3, bucket = client(port, "s3"), names["ExportsBucket"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"a file", b"another"):
        s3.put_object(Bucket=bucket, Key="exports/1", Body=content)
    s3.create_multipart_upload(Bucket=bucket, Key="exports/2")


def test_a_stage_is_removed_with_all_that_it_holds_once_its_name_is_typed(
    emulator_port: int,
) -> None:
    names = deploy_today(emulator_port, "staging")
    _fill(emulator_port, names)

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
    assert left(emulator_port) == []
    again = _destroy(emulator_port, "staging", "staging\n")
    assert (again.returncode, again.stderr) == (
        2,
        "There is nothing of store-users-staging in us-east-1\n",
    )


def test_what_is_protected_is_refused_without_a_question(emulator_port: int) -> None:
    names = deploy_today(emulator_port, "staging", DeletionProtection="true")
    refused = _destroy(emulator_port, "staging", "staging\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"Refused: {names['UsersTable']} is protected.")
    assert outputs(emulator_port, "staging") == names


def test_production_with_data_is_refused_without_a_question(emulator_port: int) -> None:
    stage = "prod"
    names = deploy_today(emulator_port, stage)
    _put_user(emulator_port, names)
    refused = _destroy(emulator_port, stage, f"{stage}\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    # By now the stream may have derived something in others, too.
    assert refused.stderr.startswith(
        f"Refused: This is production, and it holds data: {names['UsersTable']}"
    )
    assert refused.stderr.endswith(". Empty them first\n")
    assert outputs(emulator_port, stage) == names


def test_another_stage_whose_name_begins_alike_stays(emulator_port: int) -> None:
    _fill(emulator_port, deploy_today(emulator_port, "staging-eu"))
    kept = left(emulator_port)
    assert len(kept) == 6 + 3  # tables, pool, bucket, stack
    deploy_today(emulator_port, "staging")
    done = _destroy(emulator_port, "staging", "staging\n")
    assert done.returncode == 0, done.stderr
    assert left(emulator_port) == kept


class Unfiltered(Endpoint):
    """An S3 that lists the buckets of all regions, whatever it is asked for."""

    def _answer(self, request: Request) -> Answer | None:
        path, _, query = request.path.partition("?")
        if "bucket-region" in query:
            return self._forward(replace(request, path=path))
        return self._forward(request)


def test_a_stage_of_the_same_name_in_another_region_stays(emulator_port: int) -> None:
    stage = "prod"
    names = deploy_today(emulator_port, stage)
    _fill(emulator_port, names)
    kept = left(emulator_port)
    s3, abroad = client(emulator_port, "s3"), "store-users-prod-exportsbucket-abroad"

    def lies_there() -> bool:
        return abroad in [one["Name"] for one in s3.list_buckets()["Buckets"]]

    unfiltered = Unfiltered(f"http://localhost:{emulator_port}")
    try:
        for port in (emulator_port, int(unfiltered.url.rpartition(":")[2])):
            # All that a first deployment there has left, which failed.
            s3.create_bucket(
                Bucket=abroad, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
            )
            assert lies_there()
            done = _destroy(port, stage, f"{stage}\n", "eu-west-1")
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(
                f"This removes the stage prod in eu-west-1 for good:\n  {abroad}\nType prod"
            )
            assert not lies_there()
            again = _destroy(port, stage, f"{stage}\n", "eu-west-1")
            assert again.stderr == "There is nothing of store-users-prod in eu-west-1\n"
    finally:
        unfiltered.close()
    assert left(emulator_port) == kept
    file = s3.get_object(Bucket=names["ExportsBucket"], Key="exports/1")
    assert file["Body"].read() == b"another"


class Guillotine(Endpoint):
    """Lets so many deletions through, and ends the process before it hears of the last."""

    process: "subprocess.Popen[str]"

    def __init__(self, engine: str, after: int) -> None:
        super().__init__(engine)
        self.steps: list[str] = []
        self.after = after

    def _answer(self, request: Request) -> Answer | None:
        if not (step := _deletion(request)):
            return self._forward(request)
        self.steps.append(step)
        if len(self.steps) < self.after:
            return self._forward(request)
        lost_answer(request, self._forward)
        self.process.kill()
        self.process.wait()
        return None


def _deletion(request: Request) -> str:
    """What the request deletes, or nothing."""
    operation = request.headers.get("x-amz-target", "").partition(".")[2]
    if operation.startswith("Delete"):
        return operation
    if b"Action=DeleteStack" in request.body:
        return "DeleteStack"
    if request.method == "DELETE":
        return "AbortMultipartUpload" if "uploadId" in request.path else "DeleteBucket"
    return "DeleteObjects" if request.method == "POST" and "?delete" in request.path else ""


def _cut_off(port: int, after: int) -> tuple[int, list[str]]:
    """Run the command, and end it with the deletion of that number; its status, and what it did."""
    endpoint = Guillotine(f"http://localhost:{port}", after)
    try:
        with subprocess.Popen(
            _command("staging"),
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": endpoint.url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as endpoint.process:
            endpoint.process.communicate("staging\n", timeout=120)
            return endpoint.process.returncode, endpoint.steps
    finally:
        endpoint.close()


def test_wherever_it_is_cut_off_the_next_run_finishes_it(emulator_port: int) -> None:
    steps = [
        *["DeleteTable"] * 6,
        "AbortMultipartUpload",
        "DeleteObjects",
        "DeleteBucket",
        "DeleteStack",
        "DeleteUserPool",
    ]
    for after in range(1, len(steps) + 1):
        _fill(emulator_port, deploy_today(emulator_port, "staging"))
        status, done = _cut_off(emulator_port, after)
        assert (status, done) == (-9, steps[:after])
        # With the last step all is gone, though nobody was told.
        kept = left(emulator_port)
        assert bool(kept) == (after < len(steps)), done
        again = _destroy(emulator_port, "staging", "staging\n")
        assert again.returncode == (0 if kept else 2), (done, again.stderr)
        assert left(emulator_port) == [], done


def test_what_a_stack_left_that_was_deleted_otherwise_is_removed(emulator_port: int) -> None:
    names = deploy_today(emulator_port, "staging")
    _fill(emulator_port, names)
    cloudformation = client(emulator_port, "cloudformation")
    cloudformation.delete_stack(StackName="store-users-staging")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="store-users-staging")
    assert names["UsersTable"] in left(emulator_port)
    done = _destroy(emulator_port, "staging", "staging\n")
    assert done.returncode == 0, done.stderr
    assert f"  {names['ExportsBucket']}\n  user pool {names['UserPoolId']}\nType" in done.stdout
    assert left(emulator_port) == []
