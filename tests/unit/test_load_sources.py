"""A file → its header and its rows, each with the line where it begins."""

import zipfile
from collections import Counter
from contextlib import suppress
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.load.sources import MOST_CHARACTERS, RawRow, SourceError, open_source

UNCLOSED = "a quotation mark opens in this line and never closes"
MOMENTS = ("2026-03-01T15:04:05", "2026-03-01", "2026-03-01T12:00:00")
QUOTES = "the quotation marks are wrong: one inside of a quoted cell has to be doubled"


def _read(path: Path, content: bytes) -> tuple[tuple[str, ...], list[RawRow]]:
    path.write_bytes(content)
    with open_source(path) as source:
        return source.header, list(source.rows)


def _csv(folder: Path, content: bytes) -> tuple[tuple[str, ...], list[RawRow]]:
    return _read(folder / "people.csv", content)


def _error(path: Path) -> str:
    with pytest.raises(SourceError) as raised, open_source(path) as source:
        list(source.rows)
    return str(raised.value)


def _workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def _sheet_rows(path: Path) -> list[RawRow]:
    with open_source(path) as source:
        return list(source.rows)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_a_byte_order_mark_make_no_difference(
    tmp_path: Path, separator: str, end: str, mark: str
) -> None:
    lines = [["id", "name"], ["u1", "Ñandú"], ["u2", ""]]
    text = mark + "".join(separator.join(line) + end for line in lines)
    header, rows = _csv(tmp_path, text.encode())
    assert header == ("id", "name")
    assert rows == [RawRow(2, ("u1", "Ñandú")), RawRow(3, ("u2", ""))]


def test_the_separator_is_counted_outside_of_quotation_marks(tmp_path: Path) -> None:
    header, rows = _csv(tmp_path, b'"id, or, so";name\nu1;Ana, of course\n')
    assert header == ("id, or, so", "name")
    assert rows == [RawRow(2, ("u1", "Ana, of course"))]


def test_the_separator_may_be_named_the_way_excel_does(tmp_path: Path) -> None:
    header, rows = _csv(tmp_path, b"sep=;\r\nid,x;name\r\nu1;Ana\r\n")
    assert header == ("id,x", "name")
    assert rows == [RawRow(3, ("u1", "Ana"))]


def test_a_row_has_the_number_of_the_physical_line_where_it_begins(tmp_path: Path) -> None:
    text = b'\r\nid,name\r\nu1,"Ana\r\nMaria ""Mia"""\r\n\r\n , \r\nu2,5" wide\r\n'
    header, rows = _csv(tmp_path, text)
    assert header == ("id", "name")
    assert rows == [RawRow(3, ("u1", 'Ana\r\nMaria "Mia"')), RawRow(7, ("u2", '5" wide'))]


def test_a_wrong_quotation_mark_costs_one_line_alone(tmp_path: Path) -> None:
    text = b'id,name\nu1,"Ana\nu2,Eva\nu3,"Zo"e"\nu4,Ida\nu5,"Uma\n'
    _, rows = _csv(tmp_path, text)
    assert rows == [
        RawRow(2, ('u1,"Ana',), QUOTES),
        RawRow(3, ("u2", "Eva")),
        RawRow(4, ('u3,"Zo"e"',), QUOTES),
        RawRow(5, ("u4", "Ida")),
        RawRow(6, ('u5,"Uma',), UNCLOSED),
    ]


def test_a_quotation_mark_that_never_closes_does_not_swallow_the_file(tmp_path: Path) -> None:
    line = "u,Ana Maria de la Inmaculada Concepción\n" * 40_000
    _, rows = _csv(tmp_path, f'id,name\nu0,"Ana\n{line}'.encode())
    assert rows[0] == RawRow(2, ('u0,"Ana',), UNCLOSED)
    assert len(rows) == 40_001
    assert {row.problem for row in rows[1:]} == {""}


