"""Good rows → the `users` table: conditioned on what was seen there, so that nothing is lost."""

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.users.item import to_item
from infra.load.merge import RowRefusedError, change, update
from infra.load.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_ROWS = 100
"""What one BatchGetItem and one TransactWriteItems take at most."""

_TRANSACTION_BYTES = 3_500_000  # DynamoDB takes 4 MB; a row is measured as JSON, not exactly.
_WAITS_SECONDS = (1, 2, 4, 8, 16, 30)
_PASSING = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_PASSING_REASONS = frozenset(
    {
        "None",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)
_OF_ROWS = frozenset(
    {
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "ValidationException",
    }
)
Item = Mapping[str, Any]


class StoreStoppedError(Exception):
    """The store cannot be used, or not further; the message is one clause for a person."""


@dataclass(slots=True)
class Outcome:
    """What became of rows: how many were what, and which ones were refused, and why."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    access_kept: int = 0
    refused: list[tuple[Row, str]] = field(default_factory=list)


class Store:
    """The `users` table. Its methods raise `StoreStoppedError`; several threads may call them."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Use `client` and wait with `sleep`."""
        self._client = client
        self._table = table
        self._sleep = sleep

    def check(self) -> None:
        """Find out, before anything is written, whether the table can be read."""
        self._read(["probe"])

    def write(self, rows: Sequence[Row], outcome: Outcome) -> None:
        """Store up to `BATCH_ROWS` rows of different ids, and add to `outcome` as it goes."""
        if not rows:
            return
        stored = self._read([row.user.id for row in rows])
        for group in _groups([row for row in rows if row.user.id not in stored]):
            self._create(group, outcome)
        for row in rows:
            item = stored.get(row.user.id)
            if item is not None and not self._settled(row, item, outcome):
                self._settle(row, outcome, attempts=1)

    def _read(self, ids: Sequence[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        keys: list[Any] = [{"id": {"S": one}} for one in ids]
        for _ in self._patiently():
            request = {self._table: {"Keys": keys, "ConsistentRead": True}}
            try:
                answer = self._ask(self._client.batch_get_item, RequestItems=request)
            except ClientError as error:  # This one is not about any row.
                raise _stopped(error) from error
            found |= {item["id"]["S"]: item for item in answer["Responses"].get(self._table, ())}
            keys = list(answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", ()))
            if not keys:
                break
        return found

    def _create(self, rows: Sequence[Row], outcome: Outcome) -> None:
        puts = [{"Put": self._put(row)} for row in rows]
        # The token makes a repetition after a lost answer harmless, for ten minutes.
        token = str(uuid.uuid4())
        try:
            self._ask(
                self._client.transact_write_items, TransactItems=puts, ClientRequestToken=token
            )
        except ClientError:
            for row in rows:
                self._settle(row, outcome, attempts=2)
        else:
            outcome.new += len(rows)

    def _settle(self, row: Row, outcome: Outcome, attempts: int) -> None:
        """Store one row by what is stored now; again, where somebody else was faster."""
        for _ in range(attempts):
            item = self._read([row.user.id]).get(row.user.id)
            if self._settled(row, item, outcome):
                return
        outcome.refused.append((row, "somebody else was changing it: load it again"))

    def _settled(self, row: Row, item: Item | None, outcome: Outcome) -> bool:
        """Whether that is the end of it: stored or refused; not where somebody was faster."""
        try:
            self._write_one(row, item, outcome)
        except RowRefusedError as error:
            outcome.refused.append((row, str(error)))
        except ClientError as error:
            if _code(error) != "ValidationException":
                return False
            reason = error.response["Error"].get("Message", "it gave no reason")
            outcome.refused.append((row, f"the store refuses it: {reason}"))
        return True

    def _write_one(self, row: Row, item: Item | None, outcome: Outcome) -> None:
        if item is None:
            self._ask(self._client.put_item, **self._put(row))
            outcome.new += 1
            return
        wanted = change(row, item)
        if wanted.user is None:
            outcome.unchanged += 1
        else:
            self._ask(self._client.update_item, TableName=self._table, **update(wanted.user, item))
            outcome.changed += 1
        outcome.access_kept += wanted.access_kept

    def _put(self, row: Row) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": to_item(row.user),
            "ConditionExpression": "attribute_not_exists(id)",
        }

    def _ask(self, operation: Callable[..., Any], **request: Any) -> Any:
        """The answer, after waiting where the store is busy.

        Raises `ClientError` only where it concerns the rows that were sent.
        """
        for _ in self._patiently():
            try:
                return operation(**request)
            except ClientError as error:
                _stop_unless_passing(error)
            except BotoCoreError as error:
                message = f"the store could not be reached ({type(error).__name__})"
                raise StoreStoppedError(message) from error
        raise AssertionError  # `_patiently` raises before it ends.

    def _patiently(self) -> Iterator[None]:
        """Come round at once, then after ever longer waits, and give up."""
        yield
        for most in _WAITS_SECONDS:
            # Random, so that those who were refused together do not come back together:
            # https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
            self._sleep(random.uniform(most / 2, most))  # noqa: S311 - no secret
            yield
        message = f"the store was too busy for {sum(_WAITS_SECONDS)} seconds"
        raise StoreStoppedError(message)


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _stop_unless_passing(error: ClientError) -> None:
    """Return where trying again may help; raise where the rows, or all rows, are refused."""
    reasons = error.response.get("CancellationReasons", ())
    if reasons and {reason.get("Code", "None") for reason in reasons} <= _PASSING_REASONS:
        return
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if _code(error) in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    raise error if _code(error) in _OF_ROWS else _stopped(error)


def _stopped(error: ClientError) -> StoreStoppedError:
    code = _code(error)
    if code == "ResourceNotFoundException":
        return StoreStoppedError("the store has no such table")
    # What does not validate is repeated in the message, and may be personal.
    message = "" if code in _OF_ROWS else error.response["Error"].get("Message", "")
    return StoreStoppedError(f"the store answered {code}: {message}".rstrip(": "))


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows in groups that one transaction takes."""
    group: list[Row] = []
    size = 0
    for row in rows:
        length = len(json.dumps(to_item(row.user)))
        if group and (len(group) == BATCH_ROWS or size + length > _TRANSACTION_BYTES):
            yield group
            group, size = [], 0
        group.append(row)
        size += length
    if group:
        yield group
