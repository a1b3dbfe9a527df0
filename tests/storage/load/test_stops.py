"""`make load`: what keeps a loading from starting or ends it early, in a sentence."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from infra.load import __main__ as load
from infra.load import table as load_table
from infra.load.batches import batches
from infra.load.sources import RawRow, SourceError
from infra.load.store import Store
from tests.storage.load.builders import (
    ENDPOINT,
    HEADER,
    MOMENT,
    REGION,
    refuse,
    stored_items,
    write_file,
)


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (None, "the local stack is not running: make run"),
        ("{", "{folder}/stack.json does not tell where the local stack is: make run"),
        (
            '{"endpoint": "x"}',
            "{folder}/stack.json does not tell where the local stack is: make run",
        ),
        (
            {"endpoint": ENDPOINT, "region": REGION, "tables": {"users": "others"}},
            (
                "the table others cannot be used: the store has no such table"
                " (is the local stack running? make run)"
            ),
        ),
    ],
)
def test_without_a_local_stack_nothing_is_loaded(
    folder: Path, capsys: pytest.CaptureFixture[str], stack: Any, message: str
) -> None:
    file = folder / "stack.json"
    file.unlink()
    if stack is not None:
        file.write_text(stack if isinstance(stack, str) else json.dumps(stack))
    write_file(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 2
    expected = message.replace("{folder}", str(folder))
    assert capsys.readouterr() == ("", f"nothing was loaded: {expected}\n")


def test_a_local_stack_that_has_gone_away_is_told_at_once(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=ENDPOINT)

    client.meta.events.register("before-send.dynamodb.BatchGetItem", gone)
    monkeypatch.setattr(load_table.Table, "client", lambda _, **__: client)
    write_file(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 2
    assert capsys.readouterr().err == (
        "nothing was loaded: the table users cannot be used: the store could not be reached"
        " (EndpointConnectionError) (is the local stack running? make run)\n"
    )


def test_a_stage_is_found_by_its_stack(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "stack.json").unlink()
    output = {"Outputs": {"UsersTable": {"Value": "users"}}}
    _stack("store-users-prod", output)
    write_file(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv", "--stage", "prod"]) == 0
    assert set(stored_items(client)) == {"u1"}
    _stack("store-users-old", {})
    assert load.main(["people.csv", "--stage", "old"]) == 2
    assert capsys.readouterr().err == (
        "nothing was loaded: the stack store-users-old has no output UsersTable: deploy it again\n"
    )
    assert load.main(["people.csv", "--stage", "none"]) == 2
    assert capsys.readouterr().err.startswith(
        "nothing was loaded: the stack store-users-none cannot be found: "
    )


def _stack(name: str, outputs: Mapping[str, Any]) -> None:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    client = boto3.client("cloudformation", region_name=REGION)
    client.create_stack(StackName=name, TemplateBody=json.dumps({**topic, **outputs}))


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("people.csv", None, "people.csv cannot be read: no such file or directory"),
        ("people.csv", "", "people.csv is empty"),
        ("people.doc", "x", "people.doc has another extension than those that can be read: "),
        ("people.csv", f"{HEADER},ID\n", "people.csv has one column more than once: id, ID"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_told_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (folder / name).write_text(text)
    assert load.main([name]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert printed.err.endswith(": nothing was loaded\n")


def test_a_store_that_stays_busy_stops_the_loading(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_table.Table, "client", lambda _, **__: client)
    monkeypatch.setattr(load, "Store", lambda to, table: Store(to, table, lambda _: None))
    client.put_item(
        TableName="users",
        Item={"id": {"S": "u1"}, "kind": {"S": "lead"}, "registered_at": {"S": MOMENT}},
    )
    refused = refuse(client, "TransactWriteItems", "ThrottlingException")
    write_file(
        folder / "people.csv",
        [("u1", "lead", MOMENT, ""), ("u2", "lead", MOMENT, ""), ("u3", "x", MOMENT, "")],
    )
    assert load.main(["people.csv"]) == 3
    assert len(refused) == 7
    assert capsys.readouterr().err == (
        "the store was too busy for 61 seconds; until then 1 row: 0 new, 0 changed,"
        " 0 unchanged, 1 rejected (see people.csv.rejects.csv)."
        " Running the same command again continues.\n"
    )


def test_a_file_that_breaks_off_is_loaded_up_to_there(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rows: Iterator[RawRow]) -> Iterator[RawRow]:
        yield next(rows)
        message = "cannot be read beyond line 2"
        raise SourceError(message)

    monkeypatch.setattr(load, "batches", lambda rows, checker: batches(broken(rows), checker))
    write_file(
        folder / "people.csv", [("u1", "lead", MOMENT, "Ana"), ("u2", "lead", MOMENT, "Eva")]
    )
    assert load.main(["people.csv"]) == 2
    assert capsys.readouterr().err == (
        "people.csv cannot be read beyond line 2; until then 1 row: 1 new, 0 changed,"
        " 0 unchanged, 0 rejected. Running the same command again continues.\n"
    )
    assert set(stored_items(client)) == {"u1"}


@pytest.mark.usefixtures("client")
def test_who_interrupts_is_told_how_to_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "write_all", interrupt)
    write_file(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 130
    assert capsys.readouterr().err == (
        "interrupted; until then 0 rows: 0 new, 0 changed, 0 unchanged, 0 rejected."
        " Running the same command again continues.\n"
    )
