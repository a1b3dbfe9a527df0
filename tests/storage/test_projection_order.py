"""The projection against stale copies, replays and records that come late: the switch prevails."""

from dataclasses import replace

import pytest

from chalicelib.users import access, listing, projection
from chalicelib.users.access import Wish
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Ecosystem, Kind, StoreUser
from tests.builders import (
    ECOSYSTEM,
    RawItem,
    author,
    client,
    customer,
    hooked,
    save,
    save_item,
    stored,
    stored_ecosystem,
)
from tests.feed import Feed

OTHER = Ecosystem("eco_18", "other", None)
RENAMED = replace(ECOSYSTEM, name="sol-nueva")


@pytest.fixture
def feed(cloud: None) -> Feed:  # noqa: ARG001 - the tables
    """A stream that knows of one customer with an active ecosystem."""
    made = Feed()
    save(customer())
    made.drain()
    return made


def _switch(to: str = "suspended", user_id: str = "cus_0042") -> StoreUser:
    version = listing.find(Kind.CUSTOMER, user_id).version
    wish = Wish(access=Access(to), reason="why", version=version, by=author("ana"), request_id="r")
    return access.change(user_id, wish)


def _delete() -> None:
    client().delete_item(TableName="users", Key={"id": {"S": "cus_0042"}})


def _says() -> tuple[str | None, str]:
    """What the row shows, and what the gateways are told."""
    row = listing.find(Kind.CUSTOMER, "cus_0042")
    return row.access, access.of_ecosystem("eco_17").access


def _tables() -> tuple[RawItem | None, dict[str, str] | None, dict[str, str] | None]:
    return stored("cus_0042"), stored_ecosystem(), stored_ecosystem("eco_18")


def _without(user: StoreUser, *names: str) -> RawItem:
    return {name: value for name, value in to_item(user).items() if name not in names}


@pytest.mark.parametrize(
    "stale",
    [
        to_item(customer()),
        _without(customer(), "version"),
        _without(customer(), "version", "sort_name", "sort_company"),
        _without(customer(), "access"),
        _without(customer(), "access", "version"),
        to_item(customer(version=8)),
        to_item(customer(version=99)),
        to_item(customer(ecosystem=RENAMED)),
    ],
    ids=["as it was", "no version", "bare", "no access", "neither", "same", "ahead", "renamed"],
)
def test_a_stale_copy_over_a_suspended_customer_is_put_right(feed: Feed, stale: RawItem) -> None:
    _switch()
    feed.drain()
    save_item(stale)
    assert access.of_ecosystem("eco_17").access == "suspended"
    feed.drain()
    assert _says() == ("suspended", "suspended")
    row = listing.find(Kind.CUSTOMER, "cus_0042")
    assert row.version >= 1
    assert row.version != 7
    assert (stored_ecosystem() or {})["name"] == (row.ecosystem or ECOSYSTEM).name
    assert _switch("active").access == "active"
    feed.drain()
    assert _says() == ("active", "active")


def test_a_stale_copy_that_came_before_the_projection_saw_the_switch_is_put_right(
    feed: Feed,
) -> None:
    _switch()
    save(customer())
    feed.drain()
    assert _says() == ("suspended", "suspended")


def test_a_second_write_on_top_of_a_stale_copy_does_not_hide_it(feed: Feed) -> None:
    """The shop goes on from its stale copy before the projection has seen that one."""
    _switch()
    feed.drain()
    save(customer())
    save(customer(phone_number="3009998877", version=8))
    feed.drain()
    assert _says() == ("suspended", "suspended")


def test_a_suspended_copy_written_by_the_shop_does_not_suspend_an_active_ecosystem(
    feed: Feed,
) -> None:
    save(customer(access="suspended", version=8))
    feed.drain()
    assert _says() == ("active", "active")


def test_a_stale_copy_met_by_the_switch_before_the_projection_yields_to_the_switch(
    feed: Feed,
) -> None:
    _switch()
    feed.drain()
    save(customer())
    _switch()
    assert _says() == ("suspended", "suspended")
    feed.drain()
    assert _says() == ("suspended", "suspended")


