"""The scheduled lead export: all leads, and each new one once, whatever fails or is repeated."""

from collections import Counter

import pytest

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs
from chalicelib.settings import settings
from tests.builders import client, customer, lead, save
from tests.exporting import (
    At,
    Clock,
    audited,
    before,
    deliver,
    ids,
    object_keys,
    queued,
    stop_clock,
    unreachable,
)
from tests.scheduled import failed_run_for_new, fire, run, run_for_new, subscribed

pytestmark = pytest.mark.usefixtures("cloud")

# Mondays. Each run is ordered five seconds late, see `run`.
FIRST, SECOND, THIRD = "2026-03-02T11:00:00Z", "2026-03-09T11:00:00Z", "2026-03-16T11:00:00Z"
WEDNESDAY = "2026-03-04T11:00:00Z"


@pytest.fixture(autouse=True)
def now(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    return stop_clock(monkeypatch, FIRST)


def _register(*moments: str) -> None:
    save(*(lead(moment.replace(":", ""), registered_at=moment) for moment in moments))


def _moments(*names: str) -> list[str]:
    """The ids of the leads who registered at these moments, the newest first."""
    return [moment.replace(":", "") for moment in sorted(names, reverse=True)]


# --- a run ------------------------------------------------------------------------------------


def test_the_event_orders_two_workbooks_of_leads(now: Clock) -> None:
    now.goes_on(5)
    everyone, new = map(jobs.find, fire(FIRST))
    assert everyone.id != new.id
    for job in (everyone, new):
        assert (job.resource, job.format, job.language) == ("leads", "xlsx", "es")
        assert (job.origin, job.requested_by, job.status) == ("scheduled", "schedule", "queued")
        assert job.filters == {}
        assert audited(job) == ["export.requested"]
    assert everyone.period_to is None
    assert new.period_to == "2026-03-02T11:00:05Z"
    assert {message["job"]["id"]["S"] for message in queued()} == {everyone.id, new.id}


def test_a_run_delivers_all_leads_and_the_new_ones_and_no_customer(now: Clock) -> None:
    _register("2026-01-01T00:00:00Z", "2026-03-01T12:00:00Z")
    save(customer(registered_at="2026-03-01T12:00:00Z"))
    run_for_new(now, FIRST)
    _register("2026-03-05T12:00:00Z")
    everyone, new = run(now, SECOND)
    assert ids(everyone) == _moments(
        "2026-01-01T00:00:00Z", "2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z"
    )
    assert ids(new) == _moments("2026-03-05T12:00:00Z")


def test_the_first_run_has_no_lower_bound(now: Clock) -> None:
    _register("1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z")
    new = run_for_new(now, FIRST)
    assert new.period_from is None
    assert ids(new) == _moments("1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z")


def test_a_run_without_new_leads_delivers_an_empty_file(now: Clock) -> None:
    run_for_new(now, FIRST)
    new = run_for_new(now, SECOND)
    assert (new.status, new.rows, ids(new)) == ("succeeded", 0, [])


# --- each lead once ---------------------------------------------------------------------------

MOMENTS = [
    "2026-03-02T10:59:59Z",
    "2026-03-02T11:00:00Z",
    "2026-03-02T11:00:04Z",
    "2026-03-02T11:00:04.999Z",
    "2026-03-02T11:00:05Z",
    "2026-03-02T11:00:05.000Z",
    "2026-03-02T11:00:05.001Z",
    "2026-03-02T11:00:06Z",
    "2026-03-09T11:00:04Z",
]


def test_leads_around_the_boundary_land_in_exactly_one_of_two_runs(now: Clock) -> None:
    _register(*MOMENTS)
    first = run_for_new(now, FIRST)
    second = run_for_new(now, SECOND)
    assert (second.period_from, second.period_to) == (first.period_to, "2026-03-09T11:00:05Z")
    assert ids(first) == _moments(*MOMENTS[:4])
    assert ids(second) == _moments(*MOMENTS[4:])


def test_a_failed_run_is_made_up_for_by_the_next(now: Clock) -> None:
    run_for_new(now, FIRST)
    _register("2026-03-05T12:00:00Z")
    failed = failed_run_for_new(now, SECOND)
    assert failed.status == "failed"
    _register("2026-03-12T12:00:00Z")
    new = run_for_new(now, THIRD)
    assert (new.period_from, new.period_to) == ("2026-03-02T11:00:05Z", "2026-03-16T11:00:05Z")
    assert ids(new) == _moments("2026-03-05T12:00:00Z", "2026-03-12T12:00:00Z")


def test_a_first_run_that_failed_is_made_up_for_by_the_next(now: Clock) -> None:
    _register("2026-03-01T12:00:00Z")
    failed_run_for_new(now, FIRST)
    new = run_for_new(now, SECOND)
    assert new.period_from is None
    assert ids(new) == _moments("2026-03-01T12:00:00Z")


def test_a_run_that_never_was_is_made_up_for_by_the_next(now: Clock) -> None:
    run_for_new(now, FIRST)
    _register("2026-03-05T12:00:00Z", "2026-03-12T12:00:00Z")
    new = run_for_new(now, THIRD)
    assert ids(new) == _moments("2026-03-05T12:00:00Z", "2026-03-12T12:00:00Z")


def test_a_run_in_between_delivers_its_part_and_the_next_one_the_rest(now: Clock) -> None:
    run_for_new(now, FIRST)
    _register("2026-03-03T12:00:00Z", "2026-03-05T12:00:00Z")
    between = run_for_new(now, WEDNESDAY)
    new = run_for_new(now, SECOND)
    assert ids(between) == _moments("2026-03-03T12:00:00Z")
    assert ids(new) == _moments("2026-03-05T12:00:00Z")


# --- repetitions ------------------------------------------------------------------------------


def test_an_event_that_comes_twice_is_one_run(now: Clock) -> None:
    _register("2026-03-01T12:00:00Z")
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
    _register("2026-03-01T12:00:00Z")
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
    _register("2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z")
    second = run_for_new(now, SECOND)
    now.goes_on(3600)
    _, first = map(jobs.find, fire(FIRST, "old"))
    for message in queued():
        deliver(message)
    assert ids(second) == _moments("2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z")
    assert ids(jobs.find(first.id)) == []
    _register("2026-03-12T12:00:00Z")
    third = run_for_new(now, THIRD)
    assert ids(third) == _moments("2026-03-12T12:00:00Z")


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
    _register("2026-03-01T12:00:00Z")
    fire(FIRST)
    with before(aws.sns(), "sns.Publish", unreachable):
        for message in queued():
            for _ in range(3):
                with pytest.raises(StoreUnavailableError):
                    deliver(message)
    new = run_for_new(now, SECOND)
    assert ids(new) == _moments("2026-03-01T12:00:00Z")


# --- who comes late, and runs that overlap ----------------------------------------------------


def test_a_lead_that_is_written_after_a_run_with_an_earlier_time_is_in_the_next(
    now: Clock,
) -> None:
    _register("2026-03-01T12:00:00Z")
    first = run_for_new(now, FIRST)
    _register("2026-03-01T11:00:00Z")
    second = run_for_new(now, SECOND)
    third = run_for_new(now, THIRD)
    assert ids(first) == _moments("2026-03-01T12:00:00Z")
    assert ids(second) == _moments("2026-03-01T11:00:00Z")
    assert ids(third) == []


def test_two_runs_that_overlap_deliver_nobody_twice(now: Clock) -> None:
    """The second run is through from its order to its message while the first one reads."""
    _register("2026-03-01T12:00:00Z")
    inbox = subscribed()
    _, one = fire(FIRST)
    first = next(message for message in queued() if message["job"]["id"]["S"] == one)
    with (
        before(client(), "dynamodb.Query", At(2, lambda: run_for_new(now, WEDNESDAY))),
        pytest.raises(StoreUnavailableError),
    ):
        deliver(first)
    deliver(first)
    assert ids(jobs.find(one)) == []
    assert [mail.facts["rows"] for mail in inbox.take()] == ["1", "0"]


def test_a_run_that_failed_is_told_of_on_the_alarm_topic(now: Clock) -> None:
    alarms = subscribed(settings().alarm_topic_arn)
    failed = failed_run_for_new(now, FIRST)
    (mail,) = alarms.take_raw()
    assert failed.id in mail["Message"]
    assert "Se desistió tras 3 intentos" in mail["Message"]


def test_a_period_without_leads_says_so_and_has_no_link(now: Clock) -> None:
    inbox = subscribed()
    run_for_new(now, FIRST)
    (mail,) = inbox.take_raw()
    assert "No hay leads nuevos en este periodo" in mail["Message"]
    assert "token=" not in mail["Message"]
