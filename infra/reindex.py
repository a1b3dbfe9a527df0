"""Make search entries and totals anew, while writes go on: `make reindex`.

Every store user is touched with a mark, so that they come through the stream like any other
change; then what is derived of each is waited for until it carries the mark. What is derived of
users who are there no more is removed, and ecosystems that their customers have left are released.

Exit status: 0 everything is derived anew, 1 some users did not follow in time, 2 it stopped.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError
from tqdm import tqdm

from chalicelib.users.counting import state_key
from chalicelib.users.derived import REINDEX_MARK
from chalicelib.users.item import from_item
from chalicelib.users.tables import NO_OWNER
from infra.derivation import Derivation, of_stage
from infra.stage import StageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ_AT_ONCE = 100
_PATIENCE_SECONDS = 120
"""How long nobody may follow before it is given up."""

Advance = Callable[[int], object]


class Reindexing:
    """One run: its mark, and how far it is."""

    def __init__(self, derivation: Derivation) -> None:
        """Name the run by the present instant."""
        self._derivation = derivation
        self._client: DynamoDBClient = derivation.dynamodb
        self._mark = datetime.now(UTC).isoformat()

    def touch(self, advance: Advance) -> int:
        """Mark every user; how many there are. One who is deleted meanwhile stays so."""
        touched = 0
        for user_id in self._user_ids():
            touched += self._touch(user_id)
            advance(1)
        return touched

    def wait(self, advance: Advance) -> int:
        """Wait until what is derived of every user carries the mark; how many do not."""
        missing, users = 0, self._user_ids()
        while ids := list(islice(users, _READ_AT_ONCE)):
            left, deadline = ids, time.monotonic() + _PATIENCE_SECONDS
            while left and time.monotonic() < deadline:
                behind = self._behind(left)
                if len(behind) < len(left):
                    deadline = time.monotonic() + _PATIENCE_SECONDS
                    advance(len(left) - len(behind))
                left = behind
                if left:
                    time.sleep(0.2)
            missing += len(left)
        return missing

    def sweep(self) -> int:
        """Remove what is derived of users and ecosystems that are gone; how many they were."""
        return self._sweep_users() + self._sweep_ecosystems()

    def _sweep_users(self) -> int:
        states = self._scan(
            self._derivation.totals_table,
            FilterExpression="begins_with(#list, :user)",
            ProjectionExpression="#list",
            ExpressionAttributeNames={"#list": "list"},
            ExpressionAttributeValues={":user": {"S": "user#"}},
        )
        swept = 0
        ids = (item["list"]["S"].removeprefix("user#") for item in states)
        while batch := list(islice(ids, _READ_AT_ONCE)):
            there = self._read(self._derivation.users_table, [_user_key(one) for one in batch])
            known = {item["id"]["S"] for item in there}
            gone = [one for one in batch if one not in known]
            if gone:
                self._derivation.apply([{"dynamodb": {"Keys": _user_key(one)}} for one in gone])
            swept += len(gone)
        return swept

    def _sweep_ecosystems(self) -> int:
        """Release the ecosystems that gateways know of customers who have left them."""
        records = self._scan(
            self._derivation.ecosystems_table,
            FilterExpression="attribute_exists(customer_id) AND customer_id <> :none",
            ExpressionAttributeValues={":none": {"S": NO_OWNER}},
        )
        swept = 0
        while batch := list(islice(records, _READ_AT_ONCE)):
            owners = dict.fromkeys(one["customer_id"]["S"] for one in batch)
            users = self._read(self._derivation.users_table, [_user_key(one) for one in owners])
            known = {item["id"]["S"]: item for item in users}
            left = [one for one in batch if not _has(known.get(one["customer_id"]["S"]), one)]
            if left:
                self._derivation.apply([_departure(one) for one in left])
            swept += len(left)
        return swept

    def _touch(self, user_id: str) -> bool:
        try:
            self._client.update_item(
                TableName=self._derivation.users_table,
                Key=_user_key(user_id),
                UpdateExpression="SET #mark = :mark",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeNames={"#mark": REINDEX_MARK},
                ExpressionAttributeValues={":mark": {"S": self._mark}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _behind(self, user_ids: list[str]) -> list[str]:
        """Those of the users whose derived data does not carry the mark yet, but they do."""
        names = self._derivation
        states = self._read(names.totals_table, [state_key(one) for one in user_ids])
        # While entries are being written the mark is there already, and a lease beside it.
        done = {
            item["list"]["S"].removeprefix("user#")
            for item in states
            if item.get("mark") == {"S": self._mark} and "lease_until" not in item
        }
        left = [one for one in user_ids if one not in done]
        # A writer may have replaced the whole item, mark and all: then it is derived by that.
        users = self._read(names.users_table, [_user_key(one) for one in left]) if left else []
        marked = {item["id"]["S"] for item in users if item.get(REINDEX_MARK) == {"S": self._mark}}
        return [one for one in left if one in marked]

    def _user_ids(self) -> Iterator[str]:
        scanned = self._scan(self._derivation.users_table, ProjectionExpression="id")
        return (item["id"]["S"] for item in scanned)

    def _scan(self, table: str, **how: Any) -> Iterator[Any]:
        for page in self._client.get_paginator("scan").paginate(TableName=table, **how):
            yield from page["Items"]

    def _read(self, table: str, keys: Sequence[Any]) -> list[Any]:
        wanted: Any = {table: {"Keys": list(keys), "ConsistentRead": True}}
        found: list[Any] = []
        while wanted:
            answer = self._client.batch_get_item(RequestItems=wanted)
            found += answer["Responses"].get(table, [])
            wanted = answer.get("UnprocessedKeys")
        return found


def _user_key(user_id: str) -> dict[str, Any]:
    return {"id": {"S": user_id}}


def _has(user: Any, record: Any) -> bool:
    """Return True if the ecosystem is the user's; also if the user makes no sense: that is told."""
    try:
        return user is not None and from_item(user).has_ecosystem(record["id"]["S"])
    except ValueError:
        return True


def _departure(record: Any) -> dict[str, Any]:
    """Return a record of the stream that tells that its customer has left the ecosystem."""
    image = {"ecosystem": {"M": {"id": record["id"]}}}
    return {"dynamodb": {"Keys": {"id": record["customer_id"]}, "OldImage": image}}


def _bar(what: str, total: int | None) -> "tqdm[Never]":
    return tqdm(desc=what, total=total, unit=" users", disable=None, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.reindex", description=__doc__)
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    stage = parser.parse_args(arguments).stage
    try:
        run = Reindexing(of_stage(stage))
        with _bar("touched", None) as bar:
            touched = run.touch(bar.update)
        with _bar("derived", touched) as bar:
            missing = run.wait(bar.update)
        swept = run.sweep()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Running it again begins anew and does no harm.\n")
        return 130
    except (StageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It stopped: {error}. Running it again begins anew and does no harm.\n")
        return 2
    sys.stdout.write(f"{touched - missing} of {touched} users derived anew; {swept} swept away.\n")
    if missing:
        sys.stderr.write(
            "The others did not follow: see the dead letters (make replay) and logs.\n"
        )
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
