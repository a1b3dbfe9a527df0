"""Keys, their off switch, language, theme, messages and paper."""

from playwright.sync_api import Route, expect

from tests.e2e.ui.conftest import Opener, Screen


def test_single_keys_do_what_the_help_sheet_says_until_they_are_switched_off(
    screen: Screen,
) -> None:
    page = screen.sign_in("admin").page
    page.locator("#rows").focus()
    page.keyboard.press("l")
    expect(page.locator("#tab-leads")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("f")
    expect(page.get_by_role("dialog", name=screen.t("filters"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name=screen.t("help"))
    expect(sheet).to_contain_text(screen.t("search"))
    sheet.get_by_label(screen.t("help.on")).uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.press("c")
    expect(page.locator("#search")).not_to_be_focused()
    expect(page.locator("#tab-leads")).to_have_attribute("aria-selected", "true")


def test_everything_is_reached_by_tab_and_the_first_stop_skips_to_the_list(
    screen: Screen,
) -> None:
    page = screen.sign_in("admin").page
    page.locator("body").press("Tab")
    expect(page.get_by_role("link", name=screen.t("skip"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#rows")).to_be_focused()
    page.locator("#tab-customers").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-leads")).to_be_focused()
    expect(page.locator("#tab-leads")).to_have_attribute("aria-selected", "true")


def test_the_language_changes_at_once_and_is_remembered(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/leads?limit=10").page
    other = {"es": "en", "en": "es"}[screen.language]
    page.select_option("#language", other)
    screen.language = other
    expect(page.locator("#filter")).to_have_text(screen.t("filters"))
    expect(page.locator("#language")).to_be_focused()
    assert page.locator("html").get_attribute("lang") == other
    assert page.url.endswith("#/leads?limit=10")
    screen.reload("viewer")
    expect(page.locator("#filter")).to_have_text(screen.t("filters"))


def test_no_other_language_can_be_chosen_until_the_words_of_one_have_come(screen: Screen) -> None:
    page, other = screen.page, {"es": "en", "en": "es"}[screen.language]
    held: list[Route] = []
    screen.open()
    expect(page.locator("#sign-in")).to_be_visible()
    page.route(f"**/{other}.json", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    with page.expect_request(f"**/{other}.json"):
        page.select_option("#language", other)
    expect(page.locator("#language")).to_be_disabled()
    held[0].continue_()
    expect(page.locator("html")).to_have_attribute("lang", other)
    expect(page.locator("#language")).to_be_enabled()
    expect(page.locator("#language")).to_have_value(other)
    assert page.evaluate("localStorage.getItem('language')") == other


def test_a_language_whose_words_do_not_come_leaves_everything_as_it_was(screen: Screen) -> None:
    screen.allowed |= {0, 404}
    page, other = screen.page, {"es": "en", "en": "es"}[screen.language]
    screen.open()
    expect(page.locator("#sign-in")).to_be_visible()
    page.route(f"**/{other}.json", lambda route: route.abort())
    _refused(screen, other)
    screen.page.click("#sign-in")
    screen.give_password("viewer")
    screen.settle()
    page.route(f"**/{other}.json", lambda route: route.fulfill(status=404, json={"status": 404}))
    _refused(screen, other)
    expect(page.locator("#filter")).to_have_text(screen.t("filters"))
    page.unroute(f"**/{other}.json")
    page.select_option("#language", other)
    expect(page.locator("html")).to_have_attribute("lang", other)


def _refused(screen: Screen, other: str) -> None:
    """Choosing the language fails, says so, and changes nothing."""
    page = screen.page
    page.select_option("#language", other)
    expect(page.locator(".toast.bad")).to_contain_text(screen.t("language.failed"))
    expect(page.locator("#language")).to_have_value(screen.language)
    expect(page.locator("#language")).to_be_focused()
    expect(page.locator("html")).to_have_attribute("lang", screen.language)
    assert '"language"' not in screen.storage()


def test_light_and_dark_follow_the_system(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) == "rgb(244, 246, 248)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) == "rgb(14, 19, 24)"


def test_messages_are_in_a_live_region_and_cover_nothing(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    page.locator("td.access .switch").first.click(force=True)
    toast = page.locator(".toast").first
    expect(toast).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(toast.locator("p").inner_text())
    box, rows, pager = (
        page.locator(name).first.bounding_box() for name in (".toast", "#rows", ".pager")
    )
    assert box
    assert rows
    assert pager
    assert rows["y"] + rows["height"] <= box["y"]
    assert box["y"] + box["height"] <= pager["y"]


def test_a_narrow_window_has_a_menu(opener: Opener) -> None:
    page = opener(viewport={"width": 390, "height": 844}).sign_in("viewer").page
    expect(page.locator("#sign-out")).to_be_hidden()
    page.click("#menu-button")
    expect(page.locator("#menu-button")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#sign-out")).to_be_visible()


def test_on_paper_there_is_the_list_alone(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    page.emulate_media(media="print")
    for name in (".side", ".tools", "#export", "td.action", ".moves"):
        expect(page.locator(name).first).to_be_hidden()
    expect(page.locator("td.first_name").first).to_be_visible()
    assert page.locator("#rows").evaluate("one => getComputedStyle(one).overflowY") == "visible"
