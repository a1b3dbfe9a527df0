"""The stream of the table of users, followed by its function as on AWS: in batches, in order."""

from typing import Any

from chalicelib.triggers.stream import stream
from chalicelib.users.derived import Derived
from chalicelib.users.item import to_item
from chalicelib.users.model import StoreUser
from tests.builders import RawItem, client
from tests.feed import Feed, Record


def follow(feed: Feed, batch: int = 100) -> int:
    """Have the function take all records there are, what it writes included; how many."""
    taken = 0
    while records := feed.records()[feed.position : feed.position + batch]:
        feed.position += len(records)
        taken += len(records)
        invoke(records)
        assert taken < 1_000, "the projection keeps itself busy"
    return taken


def invoke(records: list[Record]) -> dict[str, int]:
    """One invocation of the function; what it answers."""
    answer: dict[str, int] = stream({"Records": records}, None)
    return answer


def items(table: str) -> list[RawItem]:
    """Everything in a table."""
    found: list[RawItem] = []
    arguments: dict[str, Any] = {"TableName": table}
    while True:
        answer: Any = client().scan(**arguments)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def entries() -> set[tuple[str, str, str]]:
    """The search index: bucket, entry, words."""
    return {(one["bucket"]["S"], one["entry"]["S"], one["h"]["S"]) for one in items("search")}


def counters() -> dict[tuple[str, str], dict[str, int]]:
    """The counters that are not at zero, by list and bucket."""
    found = {}
    for item in items("totals"):
        numbers = {name: int(value["N"]) for name, value in item.items() if "N" in value}
        if "n" in numbers and any(numbers.values()):
            kept = {name: number for name, number in numbers.items() if number}
            found[item["list"]["S"], item["bucket"]["S"]] = kept
    return found


def empty(*tables: str) -> None:
    """Delete everything: between the examples of a property."""
    keys = {
        "users": ("id",),
        "ecosystems": ("id",),
        "search": ("bucket", "entry"),
        "totals": ("list", "bucket"),
        "audit": ("subject", "entry"),
    }
    for table in tables:
        for item in items(table):
            key = {name: item[name] for name in keys.get(table, ("id",))}
            client().delete_item(TableName=table, Key=key)


def entries_of(*users: StoreUser) -> set[tuple[str, str, str]]:
    """The entries that these users are to have."""
    found = set()
    for user in users:
        document = Derived.of(to_item(user)).document
        assert document
        found |= {(*key, document.words) for key in document.entries(user.id)}
    return found


def numbers() -> dict[tuple[str, str], int]:
    """The counters alone, without the finer ones beside them."""
    return {key: numbers["n"] for key, numbers in counters().items() if "n" in numbers}
