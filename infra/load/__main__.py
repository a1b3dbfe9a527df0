"""Load store users from a file into the `users` table, as often as one likes.

The file is CSV, XLSX or JSON Lines by the item contract of the table. Rows that are wrong go
to <file>.rejects.csv with their line and all that is wrong with them; the others are loaded.
Without --stage, the table is that of the local stack. What the file has no column for stays as it
is stored, and so does the access of a customer: only the switch changes that.

Exit status: 0 all loaded, 1 something was rejected, 2 the file or the table cannot be used,
3 the store stopped on the way (the same command again continues), 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Never

from tqdm import tqdm

from infra.load.batches import Batch, batches, write_all
from infra.load.columns import Columns, HeaderError, printable
from infra.load.rejects import Rejects, RejectsError
from infra.load.rows import Checker
from infra.load.sources import Source, SourceError, open_source
from infra.load.store import Outcome, Store, StoreStoppedError
from infra.load.table import TableError, find_table

LOADED, REJECTED, UNUSABLE, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130

_CONTINUE = "Running the same command again continues."
_SWITCH = "access is changed with the switch, not by a file"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status comes back."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help=".csv, .tsv, .xlsx, .jsonl, .ndjson or .json")
    parser.add_argument("--stage", default="", help="the deployed stage to load into")
    options = parser.parse_args(arguments)
    try:
        with open_source(options.file) as source:
            columns = Columns(source.header)
            store = _store(options.stage)
            return _Load(options.file, source, columns).run(store)
    except (SourceError, HeaderError) as error:
        return _fail(f"{options.file} {error}: nothing was loaded", UNUSABLE)
    except (TableError, RejectsError) as error:
        return _fail(f"nothing was loaded: {error}", UNUSABLE)


def _store(stage: str) -> Store:
    table = find_table(stage)
    try:
        # Quick to find out that nobody answers; patient from then on.
        Store(table.client(attempts=2), table.name).check()
    except StoreStoppedError as error:
        hint = "" if stage else " (is the local stack running? make run)"
        message = f"the table {table.name} cannot be used: {error}{hint}"
        raise TableError(message) from error
    return Store(table.client(), table.name)


class _Load:
    """The loading of one file: progress, counts, rejects."""

    def __init__(self, path: Path, source: Source, columns: Columns) -> None:
        self._path = path
        self._source = source
        self._columns = columns
        self._checker = Checker(columns)
        self._total = Outcome()
        self._rejected = 0
        self._rejects = Rejects(path, source.header)

    def run(self, store: Store) -> int:
        """Load the rows into `store`, tell of it, and return the exit status."""
        self._warn(self._source.notice)
        self._warn_unknown("columns", self._columns.unknown)
        status = self._write(store)
        self._warn_unknown("members", sorted(self._checker.unknown_members))
        if status != LOADED:
            return status
        sys.stdout.write(f"{self._path}: {self._summary()}\n")
        return REJECTED if self._rejected else LOADED

    def _write(self, store: Store) -> int:
        try:
            with self._progress() as bar, closing(self._rejects):
                rows = batches(self._source.rows, self._checker)
                write_all(rows, store.write, partial(self._finish, bar))
        except SourceError as error:
            return self._stop(f"{self._path} {error}", UNUSABLE)
        except RejectsError as error:
            return self._stop(str(error), UNUSABLE)
        except StoreStoppedError as error:
            return self._stop(str(error), STOPPED)
        except KeyboardInterrupt:
            return self._stop("interrupted", INTERRUPTED)
        return LOADED

    def _progress(self) -> "tqdm[Never]":
        return tqdm(
            desc=self._path.name,
            total=self._source.total,
            unit=self._source.unit,
            unit_scale=True,
            disable=None,
            file=sys.stderr,
        )

    def _finish(self, bar: "tqdm[Never]", batch: Batch) -> None:
        self._total.new += batch.outcome.new
        self._total.changed += batch.outcome.changed
        self._total.unchanged += batch.outcome.unchanged
        self._total.access_kept += batch.outcome.access_kept
        rejects = batch.rejects()
        self._rejected += len(rejects)
        bar.update(self._source.position() - bar.n)
        self._rejects.write(rejects)

    def _stop(self, reason: str, status: int) -> int:
        return _fail(f"{reason}; until then {self._summary()}. {_CONTINUE}", status)

    def _summary(self) -> str:
        total, rejected = self._total, self._rejected
        rows = total.new + total.changed + total.unchanged + rejected
        counts = f"{rows:,} row{'' if rows == 1 else 's'}: {total.new:,} new, "
        counts += f"{total.changed:,} changed, {total.unchanged:,} unchanged, {rejected:,} rejected"
        if rejected:
            counts += f" (see {self._rejects.path})"
        if total.access_kept:
            counts += f"; {total.access_kept:,} would have another access: {_SWITCH}"
        return counts

    def _warn_unknown(self, what: str, names: Sequence[str]) -> None:
        if names:
            listed = ", ".join(printable(name) for name in names)
            self._warn(f"unknown {what} are left out: {listed}")

    def _warn(self, text: str) -> None:
        if text:
            sys.stderr.write(f"{self._path}: warning: {text}\n")


def _fail(text: str, status: int) -> int:
    sys.stderr.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
