"""axe on every state of the page, in both themes and two widths; the same states as pictures."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from chalicelib.exports.reasons import TOO_LONG
from infra.package import ROOT
from tests.e2e.ui.conftest import NARROW, WIDE, Opener, Screen
from tests.e2e.ui.people import ONLY_THEM

_PICTURES = ROOT / "docs" / "ui"
_PROBLEM = {"type": "/problems/store-unavailable", "status": 503, "request_id": "req-4711"}

_CHANGE = {
    "at": "2026-11-20T10:00:00Z",
    "by": "ana.admin@waizant.example",
    "reason": "Somebody was faster",
}
_JOB = {
    "id": "exp_1",
    "resource": "leads",
    "status": "running",
    "progress": {"done": 120, "total": 478},
    "error": None,
}


def _lists(screen: Screen) -> None:
    screen.settle()


def _strangers(screen: Screen) -> None:
    _go(screen, f"#/customers?{ONLY_THEM}")


def _leads(screen: Screen) -> None:
    _go(screen, "#/leads")
    screen.page.locator(".chart rect").first.wait_for()


def _search(screen: Screen) -> None:
    _go(screen, "#/customers?q=ruiz&ecosystem=deployed")


def _short_search(screen: Screen) -> None:
    _go(screen, "#/customers")
    screen.page.fill("#search", "r")
    screen.page.locator("#search-short").wait_for()


def _nothing(screen: Screen) -> None:
    _go(screen, "#/leads?registered_to=2019-01-01")
    screen.page.locator(".empty").wait_for()


def _trouble(screen: Screen) -> None:
    screen.page.route("**/v1/customers?**", lambda one: one.fulfill(status=503, json=_PROBLEM))
    _go(screen, "#/customers?sort=first_name")
    screen.page.locator(".trouble").wait_for()
    screen.page.unroute("**/v1/customers?**")


def _loading(screen: Screen) -> None:
    page, held = screen.page, list[Route]()
    page.route(re.compile("sort=-first_name"), lambda one: held.append(one))  # noqa: PLW0108 - Playwright marks it
    page.evaluate("location.hash = '#/customers?sort=-first_name'")
    page.locator(".skeleton").first.wait_for()


def _progress(screen: Screen) -> None:
    page = screen.page
    _go(screen, "#/leads")
    page.route("**/v1/exports/exp_1", lambda one: one.fulfill(json=_JOB))
    page.route("**/v1/exports", lambda one: one.fulfill(status=202, json=_JOB))
    page.click("#export")
    page.click(".order [type=submit]")
    page.locator(".job progress[value]").wait_for()


def _message(screen: Screen) -> None:
    failed = {**_JOB, "status": "failed", "error": TOO_LONG[screen.language]}
    screen.page.route("**/v1/exports/exp_1", lambda one: one.fulfill(json=failed))
    screen.page.locator(".toast.bad").wait_for()


def _menu(screen: Screen) -> None:
    screen.page.locator(".toast button").click()
    screen.page.click("#menu-button")


def _filters(screen: Screen) -> None:
    _go(screen, "#/customers")
    screen.page.click("#filter")


def _switch(screen: Screen) -> None:
    _go(screen, "#/customers?access=active&ecosystem=deployed")
    screen.page.locator("td.access .switch").first.click()
    screen.page.locator("#reason").wait_for()


def _detail(screen: Screen) -> None:
    _go(screen, "#/customers?open=cus_0042")
    screen.page.locator(".history li").first.wait_for()


def _exports(screen: Screen) -> None:
    _go(screen, "#/leads?registered_to=2020-12-31")
    screen.page.click("#export")
    screen.page.locator(".earlier p, .earlier li").first.wait_for()


def _help(screen: Screen) -> None:
    screen.page.locator("#rows").focus()
    screen.page.keyboard.press("?")


_STATES: dict[str, Callable[[Screen], None]] = {
    "customers": _lists,
    "strangers": _strangers,
    "leads": _leads,
    "short-search": _short_search,
    "search": _search,
    "nothing": _nothing,
    "trouble": _trouble,
    "loading": _loading,
    "filters": _filters,
    "switch": _switch,
    "detail": _detail,
    "exports": _exports,
    "help": _help,
    "progress": _progress,
    "message": _message,
    "menu": _menu,
}


def _go(screen: Screen, hash_: str) -> None:
    """Follow a link within the page: as from a colleague, but without signing in again."""
    screen.page.evaluate(
        "hash => new Promise(done => { addEventListener('popstate', done, {once: true});"
        " location.hash = hash })",
        hash_,
    )
    screen.settle()


@pytest.mark.parametrize(("language", "theme"), [("es", "light"), ("en", "dark")])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
def test_axe_has_nothing_to_say_in_any_state(
    opener: Opener, theme: str, size: dict[str, int]
) -> None:
    screen = opener(viewport=size, color_scheme=theme, reduced_motion="reduce")
    screen.allowed.add(503)
    found: dict[str, list[Any]] = {}
    screen.open()
    screen.page.locator("#sign-in").wait_for()
    found["sign-in"] = screen.violations()
    _picture(screen, "sign-in", theme, size)
    screen.page.click("#sign-in")
    screen.give_password("admin")
    screen.settle()
    for name, reach in _STATES.items():
        if name == "menu" and size == WIDE:
            continue
        reach(screen)
        found[name] = screen.violations()
        _picture(screen, name, theme, size)
        while screen.page.locator("dialog[open]").count():
            screen.page.keyboard.press("Escape")
    assert {name: some for name, some in found.items() if some} == {}
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def _no_role(screen: Screen) -> None:
    screen.sign_in("")
    expect(screen.page.locator("#sign-out")).to_be_visible()


def _session_over(screen: Screen) -> None:
    screen.sign_in("viewer", "#/leads?limit=10")
    screen.page.clock.fast_forward("12:00:10")
    screen.page.get_by_role("dialog", name=screen.t("session.over")).wait_for()


def _conflict(screen: Screen) -> None:
    page = screen.sign_in("support", "#/customers?open=cus_0042").page
    row = screen.stack.call("GET", "/v1/customers/cus_0042", token=screen.stack.token("support"))
    now = {**row.json, "access_change": _CHANGE}
    page.locator("#detail-switch").click()
    page.fill("#reason", "Privacy incident 4711")
    problem = {"type": "/problems/version-conflict", "status": 412, "current": now}
    page.route("**/access", lambda one: one.fulfill(status=412, json=problem))
    page.locator("dialog form [type=submit]").click()
    page.locator("dialog").last.get_by_text(screen.t("conflict")).wait_for()


def _stuck(screen: Screen) -> None:
    screen.page.route("**/main.js", lambda one: one.fulfill(status=404, body=""))
    screen.open()
    screen.page.locator("#stuck").wait_for()


_ENDS: dict[str, Callable[[Screen], None]] = {
    "no-role": _no_role,
    "session-over": _session_over,
    "conflict": _conflict,
    "stuck": _stuck,
}


@pytest.mark.parametrize(("language", "theme"), [("es", "light"), ("en", "dark")])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
@pytest.mark.parametrize("name", _ENDS)
def test_axe_has_nothing_to_say_where_one_cannot_go_on(
    opener: Opener, name: str, theme: str, size: dict[str, int]
) -> None:
    screen = opener(clock=name == "session-over", viewport=size, color_scheme=theme)
    screen.allowed |= {404, 412}
    _ENDS[name](screen)
    assert screen.violations() == []
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    _picture(screen, name, theme, size)


def _picture(screen: Screen, name: str, theme: str, size: dict[str, int]) -> None:
    """Keep two of each state, where asked for: Spanish, light, wide; English, dark, narrow."""
    if os.environ.get("PICTURES") and (theme, size) in [("light", WIDE), ("dark", NARROW)]:
        _PICTURES.mkdir(exist_ok=True)
        width = size["width"]
        path: Path = _PICTURES / f"{name}-{screen.language}-{theme}-{width}.png"
        screen.page.screenshot(path=path)
