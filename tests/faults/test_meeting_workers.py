"""Workers that meet, orders that are cancelled under way, messages that nobody can run."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from chalicelib import aws, clock
from chalicelib.exports import jobs, orders
from chalicelib.settings import settings
from tests.api.client import Client
from tests.builders import author
from tests.e2e.conftest import eventually
from tests.exporting import audited, object_keys, order, taken, unfinished_uploads
from tests.faults.cloud import Cloud, Message
from tests.faults.exports import (
    LARGE,
    LEASE_IS_OVER,
    SMALL,
    assert_succeeded_once,
    job_of,
    kill_at,
    order_large,
    order_small,
)
from tests.faults.faults import DENIED

MINUTE = 60
RECEIVED_AT_MOST = 10


# --- two at once ------------------------------------------------------------------------------


def test_a_message_that_is_delivered_twice_at_once_is_run_by_one_worker(cloud: Cloud) -> None:
    """Both are held until the other has come as far: to the taking of the job."""
    message = order_small(cloud)
    with (
        cloud.endpoint.holding("dynamodb.UpdateItem", times=1) as one,
        cloud.endpoint.holding("dynamodb.UpdateItem", nth=2) as other,
        cloud.endpoint.holding("s3.PutObject") as writing,
    ):
        workers = [cloud.work(message), cloud.work(message)]
        one.wait_for_it()
        other.wait_for_it()
        one.let_go()
        other.let_go()
        writing.wait_for_it()
        eventually(lambda: any(worker.process.exitcode is not None for worker in workers))
        writing.let_go()
    assert {worker.ends() for worker in workers} == {0, 1}
    assert_succeeded_once(message, SMALL, attempt=1)


@pytest.mark.parametrize(
    ("its_clock", "the_other_s"),
    [
        pytest.param(0, LEASE_IS_OVER, id="it was slow"),
        pytest.param(-10 * MINUTE, 0, id="its clock is behind"),
        pytest.param(0, 10 * MINUTE, id="the other's clock is ahead"),
    ],
)
def test_a_worker_that_was_thought_dead_leaves_the_other_s_file_alone_when(
    cloud: Cloud, its_clock: int, the_other_s: int
) -> None:
    message = order_large(cloud)
    of_the_first = (f"{message.export_id}/1?",)
    with cloud.endpoint.holding("s3.CompleteMultipartUpload", containing=of_the_first) as hold:
        slow = cloud.work(message, ahead_seconds=its_clock)
        hold.wait_for_it()
        cloud.work(message, ahead_seconds=the_other_s).succeeds()
        hold.let_go()
        slow.fails_with("StoreUnavailableError")
    assert_succeeded_once(message, LARGE, attempt=2)


@pytest.mark.parametrize(
    ("order_one", "operation", "leads"),
    [
        (order_small, "s3.PutObject", SMALL),
        (order_large, "s3.CompleteMultipartUpload", LARGE),
    ],
    ids=["small", "large"],
)
def test_a_worker_that_was_thought_dead_leaves_alone_a_file_that_is_not_told_of_yet(
    cloud: Cloud, order_one: Callable[[Cloud], Message], operation: str, leads: list[str]
) -> None:
    """It wakes up with its own file complete, while the job says nothing of the other's yet."""
    message = order_one(cloud)
    first, second = f"{message.export_id}/1", f"{message.export_id}/2"
    to_say_so = ("export.succeeded", second)
    with (
        cloud.endpoint.holding(operation, how="after", containing=(first,)) as its_file,
        cloud.endpoint.holding("dynamodb.TransactWriteItems", containing=to_say_so) as success,
    ):
        slow = cloud.work(message)
        its_file.wait_for_it()
        other = cloud.work(message, ahead_seconds=LEASE_IS_OVER)
        success.wait_for_it()
        its_file.let_go()
        slow.ends()
        assert "export.succeeded" not in slow.events()
        success.let_go()
        other.succeeds()
    assert_succeeded_once(message, leads, attempt=2)


def test_a_dead_worker_whose_clock_was_ahead_is_waited_for_so_much_longer(cloud: Cloud) -> None:
    message = order_small(cloud)
    begin = partial(cloud.work, message, ahead_seconds=4 * MINUTE)
    kill_at(cloud, begin, "s3.PutObject")
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).fails_with("BusyError")
    cloud.work(message, ahead_seconds=4 * MINUTE + LEASE_IS_OVER).succeeds()
    assert_succeeded_once(message, SMALL, attempt=2)


