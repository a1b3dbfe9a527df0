"""Totals and pages by number: exact, and at a cost that is bounded."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import OutOfReachError
from chalicelib.users import listing, totals
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from chalicelib.users.listing import UserPage
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.paging import Total
from tests.builders import (
    lead,
    operations,
    save,
    save_item,
    sent_requests,
)
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


def _leads(*times: str) -> list[StoreUser]:
    return [lead(f"led_{n:03}", registered_at=at) for n, at in enumerate(times)]


def _ids(page: UserPage) -> list[str]:
    return [user.id for user in page.users]


def test_the_total_of_a_list_is_exact_on_every_page(feed: Feed) -> None:
    save(*_leads(*(f"2026-0{n}-01T00:00:00Z" for n in range(1, 6))))
    follow(feed)
    first = listing.page(Kind.LEAD, Filters(), "first_name", None, 2)
    second = listing.page(Kind.LEAD, Filters(), "first_name", first.next, 2)
    assert first.total == second.total == Total(5, is_exact=True)
    assert listing.page(Kind.LEAD, Filters(), "first_name", None, 2, counting=False).total is None


def test_a_list_that_ends_on_its_page_needs_no_counter(feed: Feed) -> None:
    save(*_leads("2026-01-01T00:00:00Z"))
    with sent_requests() as sent:
        page = listing.page(Kind.LEAD, Filters(), "-registered_at", None, 2)
    assert page.total == Total(1, is_exact=True)
    assert operations(sent) == ["Query"]
    assert feed.records()


def test_counters_that_lag_are_not_believed(feed: Feed) -> None:
    save(*_leads(*["2026-01-01T00:00:00Z"] * 4))
    page = listing.page(Kind.LEAD, Filters(), "-registered_at", None, 2)
    assert page.total == Total(3, is_exact=False)
    follow(feed)
    page = listing.page(Kind.LEAD, Filters(), "-registered_at", None, 2)
    assert page.total == Total(4, is_exact=True)


def test_whoever_has_no_time_of_registration_counts_where_they_are_listed(feed: Feed) -> None:
    undated = {k: v for k, v in to_item(lead("led_x")).items() if k != "registered_at"}
    save(*_leads(*["2026-01-01T00:00:00Z"] * 3))
    save_item(undated)
    follow(feed)
    by_name = listing.page(Kind.LEAD, Filters(), "first_name", None, 1)
    by_time = listing.page(Kind.LEAD, Filters(), "-registered_at", None, 1)
    assert (by_name.total, by_time.total) == (Total(4, is_exact=True), Total(3, is_exact=True))


def test_the_days_are_told_one_after_the_other(feed: Feed) -> None:
    save(*_leads("2026-02-27T23:59:59Z", "2026-03-01T00:00:00Z", "2026-03-01T12:00:00Z"))
    follow(feed)
    assert totals.of_days(Kind.LEAD, date(2026, 2, 27), date(2026, 3, 2)) == [
        ("2026-02-27", 1),
        ("2026-02-28", 0),
        ("2026-03-01", 2),
        ("2026-03-02", 0),
    ]


times = st.lists(
    st.builds(
        "2026-{:02}-{:02}T{:02}:{:02}:00Z".format,
        st.integers(1, 3),
        st.sampled_from([1, 2, 28]),
        st.integers(9, 11),
        st.sampled_from([0, 30]),
    ),
    max_size=30,
)


@pytest.mark.usefixtures("cloud")
@one_cloud
@given(times, st.integers(1, 4), st.booleans(), st.integers(1, 9))
def test_a_page_by_number_is_the_one_that_a_walk_meets(
    at: list[str],
    limit: int,
    descending: bool,  # noqa: FBT001 - drawn
    number: int,
) -> None:
    empty(*TABLES)
    feed = Feed()
    save(*_leads(*at))
    follow(feed)
    sort = "-registered_at" if descending else "registered_at"
    walk = [listing.page(Kind.LEAD, Filters(), sort, None, limit)]
    while token := walk[-1].next:
        walk.append(listing.page(Kind.LEAD, Filters(), sort, token, limit))
    with sent_requests() as sent:
        found = listing.numbered_page(Kind.LEAD, sort, number, limit)
    assert len(sent) <= 4
    assert found.total == Total(len(at), is_exact=True)
    if number > len(walk):
        assert (found.users, found.next, found.start) == ([], None, len(at))
        before = walk[-1] if at and found.prev else None
        if before:
            back = listing.page(Kind.LEAD, Filters(), sort, found.prev, limit)
            assert _ids(back) == [u.id for page in walk for u in page.users][-limit:]
        return
    assert (_ids(found), found.start) == (_ids(walk[number - 1]), limit * (number - 1))
    for token, neighbour in ((found.next, number), (found.prev, number - 2)):
        if 0 <= neighbour < len(walk):
            assert token
            there = listing.page(Kind.LEAD, Filters(), sort, token, limit)
            assert _ids(there) == _ids(walk[neighbour])
        else:
            assert token is None


def test_a_page_in_a_minute_of_too_many_is_out_of_reach(feed: Feed) -> None:
    save(*_leads(*["2026-01-01T00:00:00Z"] * 130))
    follow(feed)
    assert len(listing.numbered_page(Kind.LEAD, "-registered_at", 11, 10).users) == 10
    with pytest.raises(OutOfReachError, match="same minute"):
        listing.numbered_page(Kind.LEAD, "-registered_at", 12, 10)
