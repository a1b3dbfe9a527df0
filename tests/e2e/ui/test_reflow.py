"""The page zoomed in or on a low screen: WCAG 1.4.4 and 1.4.10."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import eventually
from tests.e2e.ui.conftest import Opener

# Width and height in CSS pixels → the least number of cells in sight at once. 683 by 318 is a
# laptop of 1366 by 768 at 200 %, 320 by 256 a window of 1280 by 1024 at 400 %.
SIZES = {
    (683, 318): 7,
    (640, 330): 7,
    (640, 400): 9,
    (320, 256): 5,
    (390, 844): 18,
    (844, 390): 28,
    (853, 430): 28,
    (1280, 500): 42,
}
CELLS_IN_SIGHT = """() => [...document.querySelectorAll("tbody td")].filter(cell => {
  const {left, width, top, bottom} = cell.getBoundingClientRect();
  const seen = y => cell.contains(document.elementFromPoint(left + width / 2, y));
  return top >= 0 && bottom <= innerHeight && seen(top + 2) && seen(bottom - 2);
}).length"""


@pytest.mark.parametrize("language", ["es"])
@pytest.mark.parametrize("name", ["customers", "leads"])
def test_the_list_can_be_read_at_every_size(opener: Opener, name: str) -> None:
    page = opener().sign_in("viewer", f"#/{name}").page
    for (width, height), least in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.locator("tbody tr").nth(4).evaluate("one => one.scrollIntoView()")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # Rows out of sight have no layout until the frame in which they come into sight.
        eventually(lambda: page.evaluate(CELLS_IN_SIGHT) >= least)  # noqa: B023 - called here


@pytest.mark.parametrize("language", ["es"])
def test_the_headings_stay_in_sight_while_the_document_scrolls(opener: Opener) -> None:
    page = opener(viewport={"width": 853, "height": 430}).sign_in("viewer").page
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    head = page.locator("thead")
    eventually(lambda: head.evaluate("one => one.getBoundingClientRect().top === 0"))


@pytest.mark.parametrize("language", ["es"])
@pytest.mark.parametrize(("width", "height"), [(683, 318), (320, 256)])
def test_the_switch_can_be_used_at_400_percent(opener: Opener, width: int, height: int) -> None:
    screen = opener(viewport={"width": width, "height": height})
    page = screen.sign_in("support", "#/customers?access=active").page
    page.locator("td.access .switch").first.click()
    page.fill("#reason", "Privacy incident 4711")
    submit = screen.button("switch.suspended.do")
    submit.scroll_into_view_if_needed()
    expect(submit).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    screen.button("cancel").click()
    expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("language", ["es"])
def test_a_new_page_begins_at_its_first_row_where_the_document_scrolls(opener: Opener) -> None:
    page = opener(viewport={"width": 853, "height": 430}).sign_in("viewer").page
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("26–")
    assert _top_of_list(page) >= 0


def _top_of_list(page: Page) -> float:
    top: float = page.locator("#rows").evaluate("one => one.getBoundingClientRect().top")
    return top
