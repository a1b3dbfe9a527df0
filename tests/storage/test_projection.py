"""Table stream → sort keys, versions and ecosystems: filled in, put right, never fought over."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.errors import StoreUnavailableError
from chalicelib.users import access, listing, projection
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from chalicelib.users.model import Ecosystem, Kind, StoreUser
from tests.builders import (
    ECOSYSTEM,
    SUBSCRIPTION,
    RawItem,
    client,
    customer,
    lead,
    operations,
    refusals,
    save,
    save_ecosystem,
    save_item,
    sent_requests,
    stored,
    stored_ecosystem,
)
from tests.feed import Feed, record

LAST = "\U0010ffff"
DERIVED = ("sort_name", "sort_company", "sort_ends_on", "version", "access")
OTHER = Ecosystem("eco_18", "other", None)


@pytest.fixture
def feed(cloud: None) -> Feed:  # noqa: ARG001 - the tables
    return Feed()


def _without(user: StoreUser, *names: str) -> RawItem:
    return {name: value for name, value in to_item(user).items() if name not in names}


def _derived(user_id: str = "cus_0042") -> dict[str, str]:
    item = stored(user_id) or {}
    return {name: next(iter(item[name].values())) for name in DERIVED if name in item}


def _delete(user_id: str = "cus_0042") -> None:
    client().delete_item(TableName="users", Key={"id": {"S": user_id}})


def test_what_the_shop_left_out_is_filled_in(feed: Feed) -> None:
    save_item(_without(customer(), *DERIVED))
    save_item(_without(lead(), *DERIVED))
    feed.drain()
    assert _derived() == {
        "sort_name": "maria jose gomez ruiz",
        "sort_company": "clinica sol",
        "sort_ends_on": "2027-02-28",
        "version": "1",
        "access": "active",
    }
    assert _derived("led_0007") == {"sort_name": "juan perez", "sort_company": LAST, "version": "1"}
    for sort in ("first_name", "company_name", "subscription.ends_on"):
        page = listing.page(Kind.CUSTOMER, Filters(), sort, None, 10)
        assert [user.id for user in page.users] == ["cus_0042"]


def test_sort_keys_follow_what_they_come_from(feed: Feed) -> None:
    save(customer())
    after = customer(
        first_name="Zoë",
        company_name="",
        subscription=replace(SUBSCRIPTION, ends_on="2028-02-29"),
    )
    stale = {name: value for name, value in to_item(customer()).items() if name in DERIVED}
    save_item({**to_item(after), **stale})
    feed.drain()
    assert stored("cus_0042") == to_item(after)


@pytest.mark.parametrize("odd", [{"NULL": True}, {"M": {}}, {"S": ""}, {"BOOL": True}], ids=repr)
def test_an_odd_item_is_completed_once(feed: Feed, odd: dict[str, Any]) -> None:
    names = ("first_name", "last_name", "company_name", "access", "version", "subscription")
    save_item({**_without(customer(), *DERIVED[:3]), **dict.fromkeys(names, odd)})
    assert feed.drain() <= 3
    assert _derived() == {
        "sort_name": LAST,
        "sort_company": LAST,
        "sort_ends_on": LAST,
        "version": "1",
        "access": "active",
    }


def test_a_complete_item_is_not_written_to(feed: Feed) -> None:
    save(lead(), customer(ecosystem=None), customer("cus_2"))
    save_ecosystem(customer_id="cus_2")
    with sent_requests() as sent:
        assert feed.drain() == 3
    assert set(operations(sent)) <= {"GetItem"}


@pytest.mark.parametrize(
    ("shop_says", "starts_with"),
    [("active", "active"), ("suspended", "suspended"), (None, "active")],
)
def test_a_deployed_ecosystem_starts_with_the_access_that_the_shop_wrote(
    feed: Feed, shop_says: str | None, starts_with: str
) -> None:
    save(customer(ecosystem=None, version=6))
    feed.drain()
    assert stored_ecosystem() is None
    save(customer(access=shop_says))
    feed.drain()
    made = stored_ecosystem() or {}
    assert (made["name"], made["customer_id"], made["version"]) == ("clinica-sol", "cus_0042", "7")
    assert access.of_ecosystem("eco_17").access == starts_with
    assert listing.find(Kind.CUSTOMER, "cus_0042").access == starts_with


def test_a_renamed_ecosystem_keeps_its_access(feed: Feed) -> None:
    save(customer(access="suspended"))
    feed.drain()
    save(customer(access="suspended", ecosystem=replace(ECOSYSTEM, name="sol-nueva"), version=8))
    feed.drain()
    kept = stored_ecosystem() or {}
    assert (kept["name"], kept["access"]) == ("sol-nueva", "suspended")


@pytest.mark.parametrize(
    "gone",
    [None, customer(ecosystem=None), customer(ecosystem=OTHER), customer(kind=Kind.LEAD)],
    ids=["deleted", "undeployed", "moved", "a lead again"],
)
def test_an_ecosystem_goes_with_its_customer(feed: Feed, gone: StoreUser | None) -> None:
    save(customer())
    feed.drain()
    if gone is None:
        _delete()
    else:
        save(gone)
    feed.drain()
    assert stored_ecosystem() is None
    moved = gone is not None and gone.ecosystem == OTHER
    assert (stored_ecosystem("eco_18") is not None) == moved
    assert stored("cus_0042") == (to_item(gone) if gone else None)


def test_a_lead_that_buys_and_deploys_becomes_a_customer_with_an_ecosystem(feed: Feed) -> None:
    save(lead("cus_0042"))
    feed.drain()
    save_item(_without(customer(version=2), *DERIVED[:3], "access"))
    feed.drain()
    assert listing.find(Kind.CUSTOMER, "cus_0042") == customer(version=2)
    assert access.of_ecosystem("eco_17").access == "active"
    assert listing.page(Kind.LEAD, Filters(), "first_name", None, 10).users == []


@pytest.mark.parametrize("before", [None, customer(ecosystem=None), customer(ecosystem=OTHER)])
def test_the_ecosystem_of_another_customer_is_poison_and_stays_hers(
    feed: Feed, before: StoreUser | None
) -> None:
    hers = customer("cus_0001", access="suspended")
    save(hers, *([before] if before else []))
    feed.drain()
    record_of_hers = stored_ecosystem()
    save_item(_without(customer(ecosystem=replace(ECOSYSTEM, name="mine")), "sort_name"))
    assert feed.drain_past_poison() >= 1
    assert stored_ecosystem() == record_of_hers
    assert stored("cus_0001") == to_item(hers)
    assert _derived()["sort_name"] == "maria jose gomez ruiz"
    _delete()
    feed.drain_past_poison()
    assert stored_ecosystem() == record_of_hers


@pytest.mark.parametrize(
    "image",
    [
        {**to_item(customer()), "kind": {"S": "partner"}},
        _without(customer(), "kind"),
        to_item(customer(access="frozen")),
    ],
    ids=["unknown kind", "no kind", "unknown access"],
)
def test_a_record_that_makes_no_sense_is_a_value_error(feed: Feed, image: RawItem) -> None:
    save_item(image)
    with pytest.raises(ValueError, match=r"is not a valid"):
        feed.drain()
    assert stored_ecosystem() is None


def test_who_moves_to_the_ecosystem_of_another_has_left_the_old_one(feed: Feed) -> None:
    save(customer("cus_0001"), customer(ecosystem=OTHER))
    feed.drain()
    assert stored_ecosystem("eco_18")
    save(customer(version=8))
    assert feed.drain_past_poison() >= 1
    assert stored_ecosystem("eco_18") is None


def test_an_item_that_made_no_sense_is_derived_from_once_it_is_corrected(feed: Feed) -> None:
    save_item({**to_item(customer()), "kind": {"S": "partner"}})
    assert feed.drain_past_poison() == 1
    save_item(_without(customer(version=8), "sort_name"))
    assert feed.drain_past_poison() == 0
    assert _derived()["sort_name"] == "maria jose gomez ruiz"
    assert access.of_ecosystem("eco_17").access == "active"


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_where_dynamodb_fails_the_record_is_left_to_be_tried_again(
    feed: Feed, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    save_item(_without(customer(), "sort_name"))
    code = "ProvisionedThroughputExceededException"
    with refusals(operation, code), pytest.raises(StoreUnavailableError):
        projection.apply(feed.records()[0])
    feed.drain()
    assert stored("cus_0042") == to_item(customer())
    assert access.of_ecosystem("eco_17").access == "active"


def test_a_record_of_a_user_that_is_gone_brings_nobody_back(feed: Feed) -> None:
    incomplete = _without(lead(), "sort_name", "version")
    projection.apply(record(None, incomplete))
    assert stored("led_0007") is None
    assert feed.records() == []
