"""Export jobs: ordered once whatever is repeated or fails, found again, deleted for good."""

from typing import Any

import pytest

from chalicelib import aws
from chalicelib.dynamodb import TransactionCanceledError
from chalicelib.errors import (
    ExportGoneError,
    IdempotencyMismatchError,
    StoreUnavailableError,
)
from chalicelib.exports import jobs, orders
from chalicelib.settings import settings
from chalicelib.users.tables import store
from tests.builders import author, client, lead, save
from tests.exporting import (
    audited,
    before,
    deliver,
    finished,
    ids,
    object_keys,
    order,
    queued,
    stop_clock,
    stored_job,
    stored_jobs,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")


# --- ordering ---------------------------------------------------------------------------------


def test_an_order_becomes_a_job_that_waits_its_message_and_an_audit_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch)
    filters = {"registered_from": "2026-01-01"}
    job, replayed = orders.submit(order(filters=filters, format="xlsx", language="en"))
    assert not replayed
    assert (job.id[:4], len(job.id)) == ("exp_", 36)
    assert (job.resource, job.format, job.language) == ("leads", "xlsx", "en")
    assert (job.status, job.done, job.attempt) == ("queued", 0, 0)
    assert job.total is None
    assert (job.requested_by, job.requested_at) == ("ana@example.com", "2026-03-02T11:00:00Z")
    assert job.filters == filters
    # Seven days of the file, thirty more of the job.
    assert job.removed_after == 1_772_449_200 + 37 * 86_400
    (message,) = queued()
    assert message["job"]["id"] == {"S": job.id}


def test_a_job_is_kept_as_long_after_its_file_as_the_stage_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch)
    monkeypatch.setenv("EXPORT_HISTORY_DAYS", "365")
    settings.cache_clear()
    job, _ = orders.submit(order())
    assert job.removed_after == 1_772_449_200 + (7 + 365) * 86_400
    assert audited(job) == ["export.requested"]


def test_a_repetition_is_the_same_job_and_says_so() -> None:
    first, _ = orders.submit(order(filters={"registered_from": "2026-01-01"}))
    second, replayed = orders.submit(order(filters={"registered_from": "2026-01-01"}))
    assert replayed
    assert second.id == first.id
    assert len(queued()) == 1
    assert audited(first) == ["export.requested"]


def test_the_members_of_the_filters_may_come_in_another_order() -> None:
    filters = {"registered_from": "2026-01-01", "registered_to": "2026-02-01"}
    orders.submit(order(filters=filters))
    _, replayed = orders.submit(order(filters=dict(reversed(filters.items()))))
    assert replayed


def test_the_same_key_with_another_body_is_refused() -> None:
    first, _ = orders.submit(order())
    for change in (
        {"resource": "customers"},
        {"format": "xlsx"},
        {"language": "en"},
        {"filters": {"registered_from": "2026-01-01"}},
    ):
        with pytest.raises(IdempotencyMismatchError):
            orders.submit(order(**change))
    assert len(queued()) == 1
    assert jobs.find(first.id).format == "csv"


def test_two_bodies_with_one_key_at_the_same_moment_do_not_both_get_a_job() -> None:
    """The second order arrives while the first is between its message and its write."""
    with (
        before(aws.sqs(), "sqs.SendMessage", lambda: _overtake(format="xlsx")),
        pytest.raises(IdempotencyMismatchError),
    ):
        orders.submit(order(format="csv"))


def test_a_repetition_at_the_same_moment_is_the_same_job_and_says_so() -> None:
    with before(aws.sqs(), "sqs.SendMessage", _overtake):
        job, replayed = orders.submit(order())
    assert job.id == order().id
    assert replayed
    assert audited(job) == ["export.requested"]


def _overtake(**changes: Any) -> None:
    """Write down what another request with the same key would have: the second half of `submit`."""
    other = order(request_id="req-2", **changes)
    jobs.create(orders._new(other))  # noqa: SLF001 - its first half


def test_another_person_with_the_same_key_gets_another_job() -> None:
    mine, _ = orders.submit(order(by=author("ana@example.com")))
    other, replayed = orders.submit(order(by=author("luis@example.com"), format="xlsx"))
    assert not replayed
    assert mine.id != other.id


def test_a_repetition_after_the_end_is_the_finished_job() -> None:
    done = finished()
    again, replayed = orders.submit(order())
    assert replayed
    assert (again.id, again.status) == (done.id, "succeeded")
    assert queued() == []


def test_a_repetition_after_the_delete_says_that_it_is_gone() -> None:
    job, _ = orders.submit(order())
    jobs.delete(job, author("admin@example.com"), "req-2")
    with pytest.raises(ExportGoneError):
        orders.submit(order())


# --- failing half-way -------------------------------------------------------------------------


def test_a_queue_that_fails_leaves_no_job() -> None:
    with (
        before(aws.sqs(), "sqs.SendMessage", unreachable),
        pytest.raises(StoreUnavailableError),
    ):
        orders.submit(order())
    assert stored_jobs() == []
    _, replayed = orders.submit(order())
    assert not replayed


def test_a_write_that_fails_leaves_a_message_that_is_enough_to_run_the_job() -> None:
    save(lead())
    with (
        before(client(), "dynamodb.TransactWriteItems", unreachable),
        pytest.raises(StoreUnavailableError),
    ):
        orders.submit(order())
    assert stored_jobs() == []
    (message,) = queued()
    deliver(message)
    job = stored_job(message)
    assert (job.status, job.rows, ids(job)) == ("succeeded", 1, ["led_0007"])
    assert audited(job) == ["export.requested", "export.succeeded"]


def test_a_retry_after_a_write_that_failed_runs_one_export() -> None:
    save(lead())
    with (
        before(client(), "dynamodb.TransactWriteItems", unreachable),
        pytest.raises(StoreUnavailableError),
    ):
        orders.submit(order())
    job, _ = orders.submit(order())
    for message in queued():
        deliver(message)
    assert len(object_keys()) == 1
    assert audited(job) == ["export.requested", "export.succeeded"]


def test_a_conflict_with_the_worker_that_writes_the_same_job_is_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DynamoDB cancels both of two transactions that meet; neither may have been written."""

    def conflict(**_: Any) -> None:
        raise TransactionCanceledError(("TransactionConflict", "None"))

    monkeypatch.setattr(store(), "transact_write_items", conflict)
    with pytest.raises(StoreUnavailableError):
        orders.submit(order())
