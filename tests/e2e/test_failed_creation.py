"""A first deployment that fails leaves nothing behind that the next one, or `destroy`, stumbles on.

The failure is a resource of our own in a copy of the template: it waits a second for a signal that
does not come, as CloudFormation's own wait conditions do on AWS.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import package
from infra.conform.__main__ import RESOURCES
from infra.deploy import deploy
from infra.package import ARCHIVE, ROOT, TEMPLATE, Package
from infra.target import DeployError
from tests.e2e.conftest import running_emulator
from tests.e2e.deployments import client, left, target

STAGE = "prod"
STACK = f"store-users-{STAGE}"
DATA = {"UsersTable", "EcosystemsTable", "AuditTable", "ExportsTable"}
DERIVED = {"SearchTable", "TotalsTable"}
KEEPING = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"}


UNKNOWN = "AWS::WAFv2::WebACLAssociation"
"""The one kind that the emulator cannot make; it holds nothing."""


def _kinds() -> dict[str, list[str]]:
    """The names of the resources of each kind that the transformed template has."""
    found: dict[str, list[str]] = {}
    for line in RESOURCES.read_text().splitlines():
        name, kind = line.split()
        # The name of a deployment is known to SAM alone; the stage comes after it.
        if not name.endswith("<hash>") and kind != UNKNOWN:
            found.setdefault(kind, []).append(name)
    return found


KINDS = _kinds()
ALL = [name for names in KINDS.values() for name in names]
REHEARSED = KINDS if os.environ.get("CREATIONS") == "all" else KEEPING


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    package.build()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an emulator that holds nothing, and that each test leaves so."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as number:
        yield number


@pytest.fixture(scope="module")
def chosen(port: int) -> dict[str, str]:
    """Parameters with which a resource of each kind is made."""
    zone = client(port, "route53").create_hosted_zone(Name="example.com", CallerReference="1")
    certificate = client(port, "acm").request_certificate(DomainName="store.example.com")
    return {
        "AlarmEmail": "operations@example.com",
        "MarketingEmail": "marketing@example.com",
        "DomainName": "store.example.com",
        "CertificateArn": certificate["CertificateArn"],
        "HostedZoneId": zone["HostedZone"]["Id"].rpartition("/")[2],
    }


def _failing(folder: Path, after: Collection[str], *, kept: bool = False) -> Package:
    """Today's package with a resource that fails after those of these names.

    `kept`: what holds data is retained and protected from its creation on, as older templates had.
    """
    template = yaml.safe_load(TEMPLATE.read_text())
    made: dict[str, Any] = template["Resources"]
    for one in made.values():
        if kept and one["Type"] in KEEPING:
            one["DeletionPolicy"] = "Retain"
        if kept and one["Type"] == "AWS::DynamoDB::Table":
            one["Properties"]["DeletionProtectionEnabled"] = True
        if kept and one["Type"] == "AWS::Cognito::UserPool":
            one["Properties"]["DeletionProtection"] = "ACTIVE"
    made["NoSignal"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    made["Injected"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": sorted(after),
        "Properties": {"Handle": {"Ref": "NoSignal"}, "Timeout": "1", "Count": 1},
    }
    path = folder / "failing.yaml"
    path.write_text(yaml.safe_dump(template))
    return Package(ARCHIVE, path)


def _deploy(port: int, what: Package, **parameters: str) -> dict[str, str]:
    """As production is deployed: protected."""
    return deploy(target(port, STAGE), parameters, what=what)


def _fail(port: int, what: Package, **parameters: str) -> None:
    with pytest.raises(DeployError, match=r"(?s)Injected: .*") as caught:
        _deploy(port, what, **parameters)
    assert "UsersTable" not in str(caught.value)


def _status(port: int) -> str:
    (stack,) = client(port, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return str(stack["StackStatus"])


def _created(port: int) -> set[str]:
    """The kinds of which a resource was made, also where it was taken back."""
    paginator = client(port, "cloudformation").get_paginator("describe_stack_events")
    events = [one for page in paginator.paginate(StackName=STACK) for one in page["StackEvents"]]
    return {one["ResourceType"] for one in events if one["ResourceStatus"] == "CREATE_COMPLETE"}


def _destroy(port: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "infra.destroy", "--stage", STAGE],
        cwd=ROOT,
        env={**os.environ, "AWS_ENDPOINT_URL": f"http://localhost:{port}"},
        input=f"{STAGE}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _protected(port: int, names: dict[str, str]) -> set[str]:
    """The names in the template of the tables that refuse to be deleted, and of the pool."""
    dynamodb = client(port, "dynamodb")
    found = {
        name
        for name in DATA | DERIVED
        if dynamodb.describe_table(TableName=names[name])["Table"]["DeletionProtectionEnabled"]
    }
    pool = client(port, "cognito-idp").describe_user_pool(UserPoolId=names["UserPoolId"])
    return found | ({"UserPool"} if pool["UserPool"]["DeletionProtection"] == "ACTIVE" else set())


def _table_ids(port: int) -> set[str]:
    """Return what tells a table from an earlier one of its name."""
    dynamodb = client(port, "dynamodb")
    names = dynamodb.list_tables()["TableNames"]
    return {dynamodb.describe_table(TableName=name)["Table"]["TableId"] for name in names}


def _remove(port: int) -> None:
    """Remove the stage that stands and is protected."""
    deploy(
        target(port, STAGE),
        {"EmulatorEndpoint": f"http://localhost:{port}", "DeletionProtection": "false"},
    )
    done = _destroy(port)
    assert done.returncode == 0, done.stderr
    assert left(port) == []


@pytest.mark.parametrize("kind", sorted(REHEARSED))
def test_a_creation_that_fails_after_a_resource_of_a_kind_leaves_nothing(
    port: int, chosen: dict[str, str], tmp_path: Path, kind: str
) -> None:
    """The stack of the kind before is removed by the deployment that fails next."""
    _fail(port, _failing(tmp_path, KINDS[kind]), **chosen)
    assert _status(port) == "ROLLBACK_COMPLETE"
    assert left(port) == [STACK]
    assert kind in _created(port)


@pytest.mark.parametrize("after", [(), ALL], ids=["first", "last"])
def test_a_creation_that_fails_leaves_nothing_and_the_next_deployment_succeeds(
    port: int, tmp_path: Path, after: Collection[str]
) -> None:
    _fail(port, _failing(tmp_path, after))
    assert _status(port) == "ROLLBACK_COMPLETE"
    assert left(port) == [STACK]
    names = _deploy(port, package.BUILT)
    assert _protected(port, names) == {*DATA, "UserPool"}
    assert names["PublicUrl"].startswith(f"http://localhost:{port}/")
    _remove(port)


def test_what_an_older_template_left_protected_is_removed_where_it_is_empty(
    port: int, tmp_path: Path
) -> None:
    _fail(port, _failing(tmp_path, ALL, kept=True))
    # Tables, bucket, pool, stack.
    assert len(left(port)) == 6 + 1 + 1 + 1
    before = _table_ids(port)
    _deploy(port, package.BUILT)
    assert len(left(port)) == 6 + 1 + 1 + 1
    assert not before & _table_ids(port)
    _remove(port)


def test_what_holds_data_is_not_removed_by_a_deployment_nor_protected_for_ever(
    port: int, tmp_path: Path
) -> None:
    _fail(port, _failing(tmp_path, ALL, kept=True))
    before = left(port)
    (table,) = (name for name in before if "-UsersTable-" in name)
    dynamodb = client(port, "dynamodb")
    item = {"id": {"S": "cus_1"}, "kind": {"S": "customer"}}
    dynamodb.put_item(TableName=table, Item=item)

    with pytest.raises(DeployError, match=f"holds data: {table}. Save .* make destroy STAGE=prod"):
        _deploy(port, package.BUILT)
    refused = _destroy(port)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Refused: {table} is protected, and holds data. To lose it: "
        f"aws dynamodb update-table --table-name {table} --no-deletion-protection-enabled\n"
    )
    assert left(port) == before

    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    refused = _destroy(port)
    assert refused.stderr == (
        f"Refused: This is production, and it holds data: {table}. Empty them first\n"
    )
    dynamodb.delete_item(TableName=table, Key={"id": {"S": "cus_1"}})
    # The others are still protected, and empty.
    done = _destroy(port)
    assert done.returncode == 0, done.stderr
    assert left(port) == []


def test_a_creation_that_failed_is_destroyed(port: int, tmp_path: Path) -> None:
    _fail(port, _failing(tmp_path, ()))
    assert _status(port) == "ROLLBACK_COMPLETE"
    done = _destroy(port)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (
        0,
        [f"  stack {STACK}", f"Type {STAGE} to go on: The stage {STAGE} is gone."],
    )
    assert left(port) == []


def test_a_stack_that_was_only_announced_is_deployed(port: int) -> None:
    """As a deployment leaves it that is cut off, or refused, with the change set made."""
    client(port, "cloudformation").create_change_set(
        StackName=STACK,
        ChangeSetName="cut-off",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
    )
    assert _status(port) == "REVIEW_IN_PROGRESS"
    names = _deploy(port, package.BUILT)
    assert _protected(port, names) == {*DATA, "UserPool"}
    _remove(port)
