"""Rows → CSV: UTF-8 with a byte order mark, RFC 4180, nothing that a spreadsheet would run."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from chalicelib.exports.columns import Column, Layout, Row, Tally, Type, Value, word
from chalicelib.exports.upload import Sink

MIME_TYPE = "text/csv; charset=utf-8"

# What makes a spreadsheet calculate a cell (OWASP, CSV Injection): at its beginning, and behind
# what a spreadsheet with other separators than ours takes for the beginning of the next one.
_RUNS_IN_A_SPREADSHEET = re.compile(r"(^|[;\t\r\n])(?=[=+\-@＝＋－＠])")  # noqa: RUF001 - full width
_BLANKS_AT_THE_BEGINNING = ("\t", "\r", "\n")

# A plus and digits, as phone numbers are written; with a dash only where a blank or a bracket
# keeps a spreadsheet from subtracting.
_PHONE = re.compile(r"\+(?=[^-]*\Z|.*[ (])[\d ().-]+")


def write(sink: Sink, layout: Layout, chunks: Iterable[Sequence[Row]]) -> Tally:
    """Write the file: a header, then a line for each row."""
    tally = Tally()
    sink.write(codecs.BOM_UTF8 + _lines([layout.headings]))
    for rows in chunks:
        sink.write(_lines(_cells(layout, row) for row in rows))
        tally.rows += len(rows)
    return tally


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return lines.getvalue().encode()


def _cells(layout: Layout, row: Row) -> Iterator[str]:
    pairs = zip(layout.columns, row, strict=True)
    return (_cell(column, value, layout.language) for column, value in pairs)


def _cell(column: Column, value: Value, language: str) -> str:
    text = "" if value is None else str(value)
    if column.type is Type.WORD:
        text = word(text, language)
    if column.type is Type.PHONE and _PHONE.fullmatch(text):
        return text
    safe = _RUNS_IN_A_SPREADSHEET.sub(r"\1'", text)
    return f"'{safe}" if text.startswith(_BLANKS_AT_THE_BEGINNING) else safe
