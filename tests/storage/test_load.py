"""`make load`: a file of store users → the users table, on moto."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import boto3
import openpyxl
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from chalicelib.users.model import Kind, StoreUser
from infra.load import __main__ as load
from infra.load import batches as load_batches
from infra.load import store as load_store
from infra.load import table as load_table
from infra.load.batches import Batch, batches, write_all
from infra.load.columns import ALL, Columns
from infra.load.rows import Checker, Row
from infra.load.sources import RawRow, SourceError, open_source
from infra.load.store import Outcome, Store, StoreStoppedError

REGION = "us-east-1"
ENDPOINT = "https://dynamodb.us-east-1.amazonaws.com"
MOMENT = "2026-03-01T15:04:05Z"
HEADER = "id,kind,registered_at,first_name"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A client that asks once; the table is empty, and .local/stack.json names it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    stack = tmp_path / "stack.json"
    stack.write_text(
        json.dumps({"endpoint": ENDPOINT, "region": REGION, "tables": {"users": "users"}})
    )
    monkeypatch.setattr(load_table, "STACK_FILE", stack)
    with mock_aws():
        client = boto3.client(
            "dynamodb",
            region_name=REGION,
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )
        client.create_table(
            TableName="users",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: what is printed names the files as the command does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _items(client: Any) -> dict[str, Any]:
    found = client.scan(TableName="users", ConsistentRead=True)["Items"]
    return {item["id"]["S"]: item for item in found}


def _row(name: str, **attributes: Any) -> Row:
    user = StoreUser(name, Kind.LEAD, "Ana", "", "", "", "", MOMENT, version=1)
    for attribute, value in attributes.items():
        object.__setattr__(user, attribute, value)
    return Row(RawRow(int(name.removeprefix("u")), (name,)), user, ALL)


def _refuse(client: Any, operation: str, error: str, times: int = -1, about: str = "") -> list[str]:
    """Answer requests that speak of `about` with an error, before they reach DynamoDB."""
    refused: list[str] = []

    def answer(params: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, Any] | None:
        if len(refused) == times or about.encode() not in params["body"]:
            return None
        refused.append(error)
        parsed = {"Error": {"Code": error, "Message": "this is why"}}
        return AWSResponse(ENDPOINT, 400, HTTPHeaders(), None), parsed

    client.meta.events.register(f"before-call.dynamodb.{operation}", answer)
    return refused


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


def test_good_rows_are_loaded_and_counted(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "people.csv").write_bytes(
        "\ufeffKind;Id;First Name;registered_at;subscription_ends_on;licences\r\n"
        "lead;u1;José;2026-03-01T10:04:05-05:00;;\r\n"
        "customer;u2;;2026-03-01T15:04:05Z;2026-12-31;available:2\r\n".encode()
    )
    assert load.main(["people.csv"]) == 0
    assert capsys.readouterr() == (
        "people.csv: 2 rows: 2 new, 0 changed, 0 unchanged, 0 rejected\n",
        "",
    )
    empty = {"S": ""}
    texts = dict.fromkeys(["last_name", "company_email", "phone_number", "company_name"], empty)
    last = {"S": "\U0010ffff"}
    assert _items(client) == {
        "u1": {
            **texts,
            "id": {"S": "u1"},
            "kind": {"S": "lead"},
            "first_name": {"S": "José"},
            "registered_at": {"S": MOMENT},
            "version": {"N": "1"},
            "sort_name": {"S": "jose"},
            "sort_company": last,
        },
        "u2": {
            **texts,
            "id": {"S": "u2"},
            "kind": {"S": "customer"},
            "first_name": empty,
            "registered_at": {"S": MOMENT},
            "access": {"S": "active"},
            "subscription": {
                "M": {
                    "ends_on": {"S": "2026-12-31"},
                    "licences": {"L": [{"M": {"status": {"S": "available"}, "count": {"N": "2"}}}]},
                }
            },
            "version": {"N": "1"},
            "sort_name": last,
            "sort_company": last,
            "sort_ends_on": {"S": "2026-12-31"},
        },
    }


@pytest.mark.parametrize("name", ["people.csv", "people.xlsx", "people.jsonl"])
def test_loading_a_file_twice_changes_nothing(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    _write(folder / name, [("u1", "lead", MOMENT, "Ana"), ("u2", "customer", MOMENT, "Eva")])
    assert load.main([name]) == 0
    stored = _items(client)
    assert stored["u2"]["first_name"] == {"S": "Eva"}
    capsys.readouterr()
    assert load.main([name]) == 0
    assert capsys.readouterr().out == (
        f"{name}: 2 rows: 0 new, 0 changed, 2 unchanged, 0 rejected\n"
    )
    assert _items(client) == stored


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    titles = HEADER.split(",")
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [titles, *rows]:
            book.worksheets[0].append(list(row))
        book.save(path)
    elif path.suffix == ".jsonl":
        path.write_text(
            "".join(json.dumps(dict(zip(titles, row, strict=True))) + "\n" for row in rows)
        )
    else:
        path.write_text("".join(",".join(row) + "\n" for row in [titles, *rows]))


def test_bad_rows_are_written_down_and_good_ones_loaded(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "people.csv").write_bytes(
        f"{HEADER}\n"
        f'u1,person,never,"Ana, ""Mia""\nRuiz"\n'
        f"u2,lead,{MOMENT},Eva\n"
        f'u3,lead,{MOMENT},"Uma\n'
        f"u4,lead,{MOMENT}\n"
        f"u2,lead,{MOMENT},Ida\n".encode()
        + f"u5,lead,{MOMENT},Jos".encode()
        + b"\xe9\n"
        + f"u6,lead,{MOMENT},Zoe\n".encode()
    )
    assert load.main(["people.csv"]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out == (
        "people.csv: 7 rows: 2 new, 0 changed, 0 unchanged, 5 rejected"
        " (see people.csv.rejects.csv)\n"
    )
    assert set(_items(client)) == {"u2", "u6"}
    moment = (
        "registered_at must be an instant with its offset from UTC, such as 2026-03-01T15:04:05Z"
    )
    assert (folder / "people.csv.rejects.csv").read_bytes() == (
        "line,problem,id,kind,registered_at,first_name\r\n"
        f'2,"kind must be lead or customer; {moment}",u1,person,never,"Ana, ""Mia""\nRuiz"\r\n'
        f'5,a quotation mark opens in this line and never closes,"u3,lead,{MOMENT},""Uma"\r\n'
        f'6,"the row has 3 cells, the header 4",u4,lead,{MOMENT}\r\n'
        f"7,line 4 has the same id,u2,lead,{MOMENT},Ida\r\n"
        f"8,the row is not UTF-8 text: save the file as UTF-8,u5,lead,{MOMENT},Jos"
    ).encode() + b"\xe9\r\n"


def test_the_reject_file_can_be_loaded_when_it_is_corrected(client: Any, folder: Path) -> None:
    rejects = folder / "people.csv.rejects.csv"
    (folder / "people.csv").write_text(f"{HEADER}\nu1,person,{MOMENT},Ana\nu2,lead,x,Eva\n")
    assert load.main(["people.csv"]) == 1
    rejects.write_text(rejects.read_text().replace("person", "lead"))
    assert load.main(["people.csv.rejects.csv"]) == 1
    assert set(_items(client)) == {"u1"}
    with (folder / "people.csv.rejects.csv.rejects.csv").open(newline="") as file:
        assert [row[:1] + row[2:] for row in csv.reader(file)] == [
            ["line", "id", "kind", "registered_at", "first_name"],
            ["3", "u2", "lead", "x", "Eva"],
        ]


def test_the_reject_file_of_json_lines_can_be_loaded_when_it_is_corrected(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rejects = folder / "people.jsonl.rejects.csv"
    (folder / "people.jsonl").write_text(
        f'{{"id": "u1", "kind": "person", "registered_at": "{MOMENT}"}}\nnothing\n'
    )
    assert load.main(["people.jsonl"]) == 1
    assert rejects.read_text() == (
        "line,problem,row\n"
        "1,kind must be lead or customer,"
        f'"{{""id"": ""u1"", ""kind"": ""person"", ""registered_at"": ""{MOMENT}""}}"\n'
        "2,the line is not JSON: expecting value at character 1,nothing\n"
    )
    rejects.write_text(rejects.read_text().replace("person", "lead"))
    capsys.readouterr()
    assert load.main(["people.jsonl.rejects.csv"]) == 1
    assert capsys.readouterr().err == ""
    assert set(_items(client)) == {"u1"}


def test_the_reject_file_of_a_former_run_goes_when_nothing_is_rejected(
    client: Any, folder: Path
) -> None:
    (folder / "people.csv").write_text(f"{HEADER}\nu1,person,{MOMENT},Ana\n")
    assert load.main(["people.csv"]) == 1
    assert (folder / "people.csv.rejects.csv").exists()
    (folder / "people.csv").write_text(f"{HEADER}\nu1,lead,{MOMENT},Ana\n")
    assert load.main(["people.csv"]) == 0
    assert not (folder / "people.csv.rejects.csv").exists()
    assert set(_items(client)) == {"u1"}


@pytest.mark.usefixtures("client")
def test_a_reject_file_that_cannot_be_written_stops_the_loading(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "people.csv").write_text(f"{HEADER}\nu1,person,{MOMENT},Ana\n")
    (folder / "people.csv.rejects.csv").mkdir()
    assert load.main(["people.csv"]) == 2
    assert capsys.readouterr().err.startswith(
        "nothing was loaded: people.csv.rejects.csv cannot be written: "
    )


@pytest.mark.usefixtures("client")
def test_unknown_columns_and_members_are_named_in_one_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "people.csv").write_text(
        f"{HEADER},Colour,line,shoe size\nu1,lead,{MOMENT},Ana,,,\nu2,lead,{MOMENT},Eva,red,7,38\n"
    )
    assert load.main(["people.csv"]) == 0
    warning = "people.csv: warning: unknown columns are left out: Colour, shoe size\n"
    assert capsys.readouterr().err == warning
    line = f'{{"id": "u3", "kind": "customer", "registered_at": "{MOMENT}", "subscription": '
    (folder / "people.jsonl").write_text(
        f'{line}{{"price": 3}}, "colour": 1}}\n{line.replace("u3", "u4")}{{"price": 3}}}}\n'
    )
    assert load.main(["people.jsonl"]) == 0
    warning = "people.jsonl: warning: unknown members are left out: colour, subscription.price\n"
    assert capsys.readouterr().err == warning


def test_nothing_personal_is_printed(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(folder / "people.csv", [("u1", "lead", "Ana", "Ana"), ("Ana", "Ana", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 1
    (folder / "nohead.csv").write_text(f"u1,lead,{MOMENT},Ana\nu2,lead,{MOMENT},Ana\n")
    assert load.main(["nohead.csv"]) == 2
    printed = capsys.readouterr()
    assert "Ana" not in printed.out + printed.err
    assert printed.err == (
        "nohead.csv lacks the column id, kind, registered_at: its header must name id, kind and"
        " registered_at: nothing was loaded\n"
    )
    assert _items(client) == {}


def test_what_is_stored_changes_but_not_its_access(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "people.csv").write_text(f"{HEADER},access\nu1,customer,{MOMENT},Ana,active\n")
    assert load.main(["people.csv"]) == 0
    change = {"M": {"at": {"S": MOMENT}, "by": {"S": "boss"}, "version": {"N": "2"}}}
    switched = {
        **_items(client)["u1"],
        "access": {"S": "suspended"},
        "access_change": change,
        "version": {"N": "2"},
        "shop_notes": {"S": "vip"},
    }
    client.put_item(TableName="users", Item=switched)
    capsys.readouterr()
    assert load.main(["people.csv"]) == 0
    switch = "1 would have another access: access is changed with the switch, not by a file"
    assert capsys.readouterr().out == (
        f"people.csv: 1 row: 0 new, 0 changed, 1 unchanged, 0 rejected; {switch}\n"
    )
    (folder / "people.csv").write_text(f"{HEADER},access\nu1,customer,{MOMENT},Eva,active\n")
    assert load.main(["people.csv"]) == 0
    assert capsys.readouterr().out == (
        f"people.csv: 1 row: 0 new, 1 changed, 0 unchanged, 0 rejected; {switch}\n"
    )
    assert _items(client) == {
        "u1": {
            **switched,
            "first_name": {"S": "Eva"},
            "sort_name": {"S": "eva"},
            "version": {"N": "3"},
        }
    }


def test_an_item_of_the_shop_without_version_and_sort_keys_is_as_good(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"id": {"S": "u1"}, "kind": {"S": "lead"}, "registered_at": {"S": MOMENT}}
    client.put_item(TableName="users", Item=item)
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "")])
    assert load.main(["people.csv"]) == 0
    assert "1 unchanged" in capsys.readouterr().out
    assert _items(client) == {"u1": item}
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 0
    assert "1 changed" in capsys.readouterr().out
    assert _items(client)["u1"]["version"] == {"N": "1"}


def test_a_customer_with_an_ecosystem_does_not_become_a_lead(client: Any, folder: Path) -> None:
    (folder / "people.csv").write_text(
        f"{HEADER},ecosystem_id\nu1,customer,{MOMENT},Ana,e1\nu2,customer,{MOMENT},Eva,\n"
    )
    assert load.main(["people.csv"]) == 0
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana"), ("u2", "lead", MOMENT, "Eva")])
    assert load.main(["people.csv"]) == 1
    assert (folder / "people.csv.rejects.csv").read_text() == (
        f"line,problem,{HEADER}\n"
        "2,the stored customer has an ecosystem: a lead would leave it without an owner,"
        f"u1,lead,{MOMENT},Ana\n"
    )
    items = _items(client)
    assert items["u1"]["kind"] == {"S": "customer"}
    assert set(items["u2"]) & {"access", "subscription", "ecosystem", "sort_ends_on"} == set()


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
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
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
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
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
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv", "--stage", "prod"]) == 0
    assert set(_items(client)) == {"u1"}
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


@pytest.mark.parametrize(
    "error",
    ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"],
)
def test_a_busy_store_is_asked_again_after_ever_longer_waits(client: Any, error: str) -> None:
    slept: list[float] = []
    refused = _refuse(client, "TransactWriteItems", error, 2)
    outcome = Outcome()
    Store(client, "users", slept.append).write([_row("u1")], outcome)
    assert (outcome.new, len(refused)) == (1, 2)
    assert [0.5 <= slept[0] <= 1, 1 <= slept[1] <= 2, len(slept)] == [True, True, 2]
    assert set(_items(client)) == {"u1"}


def test_a_store_that_stays_busy_stops_the_loading(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_table.Table, "client", lambda _, **__: client)
    monkeypatch.setattr(load, "Store", lambda to, table: Store(to, table, lambda _: None))
    client.put_item(
        TableName="users",
        Item={"id": {"S": "u1"}, "kind": {"S": "lead"}, "registered_at": {"S": MOMENT}},
    )
    refused = _refuse(client, "TransactWriteItems", "ThrottlingException")
    _write(
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


def test_keys_that_were_left_out_are_asked_for_again(client: Any) -> None:
    for name in ("u1", "u2"):
        Store(client, "users").write([_row(name)], Outcome())
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
    Store(client, "users", slept.append).write([_row("u1"), _row("u2")], outcome)
    assert (outcome.unchanged, outcome.new, len(slept), left) == (2, 0, 2, [])


def test_a_change_made_between_reading_and_writing_is_not_lost(client: Any) -> None:
    Store(client, "users").write([_row("u1"), _row("u2")], Outcome())
    _once(client, "UpdateItem", lambda: _touch("u1", "2"))
    outcome = Outcome()
    rows = [_row("u1", last_name="Ruiz"), _row("u2", last_name="Ruiz")]
    Store(client, "users").write(rows, outcome)
    assert (outcome.changed, outcome.refused) == (2, [])
    item = _items(client)["u1"]
    assert (item["last_name"], item["shop_notes"], item["version"]) == (
        {"S": "Ruiz"},
        {"S": "vip"},
        {"N": "3"},
    )


def _touch(name: str, version: str) -> None:
    _other().update_item(
        TableName="users",
        Key={"id": {"S": name}},
        UpdateExpression="SET shop_notes = :notes, version = :version",
        ExpressionAttributeValues={":notes": {"S": "vip"}, ":version": {"N": version}},
    )


def test_a_row_that_somebody_else_keeps_changing_is_rejected(client: Any) -> None:
    Store(client, "users").write([_row("u1")], Outcome())
    versions = iter(["2", "3"])
    _once(client, "UpdateItem", lambda: _touch("u1", next(versions)), times=2)
    outcome = Outcome()
    row = _row("u1", last_name="Ruiz")
    Store(client, "users").write([row], outcome)
    assert outcome.refused == [(row, "somebody else was changing it: load it again")]
    assert _items(client)["u1"]["last_name"] == {"S": ""}


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
    Store(client, "users").write([_row("u1"), _row("u2")], outcome)
    assert (outcome.new, outcome.changed, outcome.refused) == (1, 1, [])
    items = _items(client)
    assert set(items) == {"u1", "u2"}
    assert (items["u1"]["first_name"], items["u1"]["shop_notes"]) == ({"S": "Ana"}, {"S": "vip"})


def test_a_row_that_the_store_refuses_is_rejected_and_the_others_loaded(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for operation in ("TransactWriteItems", "PutItem"):
        _refuse(client, operation, "ValidationException", about='"u2"')
    monkeypatch.setattr(load_table.Table, "client", lambda _, **__: client)
    _write(folder / "people.csv", [(f"u{number}", "lead", MOMENT, "") for number in range(1, 4)])
    assert load.main(["people.csv"]) == 1
    assert capsys.readouterr().out == (
        "people.csv: 3 rows: 2 new, 0 changed, 0 unchanged, 1 rejected"
        " (see people.csv.rejects.csv)\n"
    )
    assert set(_items(client)) == {"u1", "u3"}
    assert (folder / "people.csv.rejects.csv").read_text() == (
        f"line,problem,{HEADER}\n3,the store refuses it: this is why,u2,lead,{MOMENT},\n"
    )


def test_a_change_that_the_store_refuses_is_rejected(client: Any) -> None:
    Store(client, "users").write([_row("u1")], Outcome())
    _refuse(client, "UpdateItem", "ValidationException")
    outcome = Outcome()
    row = _row("u1", last_name="Ruiz")
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
    rows = [_row(f"u{number}", company_email="x" * 1_000) for number in range(1, 6)]
    Store(client, "users").write(rows, outcome)
    assert (outcome.new, outcome.refused, sent) == (5, [], [2, 2, 1])


def test_a_store_that_denies_access_stops_the_loading(client: Any) -> None:
    _refuse(client, "BatchGetItem", "AccessDeniedException")
    with pytest.raises(StoreStoppedError) as raised:
        Store(client, "users").check()
    assert str(raised.value) == "the store answered AccessDeniedException: this is why"


def _batches(count: int) -> Iterator[Batch]:
    for number in range(count):
        yield Batch(rows=[_row(f"u{number + 1}")])


def test_at_most_eight_batches_of_a_hundred_rows_are_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"{HEADER}\n" + "".join(f"u{n},lead,{MOMENT},\n" for n in range(5_050)))
    lock, started, flying, most, sizes = Lock(), 0, 0, 0, []

    def counted(source: Iterator[Batch]) -> Iterator[Batch]:
        nonlocal started, flying, most
        for batch in source:
            started += 1
            flying += 1
            most = max(most, flying)
            yield batch

    def write(rows: Sequence[Row], outcome: Outcome) -> None:
        with lock:
            sizes.append(len(rows))
        outcome.new += len(rows)

    def finish(_: Batch) -> None:
        nonlocal flying
        flying -= 1

    with open_source(path) as source:
        checker = Checker(Columns(source.header))
        write_all(counted(batches(source.rows, checker)), write, finish)
    assert (started, flying, most) == (51, 0, 8)
    assert sorted(sizes) == [50] + [100] * 50


def test_rows_that_are_all_bad_do_not_pile_up() -> None:
    rows = (RawRow(line, ("u1",)) for line in range(2, 1_002))
    made = list(batches(rows, Checker(Columns(["id", "kind", "registered_at"]))))
    assert [len(batch.faulty) for batch in made] == [100] * 10


def test_batches_are_finished_in_the_order_of_the_file() -> None:
    together = Barrier(load_batches.WORKERS)
    finished: list[str] = []

    def write(_: Sequence[Row], outcome: Outcome) -> None:
        together.wait(timeout=10)
        outcome.new += 1

    write_all(_batches(12), write, lambda batch: finished.append(batch.rows[0].user.id))
    assert finished == [f"u{number}" for number in range(1, 13)]


def test_after_a_failure_nothing_is_read_and_what_was_written_is_counted() -> None:
    read: list[int] = []
    written: list[str] = []
    counted: list[int] = []

    def source() -> Iterator[Batch]:
        for number, batch in enumerate(_batches(100)):
            read.append(number)
            yield batch

    def write(rows: Sequence[Row], outcome: Outcome) -> None:
        if rows[0].user.id == "u3":
            message = "gone"
            raise StoreStoppedError(message)
        written.append(rows[0].user.id)
        outcome.new += 1

    with pytest.raises(StoreStoppedError):
        write_all(source(), write, lambda batch: counted.append(batch.outcome.new))
    assert len(read) <= 10
    assert sum(counted) == len(written)


def test_a_file_that_breaks_off_is_loaded_up_to_there(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rows: Iterator[RawRow]) -> Iterator[RawRow]:
        yield next(rows)
        message = "cannot be read beyond line 2"
        raise SourceError(message)

    monkeypatch.setattr(load, "batches", lambda rows, checker: batches(broken(rows), checker))
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana"), ("u2", "lead", MOMENT, "Eva")])
    assert load.main(["people.csv"]) == 2
    assert capsys.readouterr().err == (
        "people.csv cannot be read beyond line 2; until then 1 row: 1 new, 0 changed,"
        " 0 unchanged, 0 rejected. Running the same command again continues.\n"
    )
    assert set(_items(client)) == {"u1"}


@pytest.mark.usefixtures("client")
def test_who_interrupts_is_told_how_to_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "write_all", interrupt)
    _write(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 130
    assert capsys.readouterr().err == (
        "interrupted; until then 0 rows: 0 new, 0 changed, 0 unchanged, 0 rejected."
        " Running the same command again continues.\n"
    )
