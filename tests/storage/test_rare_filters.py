"""Filters by the list and by its segments: the same rows, exact totals, a cost that is bounded."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.users import listing
from chalicelib.users.filters import Filters
from chalicelib.users.listing import UserPage
from chalicelib.users.model import Ecosystem, Kind, StoreUser
from chalicelib.users.paging import Total
from tests.builders import SUBSCRIPTION, customer, save, sent_requests
from tests.feed import Feed
from tests.following import empty, follow

one_cloud = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TABLES = ("users", "ecosystems", "search", "totals")


@pytest.fixture
def feed(cloud: None) -> Feed:  # noqa: ARG001 - the tables
    return Feed()


def _ids(page: UserPage) -> list[str]:
    return [user.id for user in page.users]


filters = st.builds(
    Filters,
    access=st.sampled_from([None, "active", "suspended"]),
    ecosystem=st.sampled_from([None, "deployed", "none"]),
    billing_period=st.sampled_from([None, "monthly"]),
    status=st.sampled_from([(), ("past_due",), ("past_due", "active")]),
    plan=st.sampled_from([(), ("Lite",), ("Lite", "Plus")]),
    registered_from=st.sampled_from([None, "2026-01-02"]),
    registered_to=st.sampled_from([None, "2026-02-01"]),
)
facts = st.tuples(
    st.sampled_from(["active", "suspended"]),
    st.booleans(),
    st.sampled_from(["monthly", "annual", None]),
    st.sampled_from(["past_due", "active", None]),
    st.sampled_from(["Lite", "Plus", 'a|b "c"']),
    st.sampled_from(["2026-01-01T08:00:00Z", "2026-01-02T08:00:00Z", "2026-02-02T08:00:00Z"]),
)


def _customer(number: int, told: tuple[str, bool, str | None, str | None, str, str]) -> StoreUser:
    access, deployed, period, status, plan, at = told
    bought = replace(SUBSCRIPTION, billing_period=period, status=status, plan=plan)
    return customer(
        f"cus_{number:02}",
        access=access,
        ecosystem=Ecosystem(f"eco_{number}", "x", None) if deployed else None,
        subscription=bought,
        registered_at=at,
    )


def _passes(user: StoreUser, asked: Filters) -> bool:
    assert user.subscription
    return (
        asked.access in (None, user.access)
        and (asked.access != "active" or user.ecosystem is not None)
        and asked.ecosystem in (None, "deployed" if user.ecosystem else "none")
        and asked.billing_period in (None, user.subscription.billing_period)
        and (not asked.status or user.subscription.status in asked.status)
        and (not asked.plan or user.subscription.plan in asked.plan)
        and (asked.registered_from or "") <= user.registered_at[:10] <= (asked.registered_to or "9")
    )


@pytest.mark.usefixtures("cloud")
@one_cloud
@pytest.mark.parametrize("units_a_row", [0.0, 1e9], ids=["the list", "the segments"])
@given(st.lists(facts, max_size=12), filters, st.integers(1, 3), st.booleans())
def test_a_filter_finds_the_same_by_either_way_and_counts_it(
    units_a_row: float,
    told: list[tuple[str, bool, str | None, str | None, str, str]],
    asked: Filters,
    limit: int,
    descending: bool,  # noqa: FBT001 - drawn
) -> None:
    empty(*TABLES)
    feed = Feed()
    there = [_customer(number, one) for number, one in enumerate(told)]
    save(*there)
    follow(feed)
    expected = {user.id for user in there if _passes(user, asked)}
    sort = "-registered_at" if descending else "registered_at"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "_UNITS_A_ROW", units_a_row)
        pages = [listing.page(Kind.CUSTOMER, asked, sort, None, limit)]
        while token := pages[-1].next:
            pages.append(listing.page(Kind.CUSTOMER, asked, sort, token, limit))
        back = [pages[-1]]
        while token := back[-1].prev:
            back.append(listing.page(Kind.CUSTOMER, asked, sort, token, limit))
    met = [user for page in pages for user in page.users]
    assert len(met) == len({user.id for user in met})
    assert {user.id for user in met} == expected
    in_order = sorted((user.registered_at for user in met), reverse=descending)
    assert [user.registered_at for user in met] == in_order
    assert {page.total for page in pages} == {Total(len(expected), is_exact=True)}
    assert [_ids(page) for page in back[::-1]] == [_ids(page) for page in pages]


def test_a_rare_filter_reads_its_segment_alone(feed: Feed) -> None:
    usual = ("active", True, "annual", "active", "Plus", "2026-01-01T08:00:00Z")
    rare = ("suspended", True, "annual", "past_due", "Lite", "2026-01-01T08:00:00Z")
    save(*(_customer(number, usual) for number in range(40)), _customer(40, rare))
    follow(feed)
    asked = Filters(access="suspended", status=("past_due",))
    with sent_requests() as sent:
        page = listing.page(Kind.CUSTOMER, asked, "-registered_at", None, 1)
    assert _ids(page) == ["cus_40"]
    assert [one.body.get("IndexName") for one in sent if one.operation == "Query"] == [
        None,
        "by_segment",
    ]


def test_before_anything_was_counted_a_filter_reads_the_list(feed: Feed) -> None:
    save(_customer(1, ("suspended", False, None, None, "Lite", "2026-01-01T08:00:00Z")))
    page = listing.page(Kind.CUSTOMER, Filters(access="suspended"), "-registered_at", None, 5)
    assert _ids(page) == ["cus_01"]
    assert feed.records()
