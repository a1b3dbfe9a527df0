"""The scheduled lead export: all leads, and each new one once, whatever fails or is repeated."""

import pytest

from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs
from chalicelib.settings import settings
from tests.builders import client, customer, save
from tests.exporting import (
    At,
    Clock,
    audited,
    before,
    deliver,
    ids,
    queued,
    stop_clock,
)
from tests.scheduled import (
    failed_run_for_new,
    fire,
    moments,
    register,
    run,
    run_for_new,
    subscribed,
)

pytestmark = pytest.mark.usefixtures("cloud")

# Mondays. Each run is ordered five seconds late, see `run`.
FIRST, SECOND, THIRD = "2026-03-02T11:00:00Z", "2026-03-09T11:00:00Z", "2026-03-16T11:00:00Z"
WEDNESDAY = "2026-03-04T11:00:00Z"


@pytest.fixture(autouse=True)
def now(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    return stop_clock(monkeypatch, FIRST)


# --- a run ------------------------------------------------------------------------------------


def test_the_event_orders_two_workbooks_of_leads(now: Clock) -> None:
    now.goes_on(5)
    everyone, new = map(jobs.find, fire(FIRST))
    assert everyone.id != new.id
    for job in (everyone, new):
        assert (job.resource, job.format, job.language) == ("leads", "xlsx", "es")
        assert (job.origin, job.requested_by, job.status) == (
            "scheduled",
            "system schedule",
            "queued",
        )
        assert job.filters == {}
        assert audited(job) == ["export.requested"]
    assert everyone.period_to is None
    assert new.period_to == "2026-03-02T11:00:05Z"
    assert {message["job"]["id"]["S"] for message in queued()} == {everyone.id, new.id}


def test_a_run_delivers_all_leads_and_the_new_ones_and_no_customer(now: Clock) -> None:
    register("2026-01-01T00:00:00Z", "2026-03-01T12:00:00Z")
    save(customer(registered_at="2026-03-01T12:00:00Z"))
    run_for_new(now, FIRST)
    register("2026-03-05T12:00:00Z")
    everyone, new = run(now, SECOND)
    assert ids(everyone) == moments(
        "2026-01-01T00:00:00Z", "2026-03-01T12:00:00Z", "2026-03-05T12:00:00Z"
    )
    assert ids(new) == moments("2026-03-05T12:00:00Z")


def test_the_first_run_has_no_lower_bound(now: Clock) -> None:
    register("1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z")
    new = run_for_new(now, FIRST)
    assert new.period_from is None
    assert ids(new) == moments("1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z")


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
    register(*MOMENTS)
    first = run_for_new(now, FIRST)
    second = run_for_new(now, SECOND)
    assert (second.period_from, second.period_to) == (first.period_to, "2026-03-09T11:00:05Z")
    assert ids(first) == moments(*MOMENTS[:4])
    assert ids(second) == moments(*MOMENTS[4:])


def test_a_failed_run_is_made_up_for_by_the_next(now: Clock) -> None:
    run_for_new(now, FIRST)
    register("2026-03-05T12:00:00Z")
    failed = failed_run_for_new(now, SECOND)
    assert failed.status == "failed"
    register("2026-03-12T12:00:00Z")
    new = run_for_new(now, THIRD)
    assert (new.period_from, new.period_to) == ("2026-03-02T11:00:05Z", "2026-03-16T11:00:05Z")
    assert ids(new) == moments("2026-03-05T12:00:00Z", "2026-03-12T12:00:00Z")


def test_a_first_run_that_failed_is_made_up_for_by_the_next(now: Clock) -> None:
    register("2026-03-01T12:00:00Z")
    failed_run_for_new(now, FIRST)
    new = run_for_new(now, SECOND)
    assert new.period_from is None
    assert ids(new) == moments("2026-03-01T12:00:00Z")


def test_a_run_that_never_was_is_made_up_for_by_the_next(now: Clock) -> None:
    run_for_new(now, FIRST)
    register("2026-03-05T12:00:00Z", "2026-03-12T12:00:00Z")
    new = run_for_new(now, THIRD)
    assert ids(new) == moments("2026-03-05T12:00:00Z", "2026-03-12T12:00:00Z")


def test_a_run_in_between_delivers_its_part_and_the_next_one_the_rest(now: Clock) -> None:
    run_for_new(now, FIRST)
    register("2026-03-03T12:00:00Z", "2026-03-05T12:00:00Z")
    between = run_for_new(now, WEDNESDAY)
    new = run_for_new(now, SECOND)
    assert ids(between) == moments("2026-03-03T12:00:00Z")
    assert ids(new) == moments("2026-03-05T12:00:00Z")


# --- who comes late, and runs that overlap ----------------------------------------------------


def test_a_lead_that_is_written_after_a_run_with_an_earlier_time_is_in_the_next(
    now: Clock,
) -> None:
    register("2026-03-01T12:00:00Z")
    first = run_for_new(now, FIRST)
    register("2026-03-01T11:00:00Z")
    second = run_for_new(now, SECOND)
    third = run_for_new(now, THIRD)
    assert ids(first) == moments("2026-03-01T12:00:00Z")
    assert ids(second) == moments("2026-03-01T11:00:00Z")
    assert ids(third) == []


def test_two_runs_that_overlap_deliver_nobody_twice(now: Clock) -> None:
    """The second run is through from its order to its message while the first one reads."""
    register("2026-03-01T12:00:00Z")
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
