"""The scheduled lead export: all leads, and those registered since the last successful run."""

from datetime import datetime

from pynamodb.expressions.operand import Path

from chalicelib import clock, log
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.exports import jobs
from chalicelib.exports.orders import Order, submit
from chalicelib.settings import settings
from chalicelib.users.tables import ExportItem, store

_STATE_ID = "schedule-leads"
"""The item of the exports table that keeps until when the new leads were delivered."""

ALL_LEADS = "leads-all"


def order_exports(due_at: datetime, request_id: str) -> list[ExportItem]:
    """The two jobs of the run that was due at `due_at`; the same ones however often it is asked.

    The new leads are those registered from the end of the last period that succeeded until now;
    so a run that failed, or was missed, is made up for by the next. A job's period is settled
    when it is ordered first. Raises `StoreUnavailableError`.
    """
    minute = clock.instant(due_at.replace(second=0, microsecond=0))
    period = (_delivered_until(), clock.instant(clock.now()))
    return [
        _order(ALL_LEADS, minute, None, request_id),
        _order(jobs.NEW_LEADS, minute, period, request_id),
    ]


def note_success(job: ExportItem) -> None:
    """Remember that the new leads are delivered until the end of the job's period."""
    if not jobs.is_incremental(job):
        return
    later = Path("period_to").does_not_exist() | (Path("period_to") < job.period_to)
    try:
        store().update_item(
            settings().exports_table,
            _STATE_ID,
            actions=[Path("period_to").set(job.period_to)],
            condition=later,
        )
    except ConditionFailedError:
        return


def _order(
    name: str, minute: str, period: tuple[str | None, str] | None, request_id: str
) -> ExportItem:
    order = Order(
        resource="leads",
        format="xlsx",
        language=settings().marketing_language,
        filters={},
        by="schedule",
        key=f"{name} {minute}",
        request_id=request_id,
        origin="scheduled",
        period=period,
    )
    job, replayed = submit(order)
    log.event("schedule.ordered", export_id=job.id, job=name, replayed=replayed)
    return job


def _delivered_until() -> str | None:
    answer = store().get_item(settings().exports_table, _STATE_ID, consistent_read=True)
    return answer["Item"]["period_to"]["S"] if "Item" in answer else None
