"""Workers that meet, die and come back: one export whatever happens, and no half of one."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.exports import lease, running
from chalicelib.exports.reasons import MAX_ATTEMPTS
from chalicelib.exports.visibility import MARGIN_SECONDS
from chalicelib.settings import settings
from chalicelib.users import ranges
from tests.builders import client, lead, save
from tests.conftest import template_parameter, template_resources
from tests.exporting import (
    At,
    Clock,
    audited,
    before,
    deliver,
    die,
    ids,
    object_keys,
    ordered,
    stop_clock,
    stored_job,
)

pytestmark = pytest.mark.usefixtures("cloud")
LEASE_SECONDS = 60
LONGEST_LEASE_SECONDS = template_parameter("ExportLeaseSeconds")["MaxValue"]
HIDDEN_SECONDS = LEASE_SECONDS + 5
PAGES = [1, 5]
"""Queries of a run, see `clock`: one that counts, one that reads."""


@pytest.fixture(autouse=True)
def clock(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    """Five leads, read two at a time: three pages to count, three to write."""
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    stopped = stop_clock(monkeypatch)
    save(*(lead(f"led_{number}") for number in range(5)))
    return stopped


def _asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The receipt handles, and for how many seconds their messages are asked to be hidden."""
    asked: list[tuple[str, int]] = []

    def ask(ReceiptHandle: str, VisibilityTimeout: int, **_: str) -> None:  # noqa: N803 - of boto3
        asked.append((ReceiptHandle, VisibilityTimeout))

    monkeypatch.setattr(aws.sqs(), "change_message_visibility", ask)
    return asked


def _refused(message: Mapping[str, Any]) -> None:
    """A delivery while another worker is at the job: it leaves everything as it is."""
    known = stored_job(message).serialize()
    with pytest.raises(running.BusyError):
        deliver(message)
    assert stored_job(message).serialize() == known


def _taken_over(clock: Clock, message: Mapping[str, Any]) -> Callable[[], None]:
    """The worker stands still until its lease is over and another one has done its work."""

    def act() -> None:
        clock.goes_on(LEASE_SECONDS + 1)
        deliver(message)

    return act


def _assert_succeeded_once(message: Mapping[str, Any], attempt: int) -> None:
    job = stored_job(message)
    assert (job.status, job.attempt, job.rows) == ("succeeded", attempt, 5)
    assert sorted(ids(job)) == ["led_0", "led_1", "led_2", "led_3", "led_4"]
    assert object_keys() == [job.object_key]
    assert audited(job) == ["export.requested", "export.succeeded"]


# --- two deliveries ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_second_delivery_while_the_lease_is_alive_is_told_to_come_back(page: int) -> None:
    message = ordered()
    with before(client(), "dynamodb.Query", At(page, lambda: _refused(message))):
        deliver(message)
    _assert_succeeded_once(message, attempt=1)


def test_a_second_delivery_during_the_upload_is_told_to_come_back() -> None:
    message = ordered()
    with before(aws.s3(), "s3.PutObject", At(1, lambda: _refused(message))):
        deliver(message)
    _assert_succeeded_once(message, attempt=1)


