"""Ways to write the same rows as a workbook: ours, the floor below which no writer goes, peers."""

import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import chain
from typing import IO, Any, cast

from chalicelib.exports import workbook
from chalicelib.exports.columns import Layout, Row
from chalicelib.settings import settings

Chunks = Sequence[Sequence[Row]]
_INSTANT, _DATES = 5, (9, 10)
_DAY_ZERO = date(1899, 12, 30).toordinal()


class Nowhere:
    """Counts bytes, and forgets them."""

    def __init__(self) -> None:
        """Begin at none."""
        self.size_bytes = 0

    def write(self, data: bytes, /) -> int:
        """Count them."""
        self.size_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""


def ours(layout: Layout, chunks: Chunks) -> int:
    """The writer of the exports; the size of the file, as for all the others."""
    sink = Nowhere()
    workbook.write(sink, layout, chunks, lambda _tally: [])
    return sink.size_bytes


def floor(_layout: Layout, chunks: Chunks) -> int:
    """The same cells formatted by hand in one loop, for these columns alone, and deflated."""
    zone = settings().time_zone
    sink = Nowhere()
    with (
        zipfile.ZipFile(
            cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as sheet,
    ):
        number = 1
        for rows in chunks:
            lines = []
            for row in rows:
                number += 1
                lines.append(_floor_row(row, number, zone))
            sheet.write("".join(lines).encode())
    return sink.size_bytes


def _floor_row(row: Row, number: int, zone: Any) -> str:
    cells = [f'<row r="{number}">']
    for letter, value in zip("ABCDEFGHIJKL", row, strict=True):
        if letter == "F":
            wall = datetime.fromisoformat(cast("str", value)).astimezone(zone)
            seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
            days = wall.toordinal() - _DAY_ZERO + seconds / 86_400
            cells.append(f'<c r="{letter}{number}" s="3"><v>{days:.10f}</v></c>')
        elif letter in "JK":
            day = date.fromisoformat(cast("str", value)).toordinal() - _DAY_ZERO
            cells.append(f'<c r="{letter}{number}" s="4"><v>{day}</v></c>')
        elif letter == "L":
            cells.append(f'<c r="{letter}{number}" s="5"><v>{value}</v></c>')
        elif value:
            text = cast("str", value).replace("&", "&amp;").replace("<", "&lt;")
            cells.append(
                f'<c r="{letter}{number}" s="2" t="inlineStr">'
                f'<is><t xml:space="preserve">{text}</t></is></c>'
            )
    cells.append("</row>")
    return "".join(cells)


def xlsxwriter(layout: Layout, chunks: Chunks) -> int:
    """XlsxWriter in constant memory."""
    from io import BytesIO

    from xlsxwriter import Workbook

    content = BytesIO()
    book = Workbook(content, {"constant_memory": True, "strings_to_formulas": False})
    formats = [book.add_format({"num_format": one}) for one in ("@", "yyyy-mm-dd hh:mm", "0")]
    sheet = book.add_worksheet(layout.title)
    for number, row in enumerate(chain.from_iterable(chunks), start=1):
        for column, value in enumerate(_natural(row)):
            if isinstance(value, str):
                sheet.write_string(number, column, value, formats[0])
            elif isinstance(value, date):
                sheet.write_datetime(number, column, value, formats[1])
            else:
                sheet.write_number(number, column, value, formats[2])
    book.close()
    return len(content.getvalue())


def openpyxl(layout: Layout, chunks: Chunks) -> int:
    """Openpyxl's write-only mode, without styles, which would cost it half as much again."""
    from io import BytesIO

    from openpyxl import Workbook

    content = BytesIO()
    book = Workbook(write_only=True)
    sheet = book.create_sheet(layout.title)
    for rows in chunks:
        for row in rows:
            sheet.append(_natural(row))
    book.save(content)
    return len(content.getvalue())


def _natural(row: Row) -> list[Any]:
    """The values as the libraries want them: dates as dates, in the zone, without one."""
    values: list[Any] = list(row)
    moment = datetime.fromisoformat(values[_INSTANT])
    values[_INSTANT] = moment.astimezone(settings().time_zone).replace(tzinfo=None)
    for number in _DATES:
        values[number] = date.fromisoformat(values[number])
    return values


WRITERS: dict[str, Callable[[Layout, Chunks], int]] = {
    "floor": floor,
    "ours": ours,
    "XlsxWriter": xlsxwriter,
    "openpyxl": openpyxl,
}
