"""Files of exports to test with: written by the worker's writers, read back by others."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
from python_calamine import CalamineWorkbook

from chalicelib.exports import csvfile, workbook
from chalicelib.exports.columns import Layout, Tally, layout
from chalicelib.users.model import StoreUser

Value = str | float | bool | date | datetime | None

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


class Book:
    """A workbook as calamine reads it (the oracle), as openpyxl does, and as XML."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._calamine = CalamineWorkbook.from_filelike(io.BytesIO(content))

    @property
    def sheets(self) -> list[str]:
        return self._calamine.sheet_names

    def rows(self, sheet: int = 0) -> Sequence[Sequence[Any]]:
        """The sheet as calamine reads it; empty cells are empty text."""
        return self._calamine.get_sheet_by_index(sheet).to_python(skip_empty_area=False)

    def openpyxl(self, sheet: int = 0) -> Any:
        """The sheet as openpyxl reads it."""
        return openpyxl.load_workbook(io.BytesIO(self._content)).worksheets[sheet]

    def openpyxl_rows(self, sheet: int = 0) -> list[list[Any]]:
        """What openpyxl reads, `_xHHHH_` undone (it leaves that to its caller)."""
        rows = self.openpyxl(sheet).iter_rows(values_only=True)
        return [[unescaped(value) for value in row] for row in rows]

    def xml(self, sheet: int = 0) -> str:
        """The sheet as it is written."""
        with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
            return archive.read(f"xl/worksheets/sheet{sheet + 1}.xml").decode()


def book(users: Sequence[StoreUser], language: str = "es") -> Book:
    """The workbook of the users, which are of one kind; its receipt is empty."""
    return book_and_tally(users, language)[0]


def book_and_tally(users: Sequence[StoreUser], language: str = "es") -> tuple[Book, Tally]:
    """The workbook of the users, which are of one kind, and what its writer counted."""
    return written(layout(users[0].kind, language), [users])


def written(
    look: Layout,
    chunks: Iterable[Sequence[StoreUser]],
    receipt: Callable[[Tally], Sequence[tuple[str, str]]] = lambda _tally: [],
) -> tuple[Book, Tally]:
    """The workbook of chunks of users, and what its writer counted."""
    sink = io.BytesIO()
    tally = workbook.write(sink, look, map(look.rows, chunks), receipt)
    return Book(sink.getvalue()), tally


def csv_bytes(users: Sequence[StoreUser], language: str = "es") -> bytes:
    """The CSV file of the users, which are of one kind."""
    sink, look = io.BytesIO(), layout(users[0].kind, language)
    csvfile.write(sink, look, [look.rows(users)])
    return sink.getvalue()


def csv_rows(content: bytes) -> list[list[str]]:
    """What a reader of RFC 4180 makes of the file."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def as_calamine_reads(text: str) -> str:
    """calamine 0.9 undoes `_x0000_` to `_x00FF_` alone: XML's two other outcasts stay escaped."""
    return text.replace("\ufffe", "_xFFFE_").replace("\uffff", "_xFFFF_")


def columns(rows: Iterable[Sequence[Any]], *numbers: int) -> list[tuple[Any, ...]]:
    """Some columns, counted from 0, of every row."""
    return [tuple(row[number] for number in numbers) for row in rows]


def unescaped(value: Value) -> Value:
    """Undo `_xHHHH_` (ECMA-376 Part 1, §22.9.2.19), from the left, each character once."""
    if not isinstance(value, str):
        return value
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
