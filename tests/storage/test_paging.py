"""Walks through pages lose nothing and meet nothing twice, in both directions, whatever happens."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.users import budget, listing, ranges
from chalicelib.users.budget import Budget
from chalicelib.users.filters import Filters
from chalicelib.users.item import sort_keys, to_item
from chalicelib.users.listing import SORTS, UserPage
from chalicelib.users.model import Kind, StoreUser
from tests.builders import (
    SUBSCRIPTION,
    client,
    customer,
    empty_users,
    operations,
    save_item,
    sent_requests,
)

pytestmark = pytest.mark.usefixtures("cloud")

EVERYBODY = Filters()
SUSPENDED = Filters(access="suspended")
NAMES = ("Ana", "Bea", "Céline")
DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
BOTH_WAYS = [sign + name for name in SORTS for sign in ("", "-")]
one_cloud_for_all_examples = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class List:
    """A list as somebody asks for it."""

    sort: str = "-registered_at"
    limit: int = 2
    filters: Filters = EVERYBODY

    def page(self, token: str | None = None) -> UserPage:
        return listing.page(Kind.CUSTOMER, self.filters, self.sort, token, self.limit)

    def forwards(self, first: UserPage | None = None) -> list[UserPage]:
        pages = [first or self.page()]
        while (token := pages[-1].next) and len(pages) < 100:
            pages.append(self.page(token))
        return pages

    def backwards(self, last: UserPage) -> list[UserPage]:
        """The pages before `last`, nearest first."""
        pages: list[UserPage] = []
        token = last.prev
        while token and len(pages) < 100:
            pages.append(self.page(token))
            token = pages[-1].prev
        return pages


def _ids(pages: Iterable[UserPage]) -> list[str]:
    return [user.id for page in pages for user in page.users]


def _user(number: int, group: int = 0, access: str = "active") -> StoreUser:
    """Users of one group have the same value to sort by, whatever that is."""
    return customer(
        f"cus_{number:02}",
        first_name=NAMES[group],
        company_name=NAMES[group],
        registered_at=f"{DAYS[group]}T00:00:00Z",
        subscription=None if group == 2 else SUBSCRIPTION,
        access=access,
        ecosystem=None,
    )


def _sorted(users: Iterable[StoreUser], sort: str) -> list[StoreUser]:
    """The oracle: what Python makes of it."""
    name = sort.removeprefix("-")

    def key(user: StoreUser) -> tuple[str, str]:
        values = {"registered_at": user.registered_at, **sort_keys(user)}
        return values[SORTS[name][1]], user.id

    return sorted(users, key=key, reverse=sort.startswith("-"))


def _save(*users: StoreUser) -> None:
    """Save what matters here alone: moto takes a millisecond for each attribute of a row."""
    kept = {"id", "kind", "registered_at", "access", "sort_name", "sort_company", "sort_ends_on"}
    for user in users:
        save_item({name: value for name, value in to_item(user).items() if name in kept})


def _remove(*users: StoreUser) -> None:
    for user in users:
        client().delete_item(TableName="users", Key={"id": {"S": user.id}})


@pytest.mark.parametrize("sort", BOTH_WAYS)
def test_both_ways_meet_all_of_0_to_7_rows_in_order_at_page_sizes_1_to_5(sort: str) -> None:
    users: list[StoreUser] = []
    for number in (5, 2, 7, 1, 4, 6, 3, 0):
        in_order = [user.id for user in _sorted(users, sort)]
        for limit in range(1, 6):
            asked = List(sort, limit)
            pages = asked.forwards()
            expected = [in_order[at : at + limit] for at in range(0, len(users), limit)] or [[]]
            assert [_ids([page]) for page in pages] == expected
            assert [page.start for page in pages] == [limit * at for at in range(len(pages))]
            assert (pages[0].prev, pages[-1].next) == (None, None)
            mirrored = asked.backwards(pages[-1])[::-1]
            assert [_ids([page]) for page in mirrored] == expected[:-1]
            assert [page.start for page in mirrored] == [page.start for page in pages[:-1]]
            if mirrored:
                assert mirrored[0].next
                assert _ids([asked.page(mirrored[0].next)]) == expected[1]
        users.append(_user(number, group=number % 3))
        _save(users[-1])


@one_cloud_for_all_examples
@given(st.data())
def test_rows_that_exist_throughout_are_met_once_while_others_come_and_go(
    data: st.DataObject,
) -> None:
    empty_users()
    groups = st.integers(0, 2)
    there = [_user(number * 2, data.draw(groups)) for number in range(data.draw(st.integers(0, 6)))]
    asked = List(data.draw(st.sampled_from(BOTH_WAYS)), data.draw(st.integers(1, 3)))
    passing: dict[int, StoreUser] = {}

    def disturb() -> None:
        for number in data.draw(st.sets(st.sampled_from(range(1, 13, 2)), max_size=3)):
            if number in passing:
                _remove(passing.pop(number))
            else:
                passing[number] = _user(number, data.draw(groups))
                _save(passing[number])

    _save(*there)
    disturb()
    expected = [user.id for user in _sorted(there, asked.sort)]
    pages = [asked.page()]
    while pages[-1].next:
        disturb()
        pages.append(asked.page(pages[-1].next))
    stayed = set(expected)
    assert [one for one in _ids(pages) if one in stayed] == expected
    back = [pages[-1]]
    while back[-1].prev:
        disturb()
        back.append(asked.page(back[-1].prev))
    assert [one for one in _ids(back[::-1]) if one in stayed] == expected
    assert back[-1].start == 0


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds on work, so small that a handful of rows reaches them."""
    monkeypatch.setattr(ranges, "Budget", partial(Budget, max_rows=4))
    monkeypatch.setattr(budget, "MAX_CHUNK", 3)
    monkeypatch.setattr(ranges, "_FIRST_FILTERED_CHUNK", 2)


