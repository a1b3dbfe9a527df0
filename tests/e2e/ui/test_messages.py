"""Messages: equal ones are one, and three are the most."""

import pytest
from playwright.sync_api import expect

from tests.e2e.ui.conftest import Screen

pytestmark = pytest.mark.parametrize("language", ["es"])


def test_the_same_message_is_shown_once(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    for _ in range(5):
        page.locator("#export").click(force=True)
    toasts = page.locator(".toast")
    expect(toasts).to_have_count(1)
    expect(toasts).to_contain_text(screen.t("export.no_permission"))


def test_of_more_than_three_messages_the_oldest_goes(screen: Screen) -> None:
    screen.allowed |= {0, 400}
    page = screen.sign_in("viewer").page
    page.locator("#export").click(force=True)
    page.locator("td.access .switch").first.click(force=True)
    page.route("**/en.json", lambda route: route.abort())
    page.select_option("#language", "en")
    toasts = page.locator(".toast p")
    expect(toasts).to_have_count(3)
    page.evaluate("location.hash = '#/customers?limit=10&cursor=forged'")
    stale = page.locator(".toast", has_text=screen.t("problem.stale-cursor"))
    expect(stale).to_be_visible()
    words = ["switch.no_permission", "language.failed", "problem.stale-cursor"]
    expect(toasts).to_have_text([screen.t(key) for key in words])
