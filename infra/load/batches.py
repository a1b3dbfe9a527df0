"""Rows in batches, of which a few are written at a time: memory does not grow with the file."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from infra.load.rows import Checker, Row
from infra.load.sources import RawRow, SourceError
from infra.load.store import BATCH_ROWS, Outcome

WORKERS = 4


@dataclass(slots=True)
class Batch:
    """Rows to be written together, those that the check refused, and what became of the others."""

    rows: list[Row] = field(default_factory=list)
    faulty: list[tuple[RawRow, str]] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)

    def rejects(self) -> list[tuple[RawRow, str]]:
        """Every row that was refused, by the check or by the store, in the order of the file."""
        refused = [(row.raw, reason) for row, reason in self.outcome.refused]
        return sorted(self.faulty + refused, key=lambda reject: reject[0].line)


def batches(rows: Iterable[RawRow], checker: Checker) -> Iterator[Batch]:
    """The rows in batches, the last one even where the file cannot be read any further.

    Raises `SourceError`.
    """
    batch = Batch()
    failure = None
    try:
        for raw in rows:
            if BATCH_ROWS in {len(batch.rows), len(batch.faulty)}:
                yield batch
                batch = Batch()
            _add(batch, raw, checker.check(raw))
    except SourceError as error:
        failure = error
    yield batch
    if failure:
        raise failure


def _add(batch: Batch, raw: RawRow, checked: Row | list[str]) -> None:
    if isinstance(checked, Row):
        batch.rows.append(checked)
    else:
        batch.faulty.append((raw, "; ".join(checked)))


def write_all(
    source: Iterable[Batch],
    write: Callable[[Sequence[Row], Outcome], None],
    finish: Callable[[Batch], None],
) -> None:
    """Write the batches, and `finish` each, in their order: even those before a failure."""
    flying: deque[tuple[Batch, Future[None]]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for batch in source:
                flying.append((batch, pool.submit(write, batch.rows, batch.outcome)))
                if len(flying) == 2 * WORKERS:
                    _land(flying, finish)
            while flying:
                _land(flying, finish)
        except BaseException:
            for _, future in flying:
                future.cancel()
            wait([future for _, future in flying])
            for batch, _ in flying:
                finish(batch)
            raise


def _land(flying: deque[tuple[Batch, Future[None]]], finish: Callable[[Batch], None]) -> None:
    batch, future = flying[0]
    future.result()
    flying.popleft()
    finish(batch)
