"""Running an export: one worker at a time, none lost, none doubled.

A worker holds a lease on the job and renews it with each report of progress. Whoever finds the
lease run out takes the job over, with a higher attempt number; every write of a worker is
conditioned on its attempt, so that one that was thought dead can spoil nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path as Attribute
from pynamodb.expressions.update import Action

from chalicelib import clock, log
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import announcing, delivery, jobs
from chalicelib.exports.files import File, write_file
from chalicelib.settings import settings
from chalicelib.users import listing, searching
from chalicelib.users.model import StoreUser
from chalicelib.users.tables import ExportItem, store

MAX_ATTEMPTS = 3
"""Attempts that may fail; ExportsQueue in infra/resources.yaml delivers a message more often."""

_LEASE = timedelta(seconds=90)
_SECONDS_BETWEEN_REPORTS = 1.0


class BusyError(Exception):
    """Another worker is at the job: come back later."""


class _LostError(Exception):
    """The job was deleted or taken over: stop, and leave everything to the other."""


def run(job: ExportItem) -> None:
    """Bring the job to its end, whatever state it is in.

    Raises `BusyError` and `StoreUnavailableError`: both mean, deliver the message again.
    """
    if jobs.find_file(job.id) is None:
        jobs.create(job)
    current = _take(job.id)
    if current is not None:
        _work(current)
    done = jobs.find_file(job.id)
    if done is None:
        return
    if done.deleted_at is not None:
        _remove_files(done)
    elif done.origin == "scheduled":
        announcing.announce(done)


def _take(export_id: str) -> ExportItem | None:
    """The job with a lease on it, or None where there is nothing left to do."""
    now = clock.now()
    free = (Attribute("status") == "queued") | (
        (Attribute("status") == "running") & (Attribute("lease_until") < clock.instant(now))
    )
    actions: list[Action] = [
        Attribute("status").set("running"),
        Attribute("lease_until").set(clock.instant(now + _LEASE)),
        Attribute("attempt").set(Attribute("attempt") + 1),
        Attribute("done").set(0),
    ]
    try:
        answer = store().update_item(
            settings().exports_table,
            export_id,
            actions=actions,
            condition=free & Attribute("deleted_at").does_not_exist(),
            return_values="ALL_NEW",
        )
    except ConditionFailedError:
        job = jobs.find_file(export_id)
        if job is not None and job.status == "running" and job.deleted_at is None:
            raise BusyError from None
        return None
    return ExportItem.from_raw_data(answer["Attributes"])


def _work(job: ExportItem) -> None:
    if job.attempt > MAX_ATTEMPTS:
        _fail(job, f"{MAX_ATTEMPTS} attempts ended without a word; the list may be too large")
        return
    try:
        _produce(job)
    except _LostError:
        log.event("export.left", export_id=job.id, attempt=int(job.attempt))
        _remove_files(job)
    except StoreUnavailableError as error:
        if job.attempt < MAX_ATTEMPTS:
            _release(job)
            raise
        _fail(job, f"Gave up after {MAX_ATTEMPTS} attempts: {error.detail}")
    except Exception as error:  # noqa: BLE001 - any bug must end the job, not leave it running
        reason = "Something went wrong on our side; the details are in the log"
        _fail(job, reason, log.failure(error))


def _produce(job: ExportItem) -> None:
    kind = jobs.KINDS[job.resource]
    filters = jobs.filters_of(job)
    started = clock.now()
    read = searching if filters.q else listing
    total = read.count(kind, filters)
    report = _Reporter(job, total)
    with TemporaryDirectory() as folder:
        path = Path(folder, "export")
        users = report.following(read.everyone(kind, filters))
        file = write_file(path, job, kind, users, started)
        report.now(file.tally.rows)
        delivery.upload(
            path,
            _object_key(job),
            file_name=file.name,
            mime_type=file.mime_type,
        )
    _succeed(job, file)


class _Reporter:
    """Tells the job how far it is, at most once a second, and renews the lease by it."""

    def __init__(self, job: ExportItem, total: int) -> None:
        self._job = job
        self._total = total
        self._reported_at = 0.0
        self.now(0)

    def following(self, chunks: Iterable[list[StoreUser]]) -> Iterator[StoreUser]:
        done = 0
        for chunk in chunks:
            yield from chunk
            done += len(chunk)
            if clock.now().timestamp() - self._reported_at >= _SECONDS_BETWEEN_REPORTS:
                self.now(done)

    def now(self, done: int) -> None:
        at = clock.now()
        self._reported_at = at.timestamp()
        self._total = max(self._total, done)
        _update(
            self._job,
            [
                Attribute("done").set(done),
                Attribute("total").set(self._total),
                Attribute("lease_until").set(clock.instant(at + _LEASE)),
            ],
        )


def _remove_files(job: ExportItem) -> None:
    """Remove what this and earlier attempts have left, but for the file of a success."""
    stored = jobs.find_file(job.id)
    kept = stored.object_key if stored and not stored.deleted_at else None
    for attempt in range(1, int(job.attempt) + 1):
        key = f"{delivery.object_prefix(job.id)}{attempt}"
        if key != kept:
            delivery.remove_file(key)


def _object_key(job: ExportItem) -> str:
    """Where this attempt puts its file: attempts must not write over each other."""
    return f"{delivery.object_prefix(job.id)}{int(job.attempt)}"


def _succeed(job: ExportItem, file: File) -> None:
    now = clock.now()
    expires_at = now + timedelta(days=settings().export_retention_days)
    facts = {
        "rows": file.tally.rows,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "file_name": file.name,
        "object_key": _object_key(job),
        "finished_at": clock.instant(now),
        "expires_at": clock.instant(expires_at),
    }
    done = {"status": "succeeded", "done": file.tally.rows, "total": file.tally.rows, **facts}
    _end(job, done, "export.succeeded", {"rows": file.tally.rows, "sha256": file.sha256})
    log.event("export.succeeded", export_id=job.id, rows=file.tally.rows, bytes=file.size_bytes)


def _fail(job: ExportItem, reason: str, details: Mapping[str, Any] | None = None) -> None:
    log.event("export.failed", level="ERROR", export_id=job.id, reason=reason, **(details or {}))
    facts = {"status": "failed", "error": reason, "finished_at": clock.instant(clock.now())}
    with suppress(_LostError):
        _end(job, facts, "export.failed", {"reason": reason})


def _end(
    job: ExportItem, attributes: Mapping[str, Any], action: str, facts: Mapping[str, Any]
) -> None:
    """Write down how the job ended, once. Raises `_LostError` where it is not ours any more."""
    actions: list[Action] = [Attribute(name).set(value) for name, value in attributes.items()]
    entry = jobs.audit_entry(job, action, "worker", facts, job.request_id)
    if jobs.note(job, actions, _mine(job), entry):
        return
    # The answer to this very write may have got lost, and its repetition have been refused.
    stored = jobs.find_file(job.id)
    if stored is None or stored.attempt != job.attempt or stored.status != attributes["status"]:
        raise _LostError


def _release(job: ExportItem) -> None:
    """Let the next delivery take the job at once instead of waiting for the lease to run out."""
    try:
        _update(job, [Attribute("status").set("queued")])
    except (StoreUnavailableError, _LostError):
        return  # The lease runs out by itself.


def _update(job: ExportItem, actions: list[Action]) -> None:
    try:
        store().update_item(settings().exports_table, job.id, actions=actions, condition=_mine(job))
    except ConditionFailedError as error:
        raise _LostError from error


def _mine(job: ExportItem) -> Condition:
    condition: Condition = (
        (Attribute("attempt") == int(job.attempt))
        & (Attribute("status") == "running")
        & Attribute("deleted_at").does_not_exist()
    )
    return condition
