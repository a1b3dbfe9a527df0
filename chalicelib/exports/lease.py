"""A worker's hold on a job: kept alive while it works, given up when it ends or dies."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import clock, log
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.errors import StoreError
from chalicelib.settings import settings
from chalicelib.users.tables import ExportItem, store

_BEATS = 4
"""Heartbeats within the time of a lease: it outlives three that fail."""

_SECONDS_BETWEEN_REPORTS = 1.0

_SECONDS_TO_END = 30.0
"""What it takes at the most to give an upload up, and to say so."""

_T = TypeVar("_T")


class LostError(Exception):
    """The job was deleted or taken over: stop, and leave everything to the other."""


class OutOfTimeError(Exception):
    """The function is about to be ended by its time limit."""


class Lease:
    """The lease on the job, for the time of a `with` block.

    A thread renews it, since counting the rows or sending a part can take longer than the lease
    lasts. The worker looks at `check` between two steps, and tells `report` how far it is.
    `remaining_seconds` says how long the function may still run.
    """

    def __init__(self, job: ExportItem, remaining_seconds: Callable[[], float]) -> None:
        """Prepare the heartbeat; the lease itself was taken with the job."""
        self._job = job
        self._total: int | None = None
        self._remaining_seconds = remaining_seconds
        self._is_lost = False
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._reported_at = 0.0

    def __enter__(self) -> Self:
        """Keep it from now on."""
        self._heart.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Keep it no longer."""
        self._over.set()
        self._heart.join()

    def expect(self, total: int | None) -> None:
        """Report a beginning of `total` rows, None if unknown. Raises `LostError`, `StoreError`."""
        self._total = total
        self.report(0)

    def check(self) -> None:
        """Raise `LostError` or `OutOfTimeError` where to go on would be in vain."""
        if self._is_lost:
            raise LostError
        if self._remaining_seconds() < _SECONDS_TO_END:
            raise OutOfTimeError

    def following(self, chunks: Iterable[Sequence[_T]]) -> Iterator[Sequence[_T]]:
        """The chunks, with a check and at most once a second a report after each; one at the end.

        Raises `LostError`, `OutOfTimeError`, `StoreError`.
        """
        done = 0
        for chunk in chunks:
            yield chunk
            done += len(chunk)
            self.check()
            if clock.now().timestamp() - self._reported_at >= _SECONDS_BETWEEN_REPORTS:
                self.report(done)
        self.report(done)

    def report(self, done: int) -> None:
        """Say how many rows are done. Raises `LostError`, `StoreError`."""
        self._reported_at = clock.now().timestamp()
        progress: list[Action] = [Path("done").set(done)]
        if self._total is not None:
            self._total = max(self._total, done)
            progress.append(Path("total").set(self._total))
        update(self._job, [*progress, renewal()])

    def _beat(self) -> None:
        while not self._over.wait(seconds_between_beats()):
            try:
                update(self._job, [renewal()])
            except LostError:
                self._is_lost = True
                return
            except StoreError:
                # If the lease does not outlive them, the next beat finds it lost.
                log.event("export.beat_missed", level="WARNING", export_id=self._job.id)


def seconds_between_beats() -> float:
    """Return the time between two heartbeats."""
    return settings().export_lease_seconds / _BEATS


def renewal() -> Action:
    """The change that lets a lease begin again."""
    end = clock.now() + timedelta(seconds=settings().export_lease_seconds)
    return Path("lease_until").set(clock.instant(end))


def seconds_left(job: ExportItem) -> int:
    """Return the seconds until the lease on the job ends, rounded up; 0 if it has ended."""
    left = clock.parse_instant(job.lease_until) - clock.now()
    return max(math.ceil(left.total_seconds()), 0)


def update(job: ExportItem, actions: list[Action]) -> None:
    """Change the job, while it is ours. Raises `LostError`, `StoreError`."""
    try:
        store().update_item(settings().exports_table, job.id, actions=actions, condition=ours(job))
    except ConditionFailedError as error:
        raise LostError from error


def ours(job: ExportItem) -> Condition:
    """The condition that nobody has taken the job over, ended or deleted it."""
    condition: Condition = (
        (Path("attempt") == int(job.attempt))
        & (Path("status") == "running")
        & Path("deleted_at").does_not_exist()
    )
    return condition
