"""A file → its header and its rows, numbered, one at a time: CSV and JSON Lines here.

What a row holds is text, as it stands in the file: that is what a reject file has to repeat.
"""

import csv
import io
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from infra.load.columns import JSON_ROW, CellError, parse_json
from infra.load.fields import has_surrogates

MOST_CHARACTERS = 1_048_576
"""The longest row: DynamoDB's largest item, 400 kB, is well below it."""

_TOO_LONG = (
    f"the row is longer than {MOST_CHARACTERS:,} characters, of which the first are repeated here"
)
_UNCLOSED = "a quotation mark opens in this line and never closes"
_QUOTES = "the quotation marks are wrong: one inside of a quoted cell has to be doubled"
_SEPARATORS = ",;\t"


class SourceError(Exception):
    """The file as a whole cannot be loaded, or not further; the message is for a person."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file; `line` is where it begins, and `problem` is for a person."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """An open file. `position` tells how far the reading is, in `unit`s, of `total`."""

    header: tuple[str, ...]
    rows: Iterator[RawRow]
    position: Callable[[], int]
    total: int | None
    unit: str
    notice: str = ""


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The source that the file is, by its extension. Raises `SourceError`, and so do its rows."""
    with _open(path) as handle:
        opener = _OPENERS.get(path.suffix.lower())
        if opener is None:
            message = f"has another extension than those that can be read: {', '.join(_OPENERS)}"
            raise SourceError(message)
        yield opener(path, handle)


def _open(path: Path) -> BinaryIO:
    try:
        if path.stat().st_size:
            return path.open("rb")
    except OSError as error:
        message = f"cannot be read: {(error.strerror or 'unknown error').lower()}"
        raise SourceError(message) from error
    message = "is empty"
    raise SourceError(message)


class _Lines(Iterator[str]):
    """The physical lines of a text file; some can be given back. `number` is the last one's.

    A line that is too long comes cut, longer than `MOST_CHARACTERS` still. Bytes that are not
    UTF-8 come as lone surrogates, so that one bad line does not cost the others.
    """

    def __init__(self, handle: BinaryIO) -> None:
        if handle.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
            message = "is UTF-16 text: save it as UTF-8"
            raise SourceError(message)
        handle.seek(0)
        self.number = 0
        self._handle = handle
        self._returned: deque[str] = deque()
        self._text = io.TextIOWrapper(
            handle, encoding="utf-8-sig", errors="surrogateescape", newline=""
        )

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)

    def first(self) -> str:
        """The first line that is not blank; it stays the next to come."""
        for line in self:
            if line.strip():
                self.give_back([line])
                return line
        message = "has no header: there is nothing in it"
        raise SourceError(message)

    def position(self) -> int:
        """How many bytes of the file are read."""
        return self._handle.tell()

    def _read(self) -> str:
        try:
            line = rest = self._text.readline(MOST_CHARACTERS + 1)
            while len(rest) > MOST_CHARACTERS and not rest.endswith(("\r", "\n")):
                rest = self._text.readline(MOST_CHARACTERS + 1)
        except OSError as error:
            message = f"cannot be read beyond line {self.number}"
            raise SourceError(message) from error
        return line


def _open_csv(_: Path, handle: BinaryIO) -> Source:
    total = os.fstat(handle.fileno()).st_size
    lines = _Lines(handle)
    first = lines.first()
    named = re.fullmatch(r"sep=([,;\t])\s*", first)  # Excel's way to name the separator
    if named:
        next(lines)
        first = lines.first()
    records = _records(lines, named[1] if named else _separator(first))
    header = next(records, None)
    if header is None:
        message = "has no header: there is nothing in it"
        raise SourceError(message)
    if header.problem or has_surrogates("".join(header.cells)):
        message = "has a header that cannot be read: it must be a line of UTF-8 text"
        raise SourceError(message)
    return Source(header.cells, records, lines.position, total, "B")


def _separator(line: str) -> str:
    outside = re.sub(r'"[^"]*"?', "", line)
    return max(_SEPARATORS, key=outside.count)


def _records(lines: _Lines, separator: str) -> Iterator[RawRow]:
    """The records of a CSV file (RFC 4180), of which one may take several lines.

    A wrong quotation mark must not swallow the lines behind it: where no record comes of it, the
    line where it began is given up alone, and the next line begins the next record.
    """
    csv.field_size_limit(2 * MOST_CHARACTERS)
    while True:
        taken: list[str] = []
        start = lines.number + 1
        try:
            cells = next(csv.reader(_taking(lines, taken), delimiter=separator, strict=True), None)
        except csv.Error as error:
            lines.give_back(taken[1:])
            problem = _QUOTES if "expected after" in str(error) else str(error.args[0])
            yield RawRow(start, (taken[0].rstrip("\r\n"),), problem)
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield RawRow(start, tuple(cells))


def _taking(lines: _Lines, taken: list[str]) -> Iterator[str]:
    length = 0
    for line in lines:
        taken.append(line)
        length += len(line)
        if length > MOST_CHARACTERS:
            raise csv.Error(_TOO_LONG if len(taken) == 1 else _UNCLOSED)
        yield line
    if taken:
        raise csv.Error(_UNCLOSED)


def _open_json_lines(path: Path, handle: BinaryIO) -> Source:
    total = os.fstat(handle.fileno()).st_size
    lines = _Lines(handle)
    first = lines.first().strip()
    if _is_one_document(first, path.suffix.lower()):
        message = "is one JSON document: JSON Lines has one object a line (jq -c '.[]' makes it so)"
        raise SourceError(message)
    return Source((JSON_ROW,), _json_rows(lines), lines.position, total, "B")


def _is_one_document(line: str, suffix: str) -> bool:
    if not line.startswith("["):
        return line == "{"
    try:
        parse_json(line)
    except CellError:
        return True
    return suffix == ".json"


def _json_rows(lines: _Lines) -> Iterator[RawRow]:
    for line in lines:
        if line.strip():
            problem = _TOO_LONG if len(line) > MOST_CHARACTERS else ""
            yield RawRow(lines.number, (line.rstrip("\r\n"),), problem)


def _open_workbook(_: Path, handle: BinaryIO) -> Source:
    from infra.load.workbook import open_workbook

    return open_workbook(handle)


_OPENERS: dict[str, Callable[[Path, BinaryIO], Source]] = {
    ".csv": _open_csv,
    ".tsv": _open_csv,
    ".xlsx": _open_workbook,
    ".jsonl": _open_json_lines,
    ".ndjson": _open_json_lines,
    ".json": _open_json_lines,
}
