"""EventBridge Scheduler → the scheduled lead export."""

from collections.abc import Mapping

from chalice.app import Blueprint

from chalicelib import clock, log
from chalicelib.exports.schedule import order_exports

schedules = Blueprint(__name__)


# A plain function: Chalice knows the rules of EventBridge, but not its Scheduler. The schedule, and
# the event that it sends, are in infra/resources.yaml.
@schedules.lambda_function(name="schedule")
@log.without_messages()
def schedule(event: Mapping[str, str], context: object) -> list[str]:
    """Order the exports of the run that is due at `event["time"]`, an instant; the job ids.

    A repetition orders nothing new: jobs are found by the minute of that time. `event["id"]` is
    another one at each attempt, and only names the run in the log.
    """
    del context
    due_at = clock.parse_instant(event["time"])
    log.event("schedule.due", due_at=event["time"], event_id=event["id"])
    return [job.id for job in order_exports(due_at, event["id"])]
