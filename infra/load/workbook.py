"""The first sheet of an .xlsx workbook → numbered rows of text, one at a time."""

import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import repeat
from typing import Any, BinaryIO

import openpyxl

from chalicelib import clock
from infra.load.columns import DAYS, canonical, given_by
from infra.load.sources import RawRow, Source, SourceError

_MOST_ROWS = 1_048_576
_CHUNK_BYTES = 1_048_576
_FORMULA = re.compile(rb"<(?:\w{1,8}:)?f[ >/]")
_LONGEST_TAG = 12


def open_workbook(handle: BinaryIO) -> Source:
    """The source that a workbook is. Raises `SourceError`, and so do its rows."""
    # openpyxl warns of the parts of a workbook that it leaves out: none of them is a cell.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    try:
        formulas = _cells(_book(handle, data_only=False)) if _scan(handle) else repeat(())
        book = _book(handle, data_only=True)
        total = book.worksheets[0].max_row
        rows = _Rows(_cells(book), formulas)
    except Exception as error:
        message = "is no workbook that can be read: is it damaged, or protected by a password?"
        raise SourceError(message) from error
    header = rows.header()
    others = len(book.worksheets) - 1
    notice = f"only the first of its {others + 1} sheets is read" if others else ""
    return Source(header, rows, lambda: rows.number, total, " rows", notice)


def _book(handle: BinaryIO, *, data_only: bool) -> Any:
    return openpyxl.load_workbook(handle, read_only=True, data_only=data_only)


def _cells(book: Any) -> Iterator[Sequence[Any]]:
    sheet = book.worksheets[0]
    # Some writers state too small a size, and openpyxl would stop there:
    # https://openpyxl.readthedocs.io/en/stable/optimized.html#worksheet-dimensions
    sheet.reset_dimensions()
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(max_row=_MOST_ROWS)
    return rows


def _scan(handle: BinaryIO) -> bool:
    """Whether a sheet holds a formula. Reads them all, so that a damaged one raises here."""
    found = False
    with zipfile.ZipFile(handle) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                found |= _has_formula(archive, name)
            elif name == "xl/sharedStrings.xml":
                _has_formula(archive, name)
    return found


def _has_formula(archive: zipfile.ZipFile, name: str) -> bool:
    found, end = False, b""
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK_BYTES):
            found = found or _FORMULA.search(end + chunk) is not None
            end = chunk[-_LONGEST_TAG:]
    return found


class _Rows(Iterator[RawRow]):
    """The rows of a sheet that are not blank; `number` is that of the last one read."""

    def __init__(self, cells: Iterator[Sequence[Any]], formulas: Iterator[Sequence[Any]]) -> None:
        self.number = 0
        self._cells = cells
        self._formulas = formulas
        self._names: tuple[str, ...] = ()

    def header(self) -> tuple[str, ...]:
        """The titles in the first row that is not blank."""
        row = next(self, None)
        if row is None:
            message = "has no header: there is nothing in its first sheet"
            raise SourceError(message)
        self._names = tuple(map(canonical, row.cells))
        return row.cells

    def __next__(self) -> RawRow:
        while True:
            cells, formulas = self._read()
            texts = [
                _text(cell.value, is_day=name in DAYS)
                for cell, name in zip(cells, self._names_for(cells), strict=True)
            ]
            while len(texts) > len(self._names) and not texts[-1].strip():
                texts.pop()
            if any(text.strip() for text in texts):
                texts += [""] * (len(self._names) - len(texts))
                return RawRow(self.number, tuple(texts), self._problem(cells, formulas))

    def _read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        try:
            row = next(self._cells), next(self._formulas)
        except StopIteration:
            raise
        except Exception as error:
            message = f"cannot be read beyond row {self.number}: it is damaged"
            raise SourceError(message) from error
        self.number += 1
        return row

    def _names_for(self, cells: Sequence[Any]) -> tuple[str, ...]:
        return (*self._names, *[""] * len(cells))[: len(cells)]

    def _problem(self, cells: Sequence[Any], formulas: Sequence[Any]) -> str:
        problems = [
            f"{name} holds the error {cell.value}"
            for cell, name in zip(cells, self._names, strict=False)
            if cell.data_type == "e" and given_by(name)
        ]
        problems += [
            f"{name} holds a formula without its result: save the workbook in a spreadsheet program"
            for cell, formula, name in zip(cells, formulas, self._names, strict=False)
            # A formula whose result is an empty text says so in its type: `str`.
            if formula.data_type == "f" and cell.value is None and cell.data_type == "n"
            if given_by(name)
        ]
        return "; ".join(problems)


def _text(value: Any, *, is_day: bool) -> str:
    """What a CSV file would hold for the cell, so that it is checked and repeated as such."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        moment = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
        if is_day and moment.time() == time.min:
            return moment.date().isoformat()
        return clock.instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
