"""The stream of the table of users, as Lambda gets it."""

import json
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard

from chalicelib.errors import StoreUnavailableError
from chalicelib.users import projection
from tests.builders import RawItem, client

Record = dict[str, Any]


def record(before: RawItem | None, after: RawItem | None) -> Record:
    """What the stream tells of one write."""
    images = {"OldImage": before, "NewImage": after}
    return {"dynamodb": {name: image for name, image in images.items() if image is not None}}


class Feed:
    """Every write to the table from now on, by anyone; `drain` has the projection follow."""

    def __init__(self) -> None:
        table = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables["users"]
        if table.stream_shard is None:
            specification: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
            client().update_table(TableName="users", StreamSpecification=specification)
        _shard().items.clear()
        self._records: list[Record] = []
        self.position = 0

    def records(self) -> list[Record]:
        """All of them; a write that changes nothing makes none.

        They are taken out of moto's table, which moto copies for each transaction.
        """
        images = [one.to_json()["dynamodb"] for one in _shard().items]
        _shard().items.clear()
        told = [record(one.get("OldImage"), one.get("NewImage")) for one in images]
        changed = [one for one in told if one["dynamodb"].get("OldImage") != _after(one)]
        self._records += json.loads(json.dumps(changed))
        return list(self._records)

    def step(self) -> bool:
        """Apply the next record, if there is one."""
        records = self.records()
        if self.position == len(records):
            return False
        self.position += 1
        try:
            projection.apply(records[self.position - 1])
        except StoreUnavailableError:
            self.position -= 1  # Lambda delivers it again.
            raise
        return True

    def drain(self, at_most: int = 50) -> int:
        """Apply until nothing is left, what the projection itself writes included; how many."""
        applied = 0
        while self.step():
            applied += 1
            assert applied <= at_most, "the projection keeps itself busy"
        return applied

    def drain_past_poison(self) -> int:
        """Apply until nothing is left, past records that make no sense; how many these are."""
        for poisoned in range(20):
            try:
                self.drain()
            except ValueError:
                continue
            return poisoned
        message = "the projection keeps itself busy"
        raise AssertionError(message)


def _shard() -> StreamShard:
    """Asked for anew each time: a transaction that moto takes back exchanges the whole table."""
    shard = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables["users"].stream_shard
    assert shard
    return shard


def _after(one: Record) -> RawItem | None:
    after: RawItem | None = one["dynamodb"].get("NewImage")
    return after
