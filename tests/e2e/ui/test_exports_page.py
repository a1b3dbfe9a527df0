"""Ordering an export: of what the screen shows, once, and what is said where it cannot be."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Route, expect

from tests.e2e.ui.conftest import Screen
from tests.e2e.ui.jobs import order, running_job, taken_orders, toast


@pytest.fixture
def job() -> dict[str, Any]:
    return running_job()


def test_the_file_holds_the_rows_of_the_screen(screen: Screen, tmp_path: Path) -> None:
    page = screen.sign_in("admin", "#/customers?access=suspended&limit=100").page
    names = screen.names()
    page.click("#export")
    form = page.locator(".order")
    expect(form.locator("#what")).to_contain_text("Customers")
    expect(form.locator("#what")).to_contain_text(screen.t("export.exact", n=len(names)))
    expect(form.locator(".chip")).to_contain_text(screen.t("access.suspended"))
    form.get_by_label("English").check()
    order(screen)
    expect(page.locator("#export")).to_be_focused()
    ready = toast(screen, screen.t("job.succeeded", n=len(names)))
    with page.expect_download() as download:
        ready.get_by_role("button", name=screen.t("download")).click()
    download.value.save_as(tmp_path / "file.xlsx")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "file.xlsx").read_bytes()))
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    assert "First name" in sheet[0]
    column = sheet[0].index("First name")
    assert sorted(str(row[column] or "") for row in sheet[1:]) == sorted(names)


def test_an_order_whose_answer_was_lost_is_the_same_order_until_something_else_is_chosen(
    screen: Screen,
) -> None:
    screen.allowed.add(0)
    page = screen.sign_in("admin").page
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort()

    page.route("**/v1/exports", lose)
    page.click("#export")
    submit = page.locator(".order [type=submit]")
    for format_ in ("Excel (.xlsx)", "Excel (.xlsx)", "CSV"):
        page.locator(".order").get_by_label(format_).check()
        submit.click()
        expect(page.locator("dialog .trouble")).to_contain_text(screen.t("problem.offline"))
        expect(submit).to_be_enabled()
    assert len(keys) == 3
    assert keys[0] == keys[1] != keys[2]


def test_too_many_exports_are_refused_in_plain_words(screen: Screen) -> None:
    screen.allowed.add(429)
    page = screen.sign_in("admin").page
    problem = {"type": "/problems/too-many-exports", "status": 429, "request_id": "req-1"}
    page.route("**/v1/exports", lambda route: route.fulfill(status=429, json=problem))
    page.click("#export")
    order(screen)
    expect(page.locator("dialog .trouble")).to_contain_text(screen.t("problem.too-many-exports"))


def test_who_may_not_export_is_told_so(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    export = page.locator("#export")
    expect(export).to_have_attribute("aria-disabled", "true")
    export.click(force=True)
    expect(toast(screen, screen.t("export.no_permission"))).to_be_visible()


def test_while_rows_are_on_their_way_no_number_of_others_is_told(screen: Screen) -> None:
    page = screen.sign_in("admin", "#/customers?access=suspended&limit=100").page
    held: list[Route] = []
    page.route("**/v1/customers?**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.fill("#search", "ruiz")
    page.wait_for_url("**q=ruiz**")
    page.click("#export")
    expect(page.locator("#what")).to_have_text(f"Customers: {screen.t('export.unknown')}")


def test_the_order_is_the_one_that_the_window_tells_of(screen: Screen, job: dict[str, Any]) -> None:
    page = screen.sign_in("admin", "#/customers?limit=10").page
    page.click("#tab-leads")
    screen.settle()
    orders = taken_orders(screen, job)
    page.click("#export")
    expect(page.locator("#what")).to_contain_text("Leads")
    page.go_back()
    page.wait_for_url("**/#/customers?limit=10")
    order(screen)
    expect(page.locator("dialog")).to_have_count(0)
    assert [order["resource"] for order in orders] == ["leads"]
