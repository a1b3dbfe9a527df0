"""Exports that are deleted while they run: no file appears, and none stays."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs
from chalicelib.users import ranges
from tests.builders import author, client, lead, save
from tests.exporting import (
    At,
    audited,
    before,
    deliver,
    object_keys,
    ordered,
    stored_job,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")
PAGES = [1, 5]


@pytest.fixture(autouse=True)
def _pages_of_two(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Five leads, read two at a time: three pages to count, three to write."""
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    save(*(lead(f"led_{number}") for number in range(5)))


def _delete(message: Mapping[str, Any]) -> Callable[[], None]:
    return lambda: jobs.delete(stored_job(message), author("admin@example.com"), "req-2")


@pytest.mark.parametrize("page", PAGES)
def test_a_run_ends_when_its_job_is_deleted_and_no_file_appears(page: int) -> None:
    message = ordered()
    uploads: list[None] = []
    with (
        before(client(), "dynamodb.Query", At(page, _delete(message))),
        before(aws.s3(), "s3.PutObject", lambda: uploads.append(None)),
    ):
        deliver(message)
    assert (uploads, object_keys()) == ([], [])
    assert audited(stored_job(message)) == ["export.deleted", "export.requested"]


def test_a_job_that_is_deleted_during_its_upload_leaves_no_file() -> None:
    message = ordered()
    with before(aws.s3(), "s3.PutObject", At(1, _delete(message))):
        deliver(message)
    assert object_keys() == []
    assert audited(stored_job(message)) == ["export.deleted", "export.requested"]


def test_a_job_that_is_deleted_during_its_upload_leaves_no_file_though_s3_fails_once() -> None:
    message = ordered()
    with (
        before(aws.s3(), "s3.PutObject", At(1, _delete(message))),
        # The delete itself lists nothing yet, so that the first DeleteObject is the worker's.
        before(aws.s3(), "s3.DeleteObject", At(1, unreachable)),
        pytest.raises(StoreUnavailableError),
    ):
        deliver(message)
    deliver(message)
    assert object_keys() == []


def test_a_job_that_is_deleted_before_a_failure_is_not_brought_back_by_it() -> None:
    message = ordered()

    def delete_and_fail() -> None:
        _delete(message)()
        unreachable()

    with (
        before(aws.s3(), "s3.PutObject", At(1, delete_and_fail)),
        pytest.raises(StoreUnavailableError),
    ):
        deliver(message)
    deliver(message)
    assert object_keys() == []
    assert stored_job(message).deleted_at is not None
    assert audited(stored_job(message)) == ["export.deleted", "export.requested"]
