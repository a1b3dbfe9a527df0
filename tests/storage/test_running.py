"""Running an export: every row of the list, the facts of the very file, progress on the way."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.exports import delivery, jobs
from chalicelib.users import audit, listing
from chalicelib.users.model import Kind, StoreUser
from tests.builders import customer, lead, save, save_item
from tests.exporting import (
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
    assert [(entry.by.name, entry.action, entry.request_id) for entry in entries] == [
        ("ana@example.com", "export.requested", "req-1"),
        ("system worker", "export.succeeded", "req-1"),
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