def test_a_line_that_is_too_long_costs_itself_alone(tmp_path: Path) -> None:
    text = b"id,name\nu1," + b"x" * (3 * MOST_CHARACTERS) + b"\nu2,Ana\n"
    _, rows = _csv(tmp_path, text)
    assert [row.line for row in rows] == [2, 3]
    assert rows[0].problem == (
        "the row is longer than 1,048,576 characters, of which the first are repeated here"
    )
    assert rows[1] == RawRow(3, ("u2", "Ana"))


def test_bytes_that_are_not_utf8_stay_in_their_row(tmp_path: Path) -> None:
    _, rows = _csv(tmp_path, b"id,name\nu1,Jos\xe9\nu2,Ana\n")
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
        _, rows = _csv(Path(folder), f"id,name\n{text}".encode())
    cells = "".join(cell for row in rows for cell in row.cells)
    assert Counter(cells)["u"] == Counter(text)["u"]
    assert Counter(cells)["é"] == Counter(text)["é"]
    numbers = [row.line for row in rows]
    assert numbers == sorted(set(numbers))


@given(content=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_fault_of_the_file(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        for name in ("people.csv", "people.jsonl", "people.xlsx"):
            path = Path(folder) / name
            path.write_bytes(content)
            with suppress(SourceError), open_source(path) as source:
                list(source.rows)


def test_json_lines_are_rows_of_one_cell(tmp_path: Path) -> None:
    text = '\ufeff{"id": "u1"}\r\n\r\n  \nnothing\n[1]\n'
    for name in ("people.jsonl", "people.ndjson", "PEOPLE.JSON"):
        header, rows = _read(tmp_path / name, text.encode())
        assert header == ("row",)
        assert rows == [
            RawRow(1, ('{"id": "u1"}',)),
            RawRow(4, ("nothing",)),
            RawRow(5, ("[1]",)),
        ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.json", '[{"id": "u1"}]'),
        ("people.json", "\n[\n"),
        ("people.jsonl", '[{"id": "u1"},\n{"id": "u2"}]'),
        ("people.jsonl", '{\n  "id": "u1"\n}'),
    ],
)
def test_one_json_document_is_told_from_json_lines(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert _error(path) == (
        "is one JSON document: JSON Lines has one object a line (jq -c '.[]' makes it so)"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("people.csv", b"", "is empty"),
        ("people.csv", b"\xef\xbb\xbf\r\n \r\n", "has no header: there is nothing in it"),
        ("people.jsonl", b"\n", "has no header: there is nothing in it"),
        ("people.csv", "id,kind\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
        (
            "people.csv",
            b"id,tel\xe9fono\n",
            "has a header that cannot be read: it must be a line of UTF-8 text",
        ),
        (
            "people.csv",
            b'id,"kind\nu1,lead\n',
            "has a header that cannot be read: it must be a line of UTF-8 text",
        ),
        (
            "people.xls",
            b"x",
            (
                "has another extension than those that can be read:"
                " .csv, .tsv, .xlsx, .jsonl, .ndjson, .json"
            ),
        ),
        (
            "people.xlsx",
            b"id,kind\n",
            "is no workbook that can be read: is it damaged, or protected by a password?",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_told_why(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert _error(path) == message


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    assert _error(tmp_path / "people.csv") == "cannot be read: no such file or directory"
    (tmp_path / "folder.csv").mkdir()
    assert _error(tmp_path / "folder.csv") == "cannot be read: is a directory"


def test_the_cells_of_a_workbook_become_what_a_csv_file_would_hold(tmp_path: Path) -> None:
    titles = [
        "registered_at",
        "Subscription starts on",
        "ends_on",
        "phone_number",
        "plan",
        "version",
    ]
    moment, midnight, noon = map(datetime.fromisoformat, MOMENTS)
    rows: list[list[Any]] = [
        titles,
        [moment, midnight, date(2027, 2, 28), 573001234567, 7, 3.0],
        [],
        [midnight, noon, "2027-02-28", 573001234567.0, 1.5, True],
        ["2026-03-01T10:04:05-05:00", None, time(12, 30), "+57 300", "=1", " "],
    ]
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.worksheets[0].cell(row=5, column=5).data_type = "s"
    path = tmp_path / "people.xlsx"
    book.save(path)
    with open_source(path) as source:
        assert (source.header, source.total, source.unit) == (tuple(titles), 5, " rows")
        assert list(source.rows) == [
            RawRow(
                2,
                ("2026-03-01T15:04:05Z", "2026-03-01", "2027-02-28", "573001234567", "7", "3"),
            ),
            RawRow(
                4,
                (
                    "2026-03-01T00:00:00Z",
                    "2026-03-01T12:00:00Z",
                    "2027-02-28",
                    "573001234567",
                    "1.5",
                    "True",
                ),
            ),
            RawRow(5, ("2026-03-01T10:04:05-05:00", "", "12:30:00", "+57 300", "=1", " ")),
        ]
        assert source.position() == 5


def test_rows_of_a_workbook_are_as_wide_as_its_header(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [None],
        ["id", "kind", None, " "],
        ["u1"],
        ["u2", "lead", "", "?"],
        [None, None, " "],
    ]
    path = _workbook(tmp_path / "people.xlsx", rows)
    with open_source(path) as source:
        assert source.header == ("id", "kind")
        assert list(source.rows) == [RawRow(3, ("u1", "")), RawRow(4, ("u2", "lead", "", "?"))]


def test_a_size_that_a_workbook_states_wrongly_hides_no_row(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [["id", "kind"], ["u1", "lead"]])
    _edit(path, b'<dimension ref="A1:B2"', b'<dimension ref="A1:A1"')
    assert _sheet_rows(path) == [RawRow(2, ("u1", "lead"))]


def test_only_the_first_sheet_is_read_and_a_notice_says_so(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id"])
    book.create_sheet("Receipt").append(["rows", 3])
    book.save(tmp_path / "people.xlsx")
    with open_source(tmp_path / "people.xlsx") as source:
        assert source.notice == "only the first of its 2 sheets is read"
        assert list(source.rows) == []


def test_errors_and_formulas_without_results_are_faults_of_their_rows(tmp_path: Path) -> None:
    rows = [
        ["id", "plan", "notes"],
        ["u1", "=1+1", "=1+1"],
        ["u2", "#N/A", "#N/A"],
        ["u3", "x", ""],
    ]
    path = _workbook(tmp_path / "people.xlsx", rows)
    assert _sheet_rows(path) == [
        RawRow(
            2,
            ("u1", "", ""),
            "plan holds a formula without its result: save the workbook in a spreadsheet program",
        ),
        RawRow(3, ("u2", "#N/A", "#N/A"), "plan holds the error #N/A"),
        RawRow(4, ("u3", "x", "")),
    ]


def test_the_result_of_a_formula_is_what_counts_even_if_it_is_empty(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [["id", "plan"], ["u1", "=A1"], ["u2", "=A2"]])
    _edit(path, b"<f>A1</f><v />", b"<f>A1</f><v>2</v>")
    _edit(path, b'<c r="B3"><f>A2</f><v />', b'<c r="B3" t="str"><f>A2</f><v></v>')
    assert _sheet_rows(path) == [RawRow(2, ("u1", "2")), RawRow(3, ("u2", ""))]


def test_a_damaged_workbook_is_found_out_before_anything_is_loaded(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [["id", "kind"], *[["u1", "lead"]] * 5000])
    content = bytearray(path.read_bytes())
    place = content.index(b"xl/worksheets/sheet1.xml") + 2000
    content[place] ^= 0xFF
    path.write_bytes(content)
    assert _error(path) == (
        "is no workbook that can be read: is it damaged, or protected by a password?"
    )


def test_a_sheet_that_breaks_off_tells_after_which_row(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [["id"], *[[f"u{n}"] for n in range(20_000)]])
    _edit(path, b'<row r="15000"', b'<row r="15000" <')
    assert _error(path).startswith("cannot be read beyond row 1")


def test_a_workbook_without_a_cell_has_no_header(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [])
    assert _error(path) == "has no header: there is nothing in its first sheet"


def _edit(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes in the first sheet of the workbook."""
    made = BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    path.write_bytes(made.getvalue())
