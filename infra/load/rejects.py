"""The reject file: the rows that were not loaded, as they stood, each with what is wrong."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from infra.load.columns import IGNORED, canonical
from infra.load.sources import RawRow


class RejectsError(Exception):
    """The reject file cannot be written; the message is one clause for a person."""


class Rejects:
    """`<file>.rejects.csv`, which exists only where something was rejected.

    It has the columns of the file, so that it can be loaded in its turn when it is corrected.
    """

    def __init__(self, source: Path, header: Sequence[str]) -> None:
        """Remove what a former run left. Raises `RejectsError`."""
        self.path = source.with_name(f"{source.name}.rejects.csv")
        self._header = header
        self._dropped = {at for at, title in enumerate(header) if canonical(title) in IGNORED}
        self._file: TextIO | None = None
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, rejects: Sequence[tuple[RawRow, str]]) -> None:
        """Add rows. Raises `RejectsError`."""
        rows = [(str(raw.line), problem, *self._kept(raw.cells)) for raw, problem in rejects]
        try:
            if rows and self._file is None:
                self._file = self._open()
                rows.insert(0, ("line", "problem", *self._kept(self._header)))
            if self._file:
                csv.writer(self._file).writerows(rows)
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Finish the file. Raises `RejectsError`."""
        try:
            if self._file:
                self._file.close()
        except OSError as error:
            raise self._failure(error) from error

    def _open(self) -> TextIO:
        # Bytes that were not UTF-8 go out as they came in: nothing of a row is lost.
        return self.path.open("w", encoding="utf-8", errors="surrogateescape", newline="")

    def _kept(self, cells: Sequence[str]) -> Sequence[str]:
        if len(cells) == 1:  # A line of JSON, or one that could not be taken apart.
            return cells
        return [cell for at, cell in enumerate(cells) if at not in self._dropped]

    def _failure(self, error: OSError) -> RejectsError:
        reason = (error.strerror or "unknown error").lower()
        return RejectsError(f"{self.path} cannot be written: {reason}")
