"""Whether the stage does its work: API, stream, queues, schedule, search."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from chalicelib import clock
from chalicelib.exports import newleads
from chalicelib.settings import settings
from chalicelib.users import listing, searching
from chalicelib.users.counting import state_key
from chalicelib.users.derived import Change, State
from chalicelib.users.filters import Filters
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.tables import store
from infra.doctor.finding import Finding
from infra.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

_SAMPLE = 10
_LONGEST_LAG_MILLISECONDS = 600_000
"""Where the stage was deployed before this was a parameter."""

_LONGEST_WITHOUT_RUN = timedelta(days=8)
"""The scheduled export runs once a week."""

_SOURCES = (
    "StreamStreamDynamodbEventSource",
    "WatchWatchDynamodbEventSource",
    "WorkerWorkerSqsEventSource",
)
"""No alarm rings where one of them is off: a function that is not called makes no error."""

_LETTERS = {
    "ProjectionDeadLetters": "mend the items, then make replay{}: see docs/runbook.md",
    "ExportsDeadLetters": "make letters{} says which: see docs/runbook.md",
    "ScheduleDeadLetters": "make letters ORDER=1{}: see docs/runbook.md",
}


def health(stage: Stage) -> Iterator[Finding]:
    """The API from outside, and the stores as its function reaches them, under its own rights."""
    yield _api()
    yield _stores(stage)


def _api() -> Finding:
    address = f"{settings().public_url}/health"
    try:
        with urllib.request.urlopen(address, timeout=40) as answer:  # noqa: S310 - our own address
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            seen = f"{error.code} {error.read()[:300].decode(errors='replace')}"
        return Finding("API", is_well=False, seen=seen, remedy="read the log of the function `api`")
    except (OSError, ValueError) as error:
        remedy = "is PublicUrl right, and the API deployed?"
        return Finding("API", is_well=False, seen=f"{address} {error}", remedy=remedy)
    return Finding("API", is_well=told["status"] == "ok", seen=f"{told['status']}, {address}")


def _stores(stage: Stage) -> Finding:
    """Invoke the function itself: the API wants a token, and the doctor has none."""
    client: LambdaClient = stage.target.client("lambda")
    answer = client.invoke(FunctionName=stage.resources["APIHandler"], Payload=_health_event())
    told: Any = json.load(answer["Payload"])
    remedy = "read `health.failing` in the log of the function `api`"
    if "FunctionError" in answer or "body" not in told:
        seen = f"the function failed: {told.get('errorType', told)}"
        return Finding("stores", is_well=False, seen=seen, remedy=remedy)
    checks = json.loads(told["body"]).get("checks", {})
    failing = [name for name, state in checks.items() if state != "ok"]
    is_well = told["statusCode"] == HTTPStatus.OK and not failing
    seen = f"{', '.join(failing)} failing" if failing else f"{told['statusCode']}, {len(checks)} ok"
    return Finding("stores", is_well=is_well, seen=seen, remedy=remedy)


def _health_event() -> bytes:
    """What API Gateway hands to the function for `GET /v1/health`.

    The caller is a machine: to let a person in, the function would ask a table first.
    """
    path, method = "/v1/health", "GET"
    expires_at = int(clock.now().timestamp()) + 60
    caller = {
        "principalId": "doctor",
        "name": "doctor",
        "roles": "gateway",
        "expires_at": str(expires_at),
    }
    context = {"resourcePath": path, "httpMethod": method, "path": path, "requestId": "doctor"}
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {**context, "identity": {}, "authorizer": caller},
    }
    return json.dumps(event).encode()


def sources(stage: Stage) -> Iterator[Finding]:
    """What feeds the functions with changes and orders, and how far the stream is behind."""
    client: LambdaClient = stage.target.client("lambda")
    for name in _SOURCES:
        source = client.get_event_source_mapping(UUID=stage.resources[name])
        is_well = source["State"] in {"Enabled", "Creating", "Updating"}
        remedy = f"aws lambda update-event-source-mapping --enabled --uuid {source['UUID']}"
        yield Finding(f"source {name}", is_well=is_well, seen=source["State"], remedy=remedy)
    watch = stage.target.client("cloudwatch")
    now = clock.now()
    points = watch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="IteratorAge",
        Dimensions=[{"Name": "FunctionName", "Value": stage.resources["Stream"]}],
        StartTime=now - timedelta(minutes=15),
        EndTime=now,
        Period=900,
        Statistics=["Maximum"],
    )["Datapoints"]
    lag = timedelta(milliseconds=max((one["Maximum"] for one in points), default=0))
    bound = int(stage.parameters.get("StreamLagAlarmMilliseconds", _LONGEST_LAG_MILLISECONDS))
    is_well = lag <= timedelta(milliseconds=bound)
    seen = f"at most {lag.total_seconds():.0f} s behind in the last quarter of an hour"
    remedy = "read the log of the function `stream`: see docs/runbook.md"
    yield Finding("stream", is_well=is_well, seen=seen, remedy=remedy)


def letters(stage: Stage) -> Iterator[Finding]:
    """What could not be dealt with, and what waits."""
    client: SQSClient = stage.target.client("sqs")
    suffix = "" if stage.target.endpoint else f" STAGE={stage.target.stage}"
    for name, remedy in _LETTERS.items():
        number = _messages(client, stage.resources[name])
        seen = f"{number} message{'' if number == 1 else 's'}"
        yield Finding(name, is_well=not number, seen=seen, remedy=remedy.format(suffix))
    waiting = _messages(client, stage.resources["ExportsQueue"])
    yield Finding("ExportsQueue", is_well=True, seen=f"{waiting} waiting")


def schedule(stage: Stage) -> Iterator[Finding]:
    """The schedule of the export, and when a run last came to its end."""
    client: EventBridgeSchedulerClient = stage.target.client("scheduler")
    wanted = stage.parameters.get("ScheduledExport", "ENABLED")
    found = client.get_schedule(Name=stage.resources["WeeklyLeadExport"])
    seen = f"{found['State']}, {found['ScheduleExpression']} {found['ScheduleExpressionTimezone']}"
    remedy = f"set it to {wanted} again: see docs/runbook.md, The schedule"
    yield Finding("schedule", is_well=found["State"] == wanted, seen=seen, remedy=remedy)
    if wanted != "ENABLED":
        return
    last, made = newleads.delivered().until, stage.made_at
    since = clock.parse_instant(last) if last else made
    late = clock.now() - since > _LONGEST_WITHOUT_RUN
    seen = f"delivered until {last}" if last else f"none since the stack was made, {made:%Y-%m-%d}"
    remedy = "look for `schedule.due` and `export.failed` in the logs: see docs/runbook.md"
    yield Finding("last scheduled export", is_well=not late, seen=seen, remedy=remedy)


def derived(stage: Stage) -> Iterator[Finding]:
    """Whether the newest users of each list are counted, indexed and found as they are now."""
    suffix = "" if stage.target.endpoint else f" STAGE={stage.target.stage}"
    for kind in Kind:
        users = listing.page(kind, Filters(), "-registered_at", None, _SAMPLE, counting=False).users
        behind = [user.id for user in users if _is_behind(user.id)]
        seen = f"{len(users) - len(behind)} of {len(users)} sampled {kind}s are as they are now"
        remedy = f"behind: {', '.join(behind)}; if that lasts: make reindex{suffix}"
        yield Finding(f"projection of {kind}s", is_well=not behind, seen=seen, remedy=remedy)
        lost = [user.id for user in users if not _is_found(user)]
        seen = f"{len(users) - len(lost)} of {len(users)} sampled {kind}s are found by their names"
        remedy = f"not found: {', '.join(lost)}; if that lasts: make reindex{suffix}"
        yield Finding(f"search of {kind}s", is_well=not lost, seen=seen, remedy=remedy)


def _is_behind(user_id: str) -> bool:
    names, key = settings(), state_key(user_id)
    item = (
        store()
        .get_item(names.totals_table, key["list"]["S"], key["bucket"]["S"], consistent_read=True)
        .get("Item")
    )
    image = store().get_item(names.users_table, user_id, consistent_read=True).get("Item", {})
    return Change.of(user_id, State.from_item(item) if item else State(), image).is_needed


def _is_found(user: StoreUser) -> bool:
    """By their names and e-mail together, on the first page; the nameless are not sought."""
    q = f"{user.first_name} {user.last_name} {user.company_email}".strip()[:100]
    found = searching.page(user.kind, Filters(q=q), None, 100, counting=False).users
    return not q or user.id in {one.id for one in found}


def _messages(client: "SQSClient", url: str) -> int:
    told = client.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(int(number) for number in told.values())
