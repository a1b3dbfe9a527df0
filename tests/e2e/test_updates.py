"""The template of today, deployed over the oldest that is supported: everything is there again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import package
from infra.package import TEMPLATE
from tests.e2e.conftest import Stack, command, eventually
from tests.e2e.emptystack import OLDEST, client, deploy_oldest, outputs

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


def _load(port: int, names: dict[str, str]) -> str:
    """Put something of every kind in; the value of the secret."""
    dynamodb = client(port, "dynamodb")
    dynamodb.put_item(TableName=names["UsersTable"], Item=CUSTOMER)
    for table, item in ITEMS.items():
        dynamodb.put_item(TableName=names[table], Item=item)
    client(port, "s3").put_object(
        Bucket=names["ExportsBucket"], Key="exports/exp_old/1", Body=b"a file"
    )
    client(port, "cognito-idp").admin_create_user(
        UserPoolId=names["UserPoolId"], Username="old@example.com", MessageAction="SUPPRESS"
    )
    sent = {"QueueUrl": names["ProjectionDeadLettersUrl"], "MessageBody": "an old record"}
    client(port, "sqs").send_message(**sent)
    return _secret(port, names)


def _secret(port: int, names: dict[str, str]) -> str:
    manager = client(port, "secretsmanager")
    value: str = manager.get_secret_value(SecretId=names["SigningSecretId"])["SecretString"]
    return value


def _count(port: int, table: str) -> int:
    count: int = client(port, "dynamodb").scan(TableName=table)["Count"]
    return count


def test_an_update_from_the_oldest_template_finds_everything_again(
    tmp_path: Path, emulator_port: int
) -> None:
    old = deploy_oldest(emulator_port, "local")
    secret = _load(emulator_port, old)
    arguments = ["run", "--port", str(emulator_port), "--demo-users", "0", "--detach"]
    done = command(tmp_path, "infra.local", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr

    # The very same tables, bucket, pool, queues, topics and secret; only the address is new.
    assert old.pop("PublicUrl") == "https://example.invalid"
    assert {name: outputs(emulator_port, "local")[name] for name in old} == old
    stack = Stack(tmp_path, emulator_port)
    token = stack.token("admin")
    asked = stack.call("GET", "/v1/customers/cus_old", token=token)
    assert (asked.status, asked.json["company_name"]) == (200, "Clínica Vieja")
    gateway = stack.call("GET", "/v1/ecosystems/eco_old/access", token=stack.token("gateway"))
    assert gateway.json["access"] == "suspended"
    for table in ("AuditTable", "ExportsTable"):
        assert _count(emulator_port, old[table]) == 1
    file = client(emulator_port, "s3").get_object(
        Bucket=old["ExportsBucket"], Key="exports/exp_old/1"
    )
    assert file["Body"].read() == b"a file"
    person = {"UserPoolId": old["UserPoolId"], "Username": "old@example.com"}
    assert client(emulator_port, "cognito-idp").admin_get_user(**person)["Enabled"]
    letters = client(emulator_port, "sqs").receive_message(QueueUrl=old["ProjectionDeadLettersUrl"])
    assert [one["Body"] for one in letters["Messages"]] == ["an old record"]
    assert _secret(emulator_port, old) == secret

    # And what was there before the functions is taken up by them: it is found by a search.
    def found() -> list[str]:
        answer = stack.call("GET", "/v1/customers?q=zoraida", token=token).json
        return [row["id"] for row in answer["data"]]

    assert eventually(found) == ["cus_old"]
