"""A stream that stands still, comes again or dies under way: what is derived is what there is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.settings import settings
from tests.api.client import Client
from tests.builders import client, customer, lead, save, save_item
from tests.exporting import taken
from tests.faults.cloud import Cloud
from tests.faults.exports import kill_at
from tests.faults.faults import (
    BROKEN,
    CLOCK_IS_OFF,
    EXPIRED_TOKEN,
    THROTTLED,
    TRIES,
    Act,
    lost_answer,
    reset,
)
from tests.faults.stream import Record, Stream, deliver
from tests.following import entries, entries_of, items, numbers

HOUR = 3_600
LEASE_IS_OVER = 63
"""Seconds: the minute that an invocation has, and two in which clocks may differ."""

OFF = {"access": "suspended", "reason": "Privacy 4711"}


@pytest.fixture
def stream(cloud: Cloud) -> Stream:
    """A customer and three leads, of whom everything is derived."""
    stream = Stream()
    save(customer(), *(lead(f"led_{number}") for number in (1, 2, 3)))
    stream.follow(cloud)
    return stream


def _an_hour_goes_by(api: Client) -> None:
    """One lead is renamed, one is deleted, one buys, one is new, and an ecosystem is suspended."""
    save(lead("led_1", first_name="Zoë"))
    client().delete_item(TableName="users", Key={"id": {"S": "led_2"}})
    save(customer("led_3", first_name="Berta", ecosystem=None, access=None))
    save(lead("led_4", first_name="Nuria", registered_at="2026-02-02T08:00:00Z"))
    assert api.switch(OFF).status == 200


def _assert_all_is_derived(api: Client) -> None:
    bought = customer("led_3", first_name="Berta", ecosystem=None, access=None)
    renamed = lead("led_1", first_name="Zoë")
    new = lead("led_4", first_name="Nuria", registered_at="2026-02-02T08:00:00Z")
    assert entries() == entries_of(customer(), bought, renamed, new)
    days = {bucket: n for (_, bucket), n in numbers().items() if bucket.startswith("day#")}
    assert days == {"day#2026-02-01": 1, "day#2026-02-02": 1, "day#2026-03-01": 2}
    for name, total in (("leads", 2), ("customers", 2)):
        assert _total(api, name) == total
    assert _found(api, "zoe") == ["led_1"]
    assert _found(api, "nuria") == ["led_4"]
    row = api.get("/v1/customers/cus_0042").json
    assert (row["access"], row["version"]) == ("suspended", 8)
    assert _told(api) == "suspended"


def _total(api: Client, name: str) -> int:
    days = {"list": name, "from": "2026-02-01", "to": "2026-03-01"}
    total: int = api.get("/v1/totals", **days).json["total"]
    return total


def _found(api: Client, words: str) -> list[str]:
    return [row["id"] for row in api.get("/v1/leads", q=words).json["data"]]


def _told(api: Client) -> str:
    told: str = api.get("/v1/ecosystems/eco_17/access", "gateway").json["access"]
    return told


def _everything() -> list[Any]:
    tables = ("users", "ecosystems", "search", "totals")
    return sorted((item for name in tables for item in items(name)), key=json.dumps)


# --- late, again, and in another order ----------------------------------------------------------


def test_while_the_stream_stands_still_lists_and_gateways_are_right_and_it_catches_up(
    cloud: Cloud, api: Client, stream: Stream
) -> None:
    _an_hour_goes_by(api)
    rows = api.get("/v1/leads", sort="registered_at").json["data"]
    assert [(row["id"], row["first_name"]) for row in rows] == [
        ("led_1", "Zoë"),
        ("led_4", "Nuria"),
    ]
    assert _told(api) == "suspended"
    assert (_found(api, "nuria"), _total(api, "leads")) == ([], 3)
    late = deliver(cloud, stream.take(), ahead_seconds=HOUR)
    late.succeeds()
    (line,) = late.logged()
    assert HOUR <= line["lag_seconds"] < HOUR + 60
    stream.follow(cloud)
    _assert_all_is_derived(api)


@pytest.mark.parametrize(
    "disorder",
    [
        lambda records: records[::-1],
        lambda records: records[1::2] + records + records[::2],
    ],
    ids=["backwards", "again and shuffled"],
)
def test_records_an_hour_late_may_come_in_any_order_and_again(
    cloud: Cloud, api: Client, stream: Stream, disorder: Callable[[list[Record]], list[Record]]
) -> None:
    _an_hour_goes_by(api)
    records = stream.take()
    come = disorder(records)
    for batch in (come[:3], come[3:]):
        deliver(cloud, batch, ahead_seconds=HOUR).succeeds()
    stream.follow(cloud)
    _assert_all_is_derived(api)
    known = _everything()
    deliver(cloud, records, ahead_seconds=2 * HOUR).succeeds()
    assert _everything() == known


# --- what fails, and comes again ----------------------------------------------------------------


def test_calls_that_fail_once_hold_no_batch_up(cloud: Cloud, api: Client, stream: Stream) -> None:
    _an_hour_goes_by(api)
    cloud.endpoint.fail("dynamodb.GetItem", THROTTLED)
    cloud.endpoint.fail("dynamodb.BatchGetItem", reset)
    cloud.endpoint.fail("dynamodb.TransactWriteItems", lost_answer)
    cloud.endpoint.fail("dynamodb.BatchWriteItem", BROKEN)
    deliver(cloud, stream.take()).succeeds()
    stream.follow(cloud)
    _assert_all_is_derived(api)


@pytest.mark.parametrize(
    "fault",
    [
        ("dynamodb.TransactWriteItems", lost_answer, TRIES),
        ("dynamodb.GetItem", CLOCK_IS_OFF, 1),
        ("dynamodb.TransactWriteItems", CLOCK_IS_OFF, 1),
        ("dynamodb.BatchWriteItem", EXPIRED_TOKEN, 1),
    ],
    ids=lambda fault: fault[0],
)
def test_a_batch_that_fails_is_delivered_again_and_nobody_is_put_aside_or_counted_twice(
    cloud: Cloud, api: Client, stream: Stream, fault: tuple[str, Act, int]
) -> None:
    _an_hour_goes_by(api)
    records = stream.take()
    operation, act, times = fault
    cloud.endpoint.fail(operation, act, times=times)
    failed = deliver(cloud, records)
    failed.fails_with("StoreUnavailableError")
    assert "projection.poison" not in failed.events()
    deliver(cloud, records).succeeds()
    stream.follow(cloud)
    _assert_all_is_derived(api)


def test_a_user_whose_counter_is_damaged_is_put_aside_and_the_others_go_on(
    cloud: Cloud, api: Client, stream: Stream
) -> None:
    """DynamoDB cancels the transaction with a ValidationError, as often as it is sent."""
    damaged = {"list": {"S": "lead"}, "bucket": {"S": "day#2026-02-02"}}
    save_item({**damaged, "n": {"S": "many"}}, "totals")
    _an_hour_goes_by(api)
    stream.follow(cloud)
    assert (_found(api, "zoe"), _found(api, "nuria")) == (["led_1"], [])
    letters = [json.loads(body) for body in taken(settings().projection_dead_letters_url)]
    assert {letter["dynamodb"]["Keys"]["id"]["S"] for letter in letters} == {"led_4"}
    client().delete_item(TableName="totals", Key=damaged)
    deliver(cloud, letters).succeeds()
    stream.follow(cloud)
    _assert_all_is_derived(api)


@pytest.mark.parametrize(
    ("operation", "how"), [("TransactWriteItems", "after"), ("BatchWriteItem", "dropping")]
)
def test_a_function_that_is_killed_is_made_up_for(
    cloud: Cloud, api: Client, stream: Stream, operation: str, how: str
) -> None:
    _an_hour_goes_by(api)
    records = stream.take()
    kill_at(cloud, lambda: deliver(cloud, records), f"dynamodb.{operation}", how)
    deliver(cloud, records, ahead_seconds=LEASE_IS_OVER).succeeds()
    stream.follow(cloud)
    _assert_all_is_derived(api)


def test_a_dead_function_whose_clock_was_four_minutes_ahead_is_waited_for_so_much_longer(
    cloud: Cloud, api: Client, stream: Stream
) -> None:
    """From five minutes on DynamoDB refuses its signature, so that it can take no lease."""
    _an_hour_goes_by(api)
    records = stream.take()
    kill_at(cloud, lambda: deliver(cloud, records, ahead_seconds=240), "dynamodb.BatchWriteItem")
    deliver(cloud, records, ahead_seconds=LEASE_IS_OVER).fails_with("StoreUnavailableError")
    deliver(cloud, records, ahead_seconds=240 + LEASE_IS_OVER).succeeds()
    stream.follow(cloud)
    _assert_all_is_derived(api)
