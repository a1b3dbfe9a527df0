"""Running an export: one worker at a time, none lost, none doubled.

A worker holds a lease on the job and renews it with each report of progress. Whoever finds the
lease run out takes the job over, with a higher attempt number; every write of a worker is
conditioned on its attempt, so that one that was thought dead can spoil nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import clock, log, metrics
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.errors import StoreError, StoreRefusedError, StoreUnavailableError
from chalicelib.exports import announcing, delivery, jobs, lease, reasons, rows
from chalicelib.exports.files import Written, file_name, object_key, write_file
from chalicelib.exports.lease import Lease, LostError, OutOfTimeError
from chalicelib.exports.newleads import NewLeads
from chalicelib.exports.reasons import MAX_ATTEMPTS, Reason
from chalicelib.settings import settings
from chalicelib.users.model import Author, StoreUser
from chalicelib.users.tables import ExportItem, store


class BusyError(Exception):
    """Another worker is at the job: come back when its lease is over."""

    def __init__(self, lease_seconds: int) -> None:
        """Remember the seconds until its lease ends, if it is not renewed."""
        super().__init__("another worker is at the job")
        self.lease_seconds = lease_seconds


def run(job: ExportItem, remaining_seconds: Callable[[], float]) -> None:
    """Bring the job to its end, whatever state it is in.

    `remaining_seconds` says how long this may still take. Raises `BusyError`, `OutOfTimeError`
    and `StoreError`: all of them mean, deliver the message again.
    """
    if jobs.find_file(job.id) is None:
        jobs.create(job)
    current = _take(job.id)
    if current is not None:
        _work(current, remaining_seconds)
    done = jobs.find_file(job.id)
    if done is None:
        return
    if done.deleted_at is not None:
        delivery.remove_files(delivery.object_prefix(done.id))
    elif done.origin == "scheduled":
        announcing.announce(done)


def _take(export_id: str) -> ExportItem | None:
    """The job with a lease on it, or None where there is nothing left to do."""
    now = clock.now()
    free = (Path("status") == "queued") | (
        (Path("status") == "running") & (Path("lease_until") < clock.instant(now))
    )
    actions: list[Action] = [
        Path("status").set("running"),
        lease.renewal(),
        Path("attempt").set(Path("attempt") + 1),
        Path("done").set(0),
    ]
    try:
        answer = store().update_item(
            settings().exports_table,
            export_id,
            actions=actions,
            condition=free & Path("deleted_at").does_not_exist(),
            return_values="ALL_NEW",
        )
    except ConditionFailedError:
        job = jobs.find_file(export_id)
        if job is not None and job.status == "running" and job.deleted_at is None:
            raise BusyError(lease.seconds_left(job)) from None
        return None
    return ExportItem.from_raw_data(answer["Attributes"])


def _work(job: ExportItem, remaining_seconds: Callable[[], float]) -> None:
    if job.attempt > MAX_ATTEMPTS:
        _fail(job, reasons.DIED)
        return
    try:
        _produce(job, remaining_seconds)
    except LostError:
        log.event("export.left", export_id=job.id, attempt=int(job.attempt))
        _remove_files(job)
    except OutOfTimeError:
        _try_again(job, reasons.TOO_LONG)
    except StoreUnavailableError:
        _try_again(job, reasons.UNAVAILABLE)
    except StoreRefusedError as error:
        # Credentials that expire under way are among these: the next delivery has new ones.
        _try_again(job, reasons.refused(error.aws_code))
    except Exception as error:  # noqa: BLE001 - any bug must end the job, not leave it running
        _fail(job, reasons.BUG, log.failure(error))


def _try_again(job: ExportItem, reason: Reason) -> None:
    """Raise the error that is being handled, unless this attempt was the last."""
    if job.attempt < MAX_ATTEMPTS:
        _release(job)
        raise  # noqa: PLE0704 - called while an error is handled
    _fail(job, reason)


def _produce(job: ExportItem, remaining_seconds: Callable[[], float]) -> None:
    kind = jobs.KINDS[job.resource]
    with Lease(job, remaining_seconds) as hold:
        if job.attempt > 1:
            _remove_files(job)
        news = NewLeads.begin(job) if jobs.is_incremental(job) else None
        filters = news.filters if news else jobs.filters_of(job)
        total = rows.count(kind, filters)
        if news and total is not None:
            total = max(total - len(news.known), 0)
        hold.expect(total)
        chunks: Iterable[Sequence[StoreUser]] = rows.everyone(kind, filters)
        written = write_file(job, hold.following(news.pick(chunks) if news else chunks), hold.check)
    if news:
        news.keep()
    _succeed(job, written)


def _remove_files(job: ExportItem) -> None:
    """Remove what this and earlier attempts have left, but for the file of a success.

    A later attempt is somebody else's, who may be about to write down that their file is there.
    """
    stored = jobs.find_file(job.id)
    kept = stored.object_key if stored and not stored.deleted_at else None
    for attempt in range(1, int(job.attempt) + 1):
        key = object_key(job.id, attempt)
        if key != kept:
            delivery.remove_files(key)


def _succeed(job: ExportItem, file: Written) -> None:
    now = clock.now()
    expires_at = now + timedelta(days=settings().export_retention_days)
    facts = {
        "rows": file.tally.rows,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "file_name": file_name(job),
        "object_key": object_key(job.id, int(job.attempt)),
        "finished_at": clock.instant(now),
        "expires_at": clock.instant(expires_at),
    }
    done = {"status": "succeeded", "done": file.tally.rows, "total": file.tally.rows, **facts}
    _end(job, done, "export.succeeded", {"rows": file.tally.rows, "sha256": file.sha256})
    metrics.event(
        "export.succeeded",
        **_named(job),
        rows=file.tally.rows,
        bytes=file.size_bytes,
        ms=_ms_since_asked(job),
    )


def _fail(job: ExportItem, reason: Reason, details: Mapping[str, Any] | None = None) -> None:
    facts = {**_named(job), "reason": reason["en"], **(details or {})}
    told = reason[job.language]
    end = {"status": "failed", "error": told, "finished_at": clock.instant(clock.now())}
    try:
        _end(job, end, "export.failed", {"reason": told})
    except LostError:
        # It has succeeded, though no answer said so; or it is not ours any more.
        log.event("export.left", level="WARNING", **facts)
    else:
        metrics.event("export.failed", level="ERROR", failed=1, **facts)
    with suppress(StoreError):  # The bucket's lifecycle sees to what is left.
        _remove_files(job)


def _named(job: ExportItem) -> dict[str, Any]:
    """By which the lines about a job are found: the job, its try, and the request for it."""
    return {"export_id": job.id, "request_id": job.request_id, "attempt": int(job.attempt)}


def _ms_since_asked(job: ExportItem) -> int:
    """How long whoever asked had to wait; known to the second."""
    waited = clock.now() - clock.parse_instant(job.requested_at)
    return max(int(waited.total_seconds() * 1000), 0)


def _end(
    job: ExportItem, attributes: Mapping[str, Any], action: str, facts: Mapping[str, Any]
) -> None:
    """Write down how the job ended, once. Raises `LostError` where it is not ours any more."""
    actions: list[Action] = [Path(name).set(value) for name, value in attributes.items()]
    entry = jobs.audit_entry(job, action, Author.system("worker"), facts, job.request_id)
    if jobs.note(job, actions, lease.ours(job), entry):
        return
    # The answer to this very write may have got lost, and its repetition have been refused.
    stored = jobs.find_file(job.id)
    if stored is None or stored.attempt != job.attempt or stored.status != attributes["status"]:
        raise LostError


def _release(job: ExportItem) -> None:
    """Let the next delivery take the job at once instead of waiting for the lease to run out."""
    try:
        lease.update(job, [Path("status").set("queued")])
    except (StoreError, LostError):
        return  # The lease runs out by itself.
