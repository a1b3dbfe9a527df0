"""The switch Active: whom it hits, the reason, the result, undo, conflict, why it is fixed."""

import secrets
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from chalicelib.users.model import Ecosystem
from infra.demo_store import add_missing
from tests.builders import customer
from tests.e2e.conftest import Stack, eventually
from tests.e2e.ui.conftest import Screen

_REASON = "Privacy incident 4711"


@pytest.fixture
def clinic(stack: Stack) -> str:
    """A customer of this test alone, the newest of all: the id."""
    token = secrets.token_hex(4)
    user = customer(
        f"cus_{token}",
        registered_at="2027-01-01T00:00:00Z",
        ecosystem=Ecosystem(f"eco_{token}", f"clinica-{token}", "2026-03-04T10:00:00Z"),
        version=1,
    )
    add_missing(stack.client("dynamodb"), stack.facts["tables"]["users"], [user])
    return user.id


def _now(screen: Screen, clinic: str) -> Any:
    token = screen.stack.token("support")
    return screen.stack.call("GET", f"/v1/customers/{clinic}", token=token).json


def _suspend_elsewhere(screen: Screen, clinic: str) -> None:
    """An administrator does it meanwhile, on another screen."""
    answer = screen.stack.call(
        "PUT",
        f"/v1/customers/{clinic}/access",
        token=screen.stack.token("admin"),
        body={"access": "suspended", "reason": "Somebody was faster"},
        headers={"If-Match": '"1"'},
    )
    assert answer.status == 200


def _open(screen: Screen, clinic: str) -> Locator:
    screen.sign_in("support", "#/customers?limit=100&registered_from=2027-01-01")
    switch = screen.page.locator(f"#switch-{clinic}")
    switch.click()
    screen.page.locator("#reason").wait_for()
    return switch


def test_the_dialog_says_whom_it_hits(screen: Screen, clinic: str) -> None:
    _open(screen, clinic)
    dialog = screen.page.get_by_role("dialog", name=screen.t("switch.suspended.title"))
    expect(dialog).to_contain_text("María José Gómez Ruiz")
    expect(dialog).to_contain_text(f"clinica-{clinic.removeprefix('cus_')}")
    in_use = dialog.locator(".facts div", has_text=screen.t("licences.in_use"))
    expect(in_use.locator("dd")).to_have_text("16")
    expect(dialog).to_contain_text(screen.t("switch.suspended.effect"))


