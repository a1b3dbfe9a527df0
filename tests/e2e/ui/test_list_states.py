"""A list that is on its way, empty, or cannot be had."""

import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.ui.conftest import Screen


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


def test_a_service_that_is_too_busy_says_so_and_the_same_can_be_tried_again(
    screen: Screen,
) -> None:
    """As API Gateway answers where too many ask: see infra/gateway_responses."""
    screen.allowed.add(429)
    page = screen.sign_in("viewer").page
    problem = {"type": "/problems/too-many-requests", "status": 429, "request_id": "req-429"}
    page.route("**/v1/leads?**", lambda one: one.fulfill(status=429, json=problem))
    page.click("#tab-leads")
    trouble = page.locator(".rows .trouble")
    busy = {"es": "El servicio está ocupado", "en": "The service is busy"}
    expect(trouble).to_contain_text(busy[screen.language])
    expect(trouble).to_contain_text("req-429")
    page.unroute("**/v1/leads?**")
    trouble.get_by_role("button", name=screen.t("again")).click()
    screen.settle()
    expect(screen.rows.first).to_be_visible()


def test_who_has_read_too_much_is_told_how_long_to_wait_and_the_list_comes_by_itself(
    screen: Screen,
) -> None:
    screen.allowed.add(429)
    page = screen.sign_in("viewer").page
    problem = {"type": "/problems/too-much-read", "status": 429, "request_id": "req-429"}
    asked: list[float] = []

    def refuse(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
            return
        route.fulfill(status=429, json=problem, headers={"Retry-After": "3"})

    page.route("**/v1/leads?**", refuse)
    page.click("#tab-leads")
    expect(page.locator(".rows .trouble")).to_contain_text(screen.t("problem.too-much-read", n=3))
    expect(screen.rows.first).to_be_visible()
    assert asked[1] - asked[0] >= 3
    page.wait_for_timeout(4_000)
    assert len(asked) == 2, "once"


def test_who_went_elsewhere_meanwhile_stays_there(screen: Screen) -> None:
    screen.allowed.add(429)
    page = screen.sign_in("viewer").page
    problem = {"type": "/problems/too-much-read", "status": 429, "request_id": "req-429"}
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=429, json=problem, headers={"Retry-After": "2"})

    page.route("**/v1/leads?**", refuse)
    page.click("#tab-leads")
    expect(page.locator(".rows .trouble")).to_be_visible()
    page.click("#tab-customers")
    screen.settle()
    page.wait_for_timeout(3_000)
    assert len(asked) == 1
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


@pytest.mark.parametrize("language", ["es"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/html", "<h1>Sign in to the Wi-Fi</h1>"), ("application/json", '{"data": [')],
)
def test_an_answer_that_is_not_json_says_so_and_can_be_tried_again(
    screen: Screen, content_type: str, body: str
) -> None:
    page = screen.sign_in("viewer").page
    page.route("**/v1/leads?**", lambda one: one.fulfill(content_type=content_type, body=body))
    page.click("#tab-leads")
    trouble = page.locator(".rows .trouble")
    expect(trouble).to_contain_text(screen.t("problem.not-json"))
    page.unroute("**/v1/leads?**")
    trouble.get_by_role("button", name=screen.t("again")).click()
    screen.settle()
    expect(screen.rows.first).to_be_visible()
