"""AWS that throttles, breaks off, forgets to answer or refuses: one right file, or a reason."""

import time

import pytest

from tests.e2e.conftest import eventually
from tests.exporting import object_keys, unfinished_uploads
from tests.faults.cloud import Cloud
from tests.faults.exports import (
    LARGE,
    LEASE_IS_OVER,
    SMALL,
    SUCCESS,
    assert_failed_once,
    assert_succeeded_once,
    job_of,
    order_large,
    order_small,
)
from tests.faults.faults import (
    BROKEN,
    DENIED,
    EXPIRED_TOKEN,
    SLOW_DOWN,
    THROTTLED,
    TRIES,
    Act,
    lost_answer,
    refused,
    reset,
)

UNREACHABLE = (
    "Se desistió tras 3 intentos: un servicio que hace falta no respondió; "
    "vuelva a pedirla dentro de un rato"
)
REFUSED = (
    "Se desistió tras 3 intentos: el almacén de datos rechaza a este sistema; "
    "avise a quien lo opera ({})"
)
S3_DENIED = refused(403, "AccessDenied")
ABORTED = refused(409, "OperationAborted")
"""What S3 answers where another request is at the same object; its client does not ask again."""


# --- what the clients get over by themselves ----------------------------------------------------


def test_a_burst_of_throttles_everywhere_costs_no_attempt(cloud: Cloud) -> None:
    message = order_small(cloud)
    for operation in ("GetItem", "UpdateItem", "Query", "TransactWriteItems"):
        cloud.endpoint.fail(f"dynamodb.{operation}", THROTTLED)
    cloud.endpoint.fail("s3.PutObject", SLOW_DOWN, times=2)
    cloud.work(message).succeeds()
    assert_succeeded_once(message, SMALL, attempt=1)


@pytest.mark.parametrize("act", [BROKEN, reset, lost_answer])
def test_a_part_that_fails_once_is_sent_again(cloud: Cloud, act: Act) -> None:
    message = order_large(cloud)
    cloud.endpoint.fail("s3.UploadPart", act)
    cloud.work(message).succeeds()
    assert cloud.endpoint.count("s3.UploadPart") == 3
    assert_succeeded_once(message, LARGE, attempt=1)


@pytest.mark.parametrize("operation", ["s3.CreateMultipartUpload", "s3.CompleteMultipartUpload"])
def test_an_upload_of_which_an_answer_is_lost_is_made_once_and_leaves_nothing_behind(
    cloud: Cloud, operation: str
) -> None:
    message = order_large(cloud)
    cloud.endpoint.fail(operation, lost_answer)
    cloud.work(message).succeeds()
    assert_succeeded_once(message, LARGE, attempt=1)


def test_a_completion_whose_answer_is_lost_is_one_though_s3_forgets_the_upload_at_once(
    cloud: Cloud,
) -> None:
    message = order_large(cloud)
    completion = "s3.CompleteMultipartUpload"
    cloud.endpoint.fail(completion, lost_answer)
    cloud.endpoint.fail(completion, refused(404, "NoSuchUpload"), nth=2)
    cloud.work(message).succeeds()
    assert_succeeded_once(message, LARGE, attempt=1)


def test_a_success_whose_answer_is_lost_is_one(cloud: Cloud) -> None:
    message = order_small(cloud)
    cloud.endpoint.fail("dynamodb.TransactWriteItems", lost_answer, **SUCCESS)
    cloud.work(message).succeeds()
    assert_succeeded_once(message, SMALL, attempt=1)


# --- what takes another attempt -----------------------------------------------------------------


def test_a_success_of_which_every_answer_is_lost_is_found_by_the_next_delivery(
    cloud: Cloud,
) -> None:
    message = order_small(cloud)
    cloud.endpoint.fail("dynamodb.TransactWriteItems", lost_answer, times=TRIES, **SUCCESS)
    cloud.work(message).fails_with("StoreUnavailableError")
    cloud.work(message).succeeds()
    assert_succeeded_once(message, SMALL, attempt=1)