@pytest.mark.usefixtures("small_bounds")
@one_cloud_for_all_examples
@given(
    hits=st.lists(st.booleans(), max_size=14),
    sort=st.sampled_from(BOTH_WAYS),
    limit=st.integers(1, 4),
    steps=st.lists(st.booleans(), max_size=12),
)
def test_a_walk_to_and_fro_through_filtered_pages_never_jumps(
    hits: list[bool], sort: str, limit: int, steps: list[bool]
) -> None:
    empty_users()
    users = [
        _user(number, number * 5 % 3, "suspended" if hit else "active")
        for number, hit in enumerate(hits)
    ]
    _save(*users)
    matching = [user.id for user in _sorted(users, sort) if user.access == "suspended"]
    asked = List(sort, limit, SUSPENDED)
    page = asked.page()
    assert (page.start, page.prev) == (0, None)
    for forward in steps:
        begin, end = page.start, page.start + len(page.users)
        assert _ids([page]) == matching[begin:end]
        assert len(page.users) <= limit
        token = page.next if forward else page.prev
        if token is None:
            assert (end == len(matching)) if forward else (begin == 0)
            continue
        page = asked.page(token)
        assert page.start == (end if forward else begin - len(page.users))
    ahead = asked.forwards(page)
    assert _ids(ahead) == matching[page.start :]
    assert _ids(asked.backwards(ahead[-1])[::-1] + ahead[-1:]) == matching
    assert _ids(asked.forwards()) == matching


@pytest.mark.usefixtures("small_bounds")
def test_a_page_without_a_single_hit_still_leads_on_and_back() -> None:
    _save(*(_user(number) for number in range(9)), _user(9, access="suspended"))
    asked = List("first_name", 1, SUSPENDED)
    pages = asked.forwards()
    assert [_ids([page]) for page in pages] == [[], [], ["cus_09"]]
    assert [page.start for page in pages] == [0, 0, 0]
    assert [page.next is None for page in pages] == [False, False, True]
    back = asked.backwards(pages[-1])
    assert [_ids([page]) for page in back] == [[], [], []]
    assert back[-1].prev is None
    assert _ids(asked.forwards(back[-1])) == ["cus_09"]


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_rows_evaluated_for_a_page_are_bounded(limit: int) -> None:
    _save(*(_user(number, access="suspended" if number == 9 else "active") for number in range(10)))
    with sent_requests() as sent:
        List("first_name", limit, SUSPENDED).page()
    assert operations(sent) == ["Query"] * len(sent)
    assert [one.body["TableName"] for one in sent] == ["totals", *["users"] * (len(sent) - 1)]
    assert 0 < sum(one.body["Limit"] for one in sent[1:]) <= 4


def test_a_walk_goes_on_where_the_rows_next_to_its_place_are_gone() -> None:
    users = [_user(number) for number in range(6)]
    _save(*users)
    asked = List("first_name", 2)
    second = asked.page(asked.page().next)
    assert _ids([second]) == ["cus_02", "cus_03"]
    _remove(*users[1:5])
    assert second.next
    assert second.prev
    assert _ids([asked.page(second.next)]) == ["cus_05"]
    assert _ids([asked.page(second.prev)]) == ["cus_00"]
    _remove(*users)
    last = asked.page(second.next)
    assert (last.users, last.next) == ([], None)
    assert _ids(asked.backwards(last)) == []
