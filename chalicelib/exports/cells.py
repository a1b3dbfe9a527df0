"""Values → cells of a sheet as XML (ECMA-376 Part 1, §18.3.1.4): text is text, dates are dates."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
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

Cells: TypeAlias = Callable[[Sequence[Value], Sequence[str]], list[str]]
"""The XML of values of one column in the rows of those numbers; "" for an empty cell."""


@dataclass(frozen=True, slots=True)
class Styles:
    """The numbers of the workbook's cell formats."""

    text: str
    instant: str
    date: str
    number: str


def cells_of(  # noqa: PLR0913, PLR0917 - what the cells of a column depend on
    column: Column, letters: str, styles: Styles, language: str, zone: tzinfo, tally: Tally
) -> Cells:
    """What writes the column, in the style of its type; the tally counts what Excel cannot hold."""
    texts = _texts(letters, styles.text, tally)
    if column.type is Type.INSTANT:
        return _numbers(letters, styles.instant, _instants(zone), texts, tally)
    if column.type is Type.DATE:
        return _numbers(letters, styles.date, _day, texts, tally)
    if column.type is Type.NUMBER:
        return _numbers(letters, styles.number, _exact, texts, tally)
    if column.type is Type.WORD:
        return lambda values, rows: texts(
            [value and word(str(value), language) for value in values], rows
        )
    return texts


def _texts(letters: str, style: str, tally: Tally) -> Cells:
    """Any value, as text. Readers that keep blanks are asked to; Excel wants the reference."""
    before = f'<c r="{letters}'
    after = f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">'

    def cells(values: Sequence[Value], rows: Sequence[str]) -> list[str]:
        # One look at all of them is cheaper than a look at each, and nearly always enough.
        if not _are_plain(values):
            values = [_text(value, tally) for value in values]
        return [
            f"{before}{row}{after}{value}</t></is></c>" if value else ""
            for value, row in zip(values, rows, strict=True)
        ]

    return cells


def _numbers(
    letters: str,
    style: str,
    convert: Callable[[Value], int | str | None],
    texts: Cells,
    tally: Tally,
) -> Cells:
    """What `convert` makes of the values; where that is None, the value as text."""
    before, after = f'<c r="{letters}', f'" s="{style}"><v>'

    def as_text(value: Value, row: str) -> str:
        (cell,) = texts([value], [row])
        tally.kept_as_text += bool(cell)
        return cell

    def cells(values: Sequence[Value], rows: Sequence[str]) -> list[str]:
        return [
            f"{before}{row}{after}{number}</v></c>"
            if (number := convert(value)) is not None
            else as_text(value, row)
            for value, row in zip(values, rows, strict=True)
        ]

    return cells


def _are_plain(values: Sequence[Value]) -> bool:
    """Whether all of them are texts that can stand in XML as they are, or empty."""
    try:
        whole = "".join(filter(None, values))  # type: ignore[arg-type]
    except TypeError:
        return False
    return (
        whole.isprintable()
        and "&" not in whole
        and "<" not in whole
        and ">" not in whole
        and "_x" not in whole
        and (len(whole) <= _SURELY_FITS or max(map(len, filter(None, values))) <= _SURELY_FITS)  # type: ignore[arg-type]
    )


def _text(value: Value, tally: Tally) -> str:
    """The value as XML text. Numbers, 0 too, are as long as their digits; None is empty."""
    text = "" if value is None else str(value)
    if not text.isprintable() or "_x" in text or len(text) > _SURELY_FITS:
        text = escape(_cut(text, tally))
    return escape_markup(text)


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


@lru_cache(4_096)
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
