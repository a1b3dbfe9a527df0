"""`make load`: a file of store users → the users table, on moto."""

from pathlib import Path
from typing import Any

import pytest

from infra.load import __main__ as load
from tests.storage.load.builders import HEADER, MOMENT, stored_items, write_file


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
    assert stored_items(client) == {
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
            "segment": {"S": '["","","","active",false]'},
            "segment_order": {"S": f"{MOMENT}#u2"},
        },
    }


@pytest.mark.parametrize("name", ["people.csv", "people.xlsx", "people.jsonl"])
def test_loading_a_file_twice_changes_nothing(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_file(folder / name, [("u1", "lead", MOMENT, "Ana"), ("u2", "customer", MOMENT, "Eva")])
    assert load.main([name]) == 0
    stored = stored_items(client)
    assert stored["u2"]["first_name"] == {"S": "Eva"}
    capsys.readouterr()
    assert load.main([name]) == 0
    assert capsys.readouterr().out == (
        f"{name}: 2 rows: 0 new, 0 changed, 2 unchanged, 0 rejected\n"
    )
    assert stored_items(client) == stored


def test_what_is_stored_changes_but_not_its_access(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "people.csv").write_text(f"{HEADER},access\nu1,customer,{MOMENT},Ana,active\n")
    assert load.main(["people.csv"]) == 0
    change = {"M": {"at": {"S": MOMENT}, "by": {"S": "boss"}, "version": {"N": "2"}}}
    switched = {
        **stored_items(client)["u1"],
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
    assert stored_items(client) == {
        "u1": {
            **switched,
            "first_name": {"S": "Eva"},
            "sort_name": {"S": "eva"},
            "segment": {"S": '["","","","suspended",false]'},
            "version": {"N": "3"},
        }
    }


def test_an_item_of_the_shop_without_version_and_sort_keys_is_as_good(
    client: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"id": {"S": "u1"}, "kind": {"S": "lead"}, "registered_at": {"S": MOMENT}}
    client.put_item(TableName="users", Item=item)
    write_file(folder / "people.csv", [("u1", "lead", MOMENT, "")])
    assert load.main(["people.csv"]) == 0
    assert "1 unchanged" in capsys.readouterr().out
    assert stored_items(client) == {"u1": item}
    write_file(folder / "people.csv", [("u1", "lead", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 0
    assert "1 changed" in capsys.readouterr().out
    assert stored_items(client)["u1"]["version"] == {"N": "1"}


def test_a_customer_with_an_ecosystem_does_not_become_a_lead(client: Any, folder: Path) -> None:
    (folder / "people.csv").write_text(
        f"{HEADER},ecosystem_id\nu1,customer,{MOMENT},Ana,e1\nu2,customer,{MOMENT},Eva,\n"
    )
    assert load.main(["people.csv"]) == 0
    write_file(
        folder / "people.csv", [("u1", "lead", MOMENT, "Ana"), ("u2", "lead", MOMENT, "Eva")]
    )
    assert load.main(["people.csv"]) == 1
    assert (folder / "people.csv.rejects.csv").read_text() == (
        f"line,problem,{HEADER}\n"
        "2,the stored customer has an ecosystem: a lead would leave it without an owner,"
        f"u1,lead,{MOMENT},Ana\n"
    )
    items = stored_items(client)
    assert items["u1"]["kind"] == {"S": "customer"}
    assert set(items["u2"]) & {"access", "subscription", "ecosystem", "sort_ends_on"} == set()


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
    write_file(folder / "people.csv", [("u1", "lead", "Ana", "Ana"), ("Ana", "Ana", MOMENT, "Ana")])
    assert load.main(["people.csv"]) == 1
    (folder / "nohead.csv").write_text(f"u1,lead,{MOMENT},Ana\nu2,lead,{MOMENT},Ana\n")
    assert load.main(["nohead.csv"]) == 2
    printed = capsys.readouterr()
    assert "Ana" not in printed.out + printed.err
    assert printed.err == (
        "nohead.csv lacks the column id, kind, registered_at: its header must name id, kind and"
        " registered_at: nothing was loaded\n"
    )
    assert stored_items(client) == {}
