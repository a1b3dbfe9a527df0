"""Runs of the schedule that come twice, late, or again after they failed: each lead once."""

from collections import Counter

import pytest

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs
from tests.builders import client
from tests.exporting import (
    Clock,
    before,
    deliver,
    ids,
    object_keys,
    queued,
    stop_clock,
    unreachable,
)
from tests.scheduled import fire, moments, register, run, run_for_new

pytestmark = pytest.mark.usefixtures("cloud")

# Mondays. Each run is ordered five seconds late, see `run`.
FIRST, SECOND, THIRD = "2026-03-02T11:00:00Z", "2026-03-09T11:00:00Z", "2026-03-16T11:00:00Z"


@pytest.fixture(autouse=True)
def now(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    return stop_clock(monkeypatch, FIRST)


def test_an_event_that_comes_twice_is_one_run(now: Clock) -> None:
    register("2026-03-01T12:00:00Z")
    first = fire(FIRST)
    now.goes_on(3)
    assert fire(FIRST) == first
    messages = queued()
    assert sorted(message["job"]["id"]["S"] for message in messages) == sorted(first)
    for message in messages:
        deliver(message)
    assert len(object_keys()) == 2


def test_an_event_that_comes_again_after_the_run_orders_nothing(now: Clock) -> None:
    everyone, new = run(now, FIRST)
    now.goes_on(60)
    assert fire(FIRST, "retried") == [everyone.id, new.id]
    assert queued() == []
    assert jobs.find(new.id).period_to == "2026-03-02T11:00:05Z"


def test_an_order_that_failed_in_the_middle_is_completed_by_the_retry_of_the_event(
    now: Clock,
) -> None:
    """The message of the first job is on the queue, the job is not written, Lambda tries again."""
    register("2026-03-01T12:00:00Z")
    with (
        before(client(), "dynamodb.TransactWriteItems", unreachable),
        pytest.raises(StoreUnavailableError),
    ):
        fire(FIRST)
    now.goes_on(60)
    ordered = fire(FIRST)
    messages = queued()
    assert Counter(message["job"]["id"]["S"] for message in messages) == {
        ordered[0]: 2,
        ordered[1]: 1,
    }
    for message in messages:
        deliver(message)
    assert [jobs.find(job_id).status for job_id in ordered] == ["succeeded", "succeeded"]
    assert len(object_keys()) == 2


def test_an_old_event_after_a_newer_success_delivers_nobody_twice(now: Clock) -> None:
    """EventBridge keeps an event for a day, Lambda for six hours; the dead letters for weeks."""
    register("2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z")
    second = run_for_new(now, SECOND)
    now.goes_on(3600)
    _, first = map(jobs.find, fire(FIRST, "old"))
    for message in queued():
        deliver(message)
    assert ids(second) == moments("2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z")
    assert ids(jobs.find(first.id)) == []
    register("2026-03-12T12:00:00Z")
    third = run_for_new(now, THIRD)
    assert ids(third) == moments("2026-03-12T12:00:00Z")


def test_a_success_that_comes_late_does_not_move_the_period_back(now: Clock) -> None:
    """The first run waits on the queue for a week; the second one is through before it."""
    fire(FIRST)
    waiting = queued()
    run_for_new(now, SECOND)
    for message in waiting:
        deliver(message)
    third = run_for_new(now, THIRD)
    assert third.period_from == "2026-03-09T11:00:05Z"


def test_a_topic_that_fails_does_not_move_the_period_for_good(now: Clock) -> None:
    """Three deliveries, no message: marketing has not been told of these leads by anybody."""
    register("2026-03-01T12:00:00Z")
    fire(FIRST)
    with before(aws.sns(), "sns.Publish", unreachable):
        for message in queued():
            for _ in range(3):
                with pytest.raises(StoreUnavailableError):
                    deliver(message)
    new = run_for_new(now, SECOND)
    assert ids(new) == moments("2026-03-01T12:00:00Z")
