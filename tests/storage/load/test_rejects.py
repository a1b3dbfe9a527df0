"""`make load`: rows that are wrong → the reject file, which can be corrected and loaded."""

import csv
from pathlib import Path
from typing import Any

import pytest

from infra.load import __main__ as load
from tests.storage.load.builders import HEADER, MOMENT, stored_items


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
    assert set(stored_items(client)) == {"u2", "u6"}
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
    assert set(stored_items(client)) == {"u1"}
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
    assert set(stored_items(client)) == {"u1"}


def test_the_reject_file_of_a_former_run_goes_when_nothing_is_rejected(
    client: Any, folder: Path
) -> None:
    (folder / "people.csv").write_text(f"{HEADER}\nu1,person,{MOMENT},Ana\n")
    assert load.main(["people.csv"]) == 1
    assert (folder / "people.csv.rejects.csv").exists()
    (folder / "people.csv").write_text(f"{HEADER}\nu1,lead,{MOMENT},Ana\n")
    assert load.main(["people.csv"]) == 0
    assert not (folder / "people.csv.rejects.csv").exists()
    assert set(stored_items(client)) == {"u1"}


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
