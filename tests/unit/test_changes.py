"""Which change of a change set would take data away: what the emulator tells otherwise than AWS."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from infra.changes import QUIET, Change
from infra.target import Target
from tests.conftest import REGION

KEY, OTHER = (
    {"AttributeName": "id", "AttributeType": "S"},
    {"AttributeName": "plan", "AttributeType": "S"},
)


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """An account with a table `users` of the key `id`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        found = Target("prod", REGION)
        found.client("dynamodb").create_table(
            TableName="users",
            AttributeDefinitions=[KEY],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield found


def test_a_bucket_is_replaced_only_where_its_name_is(target: Target) -> None:
    """The emulator says "Conditionally" of each property of a bucket."""
    change = Change(target, {}, "", {}, QUIET)
    rules = {"Name": "LifecycleConfiguration", "RequiresRecreation": "Conditionally"}
    name = {"Name": "BucketName", "RequiresRecreation": "Always"}
    bucket = {
        "Action": "Modify",
        "ResourceType": "AWS::S3::Bucket",
        "LogicalResourceId": "ExportsBucket",
        "Replacement": "Conditional",
    }
    assert not change.loses_data({**bucket, "Details": [{"Target": rules}]})
    assert change.loses_data({**bucket, "Details": [{"Target": rules}, {"Target": name}]})


def _loses_data(target: Target, attributes: list[Any], *names: str) -> bool:
    """A change that may replace the table, as CloudFormation tells it, by these properties."""
    template = {"Resources": {"Users": {"Properties": {"AttributeDefinitions": attributes}}}}
    details = [
        {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Conditionally"}}
        for name in names
    ]
    never = {"Attribute": "Properties", "Name": "BillingMode", "RequiresRecreation": "Never"}
    return Change(target, template, "", {}, QUIET).loses_data(
        {
            "Action": "Modify",
            "ResourceType": "AWS::DynamoDB::Table",
            "LogicalResourceId": "Users",
            "PhysicalResourceId": "users",
            "Replacement": "Conditional",
            "Details": [*details, {"Target": never}],
        }
    )


def test_a_table_with_another_attribute_keeps_its_data(target: Target) -> None:
    """CloudFormation says of each new index that the table may be replaced."""
    assert not _loses_data(target, [KEY, OTHER], "AttributeDefinitions")


def test_a_table_whose_key_has_another_type_is_replaced(target: Target) -> None:
    assert _loses_data(target, [{**KEY, "AttributeType": "N"}], "AttributeDefinitions")


def test_any_other_property_that_may_replace_a_table_is_taken_to(target: Target) -> None:
    assert _loses_data(target, [KEY], "KeySchema")
    assert _loses_data(target, [KEY, OTHER], "AttributeDefinitions", "KeySchema")
