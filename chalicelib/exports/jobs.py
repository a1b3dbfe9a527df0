"""Export jobs: asked for once, found again, deleted. What runs them is `running`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pynamodb.constants import ITEM
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.dynamodb import TransactionCanceledError
from chalicelib.errors import (
    NotFoundError,
    StoreUnavailableError,
)
from chalicelib.exports import delivery
from chalicelib.settings import settings
from chalicelib.users import audit, paging
from chalicelib.users.filters import Filters
from chalicelib.users.model import Author, Kind
from chalicelib.users.ranges import Range
from chalicelib.users.tables import ExportItem, store

KINDS: Mapping[str, Kind] = {"customers": Kind.CUSTOMER, "leads": Kind.LEAD}

NEW_LEADS = "leads-new"
"""How the keys of the scheduled jobs begin that hold the new leads alone."""

ABANDONED_AFTER = timedelta(hours=3)
"""By then the queue has given a job its last try: see ExportsQueue in infra/resources.yaml."""


def create(job: ExportItem) -> None:
    """Write the job and its audit entry down, unless it is there already."""
    table = settings().exports_table
    put = store().get_operation_kwargs(
        table,
        job.id,
        key=ITEM,
        attributes=job.serialize(),
        condition=Path("id").does_not_exist(),
    )
    facts = {"resource": job.resource, "format": job.format, "origin": job.origin}
    entry = audit_entry(job, "export.requested", requester(job), facts, job.request_id)
    try:
        audit.transact(entry, puts=[put])
    except TransactionCanceledError as error:
        if "TransactionConflict" in error.codes and find_file(job.id) is None:
            # The worker and the API write the same job at this moment: one of them will win.
            message = "The export is being noted; ask again with the same Idempotency-Key"
            raise StoreUnavailableError(message) from error


def find(export_id: str, *, even_deleted: bool = False) -> ExportItem:
    """The job as of now. Raises `NotFoundError`, also for a deleted one unless that will do."""
    job = find_file(export_id)
    if job is None or (not even_deleted and job.deleted_at is not None):
        message = f"There is no export {export_id}"
        raise NotFoundError(message)
    return job


def find_file(export_id: str) -> ExportItem | None:
    """Return the job as of now, deleted or not; None if there is none."""
    answer = store().get_item(settings().exports_table, export_id, consistent_read=True)
    item = answer.get("Item")
    # Slots, blocks, and what the schedule remembers lie in the same table, on no shelf.
    return None if item is None or "shelf" not in item else ExportItem.from_raw_data(item)


def page(resources: Sequence[str], token: str | None, limit: int) -> paging.Page:
    """A page of the jobs of `resources`, newest first. Raises `StaleCursorError`."""
    rows = Range(
        table=settings().exports_table,
        index="by_requested",
        hash_attribute="shelf",
        hash_value="exports",
        key_attributes=("requested_at", "id"),
        condition=Path("resource").is_in(*resources) & Path("deleted_at").does_not_exist(),
        descending=True,
    )
    return paging.page(rows, repr(("exports", tuple(resources), limit)), token, limit)


def delete(job: ExportItem, by: Author, request_id: str) -> None:
    """Remove the file, kill its links, cancel a run under way.

    The job stays as a tombstone, so that no late message brings it back. The tombstone comes
    first; deleting again makes up for what failed after it. Raises `StoreUnavailableError`.
    """
    if job.deleted_at is None:
        note(
            job,
            [Path("deleted_at").set(clock.instant(clock.now()))],
            Path("deleted_at").does_not_exist(),
            audit_entry(job, "export.deleted", by, {}, request_id),
        )
    delivery.remove_files(delivery.object_prefix(job.id))


def requester(job: ExportItem) -> Author:
    """Return who asked for the job; without an id where the system or an older version did."""
    return Author(job.requested_by, job.requested_by_id)


def is_incremental(job: ExportItem) -> bool:
    """Whether the job is a scheduled one that holds the new leads alone."""
    return job.origin == "scheduled" and str(job.fingerprint).startswith(NEW_LEADS)


def filters_of(job: ExportItem) -> Filters:
    """The filters of the list that the job exports."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in job.filters.items()
    }
    return Filters(**given, registered_since=job.period_from, registered_before=job.period_to)


def note(job: ExportItem, actions: list[Action], condition: Condition, entry: audit.Entry) -> bool:
    """Change the job and write the audit entry in one transaction; whether the condition held.

    Raises `StoreUnavailableError`.
    """
    update = store().get_operation_kwargs(
        settings().exports_table, job.id, actions=actions, condition=condition
    )
    try:
        audit.transact(entry, updates=[update])
    except TransactionCanceledError as error:
        if "TransactionConflict" in error.codes:
            message = "The export is being changed at this moment; try again"
            raise StoreUnavailableError(message) from error
        return False
    return True


def status(job: ExportItem) -> str:
    """The state of the job as of now: time alone makes it `expired`, or `failed` if abandoned."""
    now = clock.instant(clock.now())
    if job.status == "succeeded" and (job.expires_at or now) <= now:
        return "expired"
    if job.status in {"queued", "running"} and is_abandoned(job):
        return "failed"
    return str(job.status)


def is_under_way(job: ExportItem) -> bool:
    """Return True if the job waits for a worker, or has one whose lease lasts."""
    is_left = job.status == "running" and _lease_is_over(job)
    return status(job) in {"queued", "running"} and not is_left


def is_abandoned(job: ExportItem) -> bool:
    """Whether nobody works on the job any more, nor ever will."""
    return _lease_is_over(job) and job.requested_at < clock.instant(clock.now() - ABANDONED_AFTER)


def _lease_is_over(job: ExportItem) -> bool:
    return (job.lease_until or "") < clock.instant(clock.now())


def audit_entry(
    job: ExportItem, action: str, by: Author, facts: Mapping[str, Any], request_id: str
) -> audit.Entry:
    """What the audit says of an act on the job."""
    return audit.Entry(
        subject=audit.export(job.id),
        at=clock.instant(clock.now()),
        by=by,
        action=action,
        facts=facts,
        request_id=request_id,
    )


def from_items(items: Iterable[Mapping[str, Any]]) -> list[ExportItem]:
    """The jobs that items of the table hold."""
    return [ExportItem.from_raw_data(dict(item)) for item in items]
