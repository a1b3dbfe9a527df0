"""Files of more than one part: whole or not at all, and no part stays behind."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs, upload
from chalicelib.users import ranges
from tests.builders import author, client, lead, save
from tests.exporting import (
    At,
    Clock,
    audited,
    before,
    content,
    deliver,
    die,
    ids,
    object_keys,
    ordered,
    stop_clock,
    stored_job,
    unfinished_uploads,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")
LEADS = 340
PARTS = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]


@pytest.fixture(autouse=True)
def clock(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    """Leads with names of 32,000 characters: 11 MB of CSV, two parts of 5 MiB and a rest."""
    monkeypatch.setattr(upload, "PART_BYTES", 5 * 1024 * 1024)
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 20)
    save(*(lead(f"led_{number}", first_name=f"{number:05}" * 6_400) for number in range(LEADS)))
    return stop_clock(monkeypatch)


def _assert_succeeded(message: Mapping[str, Any], attempt: int) -> None:
    job = stored_job(message)
    assert (job.status, job.attempt, job.rows) == ("succeeded", attempt, LEADS)
    assert object_keys() == [job.object_key]
    whole = content(job)
    assert (job.size_bytes, job.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert len(set(ids(job))) == LEADS
    assert unfinished_uploads() == []
    assert audited(job) == ["export.requested", "export.succeeded"]


def test_a_large_file_goes_in_parts_and_is_whole() -> None:
    sent: list[None] = []
    message = ordered()
    with before(aws.s3(), "s3.UploadPart", lambda: sent.append(None)):
        deliver(message)
    assert len(sent) == 3
    _assert_succeeded(message, attempt=1)


@pytest.mark.parametrize("call", PARTS)
def test_a_store_that_fails_at_any_step_leaves_no_part_and_is_tried_again(call: str) -> None:
    message = ordered()
    with (
        before(aws.s3(), f"s3.{call}", At(1, unreachable)),
        pytest.raises(StoreUnavailableError),
    ):
        deliver(message)
    assert (object_keys(), unfinished_uploads()) == ([], [])
    deliver(message)
    _assert_succeeded(message, attempt=2)


@pytest.mark.parametrize("call", PARTS)
def test_a_store_that_goes_on_failing_fails_the_job_and_leaves_no_part(call: str) -> None:
    message = ordered()
    with before(aws.s3(), f"s3.{call}", unreachable):
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                deliver(message)
        deliver(message)
    assert stored_job(message).status == "failed"
    assert (object_keys(), unfinished_uploads()) == ([], [])


def test_parts_that_could_not_be_given_up_are_by_the_next_attempt() -> None:
    message = ordered()
    with (
        before(aws.s3(), "s3.UploadPart", At(2, unreachable)),
        before(aws.s3(), "s3.AbortMultipartUpload", unreachable),
        pytest.raises(StoreUnavailableError),
    ):
        deliver(message)
    assert unfinished_uploads() == [f"exports/{stored_job(message).id}/1"]
    deliver(message)
    _assert_succeeded(message, attempt=2)


def test_a_completion_whose_answer_got_lost_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore asks again, and S3 knows of no such upload any more."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    lost: list[str] = []

    def lose(request: AWSPreparedRequest, **_: Any) -> None:
        if not lost and request.method == "POST" and "uploadId=" in str(request.url):
            lost.append(str(request.url))
            raise ConnectionClosedError(endpoint_url=request.url)

    aws.s3().meta.events.register_last("before-send", lose)
    message = ordered()
    deliver(message)
    assert len(lost) == 1
    _assert_succeeded(message, attempt=1)


def _delete(message: Mapping[str, Any]) -> Callable[[], None]:
    return lambda: jobs.delete(stored_job(message), author("admin@example.com"), "req-2")


def test_an_export_that_is_cancelled_between_two_parts_leaves_none() -> None:
    message = ordered()
    with before(aws.s3(), "s3.UploadPart", At(2, _delete(message))):
        deliver(message)
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert audited(stored_job(message)) == ["export.deleted", "export.requested"]


def _killed_between_two_parts() -> dict[str, Any]:
    """The message of a worker that gives nothing up: neither the upload nor the lease."""
    message = ordered()
    with (
        before(aws.s3(), "s3.UploadPart", At(2, die)),
        before(aws.s3(), "s3.AbortMultipartUpload", die),
        pytest.raises(SystemExit),
    ):
        deliver(message)
    return message


def test_a_worker_that_was_killed_between_two_parts_is_cleaned_up_after(clock: Clock) -> None:
    message = _killed_between_two_parts()
    assert len(unfinished_uploads()) == 1
    clock.goes_on(91)
    deliver(message)
    _assert_succeeded(message, attempt=2)


def test_the_delete_of_an_export_gives_its_upload_up(clock: Clock) -> None:
    message = _killed_between_two_parts()
    clock.goes_on(1)
    _delete(message)()
    assert unfinished_uploads() == []


def test_no_rows_are_read_while_nobody_takes_them() -> None:
    """Memory: at most the chunk that is written and the one after it are held."""
    message = ordered()
    pages: list[None] = []
    seen: list[int] = []
    with (
        before(client(), "dynamodb.Query", lambda: pages.append(None)),
        before(aws.s3(), "s3.CreateMultipartUpload", lambda: seen.append(len(pages))),
    ):
        deliver(message)
    counted = LEADS // 20 + 1
    # 5 MiB are 164 leads of 32 kB: nine chunks, one more that is being read.
    assert counted + 9 <= seen[0] <= counted + 11
