"""What the tests of loading share: a users table, and a folder with a file to load."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from infra.load import table as load_table
from tests.storage.load.builders import ENDPOINT, REGION


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A client that asks once; the table is empty, and .local/stack.json names it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    stack = tmp_path / "stack.json"
    stack.write_text(
        json.dumps({"endpoint": ENDPOINT, "region": REGION, "tables": {"users": "users"}})
    )
    monkeypatch.setattr(load_table, "STACK_FILE", stack)
    with mock_aws():
        client = boto3.client(
            "dynamodb",
            region_name=REGION,
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )
        client.create_table(
            TableName="users",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: what is printed names the files as the command does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
