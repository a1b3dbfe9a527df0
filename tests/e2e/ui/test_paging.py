"""Pages: forward, back, by number; how many there are; the view in the address."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.ui.conftest import Opener, Screen


def test_pages_go_forward_back_and_to_the_first(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    first = _ids(page)
    expect(page.locator("#page-previous")).to_have_attribute("aria-disabled", "true")
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("11–20")
    expect(page.locator("#page-next")).to_be_focused()
    second = _ids(page)
    assert second != first
    page.locator("#rows").evaluate("one => one.scrollTo(0, 200)")
    assert _scrolled(page) > 0
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("21–")
    assert _scrolled(page) == 0
    page.click("#page-previous")
    expect(page.locator("#range")).to_contain_text("11–20")
    assert _ids(page) == second
    page.click("#page-first")
    expect(page.locator("#range")).to_contain_text("1–10")
    assert _ids(page) == first
    page.select_option("#page-size", "50")
    expect(page.locator("#range")).not_to_contain_text("1–10 ")
    assert "limit=50" in page.url


def _ids(page: Page) -> list[str]:
    """Who is on the page: names may be alike on two of them."""
    ids: list[str] = page.locator("tbody tr[data-id]").evaluate_all(
        "all => all.map(one => one.dataset.id)"
    )
    return ids


def _scrolled(page: Page) -> float:
    pixels: float = page.locator("#rows").evaluate("one => one.scrollTop")
    return pixels


def test_a_page_is_reached_by_its_number_where_the_list_is_whole(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    number = page.locator("#page-number")
    expect(number).to_have_value("1")
    number.fill("2")
    number.press("Enter")
    expect(page.locator("#range")).to_contain_text("11–20")
    assert "page=2" in page.url
    page.locator("#page-number").fill("999")
    page.locator("#page-number").press("Enter")
    total = page.locator("#page-number").get_attribute("max")
    expect(page.locator("#page-number")).to_have_value(str(total))
    page.select_option("#sort", "first_name")
    expect(page.locator("#page-number")).to_have_count(0)


def test_reload_back_and_a_sent_link_restore_the_view(opener: Opener) -> None:
    mine = opener().sign_in("viewer", "#/customers?limit=10&sort=company")
    mine.page.click("#page-next")
    expect(mine.page.locator("#range")).to_contain_text("11–20")
    names, link = mine.names(), mine.page.url
    mine.page.click("#tab-leads")
    mine.settle()
    mine.page.go_back()
    expect(mine.page.locator("#range")).to_contain_text("11–20")
    assert mine.names() == names
    mine.reload("viewer")
    assert (mine.page.url, mine.names()) == (link, names)
    theirs = opener().sign_in("support", "#" + link.partition("#")[2])
    assert theirs.names() == names


def test_a_page_link_that_is_out_of_date_says_so_and_shows_the_first(screen: Screen) -> None:
    screen.allowed.add(400)
    screen.sign_in("viewer", "#/customers?limit=10&cursor=forged")
    expect(screen.page.locator(".toast")).to_contain_text(screen.t("problem.stale-cursor"))
    expect(screen.page.locator("#range")).to_contain_text("1–10")


@pytest.mark.parametrize("language", ["es"])
@pytest.mark.parametrize("code", ["stale-cursor", "page-out-of-reach"])
def test_after_a_page_that_cannot_be_opened_the_pager_waits_for_the_first(
    screen: Screen, code: str
) -> None:
    screen.allowed.add(400)
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    refused = {"type": f"/problems/{code}", "status": 400}
    held: list[Route] = []

    def answer(route: Route) -> None:
        if "cursor=" in route.request.url:
            route.fulfill(status=400, json=refused)
        else:
            held.append(route)

    page.route("**/v1/customers?**", answer)
    page.click("#page-next")
    expect(page.locator(".toast")).to_contain_text(screen.t("problem.stale-cursor"))
    page.wait_for_timeout(300)
    expect(page.locator(".pager")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.locator("#range")).to_contain_text("1–10")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            {"total": 12345, "total_relation": "exact"},
            {"es": "1–2 de 12.345", "en": "1–2 of 12,345"},
        ),
        (
            {"total": 1000, "total_relation": "at_least"},
            {"es": "1–2 de más de 1.000", "en": "1–2 of more than 1,000"},
        ),
        (
            {"total": 340, "total_relation": "at_least"},
            {"es": "1–2 de al menos 340", "en": "1–2 of at least 340"},
        ),
        (
            {"total": None, "total_relation": "unknown"},
            {"es": "1–2, y hay más", "en": "1–2, and there are more"},
        ),
    ],
)
def test_totals_are_told_in_honest_words(
    screen: Screen, page: dict[str, Any], words: dict[str, str]
) -> None:
    def answer(route: Route) -> None:
        body = route.fetch().json()
        body["page"] |= page
        route.fulfill(json=body)

    screen.page.route("**/v1/leads?**", answer)
    screen.sign_in("viewer", "#/leads?limit=2")
    expect(screen.page.locator("#range")).to_have_text(words[screen.language])


@pytest.mark.parametrize("language", ["es"])
def test_the_pager_of_the_list_before_does_nothing_while_another_loads(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    held: list[Route] = []
    page.route("**/v1/leads?**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.click("#tab-leads")
    expect(page.locator(".pager")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#range")).to_have_text(screen.t("loading"))
    page.click("#page-next")
    page.locator("#rows").press(".")
    expect(page.locator("#page-next")).to_be_focused()
    assert ("cursor" in page.url, len(held)) == (False, 1)
    held[0].continue_()
    page.unroute("**/v1/leads?**")
    expect(page.locator("#range")).to_contain_text("1–10")
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("11–20")
