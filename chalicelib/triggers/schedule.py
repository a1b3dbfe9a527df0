"""The clock → the scheduled lead export."""

from chalice.app import Blueprint, CloudWatchEvent, Cron

from chalicelib import clock, log
from chalicelib.exports.schedule import order_exports

schedules = Blueprint(__name__)


# Mondays 11:00 UTC is 06:00 in Bogotá; infra/resources.yaml puts the configured time in its place.
@schedules.schedule(Cron(0, 11, "?", "*", "MON", "*"))
@log.without_messages()
def schedule(event: CloudWatchEvent) -> list[str]:
    """Order the exports of this run; the ids of their jobs. A repetition orders nothing new."""
    due_at = clock.parse_instant(event.time)
    log.event("schedule.due", due_at=event.time, event_id=event.event_id)
    return [job.id for job in order_exports(due_at, event.event_id)]
