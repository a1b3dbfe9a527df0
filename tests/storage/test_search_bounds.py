"""What a search may read for one page is bounded; a page that is cut by it leads on, and back."""

from functools import partial
from typing import Any

import pytest

from chalicelib.errors import StaleCursorError
from chalicelib.users import searching
from chalicelib.users.budget import Budget
from chalicelib.users.filters import Filters
from chalicelib.users.listing import UserPage
from chalicelib.users.model import Kind
from chalicelib.users.paging import Total
from tests.builders import customer, save, sent_requests
from tests.feed import Feed
from tests.following import follow

RARE = (3, 9, 17)
SEARCH = Filters(q="ana zoe")


@pytest.fixture(autouse=True)
def _people(cloud: None) -> None:  # noqa: ARG001 - the tables
    """Twenty called Ana, three of them Zoë by the family's name."""
    feed = Feed()
    bare: dict[str, Any] = {"ecosystem": None, "company_email": "", "company_name": ""}
    save(
        *(
            customer(
                f"cus_{number:02}",
                first_name="Ana",
                last_name="Zoë" if number in RARE else f"Zo{number}",
                access="suspended" if number % 2 else "active",
                registered_at=f"2026-03-01T15:00:{number:02}Z",
                **bare,
            )
            for number in range(20)
        )
    )
    follow(feed)


@pytest.fixture
def four_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound, so small that a handful of entries reaches it; both words are as frequent."""
    monkeypatch.setattr(searching, "Budget", partial(Budget, max_rows=4))
    monkeypatch.setattr(searching, "_MOST_DRIVERS", 1)
    monkeypatch.setattr(searching, "_PROBE_ROWS", 2)


def _walk(filters: Filters, limit: int) -> list[UserPage]:
    pages = [searching.page(Kind.CUSTOMER, filters, None, limit)]
    while (token := pages[-1].next) and len(pages) < 40:
        pages.append(searching.page(Kind.CUSTOMER, filters, token, limit))
    return pages


def _ids(pages: list[UserPage]) -> list[str]:
    return [user.id for page in pages for user in page.users]


@pytest.mark.usefixtures("four_rows")
@pytest.mark.parametrize("filters", [Filters(q="ana"), Filters(q="ana", access="suspended")])
def test_pages_that_are_cut_lead_on_to_everybody(filters: Filters) -> None:
    pages = _walk(filters, 6)
    expected = [f"cus_{n:02}" for n in range(19, -1, -1) if n % 2 or not filters.access]
    assert _ids(pages) == expected
    assert len(pages) >= 5
    assert pages[0].total
    assert not pages[0].total.is_exact
    assert pages[0].total.number <= 4
    back, token = [pages[-1]], pages[-1].prev
    while token and len(back) < 40:
        back.append(searching.page(Kind.CUSTOMER, filters, token, 6))
        token = back[-1].prev
    assert _ids(back[::-1]) == expected


@pytest.mark.usefixtures("four_rows")
def test_no_page_evaluates_more_than_the_bound() -> None:
    token = None
    for _ in range(6):
        with sent_requests() as sent:
            token = searching.page(Kind.CUSTOMER, Filters(q="ana"), token, 6).next
        assert sum(one.body["Limit"] for one in sent if one.operation == "Query") <= 4


def test_a_probe_that_reads_all_entries_is_the_page() -> None:
    with sent_requests() as sent:
        page = searching.page(Kind.CUSTOMER, SEARCH, None, 5)
    assert [user.id for user in page.users] == ["cus_17", "cus_09", "cus_03"]
    assert page.total == Total(3, is_exact=True)
    assert [one.operation for one in sent] == ["Query", "BatchGetItem"]


def test_one_word_takes_two_requests() -> None:
    with sent_requests() as sent:
        searching.page(Kind.CUSTOMER, Filters(q="ana"), None, 5, counting=False)
    assert [one.operation for one in sent] == ["Query", "BatchGetItem"]


def test_a_cursor_of_a_search_is_refused_by_another() -> None:
    token = searching.page(Kind.CUSTOMER, Filters(q="ana"), None, 5).next
    with pytest.raises(StaleCursorError):
        searching.page(Kind.CUSTOMER, Filters(q="anas"), token, 5)
