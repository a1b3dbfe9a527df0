"""Counting and indexing when things go wrong: throttles, lost answers, death, two at once."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace

import pytest

from chalicelib import clock
from chalicelib.errors import StoreUnavailableError
from chalicelib.users.model import StoreUser
from tests.builders import (
    client,
    customer,
    hooked,
    lead,
    lost_answers,
    operations,
    refusals,
    save,
    sent_requests,
)
from tests.feed import Feed, Record
from tests.following import (
    entries,
    entries_of,
    follow,
    invoke,
    numbers,
)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between tries: neither the SDK nor the code."""
    for module in ("botocore.endpoint", "chalicelib.users.batches", "chalicelib.users.counting"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def feed(cloud: None) -> Feed:  # noqa: ARG001 - the tables
    return Feed()


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem", "TransactWriteItems"])
def test_after_a_throttle_the_next_delivery_makes_up_for_it_at_once(
    feed: Feed, operation: str
) -> None:
    save(customer())
    follow(feed)
    save(customer(first_name="Zoë"), lead())
    records = feed.records()[feed.position :]
    code = "ProvisionedThroughputExceededException"
    with refusals(operation, code), pytest.raises(StoreUnavailableError):
        invoke(records)
    invoke(records)
    assert entries() == entries_of(customer(first_name="Zoë"), lead())
    assert numbers()["lead", "month#2026-02"] == 1


@pytest.mark.parametrize("operation", ["BatchWriteItem", "TransactWriteItems"])
@pytest.mark.parametrize("times", [1, 4])
def test_a_lost_answer_counts_nobody_twice(feed: Feed, operation: str, times: int) -> None:
    save(lead())
    records = feed.records()
    with lost_answers(operation, times), contextlib.suppress(StoreUnavailableError):
        invoke(records)
    invoke(records)
    assert entries() == entries_of(lead())
    assert numbers()["lead", "month#2026-02"] == 1


class _Killed(BaseException):
    """What takes a worker down without a word."""


def _killed_at(number: int, records: list[Record]) -> bool:
    """Have the function die before its request of that number; whether it got so far."""
    requests = iter(range(1, 1_000))

    def kill(_: object) -> None:
        if next(requests) == number:
            raise _Killed

    with hooked("*", kill):
        try:
            invoke(records)
        except _Killed:
            return True
    return False


def test_a_worker_that_dies_at_any_request_is_made_up_for_when_its_lease_is_over(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timedelta()
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + ahead)
    for number in range(1, 40):
        before, after = lead(f"led_{number}"), lead(f"led_{number}", first_name="Zoë")
        save(before)
        follow(feed)
        save(after)
        records = feed.records()[feed.position :]
        feed.position += len(records)
        died = _killed_at(number, records)
        ahead += timedelta(seconds=90)
        invoke(records)
        assert {one for one in entries() if one[1].endswith(f"#led_{number}")} == entries_of(after)
        if not died:
            break
    assert number > 6, "the worker makes more requests than that"
    assert numbers()["lead", "month#2026-02"] == number


def _disturbed_at(number: int, feed: Feed, records: list[Record], its: StoreUser) -> bool:
    """A second worker does its work before that request of the first; whether it came to it."""
    requests, met = iter(range(1, 1_000)), []

    def disturb(_: object) -> None:
        if next(requests) == number:
            met.append(number)
            save(its)
            with contextlib.suppress(StoreUnavailableError):
                invoke(feed.records()[feed.position :])

    with hooked("*", disturb), contextlib.suppress(StoreUnavailableError):
        invoke(records)
    return bool(met)


def test_two_workers_at_one_user_never_write_over_each_other(feed: Feed) -> None:
    for number in range(1, 40):
        mine, its = lead(f"led_{number}", first_name="Ana"), lead(f"led_{number}", first_name="Bea")
        save(mine)
        if not _disturbed_at(number, feed, feed.records()[feed.position :], its):
            break
        follow(feed)
        assert {one for one in entries() if one[1].endswith(f"#led_{number}")} == entries_of(its)
        assert numbers()["lead", "month#2026-02"] == number
    assert number > 6, "the worker makes more requests than that"


def test_a_worker_whose_time_is_over_writes_no_entries_any_more(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ends with its time: somebody else may be writing newer ones by then."""
    now, late = clock.now, timedelta()
    monkeypatch.setattr(clock, "now", lambda: now() + late)
    save(lead())

    def take_a_minute(_: object) -> None:
        nonlocal late
        late = timedelta(seconds=61)

    with (
        hooked("TransactWriteItems", take_a_minute),
        sent_requests() as sent,
        pytest.raises(StoreUnavailableError),
    ):
        invoke(feed.records())
    assert "BatchWriteItem" not in operations(sent)
    late += timedelta(seconds=3)
    invoke(feed.records())
    assert entries() == entries_of(lead())


def test_somebody_else_s_lease_makes_a_worker_come_back_later(feed: Feed) -> None:
    save(lead())
    follow(feed)
    save(lead(first_name="Zoë"))
    client().update_item(
        TableName="totals",
        Key={"list": {"S": "user#led_0007"}, "bucket": {"S": "state"}},
        UpdateExpression="SET lease_until = :later",
        ExpressionAttributeValues={":later": {"S": "2999-01-01T00:00:00Z"}},
    )
    with pytest.raises(StoreUnavailableError):
        follow(feed)
    assert entries() == entries_of(lead())
