"""A workbook → its header and its rows, as a CSV file would hold them."""

import zipfile
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl

from infra.load.sources import RawRow, open_source
from tests.unit.load.reading import error_of

MOMENTS = ("2026-03-01T15:04:05", "2026-03-01", "2026-03-01T12:00:00")


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
    assert error_of(path) == (
        "is no workbook that can be read: is it damaged, or protected by a password?"
    )


def test_a_sheet_that_breaks_off_tells_after_which_row(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [["id"], *[[f"u{n}"] for n in range(20_000)]])
    _edit(path, b'<row r="15000"', b'<row r="15000" <')
    assert error_of(path).startswith("cannot be read beyond row 1")


def test_a_workbook_without_a_cell_has_no_header(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "people.xlsx", [])
    assert error_of(path) == "has no header: there is nothing in its first sheet"
