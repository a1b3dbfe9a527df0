"""Staying signed in, the end of a session, and signing out."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import Response, Route, expect

from tests.e2e.conftest import Stack, eventually
from tests.e2e.ui.conftest import Opener, Screen

_POOL = "AWSCognitoIdentityProviderService"


def test_the_access_token_is_renewed_in_silence(opener: Opener) -> None:
    screen = opener(clock=True).sign_in("admin")
    used: list[str] = []
    screen.page.on("request", lambda one: used.append(one.headers.get("x-amz-target", "")))
    screen.page.clock.fast_forward("00:59:30")
    screen.page.click("#tab-leads")
    screen.settle()
    assert used.count(f"{_POOL}.GetTokensFromRefreshToken") == 1
    expect(screen.rows.first).to_be_visible()
    expect(screen.page.locator("#export")).not_to_have_attribute("aria-disabled", "true")


def test_a_refused_token_is_renewed_once_and_the_call_repeated(screen: Screen) -> None:
    screen.allowed.add(401)
    screen.sign_in("viewer")
    refusals = iter([True])

    def refuse_once(route: Route) -> None:
        if next(refusals, False):
            route.fulfill(status=401, json={"type": "/problems/unauthenticated", "status": 401})
        else:
            route.continue_()

    screen.page.route("**/v1/leads?**", refuse_once)
    screen.page.click("#tab-leads")
    screen.settle()
    expect(screen.rows.first).to_be_visible()


def test_five_minutes_before_the_end_of_the_session_there_is_a_warning(opener: Opener) -> None:
    screen = opener(clock=True).sign_in("viewer", "#/leads?limit=10")
    screen.page.clock.fast_forward("11:54:00")
    expect(screen.page.locator(".toast")).to_have_count(0)
    screen.page.clock.fast_forward("00:01:30")
    warning = screen.page.locator(".toast")
    expect(warning).to_contain_text(screen.t("session.ending", time="|").split("|")[0])
    warning.get_by_role("button", name=screen.t("sign_in.again")).click()
    screen.give_password("viewer")
    screen.settle()
    assert screen.page.url.endswith("#/leads?limit=10")


def test_when_the_session_is_over_a_window_leads_back_to_the_same_view(opener: Opener) -> None:
    screen = opener(clock=True).sign_in("viewer", "#/leads?limit=10")
    screen.page.clock.fast_forward("12:00:10")
    window = screen.page.get_by_role("dialog", name=screen.t("session.over"))
    expect(window).to_be_visible()
    screen.page.keyboard.press("Escape")
    expect(window).to_be_visible()
    assert screen.violations() == []
    window.get_by_role("button", name=screen.t("sign_in.again")).click()
    screen.give_password("viewer")
    screen.settle()
    assert screen.page.url.endswith("#/leads?limit=10")


def test_signing_out_revokes_the_tokens(screen: Screen) -> None:
    given: list[str] = []

    def hear(answer: Response) -> None:
        if answer.url.endswith("/oauth2/token"):
            given.append(answer.json()["refresh_token"])

    screen.page.on("response", hear)
    screen.sign_in("viewer")
    client_id = screen.stack.facts["client_id"]
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": given[0]}
    assert _token(screen.stack, form) == 200
    screen.page.click("#sign-out")
    expect(screen.page.locator("#sign-in")).to_be_visible()
    assert screen.page.url == screen.address
    assert _token(screen.stack, form) == 400
    assert "signed-in" not in screen.storage()


def _token(stack: Stack, form: dict[str, str]) -> int:
    request = urllib.request.Request(
        f"{stack.facts['endpoint']}/oauth2/token", data=urllib.parse.urlencode(form).encode()
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            json.load(answer)
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("status", [0, 429, 503])
def test_a_pool_that_cannot_be_asked_ends_no_session(opener: Opener, status: int) -> None:
    screen = opener(clock=True).sign_in("viewer")
    screen.allowed |= {0, status}
    page = screen.page
    asked: list[str] = []

    def fail(route: Route) -> None:
        if "GetTokensFromRefreshToken" not in route.request.headers.get("x-amz-target", ""):
            route.fallback()
            return
        asked.append(route.request.url)
        if status:
            route.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*"}, json={})
        else:
            route.abort()

    page.route(f"{screen.stack.facts['endpoint']}/**", fail)
    page.clock.fast_forward("00:59:30")
    page.click("#tab-leads")
    trouble = page.locator(".rows .trouble")
    expect(trouble).to_contain_text(screen.t("problem.offline"))
    assert asked
    expect(page.locator("dialog")).to_have_count(0)
    page.unroute(f"{screen.stack.facts['endpoint']}/**")
    trouble.get_by_role("button", name=screen.t("again")).click()
    screen.settle()
    expect(screen.rows.first).to_be_visible()


def _held(screen: Screen, action: str) -> list[Route]:
    """From now on, what the page asks of the user pool by that action: the answer waits."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.headers.get("x-amz-target") == f"{_POOL}.{action}":
            held.append(route)
        else:
            route.fallback()

    screen.page.route(f"{screen.stack.facts['endpoint']}/**", hold)
    return held


def _await(screen: Screen, held: list[Route]) -> None:
    # Playwright tells of requests while it is asked something.
    eventually(lambda: screen.page.evaluate("1") and held)


def test_signing_out_while_the_token_is_renewed_is_no_error(opener: Opener) -> None:
    screen = opener(clock=True).sign_in("viewer")
    page = screen.page
    held = _held(screen, "GetTokensFromRefreshToken")
    page.route("**/logout?**", lambda route: route.fulfill(status=204))
    page.clock.fast_forward("00:59:30")
    page.click("#tab-leads")
    _await(screen, held)
    page.click("#sign-out")
    with page.expect_response(held[0].request.url):
        held[0].continue_()
    expect(page.locator("body")).to_be_empty()


def test_signing_out_leaves_nothing_to_see_at_once_and_after_going_back(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    held = _held(screen, "RevokeToken")
    page.click("#sign-out")
    expect(page.locator("body")).to_be_empty()
    _await(screen, held)
    held[0].continue_()
    expect(page.locator("#sign-in")).to_be_visible()
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(page.locator("#sign-in")).to_be_visible()


@pytest.mark.parametrize("language", ["es"])
def test_signing_out_in_one_tab_ends_the_session_in_all(screen: Screen) -> None:
    screen.sign_in("viewer")
    other = Screen(screen.page.context.new_page(), screen.stack, screen.language)
    other.sign_in("viewer", "#/customers?limit=10")
    name = other.column("company_email")[0]
    screen.page.click("#sign-out")
    window = other.page.get_by_role("dialog", name=screen.t("session.over"))
    expect(window).to_be_visible()
    assert name not in other.page.content()
    assert "signed-in" not in other.storage()
    window.get_by_role("button", name=screen.t("sign_in.again")).click()
    other.give_password("viewer")
    other.settle()
    assert other.page.url.endswith("#/customers?limit=10")


@pytest.mark.parametrize("language", ["es"])
def test_behind_the_end_of_a_session_no_data_can_be_read(opener: Opener) -> None:
    screen = opener(clock=True).sign_in("viewer", "#/customers?limit=10")
    screen.page.locator("td.action button").first.click()
    screen.page.locator("#detail meter").wait_for()
    emails = screen.column("company_email")
    screen.page.clock.fast_forward("12:00:10")
    expect(screen.page.get_by_role("dialog", name=screen.t("session.over"))).to_be_visible()
    content = screen.page.content()
    assert not [one for one in emails if one in content]
    assert "open=" in screen.page.url
