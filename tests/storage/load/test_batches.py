"""Rows in batches: a few at a time, in the order of the file, until one fails."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Barrier, Lock

import pytest

from infra.load import batches as load_batches
from infra.load.batches import Batch, batches, write_all
from infra.load.columns import Columns
from infra.load.rows import Checker, Row
from infra.load.sources import RawRow, open_source
from infra.load.store import Outcome, StoreStoppedError
from tests.storage.load.builders import HEADER, MOMENT, lead_row


def _batches(count: int) -> Iterator[Batch]:
    for number in range(count):
        yield Batch(rows=[lead_row(f"u{number + 1}")])


def test_at_most_eight_batches_of_a_hundred_rows_are_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"{HEADER}\n" + "".join(f"u{n},lead,{MOMENT},\n" for n in range(5_050)))
    lock, started, flying, most, sizes = Lock(), 0, 0, 0, []

    def counted(source: Iterator[Batch]) -> Iterator[Batch]:
        nonlocal started, flying, most
        for batch in source:
            started += 1
            flying += 1
            most = max(most, flying)
            yield batch

    def write(rows: Sequence[Row], outcome: Outcome) -> None:
        with lock:
            sizes.append(len(rows))
        outcome.new += len(rows)

    def finish(_: Batch) -> None:
        nonlocal flying
        flying -= 1

    with open_source(path) as source:
        checker = Checker(Columns(source.header))
        write_all(counted(batches(source.rows, checker)), write, finish)
    assert (started, flying, most) == (51, 0, 8)
    assert sorted(sizes) == [50] + [100] * 50


def test_rows_that_are_all_bad_do_not_pile_up() -> None:
    rows = (RawRow(line, ("u1",)) for line in range(2, 1_002))
    made = list(batches(rows, Checker(Columns(["id", "kind", "registered_at"]))))
    assert [len(batch.faulty) for batch in made] == [100] * 10


def test_batches_are_finished_in_the_order_of_the_file() -> None:
    together = Barrier(load_batches.WORKERS)
    finished: list[str] = []

    def write(_: Sequence[Row], outcome: Outcome) -> None:
        together.wait(timeout=10)
        outcome.new += 1

    write_all(_batches(12), write, lambda batch: finished.append(batch.rows[0].user.id))
    assert finished == [f"u{number}" for number in range(1, 13)]


def test_after_a_failure_nothing_is_read_and_what_was_written_is_counted() -> None:
    read: list[int] = []
    written: list[str] = []
    counted: list[int] = []

    def source() -> Iterator[Batch]:
        for number, batch in enumerate(_batches(100)):
            read.append(number)
            yield batch

    def write(rows: Sequence[Row], outcome: Outcome) -> None:
        if rows[0].user.id == "u3":
            message = "gone"
            raise StoreStoppedError(message)
        written.append(rows[0].user.id)
        outcome.new += 1

    with pytest.raises(StoreStoppedError):
        write_all(source(), write, lambda batch: counted.append(batch.outcome.new))
    assert len(read) <= 10
    assert sum(counted) == len(written)
