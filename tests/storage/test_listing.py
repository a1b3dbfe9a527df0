"""Lists against an oracle in plain Python: filters, periods, kinds, and what each page costs."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import NotFoundError
from chalicelib.exports import rows
from chalicelib.users import listing, ranges
from chalicelib.users.filters import Filters
from chalicelib.users.item import from_item
from chalicelib.users.listing import SORTS
from chalicelib.users.model import AccessChange, Kind, StoreUser, Subscription
from tests.builders import (
    ECOSYSTEM,
    RawItem,
    customer,
    lead,
    operations,
    save,
    save_item,
    sent_requests,
)

pytestmark = pytest.mark.usefixtures("cloud")

EVERYBODY = Filters()
BOTH_WAYS = [sign + name for name in SORTS for sign in ("", "-")]
ECOSYSTEMS: list[dict[str, Any]] = [
    {"M": {"id": {"S": "eco_17"}, "name": {"S": "clinica-sol"}}},
    {"M": {"id": {"S": ""}}},
    {"M": {}},
    {"NULL": True},
    {},
]
SUBSCRIPTIONS: list[dict[str, Any]] = [
    {"M": {"plan": {"S": plan}, "status": {"S": status}, "billing_period": {"S": period}}}
    for plan, status, period in (
        ("Lite", "active", "monthly"),
        ("Plus", "active", "annual"),
        ("Plus", "past_due", "monthly"),
        ("Free Trial", "trialing", ""),
    )
]
SUBSCRIPTIONS += [{"M": {"status": {"NULL": True}}}, {"NULL": True}, {}]


def _ids(users: list[StoreUser]) -> list[str]:
    return [user.id for user in users]


def _page_ids(
    filters: Filters, sort: str = "registered_at", kind: Kind = Kind.CUSTOMER
) -> list[str]:
    return _ids(listing.page(kind, filters, sort, None, 100).users)


def _save_one_of_each() -> list[StoreUser]:
    """35 customers: each ecosystem with each subscription, access and day as they come."""
    users = []
    for number, (ecosystem, subscription) in enumerate(product(ECOSYSTEMS, SUBSCRIPTIONS)):
        item: RawItem = {
            "id": {"S": f"cus_{number:02}"},
            "kind": {"S": "customer"},
            "registered_at": {"S": f"2026-03-{number % 5 + 1:02}T{number % 24:02}:00:00Z"},
            "access": [{"S": "active"}, {"S": "suspended"}, {}][number % 3],
            "ecosystem": ecosystem,
            "subscription": subscription,
            "sort_name": {"S": f"name {number % 4}"},
            "sort_company": {"S": f"company {number * 3 % 7}"},
            "sort_ends_on": {"S": f"2027-01-0{number * 5 % 9}"},
        }
        item = {name: attribute for name, attribute in item.items() if attribute}
        save_item(item)
        users.append(from_item(item))
    return users


def _passes(user: StoreUser, filters: Filters) -> bool:
    """The oracle: a filter goes by what the row shows."""
    bought = user.subscription or Subscription(None, None, None, None, None, None, ())
    day = user.registered_at[:10]
    shown = "deployed" if user.ecosystem else "none"
    return (
        filters.access in (None, user.access)
        and (filters.access != "active" or user.ecosystem is not None)
        and filters.ecosystem in (None, shown)
        and filters.billing_period in (None, bought.billing_period)
        and (not filters.status or bought.status in filters.status)
        and (not filters.plan or bought.plan in filters.plan)
        and (filters.registered_from or day) <= day <= (filters.registered_to or day)
    )


days = st.none() | st.sampled_from([f"2026-03-0{day}" for day in range(7)])
any_filters = st.builds(
    Filters,
    registered_from=days,
    registered_to=days,
    access=st.sampled_from([None, "active", "suspended"]),
    ecosystem=st.sampled_from([None, "deployed", "none"]),
    billing_period=st.sampled_from([None, "monthly", "annual"]),
    status=st.sets(st.sampled_from(["active", "past_due", "trialing", "expired"])).map(tuple),
    plan=st.sets(st.sampled_from(["Lite", "Plus", "Free Trial", "plus"])).map(tuple),
)


def test_filters_alone_and_together_let_pass_what_the_rows_show() -> None:
    users = _save_one_of_each()

    @settings(
        deadline=None,
        max_examples=40,
        suppress_health_check=[HealthCheck.nested_given, HealthCheck.too_slow],
    )
    @given(any_filters, st.sampled_from(BOTH_WAYS))
    def check(filters: Filters, sort: str) -> None:
        expected = {user.id for user in users if _passes(user, filters)}
        found = _page_ids(filters, sort)
        assert set(found) == expected
        assert len(found) == len(expected)

    check()
    alone: dict[str, Any] = {"access": "active", "ecosystem": "none", "billing_period": "annual"}
    several: dict[str, Any] = {"status": ("active", "past_due"), "plan": ("Free Trial", "Lite")}
    period: dict[str, Any] = {"registered_from": "2026-03-03", "registered_to": "2026-03-03"}
    for name, value in (alone | several | period).items():
        filters = Filters(**{name: value})
        expected = {user.id for user in users if _passes(user, filters)}
        assert 0 < len(expected) < 35
        assert set(_page_ids(filters, "first_name")) == expected


def test_an_ecosystem_id_that_the_row_cannot_show_is_not_deployed_for_the_filter_either() -> None:
    save_item(
        {
            "id": {"S": "cus_1"},
            "kind": {"S": "customer"},
            "registered_at": {"S": "2026-03-01T00:00:00Z"},
            "ecosystem": {"M": {"id": {"NULL": True}}},
        }
    )
    assert listing.find(Kind.CUSTOMER, "cus_1").ecosystem is None
    assert _page_ids(Filters(ecosystem="deployed")) == []
    assert _page_ids(Filters(ecosystem="none")) == ["cus_1"]


@pytest.mark.parametrize("sort", BOTH_WAYS)
def test_every_page_is_one_query_of_the_right_index_whatever_the_sort(sort: str) -> None:
    """And one of the totals; and its rows are whole: the index carries all that a row shows."""
    made = AccessChange("2026-03-05T00:00:00Z", "ana", "why", 7)
    users = [customer(f"cus_{number}", access_change=made) for number in range(3)]
    save(*users)
    with sent_requests() as sent:
        first = listing.page(Kind.CUSTOMER, EVERYBODY, sort, None, 1)
        second = listing.page(Kind.CUSTOMER, EVERYBODY, sort, first.next, 1)
        again = listing.page(Kind.CUSTOMER, EVERYBODY, sort, second.prev, 1)
    assert operations(sent) == ["Query"] * 6
    assert [one.body["TableName"] for one in sent] == ["users", "totals"] * 3
    pages = sent[::2]
    assert {one.body["IndexName"] for one in pages} == {SORTS[sort.removeprefix("-")][0]}
    assert {one.body["Limit"] for one in pages} == {2}
    assert again.users == first.users
    shown = users[::-1] if sort.startswith("-") else users
    assert first.users + second.users == [replace(user, access_change=None) for user in shown[:2]]


@pytest.mark.parametrize(("limit", "counting"), [(100, True), (1, False)])
def test_the_totals_are_asked_neither_where_the_page_ends_the_list_nor_where_nobody_counts(
    limit: int, *, counting: bool
) -> None:
    save(customer("cus_1"), customer("cus_2"))
    with sent_requests() as sent:
        listing.page(Kind.CUSTOMER, EVERYBODY, "first_name", None, limit, counting=counting)
    assert [(one.operation, one.body["TableName"]) for one in sent] == [("Query", "users")]


def test_a_filtered_page_is_one_query_too_where_hits_are_near() -> None:
    """Behind one that asks the counters of the segments how near they are."""
    save(*(customer(f"cus_{number}") for number in range(5)))
    with sent_requests() as sent:
        _page_ids(Filters(access="active", plan=("Premium",)), "first_name")
    assert operations(sent) == ["Query", "Query"]
    assert [one.body["TableName"] for one in sent] == ["totals", "users"]


def test_the_pages_behind_the_first_filtered_one_do_not_ask_the_counters_again() -> None:
    save(*(customer(f"cus_{number}") for number in range(5)))
    active = Filters(access="active")
    first = listing.page(Kind.CUSTOMER, active, "first_name", None, 2)
    with sent_requests() as sent:
        second = listing.page(Kind.CUSTOMER, active, "first_name", first.next, 2)
    assert _ids(second.users) == ["cus_2", "cus_3"]
    assert [(one.operation, one.body["TableName"]) for one in sent] == [("Query", "users")]


@pytest.mark.parametrize("kind", list(Kind))
def test_customers_and_leads_are_apart(kind: Kind) -> None:
    save(customer("cus_1"), customer("cus_2"), lead("led_1"), lead("led_2"))
    expected = {Kind.CUSTOMER: ["cus_1", "cus_2"], Kind.LEAD: ["led_1", "led_2"]}[kind]
    for sort in ("registered_at", "first_name", "company_name"):
        assert _page_ids(EVERYBODY, sort, kind) == expected
    assert listing.count(kind, EVERYBODY) == 2
    assert [_ids(users) for users in rows.everyone(kind, EVERYBODY)] == [expected[::-1]]


def test_one_user_is_one_strongly_consistent_get_item() -> None:
    user = customer(access_change=AccessChange("2026-03-05T00:00:00Z", "ana", "why", 7))
    save(user)
    with sent_requests() as sent:
        assert listing.find(Kind.CUSTOMER, "cus_0042") == user
    assert operations(sent) == ["GetItem"]
    assert sent[0].body["ConsistentRead"] is True


def test_a_user_of_the_other_kind_or_of_none_is_not_found() -> None:
    save(customer(), lead())
    for kind, user_id in (
        (Kind.CUSTOMER, "led_0007"),
        (Kind.LEAD, "cus_0042"),
        (Kind.LEAD, "led_9999"),
    ):
        with pytest.raises(NotFoundError, match=rf"^There is no {kind.value} {user_id}$"):
            listing.find(kind, user_id)


def test_everyone_comes_newest_first_in_chunks_and_is_as_many_as_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    assert (list(rows.everyone(Kind.LEAD, EVERYBODY)), listing.count(Kind.LEAD, EVERYBODY)) == (
        [[]],
        0,
    )
    save(
        *(
            customer(f"cus_{day}", registered_at=f"2026-03-0{day}T00:00:00Z", ecosystem=ecosystem)
            for day, ecosystem in ((1, None), (2, ECOSYSTEM), (3, None), (4, None), (5, ECOSYSTEM))
        )
    )
    everyone = [_ids(users) for users in rows.everyone(Kind.CUSTOMER, EVERYBODY)]
    assert everyone == [["cus_5", "cus_4"], ["cus_3", "cus_2"], ["cus_1"]]
    assert listing.count(Kind.CUSTOMER, EVERYBODY) == 5
    none = Filters(ecosystem="none")
    filtered = [_ids(users) for users in rows.everyone(Kind.CUSTOMER, none)]
    assert filtered == [["cus_4"], ["cus_3"], ["cus_1"]]
    assert listing.count(Kind.CUSTOMER, none) == 3
