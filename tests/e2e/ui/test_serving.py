"""How the page comes: what a browser keeps, and what is said where a file does not come."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from infra.package import ROOT
from infra.page import declared
from tests.e2e.conftest import Stack
from tests.e2e.ui.conftest import PATIENCE_MS, Screen

_MODULES = sorted((ROOT / "chalicelib" / "ui").glob("*.js"))

# The size on the wire of each file that was asked for: 0 where the browser had it.
_SIZES = """performance.getEntriesByType("resource").filter(one => one.name.includes("/ui/"))
.map(one => [one.name.split("/ui/")[1].replace(/^versions.[0-9a-f]{16}./, ""), one.transferSize])"""


def test_the_page_is_not_sent_again_while_it_is_the_same(stack: Stack) -> None:
    for path in ("/", "/ui/stuck.js", "/ui/es.json"):
        first = stack.call("GET", path)
        headers = {name.lower(): value for name, value in first.headers.items()}
        assert (first.status, headers["cache-control"]) == (200, "no-cache")
        for validator, status in ((headers["etag"], 304), ('"another"', 200)):
            again = stack.call("GET", path, headers={"If-None-Match": validator})
            assert (again.status, len(again.content)) == (
                status,
                0 if status == 304 else len(first.content),
            )


@pytest.fixture
def visit(browser: Browser) -> Page:
    """A browser that keeps what it may: it does not while requests are routed."""
    page = browser.new_context(locale="es").new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def test_a_second_visit_asks_for_no_file_of_the_version(visit: Page, stack: Stack) -> None:
    sizes = []
    for _ in range(2):
        visit.goto(f"{stack.facts['url']}/")
        expect(visit.locator("#sign-in")).to_be_visible()
        sizes.append(dict(visit.evaluate(_SIZES)))
    visit.context.close()
    assert sizes[0].keys() == {"style.css", "main.js", "es.json", "stuck.js"}
    assert all(sizes[0].values())
    assert sizes[1].keys() == sizes[0].keys()
    assert {name for name, size in sizes[1].items() if size} <= {"stuck.js"}


@pytest.mark.parametrize(("file", "heard"), [("main.js", []), ("{language}.json", ["404"])])
def test_a_page_of_which_a_file_is_gone_says_so_and_loads_again(
    screen: Screen, file: str, heard: list[str]
) -> None:
    screen.allowed.add(404)
    page = screen.page
    gone = f"**/{file.format(language=screen.language)}"
    page.route(gone, lambda route: route.fulfill(status=404, json={"status": 404}))
    screen.open("#/leads")
    stuck = page.get_by_role("main")
    expect(stuck).to_contain_text("Store Users could not be loaded.")
    expect(stuck).to_contain_text("Store Users no se ha podido cargar.")
    expect(stuck.get_by_role("button")).to_be_focused()
    assert screen.seen == heard
    screen.seen.clear()
    page.unroute(gone)
    stuck.get_by_role("button").click()
    expect(page.locator("#sign-in")).to_be_visible()
    assert page.url.endswith("#/leads")


def test_what_fails_before_the_page_is_drawn_is_forgotten_once_it_is(screen: Screen) -> None:
    """An extension of the browser, for one, may fail on a page that only waits."""
    page, held = screen.page, list[Route]()
    page.route("**/v1/config", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    with page.expect_request("**/v1/config"):
        screen.open()
    page.evaluate("void Promise.reject(new Error('of an extension'))")
    expect(page.locator("#stuck")).to_be_visible()
    held[0].continue_()
    expect(page.locator("#sign-in")).to_be_visible()
    expect(page.locator("#stuck")).to_be_hidden()
    assert screen.seen == ["of an extension"]
    screen.seen.clear()


def test_a_page_whose_module_cannot_run_says_so(screen: Screen) -> None:
    page = screen.page

    def older(route: Route) -> None:
        text = 'import { h } from "./stuck.js";'
        route.fulfill(body=text, content_type="text/javascript")

    page.route("**/main.js", older)
    screen.open()
    expect(page.locator("#stuck")).to_be_visible()
    assert len(screen.seen) == 1
    assert "does not provide an export" in screen.seen.pop()


def test_no_name_of_the_page_hides_one_of_the_browser(screen: Screen) -> None:
    """In one module, a function `open` of ours would be what all modules open with."""
    names = {name for file in _MODULES for name in declared(file.read_text())}
    assert names >= {"openWindow", "view"}
    asked = "names => names.filter(name => name in window)"
    assert screen.page.evaluate(asked, ["open", *sorted(names)]) == ["open"]


def test_the_page_works_without_the_last_slash_of_its_address(visit: Page, stack: Stack) -> None:
    visit.goto(stack.facts["url"])
    expect(visit.locator("#sign-in")).to_be_visible()
    assert visit.url == f"{stack.facts['url']}/"
    visit.context.close()
