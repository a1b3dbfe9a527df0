"""A worker that is killed at any moment: the next one ends its export, whole, and once."""

from functools import partial
from typing import Any

import pytest

from chalicelib.exports import jobs
from tests.builders import author
from tests.exporting import object_keys, unfinished_uploads
from tests.faults.cloud import Cloud, Message
from tests.faults.exports import (
    LARGE,
    LEASE_IS_OVER,
    SMALL,
    SUCCESS,
    assert_failed_once,
    assert_succeeded_once,
    job_of,
    kill_at,
    order_large,
    order_small,
)

DIED = "3 intentos terminaron sin dar señales; acote el listado con filtros"


def _assert_made_by_the_next(cloud: Cloud, message: Message, leads: list[str]) -> None:
    """The dead one holds the job for as long as its lease lasts."""
    assert job_of(message).status == "running"
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).succeeds()
    assert_succeeded_once(message, leads, attempt=2)


@pytest.mark.parametrize(
    ("operation", "how", "when"),
    [
        pytest.param("dynamodb.UpdateItem", "after", {}, id="it has its lease"),
        pytest.param("s3.PutObject", "dropping", {}, id="it sends its file"),
        pytest.param("s3.PutObject", "after", {}, id="its file is there"),
        pytest.param("dynamodb.TransactWriteItems", "dropping", SUCCESS, id="it is to say so"),
    ],
)
def test_an_export_whose_worker_is_killed_when_is_made_by_the_next(
    cloud: Cloud, operation: str, how: str, when: dict[str, Any]
) -> None:
    message = order_small(cloud)
    kill_at(cloud, lambda: cloud.work(message), operation, how, **when)
    _assert_made_by_the_next(cloud, message, SMALL)


@pytest.mark.parametrize(
    ("operation", "how", "when"),
    [
        pytest.param("dynamodb.Query", "dropping", {"nth": 15}, id="it has read some of the rows"),
        pytest.param("s3.CreateMultipartUpload", "after", {}, id="it has begun its upload"),
        pytest.param("s3.UploadPart", "dropping", {"nth": 2}, id="it has sent a part"),
        pytest.param("s3.CompleteMultipartUpload", "dropping", {}, id="it has sent all parts"),
        pytest.param("s3.CompleteMultipartUpload", "after", {}, id="its file is there"),
    ],
)
def test_a_large_export_whose_worker_is_killed_when_is_made_by_the_next(
    cloud: Cloud, operation: str, how: str, when: dict[str, Any]
) -> None:
    message = order_large(cloud)
    kill_at(cloud, lambda: cloud.work(message), operation, how, **when)
    _assert_made_by_the_next(cloud, message, LARGE)


def test_an_export_whose_worker_is_killed_before_it_has_its_lease_loses_no_attempt(
    cloud: Cloud,
) -> None:
    message = order_small(cloud)
    kill_at(cloud, lambda: cloud.work(message), "dynamodb.UpdateItem")
    assert job_of(message).status == "queued"
    cloud.work(message).succeeds()
    assert_succeeded_once(message, SMALL, attempt=1)


def test_an_export_whose_worker_is_killed_after_its_success_stays_as_it_is(cloud: Cloud) -> None:
    """The message was not deleted: it comes again."""
    message = order_small(cloud)
    kill_at(cloud, lambda: cloud.work(message), "dynamodb.TransactWriteItems", "after", **SUCCESS)
    known = job_of(message).serialize()
    cloud.work(message).succeeds()
    assert job_of(message).serialize() == known
    assert_succeeded_once(message, SMALL, attempt=1)


def test_the_lease_of_a_killed_worker_is_respected_until_it_is_over(cloud: Cloud) -> None:
    """It may be alive, and only slow: nobody can tell the two apart from outside."""
    message = order_small(cloud)
    kill_at(cloud, lambda: cloud.work(message), "s3.PutObject")
    cloud.work(message, ahead_seconds=40).fails_with("BusyError")
    assert cloud.endpoint.count("sqs.ChangeMessageVisibility") == 3
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).succeeds()
    assert_succeeded_once(message, SMALL, attempt=2)


def test_an_export_whose_workers_are_all_killed_fails_and_says_what_to_do(cloud: Cloud) -> None:
    """As a worker is whose memory does not suffice."""
    message = order_small(cloud)
    for attempt in range(3):
        begin = partial(cloud.work, message, ahead_seconds=attempt * LEASE_IS_OVER)
        kill_at(cloud, begin, "s3.PutObject", "after")
    assert len(object_keys()) == 1
    cloud.work(message, ahead_seconds=3 * LEASE_IS_OVER).succeeds()
    assert_failed_once(message, DIED, attempt=4)


def test_a_job_that_is_deleted_while_its_dead_worker_holds_it_leaves_nothing(
    cloud: Cloud,
) -> None:
    message = order_large(cloud)
    kill_at(cloud, lambda: cloud.work(message), "s3.UploadPart")
    assert len(unfinished_uploads()) == 1
    jobs.delete(job_of(message), author("admin@example.com"), "req-2")
    assert unfinished_uploads() == []
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).succeeds()
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert job_of(message).attempt == 1
