"""Rows → an Excel workbook (.xlsx), streamed: no file, and no more memory for more rows."""

import zipfile
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import IO, cast

from chalicelib.exports.cells import Cells, cells_of
from chalicelib.exports.columns import Layout, Row, Tally
from chalicelib.exports.skeleton import Skeleton
from chalicelib.exports.upload import Sink
from chalicelib.settings import settings

MIME_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_ROWS_A_SHEET = 1_048_575
"""Excel's 1,048,576 rows less the header."""

_BYTES_A_SHEET = 1_900_000_000
"""A part of a zip file below 2 GiB needs no ZIP64, which not every reader takes in a stream."""

_COMPRESSION_LEVEL = 1
"""Twice as fast as the usual level, for files a fifth larger."""


def write(
    sink: Sink,
    layout: Layout,
    chunks: Iterable[Sequence[Row]],
    receipt: Callable[[Tally], Sequence[tuple[str, str]]],
) -> Tally:
    """Write the workbook: sheets of the rows, then what `receipt` says of the tally."""
    skeleton = Skeleton(layout)
    tally = Tally()
    with zipfile.ZipFile(
        cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL
    ) as archive:
        sheets = _Sheets(archive, skeleton, layout, tally)
        try:
            for chunk in chunks:
                sheets.add(chunk)
        finally:
            sheets.close()
        for name, content in skeleton.rest(sheets.rows, receipt(tally)):
            archive.writestr(name, content)
    return tally


class _Sheets:
    """The sheets of the rows: `rows` has the number of rows of each so far."""

    def __init__(
        self, archive: zipfile.ZipFile, skeleton: Skeleton, layout: Layout, tally: Tally
    ) -> None:
        self.rows: list[int] = []
        self._archive = archive
        self._skeleton = skeleton
        self._tally = tally
        self._cells = _cells(layout, skeleton, tally)
        self._open()

    def add(self, chunk: Sequence[Row]) -> None:
        while chunk:
            if self.rows[-1] == _ROWS_A_SHEET or self._bytes > _BYTES_A_SHEET:
                self.close()
                self._open()
            room = _ROWS_A_SHEET - self.rows[-1]
            fitting, chunk = chunk[:room], chunk[room:]
            content = _xml(self._cells, fitting, self.rows[-1] + 2)
            self._sheet.write(content)
            self._bytes += len(content)
            self.rows[-1] += len(fitting)
            self._tally.rows += len(fitting)

    def close(self) -> None:
        self._sheet.write(self._skeleton.tail(self.rows[-1]))
        self._sheet.close()

    def _open(self) -> None:
        self.rows.append(0)
        self._bytes = 0
        self._sheet = self._archive.open(f"xl/worksheets/sheet{len(self.rows)}.xml", "w")
        self._sheet.write(self._skeleton.head)


def _cells(layout: Layout, skeleton: Skeleton, tally: Tally) -> list[Cells]:
    from openpyxl.utils import get_column_letter

    zone = settings().time_zone
    return [
        cells_of(column, get_column_letter(number), skeleton.styles, layout.language, zone, tally)
        for number, column in enumerate(layout.columns, start=1)
    ]


def _xml(columns: Sequence[Cells], rows: Sequence[Row], first: int) -> bytes:
    """The rows, the first of which has the number `first`: written by column, laid out by row."""
    numbers = [str(number) for number in range(first, first + len(rows))]
    written = [
        cells(values, numbers)
        for cells, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    begins = [f'<row r="{number}">' for number in numbers]
    ends = ["</row>"] * len(rows)
    return "".join(chain.from_iterable(zip(begins, *written, ends, strict=True))).encode()
