"""The watch over the audit: it rings where an entry is changed, and not where one is erased."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.triggers.watch import watch
from chalicelib.users import audit
from tests.builders import author, client, operations, sent_requests
from tests.watching import of_entry, removed

pytestmark = pytest.mark.usefixtures("cloud")

SUBJECT = "customer#cus_0042"
ENTRY = "n0000000001"


def _announce(user_id: str = "cus_0042", ago: timedelta = timedelta()) -> None:
    audit.append(
        audit.Entry(
            subject=audit.ERASURES,
            at=clock.instant(clock.now() - ago),
            by=author("operator"),
            action=audit.ANNOUNCED,
            facts={"user_id": user_id},
            request_id="erase",
        )
    )


def _lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("act", ["MODIFY", "REMOVE"])
def test_an_entry_that_is_changed_or_removed_rings(
    act: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch({"Records": [of_entry(act, SUBJECT, ENTRY)]}, None) == {"records": 1, "rung": 1}
    (line,) = _lines(capsys)
    told = {name: line[name] for name in ("level", "event", "subject", "entry", "act", "changed")}
    assert told == {
        "level": "ERROR",
        "event": "audit.changed",
        "subject": SUBJECT,
        "entry": ENTRY,
        "act": act,
        "changed": 1,
    }
    (counted,) = line["_aws"]["CloudWatchMetrics"]
    assert counted["Metrics"] == [{"Name": "changed", "Unit": "Count"}]


def test_what_an_erasure_announced_is_let_go(capsys: pytest.CaptureFixture[str]) -> None:
    _announce("cus_0001")
    _announce()
    told = watch({"Records": [removed(SUBJECT, ENTRY)]}, None)
    assert told == {"records": 1, "rung": 0}
    (line,) = _lines(capsys)
    assert line == {"level": "INFO", "event": "audit.erased", "entry": ENTRY}


def test_an_announcement_covers_nothing_else() -> None:
    _announce()
    records = [
        of_entry("MODIFY", SUBJECT, ENTRY),
        removed("customer#cus_0043", ENTRY),
        removed("erasures", ENTRY),
        removed("export#cus_0042", ENTRY),
        removed(SUBJECT, ENTRY, clock.now() - timedelta(minutes=6)),
        removed(SUBJECT, ENTRY, clock.now() + timedelta(hours=2)),
    ]
    assert watch({"Records": records}, None) == {"records": 6, "rung": 6}


def test_an_announcement_is_found_behind_many_newer_ones() -> None:
    _announce(ago=timedelta(minutes=30))
    for number in range(101):
        _announce(f"cus_9{number:03}")
    assert watch({"Records": [removed(SUBJECT, ENTRY)]}, None)["rung"] == 0


def test_an_appended_entry_costs_nothing() -> None:
    with sent_requests() as sent:
        assert watch({"Records": [of_entry("INSERT", SUBJECT, ENTRY)]}, None)["rung"] == 0
    assert operations(sent) == []


def test_a_forged_announcement_needs_a_right_that_no_function_has() -> None:
    """The policies are in tests/wiring/test_policies.py; here that nothing else counts as one."""
    entry = audit.Entry(
        subject=SUBJECT,
        at=clock.instant(clock.now()),
        by=author("ana"),
        action=audit.ANNOUNCED,
        facts={"user_id": "cus_0042"},
        request_id="r",
    )
    audit.append(entry)
    assert watch({"Records": [removed(SUBJECT, ENTRY)]}, None)["rung"] == 1
    assert client().scan(TableName="audit", Select="COUNT")["Count"] == 1
