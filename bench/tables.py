"""The tables of the real template on an engine of the bench, filled, and the code pointed there."""

import json
import os
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import boto3
import yaml
from botocore.config import Config
from pynamodb.models import Model

from chalicelib import keys
from chalicelib.dynamodb import connection
from chalicelib.keys import Key
from chalicelib.settings import Settings, settings
from chalicelib.users.counting import state_key
from chalicelib.users.derived import Derived, State
from chalicelib.users.entries import Document
from chalicelib.users.item import to_item
from chalicelib.users.model import StoreUser
from chalicelib.users.tables import store
from chalicelib.users.totals import Counter
from infra.package import ROOT

_LOGICAL = {
    "users": "UsersTable",
    "ecosystems": "EcosystemsTable",
    "search": "SearchTable",
    "totals": "TotalsTable",
    "audit": "AuditTable",
    "exports": "ExportsTable",
}
_WRITERS = 4

Item = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as text: they play no part in the tables."""


_Loader.add_multi_constructor("!", lambda _loader, _tag, node: str(node.value))


@dataclass(slots=True)
class Meter:
    """What was asked of DynamoDB: operations with their read or write units, in order.

    Of a transaction there is one for each item; `requests` counts it as one.
    """

    calls: list[tuple[str, str, float, int]]
    requests: int = 0

    def units(self, *operations: str, table: str | None = None) -> float:
        """The units of these operations, on that table."""
        return sum(
            units
            for operation, where, units, _ in self.calls
            if operation in operations and table in (None, where)
        )

    def rows(self) -> int:
        """Rows evaluated by Queries."""
        return sum(rows for operation, *_, rows in self.calls if operation == "Query")


def point_code_at(endpoint: str) -> None:
    """Have the code under measurement talk to the engine at `endpoint`."""
    needed = [name for name, default in Settings.variables().items() if default is None]
    os.environ.update(dict.fromkeys(needed, "unused"))
    os.environ.update({f"{name.upper()}_TABLE": name for name in _LOGICAL})
    os.environ.update(
        AWS_ENDPOINT_URL=endpoint,
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        GROUP_ROLES=json.dumps({"admin": "admin"}),
        # A caller stands for many people, each of whom may read and have exports running.
        MAX_RUNNING_EXPORTS="100",
        PERSON_UNITS_PER_MINUTE="1000000",
        PERSON_ROWS_PER_MINUTE="1000000",
    )
    settings.cache_clear()
    connection.cache_clear()
    store.cache_clear()
    # DynamoDB Local has no Secrets Manager, and cursors need a key.
    key = Key("bench000", b"bench")
    keys.key_ring.cache_clear()
    ring = keys.key_ring()
    ring._keys, ring._fetched_at = [key], float("inf")  # noqa: SLF001 - a ring with a key in it


def create(endpoint: str, names: Iterable[str] = tuple(_LOGICAL)) -> None:
    """Create the tables anew, as the template declares them."""
    client: Any = _client(endpoint)
    text = (ROOT / "infra" / "resources.yaml").read_text()
    resources = yaml.load(text, Loader=_Loader)["Resources"]  # noqa: S506 - a safe loader
    taken = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    there = client.list_tables()["TableNames"]
    for name in names:
        if name in there:
            client.delete_table(TableName=name)
        properties = resources[_LOGICAL[name]]["Properties"]
        wanted = {key: properties[key] for key in taken if key in properties}
        client.create_table(TableName=name, **wanted)


def fill(endpoint: str, users: Iterable[StoreUser], buckets: frozenset[str]) -> None:
    """Write the users and what is derived of them, in bulk, by the code's own functions.

    Of the search entries only those that lie in `buckets`, such as `ma`: the others play no part
    in what is measured, and would take ten times as long.
    """
    client, tally = _client(endpoint), Tally[tuple[str, str, str]]()
    with ThreadPoolExecutor(_WRITERS) as pool:
        iterator = iter(users)
        while batch := list(islice(iterator, 500)):
            rows: dict[str, list[Item]] = {"users": [], "search": [], "totals": []}
            for user in batch:
                _derive(user, rows, tally, buckets)
            for table, items in rows.items():
                chunks = [items[at : at + 25] for at in range(0, len(items), 25)]
                list(pool.map(lambda chunk, table=table: _put(client, table, chunk), chunks))
    put_all(client, "totals", list(counter_items(tally)))


def derived_rows(user: StoreUser) -> Iterator[tuple[str, str, str]]:
    """The search entries of the user: bucket, entry, words."""
    document = Document.of(user)
    for bucket, entry in document.entries(user.id):
        yield bucket, entry, document.words


@contextmanager
def metered(*clients: Any) -> Iterator[Meter]:
    """Note what is asked of DynamoDB meanwhile through the clients; through the code's, if none."""
    meter = Meter([])
    hooks = [client.meta.events for client in clients or (store().client,)]

    def note_transaction(params: Any, **_: Any) -> None:
        """Two units an item of up to 1 kB: DynamoDB Local says two, however many there are."""
        for write in params["TransactItems"]:
            table = next(iter(write.values()))["TableName"]
            meter.calls.append(("TransactWriteItems", table, 2.0, 0))

    def note(parsed: Any, model: Any, **_: Any) -> None:
        meter.requests += 1
        if model.name == "TransactWriteItems":
            return
        consumed = parsed.get("ConsumedCapacity") or []
        for one in consumed if isinstance(consumed, list) else [consumed]:
            call = (model.name, one["TableName"], one["CapacityUnits"], parsed.get("ScannedCount"))
            meter.calls.append((*call[:3], call[3] or 0))

    transaction = "provide-client-params.dynamodb.TransactWriteItems"
    for events in hooks:
        events.register("after-call.dynamodb", note)
        events.register(transaction, note_transaction)
    try:
        yield meter
    finally:
        for events in hooks:
            events.unregister("after-call.dynamodb", note)
            events.unregister(transaction, note_transaction)