def test_a_file_store_that_answers_after_its_client_has_asked_again_is_asked_for_one_file(
    cloud: Cloud,
) -> None:
    message = order_small(cloud)
    with cloud.endpoint.holding("s3.PutObject", times=1) as hold:
        cloud.work(message).succeeds()
        hold.let_go()
    assert cloud.endpoint.count("s3.PutObject") == 2
    assert_succeeded_once(message, SMALL, attempt=1)


# --- cancelled --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("dynamodb.Query", 15), ("s3.CreateMultipartUpload", 1), ("s3.CompleteMultipartUpload", 1)],
)
def test_an_export_that_is_deleted_under_way_is_gone_at_once_and_leaves_nothing(
    cloud: Cloud, api: Client, operation: str, nth: int
) -> None:
    message = order_large(cloud)
    path = f"/v1/exports/{message.export_id}"
    with cloud.endpoint.holding(operation, nth=nth) as hold:
        worker = cloud.work(message)
        hold.wait_for_it()
        assert api.get(path).json["status"] == "running"
        assert api.call("DELETE", path).status == 204
        assert api.get(path).status == 404
        hold.let_go()
        worker.ends()
    assert "export.succeeded" not in worker.events()
    cloud.work(message).succeeds()
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert audited(job_of(message)) == ["export.deleted", "export.requested"]
    assert api.get(path).status == 404


def test_a_worker_whose_export_is_deleted_stops_before_it_has_read_and_sent_everything(
    cloud: Cloud,
) -> None:
    message = order_large(cloud)
    with cloud.endpoint.holding("s3.UploadPart") as hold:
        worker = cloud.work(message)
        hold.wait_for_it()
        jobs.delete(job_of(message), author("admin@example.com"), "req-2")
        hold.let_go()
        worker.fails_with("StoreUnavailableError")
    assert cloud.endpoint.count("s3.UploadPart") == 1
    assert cloud.endpoint.count("s3.CompleteMultipartUpload") == 0
    assert (object_keys(), unfinished_uploads()) == ([], [])


# --- nobody can run it ------------------------------------------------------------------------


def _deliver_until_it_is_put_aside(cloud: Cloud, error: str) -> str:
    """As Lambda and SQS do between them; what the dead letters hold then."""
    for received in range(1, RECEIVED_AT_MOST + 1):
        message = cloud.receive()
        assert message.received == received
        cloud.work(message).fails_with(error)
        _make_visible(message)
    assert cloud.receive_if_any() is None
    (letter,) = taken(cloud.dead_letters_url)
    return letter


def _make_visible(message: Message) -> None:
    """The half minute is over that the worker has asked for."""
    aws.sqs().change_message_visibility(
        QueueUrl=settings().exports_queue_url,
        ReceiptHandle=message.receipt_handle,
        VisibilityTimeout=0,
    )


def test_a_job_that_no_worker_may_write_reaches_the_dead_letters_and_fails(
    cloud: Cloud, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was ordered three hours ago: the queue has long given it its last try."""
    hours_ago = clock.now() - timedelta(hours=3, seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: hours_ago)
        orders.submit(order())
    cloud.endpoint.fail("dynamodb.UpdateItem", DENIED, times=RECEIVED_AT_MOST)
    letter = Message(_deliver_until_it_is_put_aside(cloud, "StoreRefusedError"), "")
    told = api.get(f"/v1/exports/{letter.export_id}").json
    assert (told["status"], told["error"]) == (
        "failed",
        "Nadie pudo terminar esta exportación; pida una nueva",
    )


def test_a_message_that_makes_no_sense_is_put_aside_as_it_is(cloud: Cloud) -> None:
    aws.sqs().send_message(QueueUrl=settings().exports_queue_url, MessageBody="no JSON")
    assert _deliver_until_it_is_put_aside(cloud, "JSONDecodeError") == "no JSON"
    assert cloud.endpoint.count("sqs.ChangeMessageVisibility") == 2 * RECEIVED_AT_MOST
