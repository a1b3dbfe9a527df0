"""Today's template against the oldest that is supported: what AWS would make anew, or refuse.

The emulator would not refuse it; test_upgrade.py deploys the one over the other there.
"""

from typing import Any

import pytest
import yaml

from infra import package
from infra.package import TEMPLATE
from tests.e2e.deployments import oldest_template

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


def _today() -> dict[str, Any]:
    resources: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())["Resources"]
    return resources


def _indexes(resource: dict[str, Any]) -> dict[str, Any]:
    listed = resource.get("Properties", {}).get("GlobalSecondaryIndexes", ())
    return {one["IndexName"]: one for one in listed}


def test_nothing_that_holds_something_has_to_be_made_anew() -> None:
    today = _today()
    held = 0
    for name, before in oldest_template()["Resources"].items():
        if names := REPLACING.get(before["Type"]):
            held += 1
            assert today[name]["Type"] == before["Type"]
            for one in names:
                now = today[name]["Properties"].get(one)
                assert now == before["Properties"].get(one), f"{name}.{one}"
    assert held >= 15


def test_an_index_that_is_there_stays_as_it_is() -> None:
    """Another key or projection under the same name is an index that is deleted first."""
    today = _today()
    for name, before in oldest_template()["Resources"].items():
        for index, definition in _indexes(before).items():
            assert _indexes(today[name])[index] == definition


def test_an_update_makes_one_index_of_a_table_at_the_most() -> None:
    """DynamoDB refuses a second one in the same update.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
    """
    today, old = _today(), oldest_template()["Resources"]
    made = {name: _indexes(today[name]).keys() - _indexes(before) for name, before in old.items()}
    assert {name: set(new) for name, new in made.items() if new} == {"UsersTable": {"by_segment"}}


def test_nothing_that_was_there_is_taken_away() -> None:
    """Not a resource, nor an output that somebody's own tools may read, nor a parameter."""
    today, old = yaml.safe_load(TEMPLATE.read_text()), oldest_template()
    for part in ("Resources", "Outputs", "Parameters"):
        assert old[part].keys() <= today[part].keys()


def test_data_outlives_the_template_that_made_it() -> None:
    """But not a creation that fails: it has none then, and would only be in the way."""
    for name, resource in _today().items():
        if resource["Type"] in DATA and name not in DERIVED:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (
                "RetainExceptOnCreate",
                "Retain",
            ), name
