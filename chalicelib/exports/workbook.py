"""Rows → an Excel workbook (.xlsx): text stays text, dates are dates, nothing is a formula."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import clock
from chalicelib.exports.columns import COLUMNS, TITLES, Column, Tally, Type, word
from chalicelib.settings import settings
from chalicelib.users.model import Kind, StoreUser

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

MIME_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_ROWS_A_SHEET = 1_048_575
"""Excel's 1,048,576 rows less the header."""

_UNITS_A_CELL = 32_767
"""Excel's limit on the text of a cell, in UTF-16 code units."""

_FIRST_EXCEL_DATE = date(1900, 3, 1)
"""Excel believes that 1900 was a leap year; before this date its day numbers are off by one."""

_FIRST_INEXACT_NUMBER = 10**15
"""Excel keeps fifteen digits."""

# What XML 1.0 forbids, a carriage return (which XML readers turn into a line feed), and the
# escape sequence itself: written as _xHHHH_ (ECMA-376 Part 1, §22.9.2.19, ST_Xstring).
# An underscore is escaped before any xHHHH: the escape that follows could complete the sequence.
_BLANK = re.compile(r"[ \t\n]")
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4})")


def write(
    path: Path,
    kind: Kind,
    language: str,
    users: Iterable[StoreUser],
    receipt: Callable[[Tally], Sequence[tuple[str, str]]],
) -> Tally:
    """Write the workbook to `path`: sheets of `users`, then what `receipt` says of the tally."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    try:
        tally = _write_rows(workbook, kind, language, users)
        _add_receipt(workbook, language, receipt(tally))
        workbook.save(path)
    except BaseException:
        _remove_temporary_files(workbook)
        raise
    return tally


def _write_rows(
    workbook: "Workbook", kind: Kind, language: str, users: Iterable[StoreUser]
) -> Tally:
    columns, tally = COLUMNS[kind], Tally()
    sheet = _new_sheet(workbook, TITLES[kind], columns, language)
    for user in users:
        if tally.rows and tally.rows % _ROWS_A_SHEET == 0:
            number = tally.rows // _ROWS_A_SHEET + 1
            sheet = _new_sheet(workbook, f"{TITLES[kind]} {number}", columns, language)
        sheet.append([_cell(sheet, column, user, language, tally) for column in columns])
        tally.rows += 1
    return tally


def _remove_temporary_files(workbook: "Workbook") -> None:
    """Openpyxl keeps each sheet in a file until the workbook is saved, or the process ends."""
    for sheet in workbook.worksheets:
        writer = getattr(sheet, "_writer", None)
        if writer is not None:
            with suppress(Exception):
                sheet.close()
            with suppress(OSError, ValueError):
                writer.cleanup()


def escape(text: str) -> str:
    """`text` so that a spreadsheet shows it unchanged: `_xHHHH_` for what XML cannot hold."""
    escaped = _TO_ESCAPE.sub(lambda match: _escaped(match[0]), text)
    if text.strip():
        return escaped
    # openpyxl does not ask readers to keep blanks where there is nothing else.
    return _BLANK.sub(lambda match: _escaped(match[0]), escaped)


def _escaped(character: str) -> str:
    return f"_x{ord(character):04X}_"


def _new_sheet(workbook: "Workbook", title: str, columns: Sequence[Column], language: str) -> Any:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet: Any = workbook.create_sheet(title)  # its stubs lack what write-only sheets inherit
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    header = [_text_cell(sheet, column.headings[language], Tally()) for column in columns]
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)
    return sheet


def _cell(
    sheet: "WriteOnlyWorksheet", column: Column, user: StoreUser, language: str, tally: Tally
) -> "Cell | None":
    value = column.value(user)
    if value is None or value == "":
        return None
    if column.type is Type.WORD:
        return _text_cell(sheet, word(str(value), language), tally)
    if column.type is Type.NUMBER and abs(int(value)) < _FIRST_INEXACT_NUMBER:
        return _plain_cell(sheet, value, "0")
    if column.type is Type.INSTANT:
        return _instant_cell(sheet, str(value), tally)
    if column.type is Type.DATE:
        return _date_cell(sheet, str(value), tally)
    return _text_cell(sheet, str(value), tally)


def _instant_cell(sheet: "WriteOnlyWorksheet", text: str, tally: Tally) -> "Cell":
    """Excel has no time zones: the wall clock of the configured one."""
    try:
        moment = clock.in_zone(clock.parse_instant(text), settings().time_zone)
    except ValueError:
        return _text_cell(sheet, text, tally)
    if moment.date() < _FIRST_EXCEL_DATE:
        return _text_cell(sheet, text, tally)
    wall = moment.replace(tzinfo=None, microsecond=0)
    return _plain_cell(sheet, wall, "yyyy-mm-dd hh:mm:ss")


def _date_cell(sheet: "WriteOnlyWorksheet", text: str, tally: Tally) -> "Cell":
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _text_cell(sheet, text, tally)
    if day < _FIRST_EXCEL_DATE:
        return _text_cell(sheet, text, tally)
    return _plain_cell(sheet, datetime(day.year, day.month, day.day), "yyyy-mm-dd")  # noqa: DTZ001 - Excel has none


def _plain_cell(sheet: "WriteOnlyWorksheet", value: Any, number_format: str) -> "Cell":
    from openpyxl.cell import WriteOnlyCell

    cell: Cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell


def _text_cell(sheet: "WriteOnlyWorksheet", text: str, tally: Tally) -> "Cell":
    """A cell of text. openpyxl would make a formula of `=…` and an error of `#N/A`."""
    from openpyxl.cell import WriteOnlyCell

    kept = _cut(text)
    tally.cut_cells += len(kept) < len(text)
    cell: Any = WriteOnlyCell(sheet)
    # Set behind the property, which would cut what is longer only because it is escaped.
    cell._value = escape(kept)  # noqa: SLF001
    cell.data_type = "s"
    cell.number_format = "@"
    return cell  # type: ignore[no-any-return] # its stubs hide what is behind the property


def _cut(text: str) -> str:
    """As much of `text` as a cell holds; escapes count as the character that they stand for."""
    if len(text) * 2 <= _UNITS_A_CELL:
        return text
    units = text.encode("utf-16-le")[: _UNITS_A_CELL * 2]
    return units.decode("utf-16-le", errors="ignore")


def _add_receipt(workbook: "Workbook", language: str, lines: Sequence[tuple[str, str]]) -> None:
    sheet = workbook.create_sheet({"es": "Comprobante", "en": "Receipt"}[language])
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 60
    for label, value in lines:
        sheet.append([_text_cell(sheet, label, Tally()), _text_cell(sheet, value, Tally())])
