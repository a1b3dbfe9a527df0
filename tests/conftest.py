"""What tests share: an AWS in this process (moto) with the tables of the real template."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
import yaml
from botocore.loaders import JSONFileLoader
from moto import mock_aws

from chalicelib import aws, dynamodb, keys
from chalicelib.settings import settings
from chalicelib.users import blocks, reading, tables
from infra.package import ROOT
from tests.privacy import watching

REGION = "us-east-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "STAGE": "test",
    "USERS_TABLE": "users",
    "ECOSYSTEMS_TABLE": "ecosystems",
    "SEARCH_TABLE": "search",
    "TOTALS_TABLE": "totals",
    "AUDIT_TABLE": "audit",
    "EXPORTS_TABLE": "exports",
    "EXPORTS_BUCKET": "exports-bucket",
    "EXPORTS_QUEUE_URL": "set by the fixture `cloud`",
    "PROJECTION_DEAD_LETTERS_URL": "set by the fixture `cloud`",
    "MARKETING_TOPIC_ARN": "set by the fixture `cloud`",
    "ALARM_TOPIC_ARN": "set by the fixture `cloud`",
    "SIGNING_SECRET_ID": "signing",
    "TOKEN_ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test",
    "TOKEN_KEYS_URL": "http://127.0.0.1:9/set-by-the-fixture-pool",
    "PAGE_CLIENT_ID": "page-client",
    "GATEWAY_CLIENT_ID": "gateway-client",
    "GATEWAY_SCOPE": "store-users/gateway",
    "GROUP_ROLES": json.dumps({role: role for role in ("viewer", "support", "marketing", "admin")}),
    "PUBLIC_URL": "https://store-users.example/api",
}
_TABLES = {
    "UsersTable": "users",
    "EcosystemsTable": "ecosystems",
    "SearchTable": "search",
    "TotalsTable": "totals",
    "AuditTable": "audit",
    "ExportsTable": "exports",
}


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values: they play no part in the tables."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, _tag, node: str(node.value))


@cache
def template_resources() -> dict[str, Any]:
    """The resources of infra/resources.yaml, intrinsic functions aside."""
    resources: dict[str, Any] = _template()["Resources"]
    return resources


def template_parameter(name: str) -> dict[str, Any]:
    """A parameter of infra/resources.yaml, as it is declared."""
    declared: dict[str, Any] = _template()["Parameters"][name]
    return declared


def _template() -> dict[str, Any]:
    text = (ROOT / "infra" / "resources.yaml").read_text()
    template: dict[str, Any] = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506
    return template


def forget_clients() -> None:
    """Make the next use read the environment again and connect anew."""
    settings.cache_clear()
    dynamodb.connection.cache_clear()
    tables.store.cache_clear()
    keys.key_ring.cache_clear()
    blocks.forget()
    reading.forget()
    for client in (aws.s3, aws.sqs, aws.sns, aws.secrets_manager):
        client.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _service_descriptions_are_read_once() -> Iterator[None]:
    """Every new client would parse megabytes of JSON again: half of the time of a test."""
    read = JSONFileLoader.load_file
    known: dict[str, Any] = {}

    def load_file(self: JSONFileLoader, file_path: str) -> Any:
        if file_path not in known:
            known[file_path] = read(self, file_path)
        return known[file_path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", load_file)
        yield


@pytest.fixture(autouse=True)
def _nothing_personal_is_logged() -> Iterator[None]:
    """Whatever a test is about: what it logs tells nothing of the people in it."""
    with watching() as watch:
        yield
    assert watch.leaks() == []


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS in this process: tables, bucket, queues, topic and secret."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    forget_clients()
    with mock_aws():
        create_tables()
        _create_rest(monkeypatch)
        yield
    forget_clients()


def create_tables() -> None:
    """Create the tables of the template, where boto3 finds AWS."""
    client = boto3.client("dynamodb", region_name=REGION)
    resources = template_resources()
    for logical_id, name in _TABLES.items():
        properties = resources[logical_id]["Properties"]
        taken = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        wanted = {key: properties[key] for key in taken if key in properties}
        client.create_table(TableName=name, **wanted)


def _create_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="exports-bucket")
    sqs = boto3.client("sqs", region_name=REGION)
    for variable, name in (
        ("EXPORTS_QUEUE_URL", "exports"),
        ("PROJECTION_DEAD_LETTERS_URL", "projection-dead-letters"),
    ):
        monkeypatch.setenv(variable, sqs.create_queue(QueueName=name)["QueueUrl"])
    sns = boto3.client("sns", region_name=REGION)
    for variable, name in (("MARKETING_TOPIC_ARN", "marketing"), ("ALARM_TOPIC_ARN", "alarms")):
        monkeypatch.setenv(variable, sns.create_topic(Name=name)["TopicArn"])
    secrets = boto3.client("secretsmanager", region_name=REGION)
    secrets.create_secret(Name="signing", SecretString="a secret of the tests")
