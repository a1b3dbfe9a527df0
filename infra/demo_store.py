"""Demo store users → the table: those that are not there yet; what is there stays as it is."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.users.item import to_item
from chalicelib.users.model import StoreUser

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 100
"""What BatchGetItem and TransactWriteItems take at the most."""


def add_missing(client: "DynamoDBClient", table: str, users: Iterable[StoreUser]) -> int:
    """Add the users whose ids the table does not have; how many they were."""
    added = 0
    for batch in _batches(users):
        keys = [{"id": {"S": user.id}} for user in batch]
        answer = client.batch_get_item(
            RequestItems={table: {"Keys": keys, "ProjectionExpression": "id"}}
        )
        known = {item["id"]["S"] for item in answer["Responses"][table]}
        missing = [user for user in batch if user.id not in known]
        if missing:
            client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": table,
                            "Item": to_item(user),
                            "ConditionExpression": "attribute_not_exists(id)",
                        }
                    }
                    for user in missing
                ]
            )
        added += len(missing)
    return added


def _batches(users: Iterable[StoreUser]) -> Iterator[list[StoreUser]]:
    iterator = iter(users)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
