"""What is waited for while a stage is removed."""

import boto3
import pytest
from botocore.stub import Stubber

from infra.remains import Remains, destroy
from infra.target import Target


def test_the_stack_is_deleted_only_when_its_tables_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stack deletes search and totals itself: DynamoDB refuses that while they are going."""
    keys = {"aws_access_key_id": "", "aws_secret_access_key": ""}
    services = ("dynamodb", "cloudformation", "cognito-idp")
    clients = {one: boto3.client(one, "us-east-1", **keys) for one in services}  # type: ignore[call-overload]
    monkeypatch.setattr(Target, "client", lambda _, service: clients[service])
    monkeypatch.setattr("time.sleep", lambda _: None)
    named = {"TableName": "search"}
    with Stubber(clients["dynamodb"]) as tables, Stubber(clients["cloudformation"]) as stacks:
        tables.add_response("describe_table", {"Table": {"DeletionProtectionEnabled": False}})
        tables.add_response("delete_table", {}, named)
        tables.add_response("describe_table", {"Table": {"TableStatus": "DELETING"}}, named)
        tables.add_client_error("describe_table", "ResourceNotFoundException")
        stacks.add_client_error("delete_stack", "Reached")
        with pytest.raises(clients["cloudformation"].exceptions.ClientError, match="Reached"):
            destroy(Target("staging", "us-east-1"), Remains(["search"], [], [], "UPDATE_COMPLETE"))
        tables.assert_no_pending_responses()
