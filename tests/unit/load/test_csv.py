"""A CSV file → its header and its rows, each with the line where it begins."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.load.sources import MOST_CHARACTERS, RawRow, open_source
from tests.unit.load.reading import read_csv

UNCLOSED = "a quotation mark opens in this line and never closes"
QUOTES = "the quotation marks are wrong: one inside of a quoted cell has to be doubled"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_a_byte_order_mark_make_no_difference(
    tmp_path: Path, separator: str, end: str, mark: str
) -> None:
    lines = [["id", "name"], ["u1", "Ñandú"], ["u2", ""]]
    text = mark + "".join(separator.join(line) + end for line in lines)
    header, rows = read_csv(tmp_path, text.encode())
    assert header == ("id", "name")
    assert rows == [RawRow(2, ("u1", "Ñandú")), RawRow(3, ("u2", ""))]


def test_the_separator_is_counted_outside_of_quotation_marks(tmp_path: Path) -> None:
    header, rows = read_csv(tmp_path, b'"id, or, so";name\nu1;Ana, of course\n')
    assert header == ("id, or, so", "name")
    assert rows == [RawRow(2, ("u1", "Ana, of course"))]


def test_the_separator_may_be_named_the_way_excel_does(tmp_path: Path) -> None:
    header, rows = read_csv(tmp_path, b"sep=;\r\nid,x;name\r\nu1;Ana\r\n")
    assert header == ("id,x", "name")
    assert rows == [RawRow(3, ("u1", "Ana"))]


def test_a_row_has_the_number_of_the_physical_line_where_it_begins(tmp_path: Path) -> None:
    text = b'\r\nid,name\r\nu1,"Ana\r\nMaria ""Mia"""\r\n\r\n , \r\nu2,5" wide\r\n'
    header, rows = read_csv(tmp_path, text)
    assert header == ("id", "name")
    assert rows == [RawRow(3, ("u1", 'Ana\r\nMaria "Mia"')), RawRow(7, ("u2", '5" wide'))]


def test_a_wrong_quotation_mark_costs_one_line_alone(tmp_path: Path) -> None:
    text = b'id,name\nu1,"Ana\nu2,Eva\nu3,"Zo"e"\nu4,Ida\nu5,"Uma\n'
    _, rows = read_csv(tmp_path, text)
    assert rows == [
        RawRow(2, ('u1,"Ana',), QUOTES),
        RawRow(3, ("u2", "Eva")),
        RawRow(4, ('u3,"Zo"e"',), QUOTES),
        RawRow(5, ("u4", "Ida")),
        RawRow(6, ('u5,"Uma',), UNCLOSED),
    ]


def test_a_quotation_mark_that_never_closes_does_not_swallow_the_file(tmp_path: Path) -> None:
    line = "u,Ana Maria de la Inmaculada Concepción\n" * 40_000
    _, rows = read_csv(tmp_path, f'id,name\nu0,"Ana\n{line}'.encode())
    assert rows[0] == RawRow(2, ('u0,"Ana',), UNCLOSED)
    assert len(rows) == 40_001
    assert {row.problem for row in rows[1:]} == {""}


def test_a_line_that_is_too_long_costs_itself_alone(tmp_path: Path) -> None:
    text = b"id,name\nu1," + b"x" * (3 * MOST_CHARACTERS) + b"\nu2,Ana\n"
    _, rows = read_csv(tmp_path, text)
    assert [row.line for row in rows] == [2, 3]
    assert rows[0].problem == (
        "the row is longer than 1,048,576 characters, of which the first are repeated here"
    )
    assert rows[1] == RawRow(3, ("u2", "Ana"))


def test_bytes_that_are_not_utf8_stay_in_their_row(tmp_path: Path) -> None:
    _, rows = read_csv(tmp_path, b"id,name\nu1,Jos\xe9\nu2,Ana\n")
    assert rows == [RawRow(2, ("u1", "Jos\udce9")), RawRow(3, ("u2", "Ana"))]


def test_rows_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"id,name\n" + b"u1,Ana\n" * 100_000)
    with open_source(path) as source:
        assert next(source.rows) == RawRow(2, ("u1", "Ana"))
        assert (source.total, source.unit) == (700_008, "B")
        assert source.position() < 100_000
        assert sum(1 for _ in source.rows) == 99_999
        assert source.position() == 700_008


@given(lines=st.lists(st.text('ué,;"\t \0') | st.just('u,"a\nb"'), max_size=12))
def test_whatever_a_file_holds_every_letter_of_it_is_in_a_row(lines: list[str]) -> None:
    text = "\r\n".join(lines)
    with TemporaryDirectory() as folder:
        _, rows = read_csv(Path(folder), f"id,name\n{text}".encode())
    cells = "".join(cell for row in rows for cell in row.cells)
    assert Counter(cells)["u"] == Counter(text)["u"]
    assert Counter(cells)["é"] == Counter(text)["é"]
    numbers = [row.line for row in rows]
    assert numbers == sorted(set(numbers))