def test_the_switch_between_reading_and_writing_of_the_projection_prevails(feed: Feed) -> None:
    _switch()
    feed.drain()
    save(customer())
    turns = iter([1])

    def switch_on(_: object) -> None:
        for _turn in turns:
            save(customer(access="suspended", version=9))
            _switch("active")

    with hooked("UpdateItem", switch_on):
        feed.drain()
    assert _says() == ("active", "active")


def test_a_replay_of_everything_changes_nothing(feed: Feed) -> None:
    _switch()
    feed.drain()
    save(customer(ecosystem=RENAMED, version=9))
    feed.drain()
    save(customer(ecosystem=OTHER, version=30))
    feed.drain()
    _switch()
    feed.drain()
    before = _tables()
    feed.position = 0
    feed.drain()
    assert _tables() == before


@pytest.mark.parametrize("number", range(4))
def test_one_old_record_replayed_alone_changes_nothing(feed: Feed, number: int) -> None:
    save(customer(first_name="Zoë", version=8))
    save(customer(first_name="Zoë", ecosystem=RENAMED, version=9))
    feed.drain()
    _switch()
    feed.drain()
    before = _tables()
    projection.apply(feed.records()[number])
    assert _tables() == before


def test_an_old_record_replayed_does_not_bring_back_what_was_deleted(feed: Feed) -> None:
    _delete()
    feed.drain()
    projection.apply(feed.records()[0])
    assert _tables() == (None, None, None)


def test_a_customer_who_is_deleted_while_a_suspension_is_restored_stays_deleted(
    feed: Feed,
) -> None:
    _switch()
    feed.drain()
    save_item(_without(customer(ecosystem=None), "access", "version"))
    turns = iter([1])

    def delete(_: object) -> None:
        for _turn in turns:
            _delete()

    with hooked("UpdateItem", delete):
        feed.drain()
    assert stored("cus_0042") is None


def test_an_old_record_does_not_overwrite_the_sort_keys_of_a_newer_write(feed: Feed) -> None:
    save_item(_without(customer(first_name="Old", version=8), "sort_name"))
    save_item(_without(customer(first_name="New", version=9), "sort_name"))
    while feed.step():
        key = (stored("cus_0042") or {}).get("sort_name")
        assert key in (None, {"S": "new gomez ruiz"})
    assert key == {"S": "new gomez ruiz"}


@pytest.mark.parametrize("away", [customer(ecosystem=None), customer(ecosystem=OTHER), None])
def test_an_ecosystem_suspended_while_old_news_of_it_travel_stays_suspended(
    feed: Feed, away: StoreUser | None
) -> None:
    """It was gone and came back; the switch was used before the projection had seen either."""
    if away:
        save(away)
    else:
        _delete()
    save(customer())
    _switch()
    assert _says() == ("suspended", "suspended")
    while feed.step():
        assert access.of_ecosystem("eco_17").access == "suspended"
    assert _says() == ("suspended", "suspended")
    assert stored_ecosystem("eco_18") is None


def test_a_replay_of_its_leaving_and_coming_back_does_not_undo_a_suspension(feed: Feed) -> None:
    save(customer(ecosystem=None))
    save(customer())
    feed.drain()
    _switch()
    feed.drain()
    feed.position = 0
    while feed.step():
        assert access.of_ecosystem("eco_17").access == "suspended"
    assert _says() == ("suspended", "suspended")


def test_a_rename_that_comes_late_does_not_undo_a_later_one(feed: Feed) -> None:
    """Two deliveries at once: a replay by hand beside the stream, say."""
    save(customer(ecosystem=RENAMED, version=8))
    turns = iter([1])

    def rename_again(_: object) -> None:
        for _turn in turns:
            save(customer(ecosystem=replace(ECOSYSTEM, name="the last"), version=9))
            feed.step()

    with hooked("UpdateItem", rename_again):
        feed.drain()
    assert (stored_ecosystem() or {})["name"] == "the last"


def test_an_ecosystem_handed_to_another_customer_ends_up_hers_whatever_comes_first(
    feed: Feed,
) -> None:
    """Records of two users have no order among themselves: here hers comes first."""
    save(customer(ecosystem=None, version=8))
    save(customer("cus_2"))
    mine, hers = feed.records()[-2:]
    projection.apply(hers)
    projection.apply(mine)
    assert (stored_ecosystem() or {})["customer_id"] == "cus_2"
