"""A deployment shows what it changes, loses no data unasked, and is rolled back by alarms.

The emulator takes the triggers of a rollback and does nothing with them: that is held by what is
sent to it.
"""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from infra import package
from infra.changes import Options
from infra.deploy import deploy
from infra.package import ARCHIVE, TEMPLATE, Package
from infra.target import DeployError, Target
from tests.e2e.conftest import running_emulator
from tests.e2e.deployments import client, deploy_today, outputs, target
from tests.faults.endpoint import Endpoint
from tests.faults.faults import Answer, Request

STAGE = "staging"
STACK = f"store-users-{STAGE}"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an emulator on which the stage stands."""
    package.build()
    with running_emulator(tmp_path_factory.mktemp("emulator")) as number:
        deploy_today(number, STAGE)
        yield number


@pytest.fixture
def template() -> dict[str, Any]:
    """A copy of the template to change."""
    loaded: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())
    return copy.deepcopy(loaded)  # without the aliases, a change is one change


def _deploy(
    port: int, folder: Path, template: dict[str, Any], *replaceable: str
) -> tuple[dict[str, str], list[str]]:
    """Deploy the template; return the outputs of the stack, and what was told."""
    path, lines = folder / "template.yaml", list[str]()
    path.write_text(yaml.safe_dump(template))
    parameters = {"DeletionProtection": "false", "EmulatorEndpoint": f"http://localhost:{port}"}
    options = Options(replaceable, tell=lines.append)
    made = deploy(target(port, STAGE), parameters, what=Package(ARCHIVE, path), options=options)
    return made, lines


def _rekey(template: dict[str, Any], table: str) -> None:
    """Give the table a range key that has another name."""
    properties = template["Resources"][table]["Properties"]
    properties["AttributeDefinitions"][1]["AttributeName"] = "other"
    properties["KeySchema"][1]["AttributeName"] = "other"


@pytest.mark.parametrize("table", ["AuditTable", "SearchTable"])
def test_a_table_is_not_replaced_unasked(
    port: int, tmp_path: Path, template: dict[str, Any], table: str
) -> None:
    before = outputs(port, STAGE)
    _rekey(template, table)
    with pytest.raises(DeployError) as caught:
        _deploy(port, tmp_path, template)
    assert str(caught.value) == (
        f"it would replace or delete what holds data: {table}. Nothing was changed. Where that is "
        f'right: make deploy STAGE=staging REPLACE="{table}"'
    )
    assert outputs(port, STAGE) == before
    change_sets = client(port, "cloudformation").list_change_sets(StackName=STACK)["Summaries"]
    assert not [one for one in change_sets if one["ExecutionStatus"] == "AVAILABLE"]


@pytest.mark.parametrize("name", ["ExportsBucket", "ExportsQueue", "UserPool", "UsersTable"])
def test_what_holds_data_does_not_leave_the_stack_unasked(
    port: int, tmp_path: Path, template: dict[str, Any], name: str
) -> None:
    """It is kept there, but the next functions would work on an empty one."""
    renamed = template["Resources"].pop(name)
    text = re.sub(rf"(?<!::)\b{name}\b", f"Other{name}", yaml.safe_dump(template))
    template = yaml.safe_load(text)
    template["Resources"][f"Other{name}"] = renamed
    with pytest.raises(DeployError, match=f"what holds data: {name}\\."):
        _deploy(port, tmp_path, template)


def test_a_replacement_that_is_asked_for_by_name_is_told_and_carried_out(
    port: int, tmp_path: Path, template: dict[str, Any]
) -> None:
    today = copy.deepcopy(template)
    _rekey(template, "SearchTable")
    with pytest.raises(DeployError):
        _deploy(port, tmp_path, template, "TotalsTable")
    for deployed, key in ((template, "other"), (today, "entry")):
        _, lines = _deploy(port, tmp_path, deployed, "SearchTable")
        assert lines[0] == f"Changes of {STACK}:"
        told = [" ".join(line.split()) for line in lines]
        assert "Modify AWS::DynamoDB::Table SearchTable may be replaced" in told
        table = client(port, "dynamodb").describe_table(
            TableName=outputs(port, STAGE)["SearchTable"]
        )
        assert table["Table"]["KeySchema"][1]["AttributeName"] == key


def test_a_new_index_is_no_replacement(port: int, tmp_path: Path, template: dict[str, Any]) -> None:
    properties = template["Resources"]["UsersTable"]["Properties"]
    properties["AttributeDefinitions"].append({"AttributeName": "plan", "AttributeType": "S"})
    properties["GlobalSecondaryIndexes"].append(
        {
            "IndexName": "by_plan",
            "KeySchema": [{"AttributeName": "plan", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    )
    before = outputs(port, STAGE)["UsersTable"]
    made, lines = _deploy(port, tmp_path, template)
    assert [line.split()[2] for line in lines if "UsersTable" in line] == ["UsersTable"]
    assert made["UsersTable"] == before


class Recorder(Endpoint):
    """Passes everything on, and keeps what each change set was asked for."""

    def __init__(self, engine: str) -> None:
        super().__init__(engine)
        self.asked: list[dict[str, list[str]]] = []

    def _answer(self, request: Request) -> Answer | None:
        form = parse_qs(request.body.decode("latin-1"), keep_blank_values=True)
        if form.get("Action") == ["CreateChangeSet"]:
            self.asked.append(form)
        return self._forward(request)


def test_an_update_is_rolled_back_by_the_alarms_that_do_not_ring_yet(port: int) -> None:
    endpoint, lines = Recorder(f"http://localhost:{port}"), list[str]()
    stage = Target(STAGE, "us-east-1", endpoint.url)
    cloudwatch = client(port, "cloudwatch")
    alarms = {one["AlarmName"]: one for one in cloudwatch.describe_alarms()["MetricAlarms"]}
    (ringing,) = (name for name in alarms if "-StreamErrorsAlarm-" in name)
    cloudwatch.set_alarm_state(AlarmName=ringing, StateValue="ALARM", StateReason="a test")
    try:
        deploy(
            stage,
            {
                "DeletionProtection": "false",
                "EmulatorEndpoint": f"http://localhost:{port}",
                "TimeZone": "Europe/Madrid",
            },
            options=Options(rollback_minutes=15, tell=lines.append),
        )
    finally:
        endpoint.close()
    assert f"{ringing} rings already: it rolls nothing back." in lines
    asked = endpoint.asked[0]
    assert asked["RollbackConfiguration.MonitoringTimeInMinutes"] == ["15"]
    triggers = "RollbackConfiguration.RollbackTriggers.member."
    arns = {value for key, (value,) in asked.items() if key.startswith(triggers) and "Arn" in key}
    named = {name.split("-")[-2] for name, one in alarms.items() if one["AlarmArn"] in arns}
    assert len(arns) == 4
    assert named == {
        "ApiErrorsAlarm",
        "ServerErrorsAlarm",
        "SignInAlarm",
        "WorkerErrorsAlarm",
    }


def test_a_creation_is_not_watched(port: int) -> None:
    """The alarms are made with it: CloudFormation fails where one is not there yet."""
    endpoint = Recorder(f"http://localhost:{port}")
    try:
        deploy(
            Target("watched", "us-east-1", endpoint.url),
            {"DeletionProtection": "false", "EmulatorEndpoint": f"http://localhost:{port}"},
            options=Options(rollback_minutes=15),
        )
    finally:
        endpoint.close()
    assert len(endpoint.asked) == 2
    for asked in endpoint.asked:
        assert asked["RollbackConfiguration.MonitoringTimeInMinutes"] == ["0"]
        assert asked["RollbackConfiguration.RollbackTriggers"] == [""]
