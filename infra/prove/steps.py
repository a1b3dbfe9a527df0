"""The steps of the proof, in their order. Each returns what was seen, or raises."""

import json
import time
import urllib.request
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import yaml

from infra import package, stack_file
from infra.deploy import architecture_of, deploy
from infra.local import load_demo
from infra.package import Package
from infra.parameters import stage_parameters, stage_tags
from infra.people import add_people
from infra.prove.sign_in import sign_in
from infra.prove.trial import FailedError, Step, Trial
from infra.remains import find
from infra.target import DeployError, describe_stack

_DEMO_USERS = 60
_DOCTOR_SECONDS = 600
_RESTORABLE_SECONDS = 1_800
_PAUSE_SECONDS = 5
_DRILLED = {"id": {"S": "cus_0042"}}


def _deployed(trial: Trial) -> str:
    stage = trial.target.stage
    trial.run("infra.deploy", "--stage", stage)
    outputs = trial.outputs
    people = add_people(trial.target, outputs, {})
    users = load_demo(trial.target, outputs, _DEMO_USERS)
    stack = stack_file.describe(trial.target, outputs, people)
    stack_file.write(trial.folder / "stack.json", stack)
    status = describe_stack(trial.target)["StackStatus"]
    return f"{status}; {len(people)} people and {users} store users added"


def _examined(trial: Trial) -> str:
    """The store users that were added are derived within moments: until then, not all is well."""
    deadline = time.monotonic() + _DOCTOR_SECONDS
    while True:
        try:
            lines = trial.run("infra.doctor", "--stage", trial.target.stage)
        except FailedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return f"{sum(line.startswith('ok ') for line in lines)} things looked at, all well"


def _tested(trial: Trial) -> str:
    report = trial.folder / "tests.xml"
    trial.run("pytest", "-q", "-m", "deployed", f"--junitxml={report}", "tests/e2e")
    return count_passed(report.read_text())


def count_passed(report: str) -> str:
    """Return how many tests passed. Raises `FailedError` if one did not, or there was none."""
    (suite,) = ET.fromstring(report)  # noqa: S314 - pytest has just written it
    counts = {name: int(suite.attrib[name]) for name in ("tests", "errors", "failures", "skipped")}
    if not counts.pop("tests") or any(counts.values()):
        message = f"of {suite.attrib['tests']} tests: {counts}"
        raise FailedError(message)
    return f"{suite.attrib['tests']} tests passed, none skipped"


def _signed_in(trial: Trial) -> str:
    home = f"{trial.outputs['PublicUrl']}/"
    people = json.loads((trial.folder / "stack.json").read_text())["people"]
    person = next(one for one in people if one["roles"] == ["support"])
    token = sign_in(_ask(f"{home}v1/config")["sign_in"], home, person)
    roles = _ask(f"{home}v1/session", token)["roles"]
    if roles != person["roles"]:
        message = f"/v1/session says {roles}, not {person['roles']}"
        raise FailedError(message)
    return f"a person signed in by authorization code with PKCE; roles of the session: {roles}"


def _ask(url: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.load(answer)


def _rolled_back(trial: Trial) -> str:
    """An update that changes a function, and then fails."""
    before, stage = _standing(trial), trial.target.stage
    built = package.built(architecture_of(trial.target))
    what = Package(built.archive, trial.folder / "failing.json")
    what.template.write_text(json.dumps(_failing(yaml.safe_load(built.template.read_text()))))
    try:
        deploy(trial.target, stage_parameters(stage), stage_tags(stage), what)
    except DeployError as error:
        reason = str(error).partition("\n")[0]
    else:
        message = "the update went through"
        raise FailedError(message)
    status, after = describe_stack(trial.target)["StackStatus"], _standing(trial)
    if "Injected" not in reason or status != "UPDATE_ROLLBACK_COMPLETE" or after != before:
        message = f"{status}; {reason}; before it {before}, after it {after}"
        raise FailedError(message)
    return f"{status}; {reason}; outputs and function as before"


def _failing(template: dict[str, Any]) -> dict[str, Any]:
    """The template with another description of a function, and a signal that never comes."""
    made = template["Resources"]
    made["APIHandler"]["Properties"]["Description"] = "To be rolled back"
    made["NoSignal"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    made["Injected"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": ["APIHandler"],
        "Properties": {"Handle": {"Ref": "NoSignal"}, "Timeout": "1", "Count": 1},
    }
    return template


def _standing(trial: Trial) -> tuple[dict[str, str], str]:
    outputs, client = trial.outputs, trial.target.client("lambda")
    found = client.get_function_configuration(FunctionName=outputs["ApiFunction"])
    return outputs, found["Description"]


def restored(trial: Trial) -> str:
    """Spoil an item, restore its table to a moment before under another name, copy it back."""
    client, table = trial.target.client("dynamodb"), trial.outputs["UsersTable"]
    before = client.get_item(TableName=table, Key=_DRILLED, ConsistentRead=True)["Item"]
    # DynamoDB restores to a whole second: the moment is well after the one write, before the other.
    time.sleep(2)
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(2)
    spoilt = {**before, "first_name": {"S": "Spoilt"}}
    client.put_item(TableName=table, Item=spoilt)
    _wait_until_restorable(client, table, moment)
    copy = f"{table}-restored"
    client.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=copy, RestoreDateTime=moment
    )
    try:
        waiter = client.get_waiter("table_exists")
        waiter.wait(TableName=copy, WaiterConfig={"Delay": _PAUSE_SECONDS, "MaxAttempts": 720})
        found = client.get_item(TableName=copy, Key=_DRILLED)["Item"]
        if found != before:
            message = "the restored table does not have the item of before"
            raise FailedError(message)
        client.put_item(TableName=table, Item=found)
    finally:
        client.delete_table(TableName=copy)
    return f"a spoilt item of UsersTable is as it was at {moment:%H:%M:%SZ}"


def _wait_until_restorable(client: Any, table: str, moment: datetime) -> None:
    """On AWS the last minutes cannot be restored yet, commonly five."""
    deadline = time.monotonic() + _RESTORABLE_SECONDS
    while True:
        told = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        latest = told["PointInTimeRecoveryDescription"].get("LatestRestorableDateTime")
        if latest is not None and latest > moment:
            return
        if time.monotonic() > deadline:
            message = f"after half an hour, the table can be restored to {latest}"
            raise FailedError(message)
        time.sleep(_PAUSE_SECONDS)


def _destroyed(trial: Trial) -> str:
    stage = trial.target.stage
    trial.run("infra.destroy", "--stage", stage, typed=f"{stage}\n")
    pages = trial.target.client("dynamodb").get_paginator("list_tables").paginate()
    names = [name for page in pages for name in page["TableNames"]]
    # A restored table has a name that `find` does not know.
    tables = [name for name in names if name.startswith(f"{trial.target.stack}-")]
    if left := find(trial.target) or tables:
        message = f"there is still {left}"
        raise FailedError(message)
    return "no table, bucket, user pool or stack of the stage is left"


STEPS = [
    Step("deploy", _deployed),
    Step("doctor", _examined),
    Step("end-to-end tests", _tested),
    Step("hosted sign-in", _signed_in),
    Step("failed update", _rolled_back),
    Step(
        "restore drill",
        restored,
        only_on_aws="the emulator keeps no history of a table: it restores what is there now",
    ),
]
LAST = Step("destroy", _destroyed)
