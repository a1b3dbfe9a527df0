"""The one connection to DynamoDB: retries, errors in our words, and what each request cost."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, TypeAlias

import orjson
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory
from botocore.session import Session
from pynamodb.connection import Connection as PynamoConnection
from pynamodb.connection.base import MetaTable
from pynamodb.exceptions import VerboseClientError
from pynamodb.models import Model

from chalicelib import aws_errors
from chalicelib.errors import StoreRefusedError
from chalicelib.settings import settings

# An item as DynamoDB writes it: attribute name → {type: value}.
Item: TypeAlias = Mapping[str, Mapping[str, Any]]

_SERVICE = "dynamodb"


class ConditionFailedError(Exception):
    """The condition of a single write did not hold; `item` is what is stored, where asked for."""

    def __init__(self, item: Item | None) -> None:
        """Keep the item that is stored."""
        super().__init__("the condition of a write did not hold")
        self.item = item


class TransactionCanceledError(Exception):
    """A transaction was cancelled because of a condition; `codes` has one code a write."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        """Keep the codes, in the order of the writes: `None`, `ConditionalCheckFailed`, …."""
        super().__init__("a transaction was cancelled")
        self.codes = codes


@dataclass(slots=True)
class Usage:
    """What was asked of DynamoDB: requests, and capacity units (read and write together)."""

    dynamodb_requests: int = 0
    capacity_units: float = 0.0


_counting = Lock()
_usage: ContextVar[Usage | None] = ContextVar("usage", default=None)


def start_usage() -> Usage:
    """Begin to count for this invocation; the object returned goes on counting."""
    usage = Usage()
    _usage.set(usage)
    return usage


class _Parser(JSONParser):
    """botocore's parser, but for queries: it walks every value, which takes six times as long.

    What it would change is binary values alone, and no table of ours holds any.
    """

    def _do_parse(self, response: Any, shape: Any) -> Any:
        if shape is None or shape.name != "QueryOutput":
            return super()._do_parse(response, shape)  # type: ignore[misc] # not in its stubs
        try:
            parsed = orjson.loads(response["body"])
        except orjson.JSONDecodeError as error:
            raise HTTPClientError(error=error) from error
        self._inject_response_metadata(parsed, response["headers"])  # type: ignore[attr-defined]
        return parsed


class _ParserFactory(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> ResponseParser:
        if protocol_name == "json":
            return _Parser(**self._defaults)  # type: ignore[attr-defined] # not in its stubs
        return super().create_parser(protocol_name)


class Connection(PynamoConnection):
    """PynamoDB's connection with its gaps closed.

    Errors are translated once, capacity is counted, queries are parsed fast.
    """

    @property
    def session(self) -> Session:
        """The session that makes the client."""
        session: Session = super().session
        session.register_component("response_parser_factory", _ParserFactory())
        return session

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Send the request. Raises what `_translated` says, or botocore's error for a bug."""
        try:
            answer: dict[str, Any] = super().dispatch(operation_name, operation_kwargs)
        except (ClientError, BotoCoreError) as error:
            translated = _translated(error)
            if translated is None:
                raise
            raise translated from error
        _count(answer.get("ConsumedCapacity"))
        return answer


def _count(consumed: Any) -> None:
    usage = _usage.get()
    if usage is None:
        return
    each = consumed if isinstance(consumed, list) else [consumed or {}]
    units = sum(one.get("CapacityUnits", 0.0) for one in each)
    with _counting:  # An export reads in several threads.
        usage.dynamodb_requests += 1
        usage.capacity_units += units


def _translated(error: ClientError | BotoCoreError) -> Exception | None:
    """The error in our words; None for one that only a bug of ours can have led to."""
    if not isinstance(error, ClientError):
        return aws_errors.translate(_SERVICE, error)
    code = error.response["Error"].get("Code", "")
    if code == "ConditionalCheckFailedException":
        cause = error.__cause__
        response: Mapping[str, Any] = cause.response if isinstance(cause, ClientError) else {}
        return ConditionFailedError(response.get("Item"))
    if code == "TransactionCanceledException" and isinstance(error, VerboseClientError):
        return _cancelled(error)
    return aws_errors.translate(_SERVICE, error)


def _cancelled(error: VerboseClientError) -> Exception | None:
    """As `_translated`. A condition comes first: its caller reads again, and may write otherwise.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    reasons = list(error.cancellation_reasons or ())
    codes = tuple("None" if reason is None else str(reason.code) for reason in reasons)
    if "ConditionalCheckFailed" in codes or "TransactionConflict" in codes:
        return TransactionCanceledError(codes)
    kinds = {code: aws_errors.classify(code) for code in codes if code != "None"}
    refused = [code for code, kind in kinds.items() if kind is StoreRefusedError]
    if not refused and None in kinds.values():
        return None  # Such as a ValidationError, which would be the same the next time.
    culprit = next(iter(refused or kinds), "TransactionCanceledException")
    return aws_errors.translate_code(_SERVICE, error.operation_name, culprit)


@cache
def connection() -> Connection:
    """The connection of this process, with no table known to it yet.

    Four attempts of at most 7 s each stay below API Gateway's 29 s.
    """
    return Connection(
        region=settings().region,
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_retry_attempts=3,
        max_pool_connections=32,
    )


def know(model: type[Model], table_name: str) -> None:
    """Tell the connection the keys and indexes of `table_name`, which `model` declares.

    PynamoDB would give each model a connection, and each connection a client: 50 ms each.
    """
    schema = model._get_schema()  # noqa: SLF001 - PynamoDB has no public way to ask a model
    connection().add_meta_table(
        MetaTable(
            {
                "TableName": table_name,
                "KeySchema": schema["key_schema"],
                "AttributeDefinitions": schema["attribute_definitions"],
                "GlobalSecondaryIndexes": [
                    {"IndexName": index["index_name"], "KeySchema": index["key_schema"]}
                    for index in schema["global_secondary_indexes"]
                ],
            }
        )
    )
