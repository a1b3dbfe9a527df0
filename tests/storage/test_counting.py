"""Search entries and totals: exactly once in effect, whoever brings them up, and how often."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import clock
from chalicelib.users import access, counting, searching
from chalicelib.users.access import Wish
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Kind, StoreUser
from tests.builders import (
    SUBSCRIPTION,
    RawItem,
    author,
    client,
    customer,
    lead,
    operations,
    save,
    save_item,
    sent_requests,
    stored,
)
from tests.feed import Feed
from tests.following import (
    counters,
    empty,
    entries,
    entries_of,
    follow,
    invoke,
    items,
    numbers,
)


@pytest.fixture
def feed(cloud: None) -> Feed:  # noqa: ARG001 - the tables
    return Feed()


def test_a_new_user_is_counted_and_found(feed: Feed) -> None:
    save(lead())
    follow(feed)
    assert entries() == entries_of(lead())
    assert counters() == {
        ("lead", "month#2026-02"): {"n": 1},
        ("lead", "day#2026-02-01"): {"n": 1, "hT08": 1},
        ("lead", "hour#2026-02-01T08"): {"n": 1, "m:00": 1},
    }


def test_a_lead_that_becomes_a_customer_moves_between_the_lists(feed: Feed) -> None:
    save(lead())
    follow(feed)
    bought = customer("led_0007", ecosystem=None, registered_at="2026-02-01T08:00:00Z")
    save(bought)
    follow(feed)
    assert entries() == entries_of(bought)
    assert numbers() == {
        ("customer", "month#2026-02"): 1,
        ("customer", "day#2026-02-01"): 1,
        ("customer", "hour#2026-02-01T08"): 1,
        ("customer", 'segment#["active","Premium","annual","active",false]'): 1,
    }
    save(lead())
    follow(feed)
    assert entries() == entries_of(lead())
    assert {name for name, _ in numbers()} == {"lead"}
    assert not {"segment", "segment_order"} & (stored("led_0007") or {}).keys()


def test_a_deleted_user_disappears_from_everything(feed: Feed) -> None:
    save(customer())
    follow(feed)
    client().delete_item(TableName="users", Key={"id": {"S": "cus_0042"}})
    follow(feed)
    assert (entries(), counters()) == (set(), {})
    assert [item for item in items("totals") if item["list"]["S"].startswith("user#")] == []


def test_an_edit_outside_of_the_five_fields_and_a_toggle_write_no_entry(feed: Feed) -> None:
    save(customer())
    follow(feed)
    changed = replace(SUBSCRIPTION, status="past_due", plan="Lite")
    save(customer(subscription=changed, version=8))
    wish = Wish(access=Access.SUSPENDED, reason="why", version=8, by=author("ana"), request_id="r")
    access.change("cus_0042", wish)
    with sent_requests() as sent:
        follow(feed)
    written = [one.body for one in sent if one.operation == "BatchWriteItem"]
    assert written == []
    segments = {bucket for _, bucket in numbers() if bucket.startswith("segment#")}
    assert segments == {'segment#["past_due","Lite","annual","suspended",true]'}
    assert (stored("cus_0042") or {})["segment"]["S"] == (
        '["past_due","Lite","annual","suspended",true]'
    )


def test_a_change_that_concerns_neither_costs_nothing_there(feed: Feed) -> None:
    save(customer())
    follow(feed)
    save(customer(version=8))
    with sent_requests() as sent:
        follow(feed)
    assert set(operations(sent)) == {"GetItem"}


def test_an_edit_of_a_name_leaves_no_old_entry(feed: Feed) -> None:
    save(customer())
    follow(feed)
    renamed = customer(first_name="Zoë", phone_number="")
    save(renamed)
    follow(feed)
    assert entries() == entries_of(renamed)


def test_records_that_come_again_and_in_any_order_change_nothing(feed: Feed) -> None:
    first, second = lead(first_name="Ana"), lead(first_name="Bea", company_name="Luna")
    for user in (first, second, first, second):
        save(user, lead("led_8", first_name=user.last_name))
    records = feed.records()
    for told in (records, records[::-1], records[2:5], records * 2):
        invoke(told)
    assert entries() == entries_of(second, lead("led_8", first_name="Pérez"))
    assert numbers()["lead", "month#2026-02"] == 2


def test_a_record_that_makes_no_sense_holds_nobody_up(feed: Feed) -> None:
    save(lead("led_1"), lead("led_2"))
    nonsense = {"eventID": "1", "dynamodb": {"NewImage": {"kind": {"S": "nonsense"}}}}
    records = feed.records()
    assert invoke([records[0], nonsense, records[1]]) == {"records": 3, "poisoned": 1}
    assert entries() == entries_of(lead("led_1"), lead("led_2"))


def test_a_user_who_is_neither_is_in_no_list(feed: Feed) -> None:
    save(lead())
    follow(feed)
    save_item({**to_item(lead()), "kind": {"S": "ghost"}})
    invoke(feed.records()[feed.position :])
    assert (entries(), counters()) == (set(), {})


def test_a_mark_has_everything_written_again(feed: Feed) -> None:
    save(lead())
    follow(feed)
    expected = entries()
    empty("search")
    marked: RawItem = {**to_item(lead()), "reindexed_at": {"S": "2026-03-01T00:00:00Z"}}
    save_item(marked)
    follow(feed)
    assert entries() == expected
    assert numbers()["lead", "month#2026-02"] == 1


def test_a_mark_that_a_writer_drops_has_nothing_written_again(feed: Feed) -> None:
    marked: RawItem = {**to_item(lead()), "reindexed_at": {"S": "2026-03-01T00:00:00Z"}}
    save_item(marked)
    follow(feed)
    save(lead(version=2))
    with sent_requests() as sent:
        follow(feed)
    assert "BatchWriteItem" not in operations(sent)


def test_more_users_than_a_transaction_takes_are_all_counted(feed: Feed) -> None:
    users = [
        lead(
            f"led_{number}",
            registered_at=f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T0{number % 10}:00:00Z",
        )
        for number in range(60)
    ]
    save(*users)
    counting.bring_up([user.id for user in users], clock.now() + timedelta(seconds=60))
    assert sum(n for (_, bucket), n in numbers().items() if bucket.startswith("month#")) == 60
    assert entries() == entries_of(*users)
    assert feed.records()


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"),
            st.sampled_from(["u1", "u2"]),
            st.sampled_from(Kind),
            st.sampled_from(["Ana", "Bea", ""]),
            st.sampled_from(["2026-02-01T08:00:00Z", "2026-03-01T08:00:00Z"]),
        ),
        st.tuples(st.just("delete"), st.sampled_from(["u1", "u2"])),
        st.tuples(st.just("follow"), st.integers(1, 4)),
        st.tuples(st.just("replay"), st.integers(1, 5)),
    ),
    min_size=1,
    max_size=14,
)


@pytest.mark.usefixtures("cloud")
@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_whatever_happens_and_is_told_again_what_is_derived_is_what_there_is(
    told: list[tuple[Any, ...]],
) -> None:
    empty("users", "search", "totals")
    feed = Feed()
    there: dict[str, StoreUser] = {}
    for name, *arguments in told:
        if name == "write":
            key, kind, first_name, at = arguments
            make = lead if kind is Kind.LEAD else customer
            more = {} if kind is Kind.LEAD else {"ecosystem": None}
            there[key] = make(key, first_name=first_name, registered_at=at, **more)
            save(there[key])
        elif name == "delete":
            there.pop(arguments[0], None)
            client().delete_item(TableName="users", Key={"id": {"S": arguments[0]}})
        elif name == "follow":
            records = feed.records()[feed.position :][: arguments[0]]
            feed.position += len(records)
            invoke(records)
        else:
            feed.position = max(0, feed.position - arguments[0])
    follow(feed)
    assert entries() == entries_of(*there.values())
    months = [one.registered_at[:7] for one in there.values()]
    counted = {
        (kind, bucket): n for (kind, bucket), n in numbers().items() if bucket[:5] == "month"
    }
    assert sum(counted.values()) == len(months)
    for one in there.values():
        assert counted[one.kind.value, f"month#{one.registered_at[:7]}"] >= 1


def test_a_search_drops_whom_a_newer_write_has_made_another(feed: Feed) -> None:
    save(customer())
    follow(feed)
    save(customer(first_name="Zoë", company_email="", last_name="X"))
    assert searching.page(Kind.CUSTOMER, Filters(q="maria"), None, 5).users == []
