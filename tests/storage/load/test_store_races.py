"""Rows → the users table, while somebody else is changing it."""

from collections.abc import Callable
from typing import Any

import boto3

from infra.load.store import Outcome, Store
from tests.storage.load.builders import MOMENT, REGION, lead_row, stored_items


def _once(client: Any, operation: str, act: Callable[[], object], times: int = 1) -> None:
    """Do something behind the loader's back, right before its next such requests."""
    done: list[None] = []

    def before(**_: Any) -> None:
        if len(done) < times:
            done.append(None)
            act()

    client.meta.events.register(f"before-call.dynamodb.{operation}", before)


def _other() -> Any:
    return boto3.client("dynamodb", region_name=REGION)


def _touch(name: str, version: str) -> None:
    _other().update_item(
        TableName="users",
        Key={"id": {"S": name}},
        UpdateExpression="SET shop_notes = :notes, version = :version",
        ExpressionAttributeValues={":notes": {"S": "vip"}, ":version": {"N": version}},
    )


def test_a_change_made_between_reading_and_writing_is_not_lost(client: Any) -> None:
    Store(client, "users").write([lead_row("u1"), lead_row("u2")], Outcome())
    _once(client, "UpdateItem", lambda: _touch("u1", "2"))
    outcome = Outcome()
    rows = [lead_row("u1", last_name="Ruiz"), lead_row("u2", last_name="Ruiz")]
    Store(client, "users").write(rows, outcome)
    assert (outcome.changed, outcome.refused) == (2, [])
    item = stored_items(client)["u1"]
    assert (item["last_name"], item["shop_notes"], item["version"]) == (
        {"S": "Ruiz"},
        {"S": "vip"},
        {"N": "3"},
    )


def test_a_row_that_somebody_else_keeps_changing_is_rejected(client: Any) -> None:
    Store(client, "users").write([lead_row("u1")], Outcome())
    versions = iter(["2", "3"])
    _once(client, "UpdateItem", lambda: _touch("u1", next(versions)), times=2)
    outcome = Outcome()
    row = lead_row("u1", last_name="Ruiz")
    Store(client, "users").write([row], outcome)
    assert outcome.refused == [(row, "somebody else was changing it: load it again")]
    assert stored_items(client)["u1"]["last_name"] == {"S": ""}


def test_a_store_user_that_somebody_else_adds_first_is_changed_and_not_replaced(
    client: Any,
) -> None:
    item = {
        "id": {"S": "u1"},
        "kind": {"S": "lead"},
        "registered_at": {"S": MOMENT},
        "shop_notes": {"S": "vip"},
    }
    _once(client, "TransactWriteItems", lambda: _other().put_item(TableName="users", Item=item))
    outcome = Outcome()
    Store(client, "users").write([lead_row("u1"), lead_row("u2")], outcome)
    assert (outcome.new, outcome.changed, outcome.refused) == (1, 1, [])
    items = stored_items(client)
    assert set(items) == {"u1", "u2"}
    assert (items["u1"]["first_name"], items["u1"]["shop_notes"]) == ({"S": "Ana"}, {"S": "vip"})
