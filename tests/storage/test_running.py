"""Running an export: every row of the list, the facts of the very file, progress on the way."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from chalicelib import aws, clock
from chalicelib.exports import delivery, jobs, lease
from chalicelib.exports.running import BusyError
from chalicelib.users import audit, listing, ranges
from chalicelib.users.model import Kind, StoreUser
from tests.builders import (
    Sent,
    client,
    customer,
    lead,
    refusals,
    save,
    save_item,
    sent_requests,
)
from tests.exporting import (
    MONDAY,
    At,
    TickingClock,
    before,
    content,
    deliver,
    finished,
    ids,
    object_keys,
    ordered,
    queued,
    stop_clock,
    stored_job,
)

pytestmark = pytest.mark.usefixtures("cloud")


def _leads(count: int) -> list[StoreUser]:
    """The newest first, as the list has them."""
    return [
        lead(f"led_{number}", registered_at=f"2026-02-{28 - number:02}T08:00:00Z")
        for number in range(count)
    ]


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


def _head(key: str) -> Mapping[str, Any]:
    return aws.s3().head_object(Bucket="exports-bucket", Key=key)


# --- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("format_", "count"), [("xlsx", 0), ("csv", 0), ("xlsx", 5), ("csv", 1)])
def test_a_run_ends_with_every_row_and_the_facts_of_the_file(
    monkeypatch: pytest.MonkeyPatch, format_: str, count: int
) -> None:
    stop_clock(monkeypatch)
    save(*_leads(count), customer())
    job = finished(format=format_)
    assert (job.status, job.attempt) == ("succeeded", 1)
    assert job.error is None
    assert (job.rows, job.done, job.total) == (count, count, count)
    assert ids(job) == [f"led_{number}" for number in range(count)]
    whole = content(job)
    assert job.size_bytes == len(whole)
    assert job.sha256 == hashlib.sha256(whole).hexdigest()
    assert job.file_name == f"store-users-leads-2026-03-02-060000.{format_}"
    assert (job.finished_at, job.expires_at) == ("2026-03-02T11:00:00Z", "2026-03-09T11:00:00Z")
    assert object_keys() == [job.object_key]


@pytest.mark.parametrize(
    ("format_", "mime_type"),
    [
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("csv", "text/csv; charset=utf-8"),
    ],
)
def test_the_object_is_encrypted_and_downloads_under_its_speaking_name(
    monkeypatch: pytest.MonkeyPatch, format_: str, mime_type: str
) -> None:
    stop_clock(monkeypatch)
    head = _head(finished(format=format_).object_key)
    assert head["ContentType"] == mime_type
    assert head["ContentDisposition"] == (
        f'attachment; filename="store-users-leads-2026-03-02-060000.{format_}"'
    )
    assert head["ServerSideEncryption"] == "AES256"


def test_the_file_lies_where_its_delete_looks_for_it() -> None:
    job = finished()
    assert str(job.object_key).startswith(delivery.object_prefix(job.id))


FILTERED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("leads", {}, ["led_2", "led_1"]),
    ("leads", {"registered_from": "2026-02-02"}, ["led_2"]),
    ("leads", {"registered_to": "2026-02-01"}, ["led_1"]),
    ("customers", {}, ["cus_3", "cus_2", "cus_1"]),
    ("customers", {"access": "suspended"}, ["cus_2"]),
    ("customers", {"ecosystem": "none"}, ["cus_3"]),
    ("customers", {"ecosystem": "deployed"}, ["cus_2", "cus_1"]),
    ("customers", {"status": ["active", "expired"], "plan": ["Premium"]}, ["cus_2", "cus_1"]),
    ("customers", {"billing_period": "monthly"}, []),
    ("customers", {"registered_from": "2026-03-02", "access": "suspended"}, ["cus_2"]),
]


def test_the_file_holds_what_the_list_shows() -> None:
    save(
        lead("led_1", registered_at="2026-02-01T23:59:59Z"),
        lead("led_2", registered_at="2026-02-02T00:00:00Z"),
        customer("cus_1", registered_at="2026-03-01T00:00:00Z"),
        customer("cus_2", registered_at="2026-03-02T00:00:00Z", access="suspended"),
        customer("cus_3", registered_at="2026-03-03T00:00:00Z", ecosystem=None, subscription=None),
    )
    for number, (resource, filters, expected) in enumerate(FILTERED):
        job = finished(key=str(number), resource=resource, filters=filters)
        assert (ids(job), job.rows) == (expected, len(expected))
        kind = {"leads": Kind.LEAD, "customers": Kind.CUSTOMER}[resource]
        shown = listing.page(kind, jobs.filters_of(job), "-registered_at", None, 100).users
        assert [user.id for user in shown] == expected


def test_an_odd_item_neither_fails_the_export_nor_is_left_out() -> None:
    save(lead("led_2"))
    save_item(
        {
            "id": {"S": "led_1"},
            "kind": {"S": "lead"},
            "registered_at": {"S": "the day before"},
            "first_name": {"NULL": True},
            "phone_number": {"N": "3001112233"},
            "company_name": {"L": []},
        }
    )
    assert sorted(ids(finished(format="xlsx"))) == ["led_1", "led_2"]


def test_the_audit_and_the_log_tell_of_the_run_without_saying_anything_about_a_person(
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(lead())
    job = finished()
    found = audit.page(audit.export(job.id), None, 10).items
    entries = sorted(map(audit.from_item, found), key=lambda entry: entry.action)
    assert [(entry.by, entry.action, entry.request_id) for entry in entries] == [
        ("ana@example.com", "export.requested", "req-1"),
        ("worker", "export.succeeded", "req-1"),
    ]
    assert entries[1].facts == {"rows": 1, "sha256": job.sha256}
    logged = capsys.readouterr().out
    line = json.loads(logged.splitlines()[-1])
    assert (line["event"], line["rows"], line["attempt"]) == ("export.succeeded", 1, 1)
    assert (line["export_id"], line["request_id"]) == (job.id, "req-1")
    assert line["bytes"] == job.size_bytes
    assert [one["Name"] for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]] == [
        "rows",
        "bytes",
        "ms",
    ]
    assert not re.search(r"Juan|Pérez|juan@example|3001112233", logged)


def test_a_message_that_comes_again_after_the_end_changes_nothing() -> None:
    save(lead())
    message = ordered()
    deliver(message)
    before_it = stored_job(message).serialize()
    save(lead("led_0008"))
    deliver(message)
    assert stored_job(message).serialize() == before_it
    assert len(object_keys()) == 1
    assert queued() == []


# --- progress ---------------------------------------------------------------------------------


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
    save(*_leads(9))
    assert _progress() == [("0", "9"), ("9", "9")]


def test_a_long_run_reports_its_progress_against_a_known_total(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    _ticking(monkeypatch, 1)
    save(*_leads(9))
    assert _progress() == [
        *[("0", "9"), ("2", "9"), ("4", "9"), ("6", "9"), ("8", "9")],
        *[("9", "9"), ("9", "9")],
    ]


def test_progress_is_written_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 1)
    _ticking(monkeypatch, 0.4)
    save(*_leads(9))
    done = [int(one) for one, _ in _progress()]
    assert done == sorted(done)
    # Nine pages, and somebody looks at the clock at least once for each of them.
    assert 3 < len(done) < 9


def test_each_report_renews_the_lease_of_ninety_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    _ticking(monkeypatch, 60)
    save(*_leads(3))
    leases = [clock.parse_instant(one["lease_until"]) for one in _reports()]
    assert len(leases) == 4
    # A report looks at the clock twice.
    assert all((later - earlier).total_seconds() >= 120 for earlier, later in pairwise(leases))


def test_the_lease_is_renewed_while_a_part_is_being_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the sending is: nobody else may take the job over meanwhile."""
    monkeypatch.setattr(lease, "_HEARTBEAT_SECONDS", 0.01)
    now = stop_clock(monkeypatch)
    save(lead())
    message = ordered()

    def send_slowly() -> None:
        now.goes_on(80)
        _until(lambda: stored_job(message).lease_until == clock.instant(now.at + lease.DURATION))
        now.goes_on(80)
        with pytest.raises(BusyError):
            deliver(message)

    with before(aws.s3(), "s3.PutObject", At(1, send_slowly)):
        deliver(message)
    assert (stored_job(message).status, stored_job(message).attempt) == ("succeeded", 1)


def test_the_lease_is_renewed_after_a_renewal_that_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it is while credentials change: the thread that renews it must not end with that."""
    monkeypatch.setattr(lease, "_HEARTBEAT_SECONDS", 0.01)
    now = stop_clock(monkeypatch)
    save(lead())
    message = ordered()

    def send_slowly() -> None:
        now.goes_on(80)
        with refusals("UpdateItem", "ExpiredTokenException", times=1):
            _until(lambda: stored_job(message).lease_until == clock.instant(now() + lease.DURATION))

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
    arrival = At(3, lambda: save(lead("led_2")))
    with before(client(), "dynamodb.Query", arrival):
        progress = _progress()
    assert progress == [("0", "1"), ("2", "2")]