def test_a_message_that_is_told_to_come_back_does_so_when_the_lease_is_over(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the worker that is told so would have timed out."""
    message = ordered()
    asked = _asked(monkeypatch)

    def meet() -> None:
        clock.goes_on(20)
        _refused(message)

    with before(client(), "dynamodb.Query", At(1, meet)):
        deliver(message)
    first, second = HIDDEN_SECONDS, LEASE_SECONDS - 20 + 5
    assert asked == [("MessageReceiptHandle", wait) for wait in (first, HIDDEN_SECONDS, second)]


def test_a_lease_holds_until_its_last_second(clock: Clock) -> None:
    message = ordered()
    with before(client(), "dynamodb.Query", At(1, die)), pytest.raises(SystemExit):
        deliver(message)
    clock.goes_on(LEASE_SECONDS)
    _refused(message)
    clock.goes_on(1)
    deliver(message)
    _assert_succeeded_once(message, attempt=2)


# --- workers that die -------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_an_export_whose_worker_was_killed_at_a_page_is_finished_by_the_next(
    clock: Clock, page: int
) -> None:
    message = ordered()
    with before(client(), "dynamodb.Query", At(page, die)), pytest.raises(SystemExit):
        deliver(message)
    clock.goes_on(LEASE_SECONDS + 1)
    deliver(message)
    _assert_succeeded_once(message, attempt=2)


@pytest.mark.parametrize(
    ("update", "attempt"),
    [
        pytest.param(1, 1, id="at taking the job"),
        pytest.param(2, 2, id="at the first report"),
        pytest.param(3, 2, id="at the last report"),
    ],
)
def test_an_export_whose_worker_was_killed_at_a_write_is_finished_by_the_next(
    clock: Clock, update: int, attempt: int
) -> None:
    message = ordered()
    with before(client(), "dynamodb.UpdateItem", At(update, die)), pytest.raises(SystemExit):
        deliver(message)
    clock.goes_on(LEASE_SECONDS + 1)
    deliver(message)
    _assert_succeeded_once(message, attempt)


def test_an_export_whose_worker_was_killed_after_the_upload_is_finished_by_the_next(
    clock: Clock,
) -> None:
    message = ordered()
    with (
        before(client(), "dynamodb.TransactWriteItems", At(1, die)),
        pytest.raises(SystemExit),
    ):
        deliver(message)
    assert object_keys() == [f"exports/{stored_job(message).id}/1"]
    clock.goes_on(LEASE_SECONDS + 1)
    deliver(message)
    _assert_succeeded_once(message, attempt=2)


@pytest.mark.parametrize("lease_seconds", [LEASE_SECONDS, LONGEST_LEASE_SECONDS])
@pytest.mark.parametrize("beats_ago", [0, 0.3, 0.5, 1, 3])
def test_an_export_is_taken_over_within_two_minutes_of_the_death_of_its_worker(
    clock: Clock, lease_seconds: int, beats_ago: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message was last hidden `beats_ago` heartbeats before it died, its lease just renewed."""
    monkeypatch.setenv("EXPORT_LEASE_SECONDS", str(lease_seconds))
    settings.cache_clear()
    message, asked = ordered(), _asked(monkeypatch)
    with before(client(), "dynamodb.Query", At(1, die)), pytest.raises(SystemExit):
        deliver(message)
    hidden_ago = int(beats_ago * lease.seconds_between_beats())
    clock.goes_on(hidden_ago)
    lease.update(stored_job(message), [lease.renewal()])
    died_at = clock.at
    clock.goes_on(asked[-1][1] - hidden_ago)
    with suppress(running.BusyError):
        deliver(message)
    if stored_job(message).attempt == 1:
        clock.goes_on(asked[-1][1])
        deliver(message)
    _assert_succeeded_once(message, attempt=2)
    assert (clock.at - died_at).total_seconds() <= lease_seconds + MARGIN_SECONDS < 120


def test_a_message_outlives_three_dead_workers_each_found_once_with_its_lease(
    clock: Clock,
) -> None:
    """The queue delivers it often enough for the last delivery to write down how it ended."""
    message = ordered()
    for _ in range(MAX_ATTEMPTS):
        with before(client(), "dynamodb.Query", At(1, die)), suppress(SystemExit):
            deliver(message)
        _refused(message)
        clock.goes_on(LEASE_SECONDS + 1)
    deliver(message)
    assert stored_job(message).status == "failed"
    deliveries = 2 * MAX_ATTEMPTS + 1
    assert deliveries < int(
        template_resources()["ExportsQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    )


# --- workers that come back from the dead -------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_worker_that_was_taken_over_changes_nothing_when_it_wakes_up(
    clock: Clock, page: int
) -> None:
    message = ordered()
    with before(client(), "dynamodb.Query", At(page, _taken_over(clock, message))):
        deliver(message)
    _assert_succeeded_once(message, attempt=2)


def test_a_worker_that_was_taken_over_during_its_upload_leaves_no_second_file(
    clock: Clock,
) -> None:
    message = ordered()
    with before(aws.s3(), "s3.PutObject", At(1, _taken_over(clock, message))):
        deliver(message)
    _assert_succeeded_once(message, attempt=2)


def test_a_worker_that_fails_after_it_was_taken_over_does_not_fail_the_other_s_job(
    clock: Clock,
) -> None:
    message = ordered()

    def wake_up_to_a_bug() -> None:
        clock.goes_on(LEASE_SECONDS + 1)
        deliver(message)
        raise ZeroDivisionError

    with before(client(), "dynamodb.Query", At(5, wake_up_to_a_bug)):
        deliver(message)
    _assert_succeeded_once(message, attempt=2)
