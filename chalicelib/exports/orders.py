"""Ordering an export: once for each person and key, and never without the message that runs it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib import clock
from chalicelib.errors import ExportGoneError, IdempotencyMismatchError
from chalicelib.exports import delivery, jobs, slots
from chalicelib.settings import settings
from chalicelib.users.model import Author
from chalicelib.users.tables import ExportItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants exported. `key` makes a repetition the same job.

    `period` is half-open, two RFC 3339 instants of registration, the first None for «ever since».
    """

    resource: str
    format: str
    language: str
    filters: Mapping[str, Any]
    by: Author
    key: str
    request_id: str
    origin: str = "manual"
    period: tuple[str | None, str] | None = None

    @property
    def id(self) -> str:
        """The same for the same person and key, and not to be guessed without the key."""
        return _id(self.owner, self.key)

    @property
    def former_id(self) -> str:
        """The id that a version which knew names alone gave the same order."""
        return _id(self.by.name.removeprefix("system "), self.key)

    @property
    def owner(self) -> str:
        """The subject of the person: a new account of the same name is another person."""
        return self.by.id or self.by.name

    @property
    def fingerprint(self) -> str:
        """The same for the same body. A scheduled job is its key: its period may be recomputed."""
        if self.origin == "scheduled":
            return self.key
        return _digest([self.resource, self.format, self.language, self.filters])


def submit(order: Order) -> tuple[ExportItem, bool]:
    """The job for the order, and whether it was there before.

    The message that starts the job carries the job, and is sent before the job is written: so no
    job is ever without its message, whatever dies in between (`running.run` writes it if need be).
    Raises `IdempotencyMismatchError`, `TooManyExportsError`, `ExportGoneError`,
    `StoreUnavailableError`.
    """
    existing = jobs.find_file(order.id) or _taken_before_subjects(order)
    if existing is not None:
        return _same(existing, order), True
    if order.origin == "manual":
        slots.take(order.owner, order.id)
    job = _new(order)
    delivery.enqueue({"job": job.serialize()})
    jobs.create(job)
    stored = _same(jobs.find_file(job.id) or job, order)
    return stored, stored.request_id != order.request_id


def _taken_before_subjects(order: Order) -> ExportItem | None:
    """The job of an order that is repeated across an upgrade. A job with a subject is another's."""
    job = jobs.find_file(order.former_id)
    return None if job is None or job.requested_by_id else job


def _same(existing: ExportItem, order: Order) -> ExportItem:
    if existing.fingerprint != order.fingerprint:
        message = "This Idempotency-Key was used before, for another export"
        raise IdempotencyMismatchError(message)
    if existing.deleted_at is not None:
        message = "This export was deleted; ask for a new one with a new Idempotency-Key"
        raise ExportGoneError(message)
    return existing


def _new(order: Order) -> ExportItem:
    now = clock.now()
    kept = timedelta(days=settings().export_retention_days + settings().export_history_days)
    return ExportItem(
        order.id,
        resource=order.resource,
        format=order.format,
        language=order.language,
        filters=dict(order.filters),
        period_from=order.period[0] if order.period else None,
        period_to=order.period[1] if order.period else None,
        origin=order.origin,
        fingerprint=order.fingerprint,
        status="queued",
        requested_by=order.by.name,
        requested_by_id=order.by.id,
        requested_at=clock.instant(now),
        request_id=order.request_id,
        removed_after=int((now + kept).timestamp()),
    )


def _id(owner: str, key: str) -> str:
    return "exp_" + _digest([owner, key])[:32]


def _digest(parts: Sequence[Any]) -> str:
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
