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
}
"""The fields that are counted wherever they occur, and in what."""


def event(name: str, *, level: str = "INFO", **fields: Any) -> None:
    """Log the event, and have those of its fields counted that have a unit.

    Without settings, which are a part of it, the event is logged alone.
    """
    try:
        stage = settings().stage
    except SettingsError:
        log.event(name, level=level, **fields)
        return
    counted = [{"Name": field, "Unit": UNITS[field]} for field in fields if field in UNITS]
    directive = {
        "Namespace": f"StoreUsers/{stage}",
        "Dimensions": [["event"]],
        "Metrics": counted,
    }
    about = {"Timestamp": int(clock.now().timestamp() * 1000), "CloudWatchMetrics": [directive]}
    log.event(name, level=level, **fields, _aws=about)
