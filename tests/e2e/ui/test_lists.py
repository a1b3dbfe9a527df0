"""The lists: tabs, columns, filters, sort; whom marketing sees; strange people."""

import re
import secrets
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import BrowserType, ViewportSize, expect

from infra.demo_store import add_missing
from tests.builders import SUBSCRIPTION, customer
from tests.e2e.conftest import Stack, eventually
from tests.e2e.ui.conftest import NARROW, PATIENCE_MS, WIDE, Opener, Screen
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
    assert set(screen.column("ecosystem")) == {"No complete"}


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
    ascending = screen.column(column)
    heading = page.locator(f"th.{column} button")
    expect(heading).to_be_focused()
    heading.press("Enter")
    expect(page.locator(f"th.{column}")).to_have_attribute("aria-sort", "descending")
    screen.settle()
    descending = screen.column(column)
    assert descending == ascending[::-1] != ascending


@pytest.mark.parametrize("width", [1280, 390])
def test_strange_people_are_shown_as_text_and_stay_in_the_window(
    opener: Opener, width: int
) -> None:
    screen = opener(viewport={"width": width, "height": 844})
    screen.sign_in("admin", f"#/customers?{ONLY_THEM}")
    page = screen.page
    assert screen.names() == [EMOJI, RIGHT_TO_LEFT, LONG[:200], SCRIPT]
    assert screen.column("company_name")[-1] == SCRIPT
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


def test_rows_out_of_sight_are_not_laid_out_before_they_are_scrolled_to(opener: Opener) -> None:
    page = opener(viewport=NARROW).sign_in("viewer", "#/customers?limit=100").page
    laid_out = "one => one.checkVisibility({contentVisibilityAuto: true})"
    cells = page.locator("tbody td.last_name")
    assert cells.first.evaluate(laid_out)
    assert not cells.last.evaluate(laid_out)
    page.emulate_media(media="print")
    eventually(lambda: cells.last.evaluate(laid_out))
    page.emulate_media(media="screen")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    eventually(lambda: cells.last.evaluate(laid_out))


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "390"])
def test_whoever_listens_hears_a_table_with_every_cell_in_sight_or_not(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    stack: Stack,
    language: str,
    viewport: ViewportSize,
) -> None:
    """Chromium tells all only where it believes that somebody listens."""
    flags = [*browser_type_launch_args["args"], "--force-renderer-accessibility"]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": flags})
    page = browser.new_page(locale=language, viewport=viewport)
    page.set_default_timeout(PATIENCE_MS)
    screen = Screen(page, stack, language).sign_in("viewer", "#/customers?limit=100")
    rows = screen.rows.count()
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    browser.close()
    roles = Counter(node["role"]["value"] for node in nodes if not node["ignored"])
    assert rows > 20
    assert (roles["table"], roles["columnheader"]) == (1, 9)
    assert (roles["row"], roles["cell"]) == (rows + 1, rows * 9)


def test_a_cell_of_plain_text_is_text_alone(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?limit=100").page
    children = dict(
        page.locator("tbody td.first_name").evaluate_all(
            "cells => cells.map(one => [one.textContent, one.children.length])"
        )
    )
    assert children["Julián"] == 0
    long = [name for name in children if len(name) > 16]
    assert {children[name] for name in [*long, EMOJI, RIGHT_TO_LEFT]} == {1}


def test_states_are_words_and_marks_and_not_colour_alone(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    state = page.locator("td.subscription .state").first
    assert state.text_content()
    mark = "one => getComputedStyle(one, '::before').content"
    assert re.match(r'"[●◐▲■✕○]', state.evaluate(mark))
    on = page.locator(".switch[aria-checked=true]").first.evaluate(mark)
    off = page.locator(".switch[aria-checked=false]").first.evaluate(mark)
    assert on.startswith('"✓"')
    assert off.startswith('"✕"')


@pytest.mark.parametrize("language", ["es"])
def test_the_filter_of_plans_offers_every_plan_that_customers_have(
    screen: Screen, stack: Stack
) -> None:
    plan = f"Plan {secrets.token_hex(3)}"
    user = customer(
        f"cus_{secrets.token_hex(4)}",
        registered_at="2001-01-01T00:00:00Z",
        ecosystem=None,
        subscription=replace(SUBSCRIPTION, plan=plan),
    )
    add_missing(stack.client("dynamodb"), stack.facts["tables"]["users"], [user])
    page = screen.sign_in("viewer", "#/customers?limit=10").page
    token = stack.token("viewer")

    def is_counted() -> bool:
        answer = stack.call("GET", "/v1/facets?list=customers", token=token)
        return plan in [one["value"] for one in answer.json["facets"]["plan"]]

    eventually(is_counted)
    page.click("#filter")
    page.get_by_label(plan).check()
    screen.button("filters.apply").click()
    expect(page.locator(".chip")).to_contain_text(plan)
    screen.settle()
    expect(screen.rows).to_have_count(1)


@pytest.mark.parametrize("language", ["es"])
def test_a_filter_of_plans_that_does_not_come_can_be_tried_again(screen: Screen) -> None:
    screen.allowed.add(503)
    problem = {"type": "/problems/store-unavailable", "status": 503}
    page = screen.sign_in("viewer", "#/customers?plan=Lite").page
    page.route("**/v1/facets?**", lambda one: one.fulfill(status=503, json=problem))
    page.click("#filter")
    plans = page.get_by_role("group", name=screen.t("filter.plan"))
    expect(plans.get_by_label("Lite")).to_be_checked()
    again = page.locator("dialog .trouble").get_by_role("button", name=screen.t("again"))
    expect(again).to_be_visible()
    page.unroute("**/v1/facets?**")
    again.click()
    expect(plans.get_by_label("Premium")).to_be_visible()
    expect(plans.get_by_label("Lite")).to_be_checked()


@pytest.mark.parametrize("language", ["es"])
def test_a_plan_can_be_typed_where_not_all_plans_are_known(screen: Screen) -> None:
    """As after an upgrade that counts otherwise, or with too many combinations to count."""
    unknown = {"list": "customers", "complete": False, "facets": {}}
    page = screen.sign_in("viewer", "#/customers?plan=Lite").page
    page.route("**/v1/facets?**", lambda one: one.fulfill(json=unknown))
    page.click("#filter")
    page.get_by_role("textbox", name=screen.t("filter.plan")).fill("Plus")
    expect(
        page.get_by_role("group", name=screen.t("filter.plan")).get_by_label("Lite")
    ).to_be_checked()
    screen.button("filters.apply").click()
    expect(page.locator(".chip")).to_have_count(2)
    assert "plan=Lite&plan=Plus" in page.url
