"""What becomes of export jobs: deleted, expired, abandoned, and listed."""

from contextlib import suppress
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.errors import (
    NotFoundError,
    StaleCursorError,
    StoreUnavailableError,
)
from chalicelib.exports import jobs
from tests.builders import author, client, lead, operations, save, sent_requests
from tests.exporting import (
    audited,
    before,
    deliver,
    die,
    finished,
    object_keys,
    order,
    ordered,
    stop_clock,
    stored_job,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")
ADMIN = author("admin@example.com")


def _listed(resources: list[str], limit: int = 10) -> list[str]:
    """The keys of the jobs on all pages, as they follow."""
    names = {order(key=f"key-{number}").id: f"key-{number}" for number in range(10)}
    found: list[str] = []
    token: str | None = None
    while True:
        page = jobs.page(resources, token, limit)
        assert page.start == len(found)
        found += [names[item["id"]["S"]] for item in page.items]
        if page.next is None:
            return found
        token = page.next


def _ordered_one_a_minute(clock: Any, *resources: str) -> None:
    for number, resource in enumerate(resources):
        ordered(key=f"key-{number}", resource=resource, origin="scheduled")
        clock.goes_on(60)


# --- deleting ---------------------------------------------------------------------------------


def test_a_deleted_export_is_not_found_and_its_file_is_gone() -> None:
    save(lead())
    job = finished()
    assert len(object_keys()) == 1
    jobs.delete(job, ADMIN, "req-2")
    assert object_keys() == []
    with pytest.raises(NotFoundError):
        jobs.find(job.id)
    assert audited(job) == ["export.deleted", "export.requested", "export.succeeded"]


def test_a_deleted_export_is_known_to_whoever_holds_its_link() -> None:
    job = finished()
    jobs.delete(job, ADMIN, "req-2")
    tombstone = jobs.find_file(job.id)
    assert tombstone is not None
    assert tombstone.deleted_at is not None


def test_the_files_of_every_attempt_are_deleted_and_those_of_others_stay() -> None:
    job, other = finished(key="key-1"), finished(key="key-2")
    put = aws.s3().put_object
    put(Bucket="exports-bucket", Key=f"exports/{job.id}/7/rest.csv", Body=b"rest")
    put(Bucket="exports-bucket", Key=f"exports/{job.id}0/1/x.csv", Body=b"another's")
    jobs.delete(job, ADMIN, "req-2")
    assert set(object_keys()) == {other.object_key, f"exports/{job.id}0/1/x.csv"}


def test_a_late_message_does_not_bring_a_deleted_export_back() -> None:
    save(lead())
    message = ordered()
    jobs.delete(stored_job(message), ADMIN, "req-2")
    deliver(message)
    job = stored_job(message)
    assert (job.status, job.attempt) == ("queued", 0)
    assert object_keys() == []
    with pytest.raises(NotFoundError):
        jobs.find(job.id)
    assert audited(job) == ["export.deleted", "export.requested"]


def test_a_late_message_does_not_bring_the_file_of_a_deleted_export_back() -> None:
    save(lead())
    message = ordered()
    deliver(message)
    jobs.delete(stored_job(message), ADMIN, "req-2")
    deliver(message)
    assert object_keys() == []


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("s3", "s3.ListObjectsV2"),
        ("s3", "s3.DeleteObject"),
        ("dynamodb", "dynamodb.PutItem"),
        ("dynamodb", "dynamodb.UpdateItem"),
        ("dynamodb", "dynamodb.TransactWriteItems"),
    ],
)
def test_a_delete_that_failed_anywhere_can_be_repeated(service: str, call: str) -> None:
    """As the view does it: find, then delete. Neither file nor audit entry may be forgotten."""
    job = finished()
    failing = aws.s3() if service == "s3" else client()
    with before(failing, call, unreachable), suppress(StoreUnavailableError):
        jobs.delete(jobs.find(job.id, even_deleted=True), ADMIN, "req-2")
    jobs.delete(jobs.find(job.id, even_deleted=True), ADMIN, "req-3")
    assert object_keys() == []
    assert audited(job) == ["export.deleted", "export.requested", "export.succeeded"]
    with pytest.raises(NotFoundError):
        jobs.find(job.id)


# --- time -------------------------------------------------------------------------------------


def test_a_finished_export_expires_when_its_seven_days_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    job = finished()
    assert job.expires_at == "2026-03-09T11:00:00Z"
    clock.goes_on(7 * 86_400 - 1)
    assert jobs.status(job) == "succeeded"
    clock.goes_on(1)
    assert jobs.status(job) == "expired"


def test_an_export_that_nobody_ran_for_three_hours_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    job = stored_job(ordered())
    clock.goes_on(3 * 3600)
    assert jobs.status(job) == "queued"
    clock.goes_on(1)
    assert jobs.status(job) == "failed"


def test_an_export_whose_worker_died_fails_when_its_tries_must_be_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    message = ordered()
    with before(client(), "dynamodb.Query", die), pytest.raises(SystemExit):
        deliver(message)
    job = stored_job(message)
    clock.goes_on(3 * 3600)
    assert jobs.status(job) == "running"
    clock.goes_on(1)
    assert jobs.status(job) == "failed"


def test_an_export_that_a_worker_is_at_has_not_failed_however_old_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    message = ordered()
    clock.goes_on(4 * 3600)
    states: list[str] = []
    with before(aws.s3(), "s3.PutObject", lambda: states.append(jobs.status(stored_job(message)))):
        deliver(message)
    assert (states, jobs.status(stored_job(message))) == (["running"], "succeeded")


# --- listing ----------------------------------------------------------------------------------


def test_the_history_is_listed_newest_first_over_pages_of_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    expected: list[str] = []
    for number in range(6):
        assert _listed(["leads"], limit=2) == expected
        ordered(key=f"key-{number}", origin="scheduled")
        clock.goes_on(60)
        expected.insert(0, f"key-{number}")


def test_the_history_holds_the_lists_that_one_may_see_and_no_deleted_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _ordered_one_a_minute(
        stop_clock(monkeypatch), "leads", "customers", "leads", "customers", "leads"
    )
    jobs.delete(jobs.find(order(key="key-2", origin="scheduled").id), ADMIN, "req-2")
    assert _listed(["leads"]) == ["key-4", "key-0"]
    assert _listed(["customers"]) == ["key-3", "key-1"]
    assert _listed(["customers", "leads"]) == ["key-4", "key-3", "key-1", "key-0"]


def test_a_cursor_of_one_history_does_not_open_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may see leads alone does not get at customers with somebody else's cursor."""
    _ordered_one_a_minute(stop_clock(monkeypatch), "leads", "customers", "leads")
    token = jobs.page(["customers", "leads"], None, 1).next
    with pytest.raises(StaleCursorError):
        jobs.page(["leads"], token, 1)


def test_the_state_of_the_schedule_is_no_job_of_the_history() -> None:
    finished(origin="scheduled", key="leads-new x", period=(None, "2026-03-02T11:00:00Z"))
    assert len(jobs.page(["leads", "customers"], None, 10).items) == 1


def test_a_page_of_the_history_is_one_query() -> None:
    finished()
    with sent_requests() as sent:
        jobs.page(["leads"], None, 25)
    assert operations(sent) == ["Query"]