def test_a_success_of_the_last_attempt_of_which_every_answer_is_lost_keeps_its_file(
    cloud: Cloud,
) -> None:
    message = order_small(cloud)
    cloud.endpoint.fail("s3.PutObject", ABORTED, times=2)
    cloud.endpoint.fail("dynamodb.TransactWriteItems", lost_answer, times=TRIES, **SUCCESS)
    for _ in range(2):
        cloud.work(message).fails_with("StoreUnavailableError")
    last = cloud.work(message)
    last.succeeds()
    assert "export.failed" not in last.events()
    assert_succeeded_once(message, SMALL, attempt=3)


def test_a_lease_whose_answer_is_lost_runs_out_and_is_taken_anew(cloud: Cloud) -> None:
    """The repetition finds the job taken, and cannot know that it took it itself."""
    message = order_small(cloud)
    cloud.endpoint.fail("dynamodb.UpdateItem", lost_answer)
    cloud.work(message).fails_with("BusyError")
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).succeeds()
    assert_succeeded_once(message, SMALL, attempt=2)


def test_an_upload_of_which_nobody_knows_the_id_is_given_up_and_made_by_the_next_attempt(
    cloud: Cloud,
) -> None:
    """Every answer to its beginning is lost, and each of them began one."""
    message = order_large(cloud)
    cloud.endpoint.fail("s3.CreateMultipartUpload", lost_answer, times=TRIES)
    cloud.work(message).fails_with("StoreUnavailableError")
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert job_of(message).status == "queued"
    cloud.work(message).succeeds()
    assert_succeeded_once(message, LARGE, attempt=2)


@pytest.mark.parametrize("operation", ["dynamodb.Query", "s3.PutObject"])
def test_credentials_that_expire_while_a_worker_runs_are_new_with_the_next_delivery(
    cloud: Cloud, operation: str
) -> None:
    message = order_small(cloud)
    cloud.endpoint.fail(operation, EXPIRED_TOKEN)
    cloud.work(message).fails_with("StoreUnavailableError")
    assert job_of(message).status == "queued"
    cloud.work(message).succeeds()
    assert_succeeded_once(message, SMALL, attempt=2)


def test_credentials_that_are_expired_from_the_start_change_nothing(cloud: Cloud) -> None:
    message = order_small(cloud)
    cloud.endpoint.fail("dynamodb.GetItem", EXPIRED_TOKEN)
    cloud.work(message).fails_with("StoreUnavailableError")
    assert cloud.endpoint.count("sqs.ChangeMessageVisibility") == 2
    cloud.work(message).succeeds()
    assert_succeeded_once(message, SMALL, attempt=1)


def test_a_worker_near_its_time_limit_gives_its_parts_up_and_the_next_one_finishes(
    cloud: Cloud,
) -> None:
    """Thirty seconds are kept for the end: with a bit more, time runs out while it works."""
    message = order_large(cloud)
    started = time.monotonic()
    with cloud.endpoint.holding("s3.UploadPart") as hold:
        worker = cloud.work(message, limit_seconds=33)
        hold.wait_for_it()
        eventually(lambda: time.monotonic() > started + 3)
        hold.let_go()
        worker.fails_with("OutOfTimeError")
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert job_of(message).status == "queued"
    cloud.work(message).succeeds()
    assert_succeeded_once(message, LARGE, attempt=2)


# --- what fails for good ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "act", "error", "reason"),
    [
        ("s3.PutObject", ABORTED, "StoreUnavailableError", UNREACHABLE),
        ("s3.PutObject", S3_DENIED, "StoreRefusedError", REFUSED.format("AccessDenied")),
        ("dynamodb.Query", DENIED, "StoreRefusedError", REFUSED.format("AccessDeniedException")),
    ],
)
def test_a_service_that_goes_on_failing_fails_the_job_after_three_attempts(
    cloud: Cloud, operation: str, act: Act, error: str, reason: str
) -> None:
    message = order_small(cloud)
    cloud.endpoint.fail(operation, act, times=3)
    for _ in range(2):
        cloud.work(message).fails_with(error)
    cloud.work(message).succeeds()
    assert_failed_once(message, reason, attempt=3)


def test_parts_that_go_on_failing_fail_the_job_and_none_is_left(cloud: Cloud) -> None:
    message = order_large(cloud)
    for part in (2, 4, 6):
        cloud.endpoint.fail("s3.UploadPart", ABORTED, nth=part)
    for _ in range(2):
        cloud.work(message).fails_with("StoreUnavailableError")
    cloud.work(message).succeeds()
    assert_failed_once(message, UNREACHABLE, attempt=3)
