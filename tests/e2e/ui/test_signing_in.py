"""Signing in on the user pool's own page; what is said where it fails or gives no role."""

import re
import secrets
import urllib.parse

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.ui.conftest import Opener, Screen

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.")
"""How a token looks; its first letters alone also come up in what is drawn by lot."""


def test_signing_in_leaves_no_code_and_no_token_in_address_or_storage(screen: Screen) -> None:
    asked: list[Request] = []
    screen.page.on("request", lambda one: asked.append(one))  # noqa: PLW0108 - Playwright marks it
    screen.sign_in("viewer")
    authorize = next(one.url for one in asked if "/oauth2/authorize" in one.url)
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(authorize).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["response_type"] == ["code"]
    assert len(query["state"][0]) >= 43
    token = next(one for one in asked if one.url.endswith("/oauth2/token"))
    assert "code_verifier=" in (token.post_data or "")
    assert screen.page.url == f"{screen.address}#/customers"
    assert not JWT.search(screen.storage())
    assert not any(JWT.search(one.url) for one in asked)
    assert screen.page.context.cookies() == []


def test_a_link_to_a_view_survives_the_sign_in_and_old_names_to_sort_by(screen: Screen) -> None:
    link = "#/customers?access=suspended&limit=10&sort=name"
    screen.sign_in("viewer", link)
    assert urllib.parse.unquote(screen.page.url) == (
        f"{screen.address}#/customers?sort=first_name&limit=10&access=suspended"
    )
    expect(screen.page.locator(".chips .chip")).to_have_count(1)


def test_a_code_that_nobody_here_asked_for_is_not_taken(screen: Screen) -> None:
    screen.page.goto(f"{screen.address}?code=stolen&state=forged")
    expect(screen.page.get_by_text(screen.t("sign_in.failed"))).to_be_visible()
    assert screen.page.url == screen.address


def test_who_signs_in_for_the_first_time_sets_a_new_password(screen: Screen) -> None:
    pool, name = screen.stack.client("cognito-idp"), f"new.{secrets.token_hex(4)}@waizant.example"
    user = {"UserPoolId": screen.stack.facts["user_pool_id"], "Username": name}
    pool.admin_create_user(**user, TemporaryPassword="For-the-start-1", MessageAction="SUPPRESS")
    pool.admin_add_user_to_group(**user, GroupName="viewer")
    screen.open()
    screen.page.click("#sign-in")
    screen.page.fill("#username", name)
    screen.page.fill("#password", "For-the-start-1")
    screen.page.click("button[type=submit]")
    for field in screen.page.locator("input[type=password]").all():
        field.fill("Mine-alone-4711")
    screen.page.click("button[type=submit]")
    screen.settle()
    expect(screen.page.locator(".me")).to_contain_text(name)


def test_without_a_role_the_page_says_whom_to_ask(screen: Screen) -> None:
    screen.sign_in("")
    expect(screen.page.get_by_role("heading", name=screen.t("no_role"))).to_be_visible()
    expect(screen.page.get_by_text(screen.t("no_role.ask"))).to_be_visible()
    expect(screen.page.locator("body")).to_contain_text("nora.norole@waizant.example")
    expect(screen.page.locator("table")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_sign_in_page_explains_itself(opener: Opener, width: int) -> None:
    screen = opener(viewport={"width": width, "height": 800})
    screen.open()
    expect(screen.page.get_by_text(screen.t("sign_in.why"))).to_be_visible()
    assert screen.page.locator("html").get_attribute("lang") == screen.language


def test_a_page_that_cannot_begin_says_so_in_both_languages(screen: Screen) -> None:
    screen.allowed.add(0)
    page = screen.page
    page.route("**/v1/config", lambda route: route.abort())
    screen.open("#/leads")
    stuck = page.get_by_role("main")
    expect(stuck).to_contain_text("Store Users could not be loaded.")
    expect(stuck).to_contain_text("Store Users no se ha podido cargar.")
    assert screen.violations() == []
    page.unroute("**/v1/config")
    expect(stuck.get_by_role("button")).to_be_focused()
    stuck.get_by_role("button").click()
    expect(page.locator("#sign-in")).to_be_visible()
    expect(page.locator("#stuck")).to_be_hidden()
    assert page.url.endswith("#/leads")


def test_a_sign_in_whose_token_never_comes_has_failed(screen: Screen) -> None:
    screen.allowed.add(0)
    page = screen.page
    page.route("**/oauth2/token", lambda route: route.abort())
    screen.open()
    page.click("#sign-in")
    screen.give_password("viewer")
    expect(page.get_by_text(screen.t("sign_in.failed"))).to_be_visible()
    expect(page.locator("#sign-in")).to_be_visible()
