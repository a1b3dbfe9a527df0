"""Exports under faults: orders, and what has to be true of them in the end."""

import hashlib
from collections.abc import Callable
from typing import Any

from chalicelib.exports import jobs, orders
from chalicelib.users import audit
from chalicelib.users.tables import ExportItem
from tests.builders import lead, save
from tests.exporting import audited, content, ids, object_keys, order, unfinished_uploads
from tests.faults.cloud import Cloud, Message, Running

LARGE = [f"led_{number:02}" for number in range(30)]
LEASE_IS_OVER = 61
"""Seconds."""

SUCCESS = {"containing": ("export.succeeded",)}
"""The call that writes down that an export has succeeded."""

SMALL = [f"led_{number}" for number in range(5)]


def order_large(cloud: Cloud) -> Message:
    """Order a file of 9 MB, more than one part: thirty leads of 300,000 characters."""
    long = [
        lead(name, first_name=name * 17_000, last_name=name * 17_000, company_name=name * 17_000)
        for name in LARGE
    ]
    save(*long)
    orders.submit(order())
    return cloud.receive()


def order_small(cloud: Cloud, **changes: str) -> Message:
    """Order a file of five leads."""
    save(*(lead(name) for name in SMALL))
    orders.submit(order(**changes))
    return cloud.receive()


def kill_at(
    cloud: Cloud, begin: Callable[[], Running], operation: str, how: str = "dropping", **when: Any
) -> None:
    """Begin, and kill the process while it waits for that call: see `Hold` for how."""
    with cloud.endpoint.holding(operation, how=how, **when) as hold:
        begun = begin()
        hold.wait_for_it()
        begun.kill()


def job_of(message: Message) -> ExportItem:
    """The job as it is stored, deleted or not."""
    job = jobs.find_file(message.export_id)
    assert job is not None
    return job


def assert_succeeded_once(message: Message, leads: list[str], *, attempt: int) -> None:
    """One right file, and nothing beside it; job and audit say what is in it, once."""
    job = job_of(message)
    assert (job.status, job.attempt) == ("succeeded", attempt)
    assert job.error is None
    assert (job.rows, job.done, job.total) == (len(leads), len(leads), len(leads))
    assert sorted(ids(job)) == leads
    whole = content(job)
    assert (job.size_bytes, job.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert (object_keys(), unfinished_uploads()) == ([job.object_key], [])
    assert audited(job) == ["export.requested", "export.succeeded"]
    ended = next(entry for entry in _entries(job) if entry.action == "export.succeeded")
    assert ended.facts == {"rows": len(leads), "sha256": job.sha256}


def assert_failed_once(message: Message, reason: str, *, attempt: int) -> None:
    """A reason that a person can act on, and no half of a file."""
    job = job_of(message)
    assert (job.status, job.attempt, job.error) == ("failed", attempt, reason)
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert audited(job) == ["export.failed", "export.requested"]


def _entries(job: ExportItem) -> list[audit.Entry]:
    found = audit.page(audit.export(job.id), None, 100).items
    return [audit.from_item(item) for item in found]
