"""The CloudWatch dashboard: what one looks at first when something is said to be wrong."""

import json
from typing import Any

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 24
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html

Metric = list[Any]

_FUNCTIONS = ("APIHandler", "Authorizer", "Stream", "Worker", "Schedule", "Watch")
_TABLES = (
    *("UsersTable", "SearchTable", "TotalsTable"),
    *("EcosystemsTable", "AuditTable", "ExportsTable"),
)
_DEAD_LETTERS = ("ExportsDeadLetters", "ProjectionDeadLetters", "ScheduleDeadLetters")


def dashboard() -> dict[str, Any]:
    """The resource, for the template: its body names the resources of the stack."""
    widgets = [
        _widget(title, statistic, metrics, place)
        for place, (title, statistic, metrics) in enumerate(_charts())
    ]
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            # The names of dashboards are those of the account, not of the region.
            "DashboardName": {"Fn::Sub": "store-users-${Stage}-${AWS::Region}"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": widgets})},
        },
    }


def _charts() -> list[tuple[str, str, list[Metric]]]:
    return [
        (
            "Requests, and answers of ours and of callers' fault",
            "Sum",
            _api("Count", "5XXError", "4XXError"),
        ),
        ("Latency, 99th percentile (ms)", "p99", _api("Latency", "IntegrationLatency")),
        ("Function errors", "Sum", _lambda("Errors")),
        ("Function duration, 99th percentile (ms)", "p99", _lambda("Duration")),
        ("Functions at once", "Maximum", _lambda("ConcurrentExecutions")),
        ("Functions held up", "Sum", _lambda("Throttles")),
        (
            "Age of the oldest change not derived from (ms)",
            "Maximum",
            _lambda("IteratorAge", "Stream"),
        ),
        (
            "Age of the oldest waiting export (s)",
            "Maximum",
            _sqs("ApproximateAgeOfOldestMessage", "ExportsQueue"),
        ),
        ("Dead letters", "Maximum", _sqs("ApproximateNumberOfMessagesVisible", *_DEAD_LETTERS)),
        ("Read units", "Sum", _dynamodb("ConsumedReadCapacityUnits")),
        ("Write units", "Sum", _dynamodb("ConsumedWriteCapacityUnits")),
        ("Failed exports and sign-ins", "Sum", _own("failed", "export.failed", "sign_in.failed")),
    ]


def _widget(title: str, statistic: str, metrics: list[Metric], place: int) -> dict[str, Any]:
    row, column = divmod(place, _COLUMNS // _WIDTH)
    return {
        "type": "metric",
        "width": _WIDTH,
        "height": _HEIGHT,
        "x": column * _WIDTH,
        "y": row * _HEIGHT,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": statistic,
            "period": 300,
            "metrics": metrics,
        },
    }


def _api(*names: str) -> list[Metric]:
    return [["AWS/ApiGateway", name, "ApiName", "store-users-${Stage}"] for name in names]


def _lambda(name: str, *functions: str) -> list[Metric]:
    return [
        ["AWS/Lambda", name, "FunctionName", f"${{{one}}}", {"label": one}]
        for one in functions or _FUNCTIONS
    ]


def _sqs(name: str, *queues: str) -> list[Metric]:
    return [
        ["AWS/SQS", name, "QueueName", f"${{{one}.QueueName}}", {"label": one}] for one in queues
    ]


def _own(name: str, *events: str) -> list[Metric]:
    return [["StoreUsers/${Stage}", name, "event", one] for one in events]


def _dynamodb(name: str) -> list[Metric]:
    return [["AWS/DynamoDB", name, "TableName", f"${{{one}}}", {"label": one}] for one in _TABLES]