def client_of(model: type[Model]) -> Any:
    """The client of a model that has a connection of its own, as PynamoDB makes them."""
    return model._get_connection().connection.client  # noqa: SLF001 - it has no public way


def _client(endpoint: str) -> Any:
    config = Config(max_pool_connections=16, retries={"total_max_attempts": 5, "mode": "standard"})
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1", config=config)


def _derive(
    user: StoreUser,
    rows: dict[str, list[Item]],
    tally: Tally[tuple[str, str, str]],
    buckets: frozenset[str],
) -> None:
    item = to_item(user)
    rows["users"].append(item)
    derived = Derived.of(item)
    rows["totals"].append({**state_key(user.id), **State(1, derived).to_item()})
    for bucket, entry, words in derived_rows(user):
        if bucket[-2:] in buckets:
            row = {"bucket": {"S": bucket}, "entry": {"S": entry}, "h": {"S": words}}
            rows["search"].append(row)
    for counter in derived.counters():
        tally.update(parts(counter))


def parts(counter: Counter) -> Iterator[tuple[str, str, str]]:
    """List, bucket and attribute of each number that counts a user."""
    yield counter.list, counter.bucket, "n"
    if counter.part is not None:
        yield counter.list, counter.bucket, counter.part


def counter_items(tally: Tally[tuple[str, str, str]]) -> Iterator[Item]:
    """The items of the `totals` table that hold the numbers."""
    items: dict[tuple[str, str], Item] = {}
    for (name, bucket, part), number in tally.items():
        item = items.setdefault((name, bucket), {"list": {"S": name}, "bucket": {"S": bucket}})
        item[part] = {"N": str(number)}
    yield from items.values()


def put_all(client: Any, table: str, items: Sequence[Item]) -> None:
    """Write the items, whatever order they end up in."""
    for at in range(0, len(items), 25):
        _put(client, table, items[at : at + 25])


def _put(client: Any, table: str, items: Sequence[Item]) -> None:
    wanted: Any = {table: [{"PutRequest": {"Item": item}} for item in items]}
    while wanted:
        wanted = client.batch_write_item(RequestItems=wanted).get("UnprocessedItems")
