"""What CloudWatch finds in the log: the embedded metric format."""

import json
from typing import Any

import pytest

from chalicelib import metrics
from chalicelib.settings import settings
from tests.exporting import configured, stop_clock


def _logged(capsys: pytest.CaptureFixture[str]) -> Any:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_fields_with_a_unit_are_counted_by_event_in_the_namespace_of_the_stage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch)
    with configured(monkeypatch):
        metrics.event("request", operation="list_leads", status=200, ms=12.5, capacity_units=1.5)
    assert _logged(capsys) == {
        "level": "INFO",
        "event": "request",
        "operation": "list_leads",
        "status": 200,
        "ms": 12.5,
        "capacity_units": 1.5,
        "_aws": {
            "Timestamp": 1772449200000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "StoreUsers/test",
                    "Dimensions": [["event"]],
                    "Metrics": [
                        {"Name": "ms", "Unit": "Milliseconds"},
                        {"Name": "capacity_units", "Unit": "Count"},
                    ],
                }
            ],
        },
    }


def test_a_field_that_another_event_counts_is_logged_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with configured(monkeypatch):
        metrics.event("request", ms=1, rows=25)
    line = _logged(capsys)
    assert line["rows"] == 25
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "ms", "Unit": "Milliseconds"}]


def test_without_settings_the_event_is_logged_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STAGE", raising=False)
    settings.cache_clear()
    metrics.event("request", level="ERROR", ms=1)
    assert _logged(capsys) == {"level": "ERROR", "event": "request", "ms": 1}
