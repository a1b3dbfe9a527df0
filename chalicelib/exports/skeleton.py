"""The workbook around the rows: openpyxl makes it, and it is cut open where the rows belong."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.exports.cells import Styles, escape
from chalicelib.exports.columns import Layout

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FORMATS = {"text": "@", "instant": "yyyy-mm-dd hh:mm:ss", "date": "yyyy-mm-dd", "number": "0"}
_DATA_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_FIRST_ROW = re.compile(r'<row r="2".*?</row>', re.DOTALL)
_DIMENSION = re.compile(r"<dimension [^>]*/>")
_STYLE = re.compile(r'<c r="[A-D]2" s="(\d+)"')

_RECEIPTS = {"es": "Comprobante", "en": "Receipt"}


class Skeleton:
    """The parts of a workbook whose sheets hold the rows of one layout."""

    def __init__(self, layout: Layout) -> None:
        """Learn of openpyxl how it writes a sheet, and by which numbers it calls the formats."""
        self._layout = layout
        sheet = self._sheet(1)
        first_row = _FIRST_ROW.search(sheet)
        if first_row is None:
            message = "openpyxl writes sheets in another way than the one that was tested"
            raise RuntimeError(message)
        # Excel can do without the size of a sheet, which is not known before its end.
        self.head = _DIMENSION.sub("", sheet[: first_row.start()]).encode()
        self.styles = Styles(*_STYLE.findall(first_row[0]))

    def tail(self, rows: int) -> bytes:
        """What follows the last of so many rows."""
        return _FIRST_ROW.split(self._sheet(rows))[1].encode()

    def rest(
        self, rows_by_sheet: Sequence[int], receipt: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[str, bytes]]:
        """Every other part of the workbook: (name, content)."""
        workbook = self._workbook(rows_by_sheet)
        _add_receipt(workbook, _RECEIPTS[self._layout.language], receipt)
        with _saved(workbook) as archive:
            for name in archive.namelist():
                number = _DATA_SHEET.fullmatch(name)
                if number is None or int(number[1]) > len(rows_by_sheet):
                    yield name, archive.read(name)

    def _sheet(self, rows: int) -> str:
        with _saved(self._workbook([rows])) as archive:
            return archive.read("xl/worksheets/sheet1.xml").decode()

    def _workbook(self, rows_by_sheet: Sequence[int]) -> "Workbook":
        """Sheets with a header and, for the formats, one row of empty cells."""
        from openpyxl import Workbook

        workbook = Workbook()
        workbook.remove(workbook.worksheets[0])
        for number, rows in enumerate(rows_by_sheet, start=1):
            title = self._layout.title if number == 1 else f"{self._layout.title} {number}"
            sheet = workbook.create_sheet(title)
            self._lay_out(sheet, rows)
        return workbook

    def _lay_out(self, sheet: "Worksheet", rows: int) -> None:
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        columns = self._layout.columns
        for number, column in enumerate(columns, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = column.width
            _write_text(sheet, 1, number, column.headings[self._layout.language])
            sheet.cell(1, number).font = Font(bold=True)
        for number, number_format in enumerate(_FORMATS.values(), start=1):
            cell: Any = sheet.cell(2, number)
            cell.number_format = number_format
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{rows + 1}"


def _write_text(sheet: "Worksheet", row: int, column: int, text: str) -> None:
    """A cell of text. openpyxl would make a formula of `=…` and an error of `#N/A`."""
    cell: Any = sheet.cell(row, column)
    # Set behind the property, which refuses control characters.
    cell._value = escape(text)  # noqa: SLF001
    cell.data_type = "s"
    cell.number_format = "@"


def _add_receipt(workbook: "Workbook", title: str, lines: Sequence[tuple[str, str]]) -> None:
    sheet = workbook.create_sheet(title)
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 60
    for row, line in enumerate(lines, start=1):
        for column, text in enumerate(line, start=1):
            _write_text(sheet, row, column, text)


def _saved(workbook: "Workbook") -> zipfile.ZipFile:
    content = io.BytesIO()
    workbook.save(content)
    return zipfile.ZipFile(content)
