"""Rows → the users table: what a busy, a picky or a closed store answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.load import __main__ as load
from infra.load import store as load_store
from infra.load import table as load_table
from infra.load.store import Outcome, Store, StoreStoppedError
from tests.storage.load.builders import HEADER, MOMENT, lead_row, refuse, stored_items, write_file


@pytest.mark.parametrize(
    "error",
    ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"],
)
def test_a_busy_store_is_asked_again_after_ever_longer_waits(client: Any, error: str) -> None:
    slept: list[float] = []
    refused = refuse(client, "TransactWriteItems", error, 2)
    outcome = Outcome()
    Store(client, "users", slept.append).write([lead_row("u1")], outcome)
    assert (outcome.new, len(refused)) == (1, 2)
    assert [0.5 <= slept[0] <= 1, 1 <= slept[1] <= 2, len(slept)] == [True, True, 2]
    assert set(stored_items(client)) == {"u1"}


def test_keys_that_were_left_out_are_asked_for_again(client: Any) -> None:
    for name in ("u1", "u2"):
        Store(client, "users").write([lead_row(name)], Outcome())
    left = [{"id": {"S": "u1"}}, {"id": {"S": "u2"}}]

    def leave_out(parsed: dict[str, Any], **_: Any) -> None:
        if left:
            key = left.pop()
            parsed["UnprocessedKeys"] = {"users": {"Keys": [key]}}
            items = parsed["Responses"]["users"]
            items[:] = [item for item in items if item["id"] != key["id"]]

    client.meta.events.register("after-call.dynamodb.BatchGetItem", leave_out)
    slept: list[float] = []
    outcome = Outcome()
    Store(client, "users", slept.append).write([lead_row("u1"), lead_row("u2")], outcome)
    assert (outcome.unchanged, outcome.new, len(slept), left) == (2, 0, 2, [])


def test_a_row_that_the_store_refuses_is_rejected_and_the_others_loaded(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for operation in ("TransactWriteItems", "PutItem"):
        refuse(client, operation, "ValidationException", about='"u2"')
    monkeypatch.setattr(load_table.Table, "client", lambda _, **__: client)
    write_file(
        folder / "people.csv", [(f"u{number}", "lead", MOMENT, "") for number in range(1, 4)]
    )
    assert load.main(["people.csv"]) == 1
    assert capsys.readouterr().out == (
        "people.csv: 3 rows: 2 new, 0 changed, 0 unchanged, 1 rejected"
        " (see people.csv.rejects.csv)\n"
    )
    assert set(stored_items(client)) == {"u1", "u3"}
    assert (folder / "people.csv.rejects.csv").read_text() == (
        f"line,problem,{HEADER}\n3,the store refuses it: this is why,u2,lead,{MOMENT},\n"
    )


def test_a_change_that_the_store_refuses_is_rejected(client: Any) -> None:
    Store(client, "users").write([lead_row("u1")], Outcome())
    refuse(client, "UpdateItem", "ValidationException")
    outcome = Outcome()
    row = lead_row("u1", last_name="Ruiz")
    Store(client, "users").write([row], outcome)
    assert outcome == Outcome(refused=[(row, "the store refuses it: this is why")])


def test_rows_too_big_for_one_transaction_are_written_in_several(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_store, "_TRANSACTION_BYTES", 3_000)
    sent: list[int] = []

    def note(params: Mapping[str, Any], **_: Any) -> None:
        sent.append(len(json.loads(params["body"])["TransactItems"]))

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", note)
    outcome = Outcome()
    rows = [lead_row(f"u{number}", company_email="x" * 1_000) for number in range(1, 6)]
    Store(client, "users").write(rows, outcome)
    assert (outcome.new, outcome.refused, sent) == (5, [], [2, 2, 1])


def test_a_store_that_denies_access_stops_the_loading(client: Any) -> None:
    refuse(client, "BatchGetItem", "AccessDeniedException")
    with pytest.raises(StoreStoppedError) as raised:
        Store(client, "users").check()
    assert str(raised.value) == "the store answered AccessDeniedException: this is why"
