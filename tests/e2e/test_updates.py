"""The template of today, deployed over the oldest that is supported: everything is there again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from infra import package
from infra.package import ROOT, TEMPLATE
from tests.e2e.conftest import Stack, command, eventually, free_port

OLDEST = ROOT / "tests" / "fixtures" / "oldest-template.yaml"
STACK = "store-users-local"
START = "import sys; from infra import emulator; emulator.FOLDER.mkdir(exist_ok=True); "
START += "emulator.start(int(sys.argv[1]))"
CUSTOMER = {
    "id": {"S": "cus_old"},
    "kind": {"S": "customer"},
    "first_name": {"S": "Zoraida"},
    "last_name": {"S": "Antigua"},
    "company_email": {"S": "zoraida@example.com"},
    "phone_number": {"S": "+573001234567"},
    "company_name": {"S": "Clínica Vieja"},
    "registered_at": {"S": "2026-01-02T03:04:05Z"},
    "access": {"S": "active"},
    "version": {"N": "1"},
}
ITEMS: dict[str, dict[str, Any]] = {
    "EcosystemsTable": {
        "id": {"S": "eco_old"},
        "access": {"S": "suspended"},
        "changed_at": {"S": "2026-01-02T03:04:05Z"},
        "version": {"N": "4"},
    },
    "AuditTable": {"subject": {"S": "customer#cus_old"}, "entry": {"S": "2026-01-02T03:04:05Z#1"}},
    "ExportsTable": {"id": {"S": "exp_old"}},
}
# What CloudFormation makes anew where one of them changes, and with it an empty one.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
REPLACING = {
    "AWS::DynamoDB::Table": ("TableName", "KeySchema", "LocalSecondaryIndexes"),
    "AWS::S3::Bucket": ("BucketName", "ObjectLockEnabled"),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::SNS::Topic": ("TopicName", "FifoTopic"),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::Cognito::UserPool": ("UsernameConfiguration", "UsernameAttributes", "AliasAttributes"),
    "AWS::Cognito::UserPoolClient": ("UserPoolId", "GenerateSecret"),
    "AWS::Cognito::UserPoolDomain": ("Domain", "UserPoolId"),
}
DATA = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool")
DERIVED = {"SearchTable", "TotalsTable"}


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    package.build()


def _resources(path: Path) -> dict[str, Any]:
    resources: dict[str, Any] = yaml.safe_load(path.read_text())["Resources"]
    return resources


def test_nothing_that_holds_something_has_to_be_made_anew() -> None:
    today = _resources(TEMPLATE)
    held = 0
    for name, before in _resources(OLDEST).items():
        if names := REPLACING.get(before["Type"]):
            held += 1
            assert today[name]["Type"] == before["Type"]
            for one in names:
                now = today[name]["Properties"].get(one)
                assert now == before["Properties"].get(one), f"{name}.{one}"
    assert held >= 15


def test_an_index_that_is_there_stays_as_it_is() -> None:
    """Another key or projection under the same name is an index that is deleted first."""
    today = _resources(TEMPLATE)
    for name, before in _resources(OLDEST).items():
        for index in before.get("Properties", {}).get("GlobalSecondaryIndexes", ()):
            assert index in today[name]["Properties"]["GlobalSecondaryIndexes"]


def test_data_outlives_the_template_that_made_it() -> None:
    for name, resource in _resources(TEMPLATE).items():
        if resource["Type"] in DATA and name not in DERIVED:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (
                "Retain",
                "Retain",
            ), name


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A running emulator, with nothing in it."""
    number = free_port()
    subprocess.run(
        [sys.executable, "-c", START, str(number)],
        cwd=ROOT,
        env={**os.environ, "STORE_USERS_LOCAL": str(tmp_path)},
        timeout=120,
        check=True,
    )
    yield number
    command(tmp_path, "infra.local", "stop")


def _client(port: int, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        endpoint_url=f"http://localhost:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _outputs(port: int) -> dict[str, str]:
    (stack,) = _client(port, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def _deploy_oldest(port: int) -> dict[str, str]:
    cloudformation = _client(port, "cloudformation")
    parameters = {
        "Stage": "local",
        "DeletionProtection": "false",
        "PasswordSignIn": "true",
        "EmulatorEndpoint": f"http://localhost:{port}",
    }
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=OLDEST.read_text(),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return _outputs(port)


def _load(port: int, names: dict[str, str]) -> str:
    """Put something of every kind in; the value of the secret."""
    dynamodb = _client(port, "dynamodb")
    dynamodb.put_item(TableName=names["UsersTable"], Item=CUSTOMER)
    for table, item in ITEMS.items():
        dynamodb.put_item(TableName=names[table], Item=item)
    _client(port, "s3").put_object(
        Bucket=names["ExportsBucket"], Key="exports/exp_old/1", Body=b"a file"
    )
    _client(port, "cognito-idp").admin_create_user(
        UserPoolId=names["UserPoolId"], Username="old@example.com", MessageAction="SUPPRESS"
    )
    sent = {"QueueUrl": names["ProjectionDeadLettersUrl"], "MessageBody": "an old record"}
    _client(port, "sqs").send_message(**sent)
    return _secret(port, names)


def _secret(port: int, names: dict[str, str]) -> str:
    manager = _client(port, "secretsmanager")
    value: str = manager.get_secret_value(SecretId=names["SigningSecretId"])["SecretString"]
    return value


def _count(port: int, table: str) -> int:
    count: int = _client(port, "dynamodb").scan(TableName=table)["Count"]
    return count


def test_an_update_from_the_oldest_template_finds_everything_again(
    tmp_path: Path, port: int
) -> None:
    old = _deploy_oldest(port)
    secret = _load(port, old)
    arguments = ["run", "--port", str(port), "--demo-users", "0", "--detach"]
    done = command(tmp_path, "infra.local", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr

    # The very same tables, bucket, pool, queues, topics and secret; only the address is new.
    assert old.pop("PublicUrl") == "https://example.invalid"
    assert {name: _outputs(port)[name] for name in old} == old
    stack = Stack(tmp_path, port)
    token = stack.token("admin")
    asked = stack.call("GET", "/v1/customers/cus_old", token=token)
    assert (asked.status, asked.json["company_name"]) == (200, "Clínica Vieja")
    gateway = stack.call("GET", "/v1/ecosystems/eco_old/access", token=stack.token("gateway"))
    assert gateway.json["access"] == "suspended"
    for table in ("AuditTable", "ExportsTable"):
        assert _count(port, old[table]) == 1
    file = _client(port, "s3").get_object(Bucket=old["ExportsBucket"], Key="exports/exp_old/1")
    assert file["Body"].read() == b"a file"
    person = {"UserPoolId": old["UserPoolId"], "Username": "old@example.com"}
    assert _client(port, "cognito-idp").admin_get_user(**person)["Enabled"]
    letters = _client(port, "sqs").receive_message(QueueUrl=old["ProjectionDeadLettersUrl"])
    assert [one["Body"] for one in letters["Messages"]] == ["an old record"]
    assert _secret(port, old) == secret

    # And what was there before the functions is taken up by them: it is found by a search.
    def found() -> list[str]:
        answer = stack.call("GET", "/v1/customers?q=zoraida", token=token).json
        return [row["id"] for row in answer["data"]]

    assert eventually(found) == ["cus_old"]
