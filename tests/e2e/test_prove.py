"""`make prove`, rehearsed with the emulator as AWS: the real commands, from nothing to nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from infra import package
from infra.package import ROOT
from infra.prove.page import PAGE
from infra.prove.steps import LAST, restored
from infra.prove.trial import FailedError, Trial
from infra.target import Target
from tests.e2e.conftest import running_emulator
from tests.e2e.deployments import client, left
from tests.faults.endpoint import Endpoint
from tests.faults.faults import Answer, Request

STACK = "store-users-trial"
A_FEW = "demo_people or gateway or spelling"
"""Some of the tests that run on a deployed stage: all of them run on the local stack besides."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an emulator that holds nothing, and that each test leaves so."""
    package.build()
    with running_emulator(tmp_path_factory.mktemp("emulator")) as number:
        yield number


def _prove(port: int, stage: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return subprocess.run(
        [sys.executable, "-m", "infra.prove", "--stage", stage],
        cwd=ROOT,
        env={
            **inherited,
            "AWS_ENDPOINT_URL": f"http://localhost:{port}",
            "PYTEST_ADDOPTS": f"-k '{A_FEW}'",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_walk_takes_each_step_and_proves_nothing_of_aws(port: int) -> None:
    before = PAGE.read_text() if PAGE.exists() else None
    done = _prove(port, "trial")
    told = [line for line in done.stdout.splitlines() if not line.startswith("      ")]
    steps = [line.partition(" (")[0].split(maxsplit=1) for line in told if " s): " in line]
    assert steps == [
        ["ok", "deploy"],
        ["ok", "doctor"],
        ["ok", "end-to-end tests"],
        ["ok", "hosted sign-in"],
        ["ok", "failed update"],
        ["skipped", "restore drill"],
        ["ok", "destroy"],
    ], done.stdout + done.stderr
    assert "tests passed, none skipped" in done.stdout
    assert "roles of the session: ['support']" in done.stdout
    assert "UPDATE_ROLLBACK_COMPLETE; Injected: " in done.stdout
    assert told[told.index("Nothing is written:") + 2] == "  This was an emulator, not AWS"
    assert done.returncode == 3
    assert (PAGE.read_text() if PAGE.exists() else None) == before
    assert left(port) == []


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("prod", 'the stage prod needs DeletionProtection = "false"'),
        ("staging", 'the stage staging needs PasswordSignIn = "true"'),
        ("nowhere", "nowhere"),
    ],
)
def test_a_stage_that_could_not_be_removed_or_signed_in_to_is_refused(
    port: int, stage: str, reason: str
) -> None:
    done = _prove(port, stage)
    assert done.returncode == 2
    assert done.stderr.startswith("It is not begun: ")
    assert reason in done.stderr
    assert left(port) == []


_TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    },
}


@pytest.fixture
def table(port: int) -> Iterator[str]:
    """A table `users` with one person, of a stack that is there already."""
    cloudformation = client(port, "cloudformation")
    template = {"Resources": {"UsersTable": _TABLE}, "Outputs": {}}
    template["Outputs"] = {"UsersTable": {"Value": {"Ref": "UsersTable"}}}
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1}
    )
    (name,) = client(port, "dynamodb").list_tables()["TableNames"]
    item = {"id": {"S": "cus_0042"}, "first_name": {"S": "María"}}
    client(port, "dynamodb").put_item(TableName=name, Item=item)
    # The emulator does not take the property.
    client(port, "dynamodb").update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    yield name
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1}
    )
    assert left(port) == []


class History(Endpoint):
    """Keeps the table as it was before its first write, and restores that: as AWS does."""

    def __init__(self, port: int, table: str) -> None:
        super().__init__(f"http://localhost:{port}")
        self._client, self._table, self._kept = client(port, "dynamodb"), table, f"{table}-kept"
        self.moments: list[datetime] = []
        self._copy(table, self._kept)

    def _copy(self, table: str, name: str) -> None:
        self._client.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True
        )

    def _answer(self, request: Request) -> Answer | None:
        answer = self._forward(request)
        if request.operation.endswith("RestoreTableToPointInTime"):
            asked = json.loads(request.body)
            self.moments.append(datetime.fromtimestamp(asked["RestoreDateTime"]).astimezone())
            self._client.delete_table(TableName=asked["TargetTableName"])
            self._copy(self._kept, asked["TargetTableName"])
        return answer

    def close(self) -> None:
        super().close()
        self._client.delete_table(TableName=self._kept)


def test_the_restore_drill_brings_a_spoilt_item_back(port: int, table: str, tmp_path: Path) -> None:
    history, begun = History(port, table), datetime.now().astimezone()
    try:
        seen = restored(Trial(Target("trial", "us-east-1", history.url), tmp_path))
    finally:
        history.close()
    assert seen.startswith("a spoilt item of UsersTable is as it was at ")
    dynamodb = client(port, "dynamodb")
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": "cus_0042"}})["Item"]
    assert item["first_name"] == {"S": "María"}
    assert dynamodb.list_tables()["TableNames"] == [table]
    assert history.moments[0] > begun


def test_the_restore_drill_fails_where_what_comes_back_is_not_what_was_there(
    port: int, table: str, tmp_path: Path
) -> None:
    """As on the emulator, which restores the table as it is now."""
    with pytest.raises(FailedError, match="does not have the item of before"):
        restored(Trial(Target("trial", "us-east-1", f"http://localhost:{port}"), tmp_path))
    assert client(port, "dynamodb").list_tables()["TableNames"] == [table]


def test_a_restored_table_that_was_left_is_told(
    port: int, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the drill is interrupted: a table that is still restored cannot be deleted."""
    dynamodb, copy = client(port, "dynamodb"), f"{table}-restored"
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=copy, UseLatestRestorableTime=True
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://localhost:{port}")
    with pytest.raises(FailedError, match=f"there is still .*{copy}"):
        LAST.act(Trial(Target("trial", "us-east-1", f"http://localhost:{port}"), tmp_path))
    dynamodb.delete_table(TableName=copy)


def test_a_stage_that_is_there_is_neither_used_nor_removed(port: int, table: str) -> None:
    done = _prove(port, "trial")
    assert done.returncode == 2
    assert f"there is something of {STACK} already" in done.stderr
    assert client(port, "dynamodb").list_tables()["TableNames"] == [table]
