"""Rows → CSV: UTF-8 with a byte order mark, RFC 4180, nothing that a spreadsheet would run."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from chalicelib.exports.columns import COLUMNS, Column, Tally, Type, word
from chalicelib.users.model import Kind, StoreUser

MIME_TYPE = "text/csv; charset=utf-8"

# What makes a spreadsheet calculate a cell (OWASP, CSV Injection): at its beginning, and behind
# what a spreadsheet with other separators than ours takes for the beginning of the next one.
_RUNS_IN_A_SPREADSHEET = re.compile(r"(^|[;\t\r\n])(?=[=+\-@＝＋－＠])")  # noqa: RUF001 - full width
_BLANKS_AT_THE_BEGINNING = ("\t", "\r", "\n")

# A plus and digits, as phone numbers are written; with a dash only where a blank or a bracket
# keeps a spreadsheet from subtracting.
_PHONE = re.compile(r"\+(?=[^-]*\Z|.*[ (])[\d ().-]+")


def write(path: Path, kind: Kind, language: str, users: Iterable[StoreUser]) -> Tally:
    """Write the file to `path`: a header, then a line for each of `users`."""
    tally = Tally()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.headings[language] for column in COLUMNS[kind]])
        for user in users:
            writer.writerow([_cell(column, user, language) for column in COLUMNS[kind]])
            tally.rows += 1
    return tally


def _cell(column: Column, user: StoreUser, language: str) -> str:
    value = column.value(user)
    text = "" if value is None else str(value)
    if column.type is Type.WORD:
        text = word(text, language)
    if column.type is Type.PHONE and _PHONE.fullmatch(text):
        return text
    safe = _RUNS_IN_A_SPREADSHEET.sub(r"\1'", text)
    return f"'{safe}" if text.startswith(_BLANKS_AT_THE_BEGINNING) else safe
