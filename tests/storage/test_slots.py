"""How many exports one person has running: three at the most, whoever is first."""

import pytest

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError, TooManyExportsError
from chalicelib.exports import jobs, orders
from tests.builders import author, client
from tests.exporting import (
    At,
    before,
    deliver,
    die,
    order,
    ordered,
    queued,
    stop_clock,
    stored_jobs,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")


def test_a_fourth_running_export_of_one_person_is_refused() -> None:
    for number in range(3):
        orders.submit(order(key=f"key-{number}"))
    with pytest.raises(TooManyExportsError):
        orders.submit(order(key="key-3"))
    assert len(queued()) == 3
    assert len(stored_jobs()) == 3


def test_others_and_the_schedule_and_repetitions_are_not_held_up_by_the_limit() -> None:
    for number in range(3):
        orders.submit(order(key=f"key-{number}"))
    orders.submit(order(key="key-3", by=author("luis@example.com")))
    orders.submit(order(key="key-3", origin="scheduled", period=(None, "2026-03-02T11:00:00Z")))
    _, replayed = orders.submit(order(key="key-2"))
    assert replayed


def test_a_finished_export_frees_its_place() -> None:
    first = ordered(key="key-0")
    for number in (1, 2):
        orders.submit(order(key=f"key-{number}"))
    deliver(first)
    orders.submit(order(key="key-3"))
    with pytest.raises(TooManyExportsError):
        orders.submit(order(key="key-4"))


def test_a_deleted_export_frees_its_place() -> None:
    first, _ = orders.submit(order(key="key-0"))
    for number in (1, 2):
        orders.submit(order(key=f"key-{number}"))
    jobs.delete(first, author("admin@example.com"), "req-2")
    orders.submit(order(key="key-3"))


def test_an_export_whose_worker_died_frees_its_place_when_its_lease_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    message = ordered(key="key-0")
    for number in (1, 2):
        orders.submit(order(key=f"key-{number}"))
    with before(client(), "dynamodb.Query", At(1, die)), pytest.raises(SystemExit):
        deliver(message)
    clock.goes_on(60)
    with pytest.raises(TooManyExportsError):
        orders.submit(order(key="key-3"))
    clock.goes_on(1)
    orders.submit(order(key="key-3"))


def test_an_abandoned_export_frees_its_place_after_three_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    for number in range(3):
        orders.submit(order(key=f"key-{number}"))
    clock.goes_on(3 * 3600)
    with pytest.raises(TooManyExportsError):
        orders.submit(order(key="key-3"))
    clock.goes_on(1)
    orders.submit(order(key="key-3"))


def test_two_orders_of_the_same_moment_cannot_both_have_the_last_place() -> None:
    """The second one is ordered whole while the first is about to take its place."""
    orders.submit(order(key="key-0"))
    orders.submit(order(key="key-1"))
    meanwhile = At(1, lambda: orders.submit(order(key="key-2")))
    with (
        before(client(), "dynamodb.PutItem", meanwhile),
        pytest.raises(TooManyExportsError, match=r"^3 of your exports are still running$"),
    ):
        orders.submit(order(key="key-3"))
    assert len(queued()) == 3
    assert len(stored_jobs()) == 3


def test_an_order_that_never_got_further_than_its_place_frees_it_after_two_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = stop_clock(monkeypatch)
    for number in range(3):
        with (
            before(aws.sqs(), "sqs.SendMessage", unreachable),
            pytest.raises(StoreUnavailableError),
        ):
            orders.submit(order(key=f"key-{number}"))
    with pytest.raises(TooManyExportsError):
        orders.submit(order(key="key-3"))
    clock.goes_on(121)
    orders.submit(order(key="key-3"))
