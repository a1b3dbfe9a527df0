"""Values → cells of a sheet as XML (ECMA-376 Part 1, §18.3.1.4): text is text, dates are dates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import TypeAlias
from xml.sax.saxutils import escape as escape_markup

from chalicelib import clock
from chalicelib.exports.columns import Column, Tally, Type, Value, word

UNITS_A_CELL = 32_767
"""Excel's limit on the text of a cell, in UTF-16 code units."""

_SURELY_FITS = UNITS_A_CELL // 2
"""A character has at most two UTF-16 code units."""

_FIRST_EXCEL_DAY = date(1900, 3, 1).toordinal()
"""Excel believes that 1900 was a leap year; before this date its day numbers are off by one."""

_DAY_ZERO = date(1899, 12, 30).toordinal()
_SECONDS_A_DAY = 86_400

_FIRST_INEXACT_NUMBER = 10**15
"""Excel keeps fifteen digits."""

# What XML 1.0 forbids, a carriage return (which XML readers turn into a line feed), and the
# escape sequence itself: written as _xHHHH_ (ECMA-376 Part 1, §22.9.2.19, ST_Xstring).
# An underscore is escaped before any xHHHH: the escape that follows could complete the sequence.
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4})")

Cell: TypeAlias = Callable[[Value, str], str]
"""The XML of a value in the row of that number; "" for an empty cell."""


@dataclass(frozen=True, slots=True)
class Styles:
    """The numbers of the workbook's cell formats."""

    text: str
    instant: str
    date: str
    number: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where cells go: the letters of their column, and their style."""

    letters: str
    style: str

    def text(self, tally: Tally) -> Cell:
        """Any value, as text. Excel asks for a reference in each cell."""
        before = f'<c r="{self.letters}'
        after = f'" s="{self.style}" t="inlineStr"><is><t xml:space="preserve">'

        def cell(value: Value, row: str) -> str:
            if value is None or value == "":
                return ""
            text = value if isinstance(value, str) else str(value)
            # Four looks at C speed say of nearly every text that it can stand as it is.
            if (
                not text.isprintable()
                or "&" in text
                or "<" in text
                or ">" in text
                or "_x" in text
                or len(text) > _SURELY_FITS
            ):
                text = escape_markup(escape(_cut(text, tally)))
            return f"{before}{row}{after}{text}</t></is></c>"

        return cell

    def number(self, convert: Callable[[Value], int | str | None], otherwise: Cell) -> Cell:
        """What `convert` makes of a value; where that is None, the value as text."""
        before, after = f'<c r="{self.letters}', f'" s="{self.style}"><v>'

        def cell(value: Value, row: str) -> str:
            number = convert(value)
            if number is None:
                return otherwise(value, row)
            return f"{before}{row}{after}{number}</v></c>"

        return cell


def cell_of(
    column: Column, letters: str, styles: Styles, language: str, zone: tzinfo, tally: Tally
) -> Cell:
    """The cells of the column, whose style is that of its type; cells cut go to the tally."""
    as_text = Place(letters, styles.text).text(tally)
    if column.type is Type.INSTANT:
        return Place(letters, styles.instant).number(_instants(zone), as_text)
    if column.type is Type.DATE:
        return Place(letters, styles.date).number(_day, as_text)
    if column.type is Type.NUMBER:
        return Place(letters, styles.number).number(_exact, as_text)
    if column.type is Type.WORD:
        return lambda value, row: as_text(word(str(value), language) if value else value, row)
    return as_text


def escape(text: str) -> str:
    """`text` so that a spreadsheet shows it unchanged: `_xHHHH_` for what XML cannot hold."""
    return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _cut(text: str, tally: Tally) -> str:
    """As much of `text` as a cell holds; escapes count as the character that they stand for."""
    if len(text) <= _SURELY_FITS:
        return text
    units = text.encode("utf-16-le")
    tally.cut_cells += len(units) > UNITS_A_CELL * 2
    return units[: UNITS_A_CELL * 2].decode("utf-16-le", errors="ignore")


def _exact(value: Value) -> int | None:
    if not isinstance(value, int) or abs(value) >= _FIRST_INEXACT_NUMBER:
        return None
    return value


def _day(value: Value) -> int | None:
    """The number of the day that Excel shows as that date."""
    try:
        ordinal = date.fromisoformat(value or "").toordinal()  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None
    return ordinal - _DAY_ZERO if ordinal >= _FIRST_EXCEL_DAY else None


def _instants(zone: tzinfo) -> Callable[[Value], str | None]:
    """Excel has no time zones: the wall clock of `zone`, to the second, as a number of days."""

    def instant(value: Value) -> str | None:
        try:
            moment = datetime.fromisoformat(value or "")  # type: ignore[arg-type]
            if moment.tzinfo is None:
                return None
            wall = clock.in_zone(moment, zone)
        except (ValueError, TypeError):
            return None
        ordinal = wall.toordinal()
        if ordinal < _FIRST_EXCEL_DAY:
            return None
        seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
        # Ten digits behind the point are a hundred-thousandth of a second.
        return f"{ordinal - _DAY_ZERO + seconds / _SECONDS_A_DAY:.10f}"

    return instant

