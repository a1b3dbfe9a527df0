"""Searching: as one types, the last word counts, matches are marked, and how many are told."""

import re

import pytest
from playwright.sync_api import Request, Route, expect

from tests.e2e.ui.conftest import Screen
from tests.e2e.ui.people import EMOJI, ONLY_THEM

_ONE_EMOJI = "\N{HOSPITAL}"
"""One character of two UTF-16 units."""


def test_typing_searches_once_the_typist_pauses(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "q=" in one.url else None)
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.locator("#search").press_sequentially("gomez", delay=20)
    expect(page.locator(".rows mark").first).to_be_visible()
    screen.settle()
    assert len(asked) == 1
    assert "q=gomez" in page.url
    expect(page.locator("#sort")).to_be_disabled()


def test_matches_are_marked_without_case_and_accents(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?q=GOMEZ").page
    marks = page.locator("td.last_name mark").all_text_contents()
    assert marks
    assert {mark.casefold().replace("ó", "o") for mark in marks} == {"gomez"}
    assert "Gómez" in marks


def test_an_earlier_search_that_comes_late_is_aborted(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    held: list[Route] = []
    failed: list[Request] = []
    page.route(re.compile("q=go&?"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.on("requestfailed", lambda one: failed.append(one))  # noqa: PLW0108
    page.fill("#search", "go")
    page.wait_for_url("**q=go")
    page.fill("#search", "ruiz")
    page.wait_for_url("**q=ruiz")
    screen.settle()
    assert [one.failure for one in failed] == ["net::ERR_ABORTED"]
    expect(page.locator(".rows mark").first).to_have_text(re.compile("ruiz", re.IGNORECASE))


def test_emptying_the_search_shows_everybody_again(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?q=ruiz").page
    expect(page.locator("#search")).to_have_value("ruiz")
    page.fill("#search", "")
    expect(page.locator("#sort")).to_be_enabled()
    screen.settle()
    assert page.url.endswith("#/customers")


def test_one_letter_searches_nothing_and_says_why(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?q=ruiz").page
    hint = page.locator("#search-short")
    expect(hint).to_be_hidden()
    page.locator("#search").focus()
    for _ in range(3):
        page.keyboard.press("Backspace")
    words = {"es": "Escriba al menos 2 letras", "en": "Type at least 2 letters"}
    expect(hint).to_have_text(words[screen.language])
    expect(hint).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(words[screen.language])
    expect(page.locator("#sort")).to_be_enabled()
    expect(page.locator("#search")).to_have_value("r")
    assert page.url.endswith("#/customers")
    page.keyboard.type("u")
    expect(hint).to_be_hidden()
    page.wait_for_url("**q=ru")
    page.keyboard.press("Backspace")
    page.wait_for_url("**/#/customers")
    page.click("#tab-leads")
    expect(hint).to_be_hidden()
    expect(page.locator("#search")).to_have_value("")


def test_one_letter_in_the_box_is_told_of_to_whoever_types_alone(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    page.fill("#search", "r")
    words = {"es": "Escriba al menos 2 letras", "en": "Type at least 2 letters"}
    expect(page.get_by_role("status")).to_have_text(words[screen.language])
    page.evaluate(
        """() => {
            window.told = [];
            const live = document.getElementById("live");
            const hear = new MutationObserver(() => told.push(live.textContent));
            hear.observe(live, {childList: true});
        }"""
    )
    page.click("#page-next")
    expect(page.locator("#range")).to_contain_text("11–20")
    screen.settle()
    expect(page.locator("#search-short")).to_be_visible()
    page.locator("[id^=action-]").first.click()
    expect(page.locator("dialog .facts").first).to_be_visible()
    assert page.evaluate("told") == [page.locator("#range").inner_text()]


def test_the_box_follows_the_address_also_while_it_has_the_focus(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers").page
    box = page.locator("#search")
    for words in ("gomez", ""):
        box.fill(words)
        page.wait_for_url(f"**/customers{'?q=gomez' if words else ''}")
    page.keyboard.type("r")
    page.go_back()
    expect(box).to_be_focused()
    expect(box).to_have_value("gomez")
    expect(page.locator("#search-short")).to_be_hidden()


def test_a_search_with_a_filter_counts_what_it_found(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?q=ruiz&ecosystem=deployed&limit=100").page
    count = screen.rows.count()
    of = {"es": "de", "en": "of"}[screen.language]
    expect(page.locator("#range")).to_have_text(f"1–{count} {of} {count}")


def test_what_follows_an_emoji_is_marked_where_it_stands(screen: Screen) -> None:
    page = screen.sign_in("viewer", f"#/customers?q=zoe&{ONLY_THEM}").page
    expect(page.locator("td.first_name")).to_have_text([EMOJI])
    expect(page.locator("td.first_name mark")).to_have_text(["Zoë"])


def test_a_search_that_fails_leaves_the_keyboard_to_whoever_types(screen: Screen) -> None:
    screen.allowed.add(503)
    page = screen.sign_in("viewer").page
    page.route(re.compile("q=go&?"), lambda route: route.fulfill(status=503, json={}))
    page.locator("#search").press_sequentially("go")
    page.locator(".rows .trouble").wait_for()
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("l")
    expect(page.locator("#search")).to_have_value("gol")
    expect(page.locator("#tab-customers")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("language", ["es"])
def test_one_emoji_is_one_character_and_searches_nothing_yet(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    page.fill("#search", _ONE_EMOJI)
    expect(page.locator("#search-short")).to_be_visible()
    page.locator("#search").press("Enter")
    assert "q=" not in page.url
    page.fill("#search", f"{_ONE_EMOJI}a")
    expect(page.locator("#search-short")).to_be_hidden()
    page.wait_for_url("**q=*")
    screen.settle()
    expect(page.locator(".rows .trouble")).to_have_count(0)
