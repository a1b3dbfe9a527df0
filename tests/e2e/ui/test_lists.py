"""The lists: tabs, columns, filters, sort, pages, the address; waiting, nothing and trouble."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.ui.conftest import Opener, Screen
from tests.e2e.ui.people import EMOJI, LONG, ONLY_THEM, RIGHT_TO_LEFT, SCRIPT

_COLUMNS = {
    "es": ["Nombre", "Apellidos", "Correo de la empresa", "Teléfono", "Empresa"],
    "en": ["First name", "Last name", "Company email", "Phone number", "Company name"],
}


def test_the_sidebar_leads_to_store_users_with_the_tabs_of_the_manual(screen: Screen) -> None:
    screen.sign_in("viewer")
    expect(screen.page.locator("nav a[aria-current=page]")).to_have_text("Store Users")
    assert screen.page.get_by_role("tab").all_inner_texts() == ["Customers", "Leads"]
    expect(screen.page.get_by_role("tab", name="Customers")).to_have_attribute(
        "aria-selected", "true"
    )


def test_the_columns_are_those_of_the_manual(screen: Screen) -> None:
    screen.sign_in("viewer")
    customers = screen.page.locator(".rows th").all_inner_texts()
    subscription = {"es": "Suscripción", "en": "Subscription"}[screen.language]
    expected = ["Ecosystem Name", subscription, "Active", "Action"]
    assert customers == [*_COLUMNS[screen.language], *expected]
    screen.page.get_by_role("tab", name="Leads").click()
    screen.settle()
    registered = {"es": "Fecha de registro", "en": "Registered on"}[screen.language]
    expect(screen.page.locator(".rows th")).to_have_text(
        [*_COLUMNS[screen.language], registered, "Action"]
    )


def test_an_ecosystem_that_is_not_deployed_reads_no_complete(screen: Screen) -> None:
    screen.sign_in("viewer", "#/customers?ecosystem=none")
    assert set(screen.page.locator("td.ecosystem").all_inner_texts()) == {"No complete"}


def test_marketing_sees_the_leads_alone(screen: Screen) -> None:
    screen.sign_in("marketing")
    assert screen.page.get_by_role("tab").all_inner_texts() == ["Leads"]
    assert screen.page.url.endswith("#/leads")


def test_no_link_leads_marketing_to_the_customers(screen: Screen) -> None:
    page = screen.sign_in("marketing", "#/leads?limit=10").page
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/v1/customers" in one.url else None)
    for follow in (
        lambda: page.get_by_role("link", name="Store Users").click(),
        lambda: page.evaluate("location.hash = '#/customers?limit=10'"),
    ):
        follow()
        page.wait_for_url("**/#/leads")
        screen.settle()
        expect(page.get_by_role("tab", selected=True)).to_have_text("Leads")
        expect(screen.rows.first).to_be_visible()
    assert asked == []


def test_filters_narrow_the_list_and_stand_as_chips(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    page.click("#filter")
    page.locator("input[name=access][value=suspended]").check()
    states = page.get_by_role("group", name=screen.t("filter.status"))
    states.get_by_label(screen.t("status.active")).check()
    states.get_by_label(screen.t("status.expired")).check()
    page.get_by_label(screen.t("filter.registered_from")).fill("2020-01-01")
    screen.button("filters.apply").click()
    expect(page.locator(".chip")).to_have_count(4)
    screen.settle()
    expect(page.locator("td.access .switch").first).to_have_attribute("aria-checked", "false")
    assert "status=active&status=expired" in page.url
    before = page.url
    name = screen.t(
        "filter.remove", name=screen.t("filter.access"), value=screen.t("access.suspended")
    )
    page.get_by_role("button", name=name).click()
    expect(page.locator(".chip")).to_have_count(3)
    expect(page.locator("#filter")).to_be_focused()
    page.go_back()
    expect(page.locator(".chip")).to_have_count(4)
    assert page.url == before
    screen.button("filters.clear").click()
    expect(page.locator(".chip")).to_have_count(0)


@pytest.mark.parametrize("column", ["first_name", "company_name"])
def test_a_heading_sorts_and_sorts_the_other_way(screen: Screen, column: str) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=100").page
    heading = page.locator(f"th.{column} button")
    heading.click()
    screen.settle()
    expect(page.locator(f"th.{column}")).to_have_attribute("aria-sort", "ascending")
    ascending = page.locator(f"td.{column}").all_inner_texts()
    heading = page.locator(f"th.{column} button")
    expect(heading).to_be_focused()
    heading.press("Enter")
    expect(page.locator(f"th.{column}")).to_have_attribute("aria-sort", "descending")
    screen.settle()
    descending = page.locator(f"td.{column}").all_inner_texts()
    assert descending == ascending[::-1] != ascending


def test_pages_go_forward_back_and_to_the_first(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    first = screen.names()
    expect(page.locator("#page-previous")).to_have_attribute("aria-disabled", "true")
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("11–20")
    expect(page.locator("#page-next")).to_be_focused()
    second = screen.names()
    assert second != first
    page.locator("#rows").evaluate("one => one.scrollTo(0, 200)")
    assert _scrolled(page) > 0
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("21–")
    assert _scrolled(page) == 0
    page.click("#page-previous")
    expect(page.locator("#range")).to_contain_text("11–20")
    assert screen.names() == second
    page.click("#page-first")
    expect(page.locator("#range")).to_contain_text("1–10")
    assert screen.names() == first
    page.select_option("#page-size", "50")
    expect(page.locator("#range")).not_to_contain_text("1–10 ")
    assert "limit=50" in page.url


def _scrolled(page: Page) -> float:
    pixels: float = page.locator("#rows").evaluate("one => one.scrollTop")
    return pixels


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


def test_nothing_found_offers_to_take_the_filters_away(screen: Screen) -> None:
    screen.sign_in("viewer", "#/leads?registered_to=2019-01-01")
    expect(screen.page.locator(".empty")).to_contain_text(screen.t("empty.nothing"))
    screen.button("empty.reset").click()
    screen.settle()
    expect(screen.rows.first).to_be_visible()
    expect(screen.page.locator("#rows")).to_be_focused()
    assert screen.page.url.endswith("#/leads")


def test_a_list_without_anybody_says_what_will_come(screen: Screen) -> None:
    none = {"limit": 25, "start": 0, "next": None, "prev": None}
    page = {**none, "total": 0, "total_relation": "exact"}
    screen.page.route(
        "**/v1/leads?**", lambda route: route.fulfill(json={"data": [], "page": page})
    )
    screen.sign_in("viewer", "#/leads")
    expect(screen.page.locator(".empty")).to_contain_text(screen.t("empty.leads"))


def test_a_page_without_a_match_and_with_a_next_one_offers_to_go_on(screen: Screen) -> None:
    page = {"limit": 25, "start": 0, "next": "more", "prev": None}
    body = {"data": [], "page": {**page, "total": None, "total_relation": "unknown"}}
    screen.page.route("**/v1/leads?**", lambda route: route.fulfill(json=body))
    screen.sign_in("viewer", "#/leads?registered_from=2020-01-01")
    expect(screen.page.locator(".empty")).to_contain_text(screen.t("empty.so_far"))
    screen.button("empty.go_on").click()
    assert "cursor=more" in screen.page.url


def test_a_failure_says_what_to_do_and_tries_again(screen: Screen) -> None:
    screen.allowed.add(503)
    screen.sign_in("viewer")
    problem = {"type": "/problems/store-unavailable", "status": 503, "request_id": "req-4711"}
    broken = [True]
    screen.page.route(
        "**/v1/leads?**",
        lambda route: route.fulfill(status=503, json=problem) if broken[0] else route.continue_(),
    )
    screen.page.click("#tab-leads")
    trouble = screen.page.locator(".rows .trouble")
    expect(trouble).to_contain_text(screen.t("problem.busy"))
    expect(trouble).to_contain_text("req-4711")
    broken[0] = False
    trouble.get_by_role("button", name=screen.t("again")).click()
    screen.settle()
    expect(screen.rows.first).to_be_visible()


def test_without_a_network_the_page_says_so(screen: Screen) -> None:
    screen.allowed.add(0)
    screen.sign_in("viewer")
    screen.page.route("**/v1/leads?**", lambda route: route.abort())
    screen.page.click("#tab-leads")
    expect(screen.page.locator(".rows .trouble")).to_contain_text(screen.t("problem.offline"))


@pytest.mark.parametrize("name", ["customers", "leads"])
def test_a_slow_answer_shows_a_skeleton_and_moves_nothing(screen: Screen, name: str) -> None:
    held: list[Route] = []
    screen.page.add_init_script(
        "window.shifts = 0; new PerformanceObserver(list => { for (const one of list.getEntries())"
        " window.shifts += one.value }).observe({type: 'layout-shift', buffered: true})"
    )
    screen.page.route(f"**/v1/{name}?**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    screen.open(f"#/{name}")
    screen.page.click("#sign-in")
    screen.give_password("viewer")
    expect(screen.page.locator(".skeleton").first).to_be_visible()
    expect(screen.page.locator(".rows")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    screen.settle()
    expect(screen.page.locator(".skeleton")).to_have_count(0)
    if name == "leads":
        screen.page.locator(".chart rect").first.wait_for()
    assert _shifts(screen.page) == 0


def _shifts(page: Page) -> float:
    """The layout shifts so far, after two more frames (CLS counts each as it is painted)."""
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    shifts: float = page.evaluate("window.shifts")
    return shifts


@pytest.mark.parametrize("width", [1280, 390])
def test_strange_people_are_shown_as_text_and_stay_in_the_window(
    opener: Opener, width: int
) -> None:
    screen = opener(viewport={"width": width, "height": 844})
    screen.sign_in("admin", f"#/customers?{ONLY_THEM}")
    page = screen.page
    assert screen.names() == [EMOJI, RIGHT_TO_LEFT, LONG[:200], SCRIPT]
    assert page.locator("td.company_name").last.inner_text() == SCRIPT
    right_to_left = page.locator("td.first_name bdi").nth(1)
    assert right_to_left.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    page.locator("td.action button").last.click()
    page.locator("#detail meter").wait_for()
    assert page.locator("dialog h2").inner_text() == f"{SCRIPT} {SCRIPT}"
    page.keyboard.press("Escape")
    page.locator("td.access .switch").last.click()
    page.locator("#reason").wait_for()
    expect(page.locator("dialog .facts")).to_contain_text(SCRIPT)
    page.keyboard.press("Escape")
    assert page.locator("img:not(.brand img), b").count() == 0
    assert page.title() == "Store Users"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    table = page.evaluate(
        "(one => one.scrollWidth - one.clientWidth)(document.querySelector('.scroll'))"
    )
    assert table == 0


def test_no_column_breaks_out_of_the_window(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=100").page
    for tab in ("#tab-customers", "#tab-leads"):
        page.click(tab)
        screen.settle()
        right = page.evaluate("document.querySelector('.rows table').getBoundingClientRect().right")
        assert right <= 1280


def test_states_are_words_and_marks_and_not_colour_alone(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    state = page.locator("td.subscription .state").first
    assert state.inner_text() != ""
    mark = "one => getComputedStyle(one, '::before').content"
    assert re.match(r'"[●◐▲■✕○]', state.evaluate(mark))
    on = page.locator(".switch[aria-checked=true]").first.evaluate(mark)
    off = page.locator(".switch[aria-checked=false]").first.evaluate(mark)
    assert on.startswith('"✓"')
    assert off.startswith('"✕"')


def test_the_chart_shows_the_span_that_was_chosen_last(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/totals?**", hold_the_first)
    with page.expect_request("**/v1/totals?**"):
        page.click("#tab-leads")
    page.select_option("#chart-span", "90")
    expect(page.locator(".chart rect")).to_have_count(90)
    with page.expect_response(held[0].request.url) as late:
        held[0].continue_()
    late.value.finished()
    page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    expect(page.locator(".chart rect")).to_have_count(90)
