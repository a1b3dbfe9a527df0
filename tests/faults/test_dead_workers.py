"""Workers that are killed: how soon the queue hands their export to another one.

The queue is an emulator's with the visibility time-out of the template, 15 minutes. Only the time
of a lease is shortened. Phases and counts of the real times: tests/storage/test_leases.py.
"""

import time

import pytest

from tests.e2e.conftest import eventually
from tests.faults.cloud import Cloud, Message
from tests.faults.exports import SMALL, assert_succeeded_once, kill_at, order_small

LEASE_SECONDS = 3
MARGIN_SECONDS = 5


@pytest.fixture(autouse=True)
def _short_leases(cloud: Cloud) -> None:
    cloud.environment["EXPORT_LEASE_SECONDS"] = str(LEASE_SECONDS)


def _received_again(cloud: Cloud) -> Message:
    found: list[Message] = []

    def arrived() -> bool:
        found.extend(filter(None, [cloud.receive_if_any()]))
        return bool(found)

    eventually(arrived)
    return found[0]


def test_the_export_of_a_worker_that_is_killed_is_taken_over_when_its_lease_is_over(
    cloud: Cloud,
) -> None:
    message = order_small(cloud)
    kill_at(cloud, lambda: cloud.work(message), "s3.PutObject")
    died_at = time.monotonic()
    again = _received_again(cloud)
    waited = time.monotonic() - died_at
    assert waited < LEASE_SECONDS + MARGIN_SECONDS + 2, "the queue's own time-out is 900 seconds"
    assert again.received == 2
    cloud.work(again).succeeds()
    assert_succeeded_once(message, SMALL, attempt=2)


def test_the_message_of_a_worker_that_lives_stays_hidden_for_more_than_one_lease(
    cloud: Cloud,
) -> None:
    message = order_small(cloud)
    with cloud.endpoint.holding("s3.PutObject", times=2) as hold:
        worker = cloud.work(message)
        hold.wait_for_it()
        until = time.monotonic() + LEASE_SECONDS + MARGIN_SECONDS + 1.5
        while time.monotonic() < until:
            assert cloud.receive_if_any() is None
            time.sleep(0.2)
        hold.let_go()
        worker.succeeds()
    assert_succeeded_once(message, SMALL, attempt=1)
