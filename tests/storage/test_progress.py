"""What a run tells of itself on its way: how far it is, and that it lives."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from chalicelib import aws, clock
from chalicelib.exports import lease
from chalicelib.exports.running import BusyError
from chalicelib.users import ranges
from tests.builders import Sent, client, lead, refusals, save, sent_requests
from tests.exporting import (
    MONDAY,
    At,
    TickingClock,
    before,
    deliver,
    ordered,
    stop_clock,
    stored_job,
)

pytestmark = pytest.mark.usefixtures("cloud")
LEASE = timedelta(seconds=60)


def _changes(sent: list[Sent]) -> list[Mapping[str, Any]]:
    """What each update of a job set: {attribute: value}."""
    found: list[Mapping[str, Any]] = []
    for body in (one.body for one in sent if one.operation == "UpdateItem"):
        values = body["ExpressionAttributeValues"]
        found.append(
            {
                body["ExpressionAttributeNames"][name]: next(iter(values[value].values()))
                for name, value in re.findall(r"(#\d+) = (:\d+)", body["UpdateExpression"])
            }
        )
    return found


def _save_leads(count: int) -> None:
    save(*(lead(f"led_{number}") for number in range(count)))


def _reports() -> list[dict[str, str]]:
    """What a run tells of its progress, in order: done, total, lease_until."""
    message = ordered()
    with sent_requests() as sent:
        deliver(message)
    return [dict(one) for one in _changes(sent) if {"total", "lease_until"} <= one.keys()]


def _progress() -> list[tuple[str, str]]:
    return [(one["done"], one["total"]) for one in _reports()]


def _ticking(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(clock, "now", TickingClock(MONDAY, seconds))


def test_a_short_run_reports_its_start_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    stop_clock(monkeypatch)
    _save_leads(9)
    assert _progress() == [("0", "9"), ("9", "9")]


def test_a_long_run_reports_its_progress_against_a_known_total(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    _ticking(monkeypatch, 1)
    _save_leads(9)
    assert _progress() == [
        *[("0", "9"), ("2", "9"), ("4", "9"), ("6", "9"), ("8", "9")],
        *[("9", "9"), ("9", "9")],
    ]


def test_progress_is_written_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 1)
    _ticking(monkeypatch, 0.4)
    _save_leads(9)
    done = [int(one) for one, _ in _progress()]
    assert done == sorted(done)
    # Nine pages, and somebody looks at the clock at least once for each of them.
    assert 3 < len(done) < 9


def test_each_report_renews_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    _ticking(monkeypatch, 60)
    _save_leads(3)
    leases = [clock.parse_instant(one["lease_until"]) for one in _reports()]
    assert len(leases) == 4
    # A report looks at the clock twice.
    assert all((later - earlier).total_seconds() >= 120 for earlier, later in pairwise(leases))


@pytest.mark.parametrize(
    ("service", "call"),
    [
        pytest.param(client, "dynamodb.Query", id="the rows are counted"),
        pytest.param(aws.s3, "s3.PutObject", id="a part is sent"),
    ],
)
def test_the_lease_is_renewed_while(
    service: Callable[[], Any], call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow that is: no other worker may take the job over meanwhile."""
    monkeypatch.setattr(lease, "seconds_between_beats", lambda: 0.01)
    now = stop_clock(monkeypatch)
    save(lead())
    message = ordered()

    def slowly() -> None:
        now.goes_on(50)
        _until(lambda: stored_job(message).lease_until == clock.instant(now.at + LEASE))
        now.goes_on(50)
        with pytest.raises(BusyError):
            deliver(message)

    with before(service(), call, At(1, slowly)):
        deliver(message)
    assert stored_job(message).status == "succeeded"


def test_the_lease_is_renewed_after_a_renewal_that_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it is while credentials change: the thread that renews it must not end with that."""
    monkeypatch.setattr(lease, "seconds_between_beats", lambda: 0.01)
    now = stop_clock(monkeypatch)
    save(lead())
    message = ordered()

    def send_slowly() -> None:
        now.goes_on(50)
        with refusals("UpdateItem", "ExpiredTokenException", times=1):
            _until(lambda: stored_job(message).lease_until == clock.instant(now() + LEASE))

    with before(aws.s3(), "s3.PutObject", At(1, send_slowly)):
        deliver(message)
    assert (stored_job(message).status, stored_job(message).attempt) == ("succeeded", 1)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_users_who_come_during_the_run_do_not_make_more_done_than_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch)
    save(lead("led_1"))
    # After the list was counted.
    arrival = At(5, lambda: save(lead("led_2")))
    with before(client(), "dynamodb.Query", arrival):
        progress = _progress()
    assert progress == [("0", "1"), ("2", "2")]
