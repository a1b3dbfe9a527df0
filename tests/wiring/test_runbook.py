"""The runbook and the logs' documentation keep up with what there is."""

import re

from chalicelib import metrics
from infra.package import ROOT
from tests.conftest import template_resources


def test_the_runbook_says_of_every_alarm_what_to_do() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    alarms = {
        name
        for name, resource in template_resources().items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    told = {
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+Alarm)`", line.split("|")[1])
    }
    assert alarms
    assert alarms - told == set()


def test_every_event_and_every_measure_of_the_log_is_described() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    code = "\n".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    events = set(re.findall(r"(?:log|metrics)\.event\(\s*\"([a-z_.]+)\"", code))
    assert {"request", "projection", "export.failed"} < events
    described = set(re.findall(r"`([a-z_.]+)`", text))
    assert (events | metrics.UNITS.keys()) - described == set()


def test_every_event_that_is_counted_says_which_of_its_fields_are() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    events = re.findall(r"metrics\.event\(\s*\"([a-z_.]+)\"", code)
    assert set(events) == metrics.COUNTED.keys()
    fields = [field for counted in metrics.COUNTED.values() for field in counted]
    assert set(fields) == metrics.UNITS.keys()
