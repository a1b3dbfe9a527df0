"""The scheduled lead export: all leads, and those registered since the last successful run."""

from datetime import datetime

from chalicelib import clock, log
from chalicelib.exports import jobs, newleads
from chalicelib.exports.orders import Order, submit
from chalicelib.settings import settings
from chalicelib.users.model import Author
from chalicelib.users.tables import ExportItem

ALL_LEADS = "leads-all"


def order_exports(due_at: datetime, request_id: str) -> list[ExportItem]:
    """The two jobs of the run that was due at `due_at`; the same ones however often it is asked.

    The new leads are those who were not delivered yet; so a run that failed, or was missed, is made
    up for by the next. What period that is, the worker settles. Raises `StoreUnavailableError`.
    """
    minute = clock.instant(due_at.replace(second=0, microsecond=0))
    period = (newleads.delivered().until, clock.instant(clock.now()))
    return [
        _order(ALL_LEADS, minute, None, request_id),
        _order(jobs.NEW_LEADS, minute, period, request_id),
    ]


def _order(
    name: str, minute: str, period: tuple[str | None, str] | None, request_id: str
) -> ExportItem:
    order = Order(
        resource="leads",
        format="xlsx",
        language=settings().marketing_language,
        filters={},
        by=Author.system("schedule"),
        key=f"{name} {minute}",
        request_id=request_id,
        origin="scheduled",
        period=period,
    )
    job, replayed = submit(order)
    log.event("schedule.ordered", export_id=job.id, job=name, replayed=replayed)
    return job
