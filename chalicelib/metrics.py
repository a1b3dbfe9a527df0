"""Measures: log lines of which CloudWatch counts some fields, by its embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Nothing is sent: CloudWatch finds the metrics in the log of the function. Each stage has its
namespace, and each metric is kept by event, which are few; by operation or by job they are in the
log, for Logs Insights.
"""

from typing import Any

from chalicelib import clock, log
from chalicelib.settings import SettingsError, settings

UNITS = {
    "ms": "Milliseconds",
    "dynamodb_requests": "Count",
    "capacity_units": "Count",
    "records": "Count",
    "poisoned": "Count",
    "lag_seconds": "Seconds",
    "rows": "Count",
    "bytes": "Bytes",
    "failed": "Count",
    "changed": "Count",
    "refused": "Count",
    "unusual": "Count",
}
"""The fields that are counted, and in what."""

COUNTED = {
    "request": ("ms", "dynamodb_requests", "capacity_units"),
    "projection": (
        *("records", "poisoned", "lag_seconds", "ms"),
        *("dynamodb_requests", "capacity_units"),
    ),
    "export.succeeded": ("rows", "bytes", "ms"),
    "export.failed": ("failed",),
    "sign_in.failed": ("failed",),
    "audit.changed": ("changed",),
    "aws.refused": ("refused",),
    "reading.unusual": ("unusual",),
}
"""The fields that are counted of each event: a metric each, and each is paid for."""


def event(name: str, *, level: str = "INFO", **fields: Any) -> None:
    """Log the event, and have those of its fields counted that `COUNTED` names.

    Without settings, which are a part of it, the event is logged alone.
    """
    try:
        stage = settings().stage
    except SettingsError:
        log.event(name, level=level, **fields)
        return
    counted = [
        {"Name": field, "Unit": UNITS[field]} for field in COUNTED.get(name, ()) if field in fields
    ]
    directive = {
        "Namespace": f"StoreUsers/{stage}",
        "Dimensions": [["event"]],
        "Metrics": counted,
    }
    about = {"Timestamp": int(clock.now().timestamp() * 1000), "CloudWatchMetrics": [directive]}
    log.event(name, level=level, **fields, _aws=about)