def test_suspending_needs_a_reason_shows_at_once_and_can_be_undone(
    screen: Screen, clinic: str
) -> None:
    page, switch = screen.page, _open(screen, clinic)
    page.fill("#reason", "      ")
    screen.button("switch.suspended.do").click()
    expect(page.locator(".wrong")).to_have_text(screen.t("reason.short"))
    expect(page.locator("#reason")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#reason")).to_be_focused()
    assert _now(screen, clinic)["access"] == "active"

    page.fill("#reason", _REASON)
    screen.button("switch.suspended.do").click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_be_focused()
    done = _now(screen, clinic)
    assert (done["access"], done["access_change"]["reason"]) == ("suspended", _REASON)

    toast = page.locator(
        ".toast", has_text=screen.t("switch.suspended.done", name="María José Gómez Ruiz")
    )
    toast.get_by_role("button", name=screen.t("undo")).click()
    expect(switch).to_have_attribute("aria-checked", "true")
    back = _now(screen, clinic)
    assert (back["access"], back["access_change"]["reason"]) == ("active", screen.t("undo.reason"))


def test_a_cancelled_dialog_changes_nothing_and_gives_the_focus_back(
    screen: Screen, clinic: str
) -> None:
    switch = _open(screen, clinic)
    screen.page.fill("#reason", _REASON)
    screen.button("cancel").click()
    expect(switch).to_be_focused()
    assert _now(screen, clinic)["version"] == 1


@pytest.mark.parametrize("language", ["es"])
@pytest.mark.parametrize("way", ["Escape", "beside"])
def test_a_closed_dialog_keeps_the_reason_until_it_is_cancelled(
    screen: Screen, clinic: str, way: str
) -> None:
    page, switch = screen.page, _open(screen, clinic)
    page.fill("#reason", _REASON)
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        page.mouse.click(5, 5)
    expect(page.locator("dialog")).to_have_count(0)
    switch.click()
    expect(page.locator("#reason")).to_have_value(_REASON)
    screen.button("cancel").click()
    switch.click()
    expect(page.locator("#reason")).to_have_value("")
    assert _now(screen, clinic)["version"] == 1


@pytest.mark.parametrize("language", ["es"])
def test_a_suspended_access_has_a_word_and_what_is_not_deployed_has_no_switch(
    screen: Screen, clinic: str
) -> None:
    _suspend_elsewhere(screen, clinic)
    page = screen.sign_in("support", "#/customers?registered_from=2027-01-01").page
    row = page.locator(f"tr[data-id={clinic}]")
    expect(row.locator("td.access .state")).to_have_text(screen.t("access.suspended"))
    tint = "one => getComputedStyle(one).backgroundColor"
    others = page.locator("tbody tr:not(.suspended)")
    page.mouse.move(0, 0)
    assert row.evaluate(tint) != page.locator(".scroll").evaluate(tint)
    page.evaluate("location.hash = '#/customers?ecosystem=none'")
    screen.settle()
    expect(page.locator(".chip")).to_contain_text(screen.t("filter.ecosystem"))
    expect(others.first).to_be_visible()
    expect(page.locator("td.access .switch")).to_have_count(0)
    page.evaluate("location.hash = '#/customers?access=active&limit=100'")
    expect(page.locator(".chip")).to_contain_text(screen.t("filter.access"))
    screen.settle()
    expect(screen.rows.first).to_be_visible()
    assert "No complete" not in screen.column("ecosystem")


def test_a_conflict_shows_the_newer_state_and_lets_one_decide_again(
    screen: Screen, clinic: str
) -> None:
    screen.allowed.add(412)
    switch, page = _open(screen, clinic), screen.page
    _suspend_elsewhere(screen, clinic)
    page.fill("#reason", _REASON)
    screen.button("switch.suspended.do").click()
    notice = page.locator("dialog .warning", has_text=screen.t("conflict"))
    now = page.locator("dialog .facts div", has_text=screen.t("filter.access"))
    expect(now.locator("dd")).to_have_text(screen.t("access.suspended"))
    expect(notice).to_contain_text("ana.admin@waizant.example: Somebody was faster")
    expect(switch).to_have_attribute("aria-checked", "false")
    assert screen.violations() == []
    page.locator("dialog .actions button").click()
    expect(switch).to_be_focused()
    assert _now(screen, clinic)["version"] == 2


def _send_and_close(screen: Screen) -> Route:
    """Suspend, and close the window before the answer, which waits."""
    page, held = screen.page, list[Route]()
    page.route("**/access", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.fill("#reason", _REASON)
    with page.expect_request("**/access"):
        screen.button("switch.suspended.do").click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    return held[0]


def test_a_conflict_that_comes_after_the_window_was_closed_is_told_all_the_same(
    screen: Screen, clinic: str
) -> None:
    screen.allowed.add(412)
    switch, page = _open(screen, clinic), screen.page
    held = _send_and_close(screen)
    _suspend_elsewhere(screen, clinic)
    held.continue_()
    expect(page.locator("#toasts .toast.bad")).to_contain_text(screen.t("conflict"))
    expect(switch).to_have_attribute("aria-checked", "false")
    assert _now(screen, clinic)["access_change"]["reason"] == "Somebody was faster"


def test_who_comes_too_late_is_told_who_was_faster_and_why(screen: Screen, clinic: str) -> None:
    screen.sign_in("support", "#/customers?limit=100&registered_from=2027-01-01")
    page, switch = screen.page, screen.page.locator(f"#switch-{clinic}")
    expect(switch).to_have_attribute("aria-checked", "true")
    _suspend_elsewhere(screen, clinic)
    switch.click()
    already = {"es": "El acceso ya está suspendido", "en": "The access is suspended already"}
    dialog = page.get_by_role("dialog", name=already[screen.language])
    expect(dialog.get_by_role("alert")).to_contain_text(
        "ana.admin@waizant.example: Somebody was faster"
    )
    expect(dialog.locator(".actions button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "false")
    assert _now(screen, clinic)["version"] == 2


def test_nothing_is_told_of_a_change_that_nobody_knows_of(screen: Screen, clinic: str) -> None:
    """Access that was never switched, as the shop or an import may have left it."""
    screen.sign_in("support", "#/customers?limit=100&registered_from=2027-01-01")
    page, switch = screen.page, screen.page.locator(f"#switch-{clinic}")

    def never_switched(route: Route) -> None:
        unknown = {"access": "suspended", "access_change": None}
        route.fulfill(json=route.fetch().json() | unknown)

    page.route(f"**/v1/customers/{clinic}", never_switched)
    switch.click()
    dialog = page.get_by_role("dialog", name=screen.t("switch.suspended.already"))
    expect(dialog.locator(".actions button")).to_be_focused()
    expect(dialog.locator(".facts")).to_contain_text("María José Gómez Ruiz")
    expect(dialog.locator("[role=alert], .warning")).to_have_count(0)


def test_a_switch_that_fails_says_so_and_stays_as_it_was(screen: Screen, clinic: str) -> None:
    screen.allowed.add(503)
    switch, page = _open(screen, clinic), screen.page
    problem = {"type": "/problems/store-unavailable", "status": 503, "request_id": "req-1"}
    page.route("**/access", lambda route: route.fulfill(status=503, json=problem))
    page.fill("#reason", _REASON)
    screen.button("switch.suspended.do").click()
    expect(page.locator("dialog .trouble")).to_contain_text(screen.t("problem.busy"))
    expect(page.locator("#reason")).to_have_value(_REASON)
    page.keyboard.press("Escape")
    expect(switch).to_have_attribute("aria-checked", "true")


@pytest.mark.parametrize("language", ["es"])
def test_the_detail_of_a_customer_without_an_ecosystem_says_why_there_is_no_switch(
    screen: Screen,
) -> None:
    page = screen.sign_in("support", "#/customers?ecosystem=none").page
    page.locator("td.action button").first.click()
    expect(page.locator("#detail")).to_contain_text(screen.t("problem.no-ecosystem"))
    expect(page.locator("#detail-switch")).to_have_count(0)


def test_without_the_permission_the_switch_is_fixed_and_says_why(screen: Screen) -> None:
    screen.sign_in("viewer", "#/customers?ecosystem=deployed")
    screen.page.locator(".switch").first.click(force=True)
    expect(screen.page.locator(".toast")).to_contain_text(screen.t("switch.no_permission"))
    expect(screen.page.locator("dialog")).to_have_count(0)


def test_activating_needs_no_reason_and_the_history_tells_of_both(
    screen: Screen, clinic: str
) -> None:
    page, switch = screen.page, _open(screen, clinic)
    page.fill("#reason", _REASON)
    screen.button("switch.suspended.do").click()
    expect(switch).to_have_attribute("aria-checked", "false")
    page.click(f"#action-{clinic}")
    page.locator(".history li").first.wait_for()
    page.click("#detail-switch")
    page.locator("#reason").wait_for()
    screen.button("switch.active.do").click()
    expect(page.locator("#detail-switch")).to_have_attribute("aria-checked", "true")
    history = page.locator(".history li")
    expect(history).to_have_count(2)
    expect(history.first).to_contain_text(screen.t("access.active"))
    expect(history.first).to_contain_text(screen.t("history.no_reason"))
    expect(history.last).to_contain_text(_REASON)
    expect(history.last).to_contain_text("simon.support@waizant.example")


def test_a_suspension_that_waits_for_the_next_ecosystem_keeps_its_switch_and_its_history(
    screen: Screen, clinic: str
) -> None:
    _suspend_elsewhere(screen, clinic)
    screen.stack.client("dynamodb").update_item(
        TableName=screen.stack.facts["tables"]["users"],
        Key={"id": {"S": clinic}},
        UpdateExpression="REMOVE ecosystem",
    )
    page = screen.sign_in("support", "#/customers?limit=100&registered_from=2027-01-01").page
    page.click(f"#action-{clinic}")
    history = page.locator(".history li")
    expect(history).to_contain_text("Somebody was faster")
    page.click("#detail-switch")
    screen.button("switch.active.do").click()
    expect(page.locator("#detail-switch")).to_have_count(0)
    expect(history).to_have_count(2)


def test_the_history_says_that_the_ecosystem_was_suspended_when_it_was_taken_over(
    screen: Screen, clinic: str
) -> None:
    _suspend_elsewhere(screen, clinic)
    tables = screen.stack.client("dynamodb")
    users = screen.stack.facts["tables"]["users"]
    item = tables.delete_item(TableName=users, Key={"id": {"S": clinic}}, ReturnValues="ALL_OLD")[
        "Attributes"
    ]
    heir = f"cus_{secrets.token_hex(4)}"
    taken = {name: item[name] for name in ("kind", "registered_at", "first_name", "ecosystem")}
    tables.put_item(TableName=users, Item={**taken, "id": {"S": heir}})
    eventually(lambda: _now(screen, heir)["access"] == "suspended")
    page = screen.sign_in("support", f"#/customers?open={heir}").page
    history = page.locator(".history li")
    expect(history).to_contain_text(screen.t("history.kept.ecosystem"))


def test_in_the_detail_window_the_switch_keeps_the_focus_and_its_message_outlives_the_window(
    screen: Screen, clinic: str
) -> None:
    page = screen.sign_in("support", "#/customers?limit=100&registered_from=2027-01-01").page
    page.click(f"#action-{clinic}")
    switch = page.locator("#detail-switch")
    switch.click()
    page.fill("#reason", _REASON)
    with page.expect_response(lambda one: one.url.endswith(clinic) and one.request.method == "GET"):
        screen.button("switch.suspended.do").click()
    expect(page.locator(".history li").first).to_contain_text(_REASON)
    expect(switch).to_be_focused()
    done = screen.t("switch.suspended.done", name="María José Gómez Ruiz")
    expect(page.locator("dialog").get_by_role("alert")).to_contain_text(done)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#toasts .toast")).to_contain_text(done)


def test_a_switch_that_fails_after_its_window_was_closed_is_told_all_the_same(
    screen: Screen, clinic: str
) -> None:
    screen.allowed.add(503)
    _open(screen, clinic)
    page, held = screen.page, _send_and_close(screen)
    held.fulfill(status=503, json={"type": "/problems/store-unavailable", "status": 503})
    expect(page.locator("#toasts .toast.bad")).to_contain_text(screen.t("problem.busy"))
