"""Store users to test with, and hooks to watch and to disturb what DynamoDB is asked."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from chalicelib.users.item import to_item
from chalicelib.users.model import (
    Author,
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
)
from chalicelib.users.tables import store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RawItem = dict[str, dict[str, Any]]

ECOSYSTEM = Ecosystem("eco_17", "clinica-sol", "2026-03-04T10:00:00Z")
SUBSCRIPTION = Subscription(
    plan="Premium",
    billing_period="annual",
    status="active",
    starts_on="2026-03-01",
    ends_on="2027-02-28",
    encounters=Encounters(5000, 1270),
    licences=(Licences("available", 3), Licences("assigned", 16), Licences("suspended", 1)),
)


def customer(user_id: str = "cus_0042", **changes: Any) -> StoreUser:
    """María José of Clínica Sol, whose ecosystem is deployed and active, but for `changes`."""
    whole = StoreUser(
        id=user_id,
        kind=Kind.CUSTOMER,
        first_name="María José",
        last_name="Gómez Ruiz",
        company_email="mj@clinica-sol.co",
        phone_number="+573001234567",
        company_name="Clínica Sol",
        registered_at="2026-03-01T15:04:05Z",
        ecosystem=ECOSYSTEM,
        access="active",
        subscription=SUBSCRIPTION,
        version=7,
    )
    return replace(whole, **changes)


def lead(user_id: str = "led_0007", **changes: Any) -> StoreUser:
    """Juan, who has registered and bought nothing, but for `changes`."""
    whole = StoreUser(
        id=user_id,
        kind=Kind.LEAD,
        first_name="Juan",
        last_name="Pérez",
        company_email="juan@example.com",
        phone_number="3001112233",
        company_name="",
        registered_at="2026-02-01T08:00:00Z",
        version=1,
    )
    return replace(whole, **changes)


def author(name: str) -> Author:
    """A member of the staff of that name."""
    return Author(name, f"sub-of-{name}")


def client() -> "DynamoDBClient":
    """The one client of the code under test: hooks on it see all that leaves the process."""
    return cast("DynamoDBClient", store().client)


def save(*users: StoreUser) -> None:
    """What the shop does: write whole items."""
    for user in users:
        save_item(to_item(user))


def save_item(item: Mapping[str, Any], table: str = "users") -> None:
    """Write an item as it is, however odd."""
    client().put_item(TableName=table, Item=item)


def empty_users() -> None:
    """Delete every user: between the examples of a property, which share one table."""
    for item in client().scan(TableName="users", ProjectionExpression="id")["Items"]:
        client().delete_item(TableName="users", Key={"id": item["id"]})


def stored(user_id: str, table: str = "users") -> RawItem | None:
    """What the table holds under `user_id`."""
    answer = client().get_item(TableName=table, Key={"id": {"S": user_id}}, ConsistentRead=True)
    return cast("RawItem | None", answer.get("Item"))


def save_ecosystem(**facts: str | int) -> None:
    """Write an ecosystem's record: that of `customer()`, but for `facts`."""
    whole: dict[str, str | int] = {
        "id": "eco_17",
        "name": "clinica-sol",
        "customer_id": "cus_0042",
        "access": "active",
        "changed_at": "2026-03-04T10:00:00Z",
        "version": 1,
        **facts,
    }
    save_item(
        {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value}
            for name, value in whole.items()
        },
        "ecosystems",
    )


def stored_ecosystem(ecosystem_id: str = "eco_17") -> dict[str, str] | None:
    """The ecosystem's record as {attribute: text}, or None."""
    item = stored(ecosystem_id, "ecosystems")
    return (
        None if item is None else {name: next(iter(value.values())) for name, value in item.items()}
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that left the process: the operation and its JSON."""

    operation: str
    body: dict[str, Any]


Hook = Callable[[AWSPreparedRequest], AWSResponse | None]


@contextmanager
def hooked(operation: str, hook: Hook, *, last: bool = False) -> Iterator[None]:
    """Call `hook` before each request of `operation` (`*`: any), or with `last` right after moto.

    What it raises takes the place of the answer, and so does what it returns, unless `last`.
    """
    # Hooks under a longer name come first, and moto's is under `before-send`.
    name = "before-send" if last else f"before-send.dynamodb.{operation}"
    events = client().meta.events

    def handler(request: AWSPreparedRequest, event_name: str, **_: object) -> Any:
        return hook(request) if operation in ("*", event_name.rsplit(".", 1)[-1]) else None

    (events.register_last if last else events.register_first)(name, handler)
    try:
        yield
    finally:
        events.unregister(name, handler)


@contextmanager
def sent_requests() -> Iterator[list[Sent]]:
    """The requests that leave the process, retries included."""
    sent: list[Sent] = []

    def note(request: AWSPreparedRequest) -> None:
        sent.append(Sent(_operation(request), json.loads(cast("bytes", request.body))))

    with hooked("*", note):
        yield sent


def operations(sent: list[Sent]) -> list[str]:
    """The names of the operations, in order."""
    return [one.operation for one in sent]


def lost_answers(operation: str, times: int = 1) -> AbstractContextManager[None]:
    """DynamoDB does what it is asked to, but `times` answers get lost on the way back."""
    left = [None] * times

    def lose(request: AWSPreparedRequest) -> None:
        if left:
            left.pop()
            raise ConnectionClosedError(endpoint_url=request.url)

    return hooked(operation, lose, last=True)


def refusals(
    operation: str, code: str, times: int = 1_000, *, table: str = "", **members: Any
) -> AbstractContextManager[None]:
    """DynamoDB answers `times` times with the error `code`, and does nothing; of any `table`."""
    left = [None] * times

    def refuse(request: AWSPreparedRequest) -> AWSResponse | None:
        named = json.loads(cast("bytes", request.body)).get("TableName", "")
        if not left or (table and named != table):
            return None
        left.pop()
        body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **members}
        _make_harmless(request)
        return _answer(request, 400, json.dumps(body).encode())

    return hooked(operation, refuse)


def _operation(request: AWSPreparedRequest) -> str:
    target = request.headers["X-Amz-Target"]
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.rsplit(".", 1)[-1]


def _make_harmless(request: AWSPreparedRequest) -> None:
    """Hooks cannot keep a request from moto, which is a hook too: let it list tables instead."""
    del request.headers["X-Amz-Target"]
    request.headers["X-Amz-Target"] = "DynamoDB_20120810.ListTables"
    request.body = b"{}"


class _Body:
    """As much of urllib3's answer as botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content


def _answer(request: AWSPreparedRequest, status: int, content: bytes) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), cast("Any", _Body(content)))
