"""A table of customers alone, as exports read it, its counters, and the settings to read it."""

import os
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

import boto3

from bench import exported
from bench.tables import counter_items, parts, put_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 25
_WRITERS = 4

_Number = tuple[str, str, str]


def configure(s3_endpoint: str) -> None:
    """Set the environment: the engine is that of `BENCH_ENDPOINT`, the bucket at the address."""
    from chalicelib.settings import Settings

    needed = {
        name: name.lower() for name, default in Settings.variables().items() if default is None
    }
    os.environ.update(needed, AWS_REGION="us-east-1", USERS_TABLE="users", TOTALS_TABLE="totals")
    os.environ.update(GROUP_ROLES="{}", S3_ADDRESSING_STYLE="path", AWS_ENDPOINT_URL_S3=s3_endpoint)
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = os.environ.get("BENCH_ENDPOINT", "")


def fill(endpoint: str, rows: int) -> None:
    """Tables like the real ones, as far as reading goes, with so many customers in them.

    An engine that has as many from before (`BENCH_ENDPOINT`) keeps them; others are deleted.
    """
    from chalicelib.users.derived import Derived
    from chalicelib.users.item import to_item
    from chalicelib.users.tables import ROW_ATTRIBUTES

    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=endpoint)
    if _has(client, rows):
        return
    for table in ("users", "totals"):
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_table(TableName=table)
    _create_table(client, [one for one in ROW_ATTRIBUTES if one != "registered_at"])
    _create_totals(client)
    users, tally, turn = map(to_item, exported.customers(rows)), Tally[_Number](), Lock()

    def write(_: int) -> None:
        with turn:
            batch = list(islice(users, _BATCH))
            for item in batch:
                for counter in Derived.of(item).counters():
                    tally.update(parts(counter))
        put_all(client, "users", batch)

    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(write, range(0, rows, _BATCH)))
    put_all(client, "totals", list(counter_items(tally)))


def _has(client: "DynamoDBClient", rows: int) -> bool:
    with suppress(client.exceptions.ResourceNotFoundException):
        return client.describe_table(TableName="users")["Table"]["ItemCount"] == rows
    return False


def _create_totals(client: "DynamoDBClient") -> None:
    client.create_table(
        TableName="totals",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "list", "KeyType": "HASH"},
            {"AttributeName": "bucket", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("list", "bucket")
        ],
    )


def _create_table(client: "DynamoDBClient", carried: list[str]) -> None:
    client.create_table(
        TableName="users",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("id", "kind", "registered_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_registered",
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "registered_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": carried},
            }
        ],
    )
