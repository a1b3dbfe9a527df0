"""Exports: what the screen shows as a file; progress, download, cancel, failure, earlier ones."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.conftest import eventually
from tests.e2e.ui.conftest import Screen


@pytest.fixture
def job() -> dict[str, Any]:
    """A job as the API tells of it, on its way."""
    return {
        "id": "exp_1",
        "resource": "leads",
        "format": "xlsx",
        "language": "es",
        "filters": {},
        "period": None,
        "origin": "manual",
        "status": "running",
        "progress": {"done": 120, "total": 478},
        "requested_by": "ana.admin@waizant.example",
        "requested_at": "2026-11-20T10:00:00Z",
        "finished_at": None,
        "expires_at": None,
        "rows": None,
        "size_bytes": None,
        "sha256": None,
        "file_name": None,
        "download_url": None,
        "error": None,
    }


def _answers(screen: Screen, job: dict[str, Any]) -> None:
    """Let the API tell of this job and of no other."""
    page = {"limit": 25, "start": 0, "next": None, "prev": None}
    body = {"data": [job], "page": {**page, "total": None, "total_relation": "unknown"}}
    screen.page.route("**/v1/exports?**", lambda route: route.fulfill(json=body))
    screen.page.route("**/v1/exports/exp_1", lambda route: route.fulfill(json=job))


def _order(screen: Screen) -> None:
    screen.page.locator(".order").get_by_role("button", name=screen.t("export")).click()


def _toast(screen: Screen, words: str) -> Locator:
    return screen.page.locator(".toast", has_text=words)


def test_the_file_holds_the_rows_of_the_screen(screen: Screen, tmp_path: Path) -> None:
    page = screen.sign_in("admin", "#/customers?access=suspended&limit=100").page
    names = screen.names()
    page.click("#export")
    order = page.locator(".order")
    expect(order.locator("#what")).to_contain_text("Customers")
    expect(order.locator("#what")).to_contain_text(screen.t("export.exact", n=len(names)))
    expect(order.locator(".chip")).to_contain_text(screen.t("access.suspended"))
    order.get_by_label("English").check()
    _order(screen)
    expect(page.locator("#export")).to_be_focused()
    ready = _toast(screen, screen.t("job.succeeded", n=len(names)))
    with page.expect_download() as download:
        ready.get_by_role("button", name=screen.t("download")).click()
    download.value.save_as(tmp_path / "file.xlsx")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "file.xlsx").read_bytes()))
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    assert "First name" in sheet[0]
    column = sheet[0].index("First name")
    assert sorted(str(row[column] or "") for row in sheet[1:]) == sorted(names)


def test_progress_survives_another_tab_and_a_reload(screen: Screen, job: dict[str, Any]) -> None:
    _answers(screen, job)
    page = screen.sign_in("admin").page
    bar = page.locator(".job progress")
    expect(bar).to_have_attribute("value", "120")
    expect(page.locator(".job")).to_contain_text(screen.t("job.of", done=120, n=478))
    page.click("#tab-leads")
    screen.settle()
    job["progress"]["done"] = 300
    expect(bar).to_have_attribute("value", "300")
    screen.reload()
    expect(bar).to_have_attribute("value", "300")
    job.update(status="succeeded", rows=478)
    expect(_toast(screen, screen.t("job.succeeded", n=478))).to_be_visible()
    expect(bar).to_have_count(0)


def test_a_search_whose_rows_nobody_has_counted_tells_how_many_are_written(
    screen: Screen, job: dict[str, Any]
) -> None:
    job["progress"] = {"done": 120, "total": None}
    _answers(screen, job)
    page = screen.sign_in("admin").page
    expect(page.locator(".job .done")).to_have_text(screen.t("export.rows", n=120))
    expect(page.locator(".job progress")).not_to_have_attribute("value", "120")


def test_a_failure_is_told_in_plain_words(screen: Screen, job: dict[str, Any]) -> None:
    _answers(screen, job)
    screen.sign_in("admin")
    job.update(status="failed", error="The list changed too often")
    toast = _toast(screen, screen.t("job.failed"))
    expect(toast).to_contain_text("The list changed too often")


def test_an_export_under_way_can_be_cancelled(screen: Screen, job: dict[str, Any]) -> None:
    _answers(screen, job)
    page = screen.sign_in("admin").page
    deleted: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method == "DELETE":
            deleted.append(route.request.url)
            route.fulfill(status=204)
        else:
            route.fulfill(json=job)

    page.route("**/v1/exports/exp_1", answer)
    page.locator(".job").get_by_role("button", name=screen.t("cancel")).click()
    expect(_toast(screen, screen.t("job.cancelled"))).to_be_visible()
    expect(page.locator(".job")).to_have_count(0)
    assert len(deleted) == 1


def test_a_cancellation_that_fails_is_not_told_as_done(screen: Screen, job: dict[str, Any]) -> None:
    screen.allowed.add(503)
    _answers(screen, job)
    page = screen.sign_in("admin").page

    def answer(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=503, json={"type": "/problems/store-unavailable", "status": 503})
        else:
            route.fulfill(json=job)

    page.route("**/v1/exports/exp_1", answer)
    page.locator(".job").get_by_role("button", name=screen.t("cancel")).click()
    _toast(screen, screen.t("problem.busy")).wait_for()
    assert page.locator(".toast p").all_inner_texts() == [screen.t("problem.busy")]
    expect(page.locator(".job")).to_have_count(1)


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
    _order(screen)
    expect(page.locator("dialog .trouble")).to_contain_text(screen.t("problem.too-many-exports"))


def test_earlier_exports_tell_who_when_rows_and_expiry_and_can_be_deleted(screen: Screen) -> None:
    page = screen.sign_in("admin", "#/leads?registered_to=2020-12-31").page
    page.click("#export")
    page.locator(".order").get_by_label("CSV").check()
    _order(screen)
    _toast(screen, screen.t("job.succeeded", n=1).split(":")[0]).wait_for()
    page.click("#export")
    item = page.locator(".earlier li").first
    expect(item).to_contain_text("Leads · CSV")
    expect(item).to_contain_text("ana.admin@waizant.example")
    expect(item).to_contain_text({"es": "1 fila", "en": "1 row"}[screen.language])
    expect(item).to_contain_text(screen.t("export.expires", day=""))
    expect(item.locator(".chip")).to_contain_text("2020")
    before = page.locator(".earlier li").count()
    delete = item.locator(".does button").last
    delete.click()
    expect(delete).to_have_text(screen.t("delete.sure"))
    delete.click()
    eventually(lambda: page.locator(".earlier li").count() in {before - 1, 0})


def test_marketing_sees_the_scheduled_ones(screen: Screen, job: dict[str, Any]) -> None:
    job.update(origin="scheduled", status="succeeded", rows=90)
    job["period"] = {"from": "2026-11-10T11:00:00Z", "to": "2026-11-17T11:00:00Z"}
    _answers(screen, job)
    page = screen.sign_in("marketing").page
    page.click("#export")
    item = page.locator(".earlier li")
    expect(item.locator(".tag")).to_have_text(screen.t("export.scheduled"))
    expect(item).to_contain_text(screen.t("export.period", **{"from": "|", "to": ""}).split("|")[0])
    expect(item.get_by_role("button")).to_have_count(1)


def test_who_may_not_export_is_told_so(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    export = page.locator("#export")
    expect(export).to_have_attribute("aria-disabled", "true")
    export.click(force=True)
    expect(_toast(screen, screen.t("export.no_permission"))).to_be_visible()


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
    orders: list[Any] = []

    def take(route: Route) -> None:
        orders.append(route.request.post_data_json)
        route.fulfill(status=202, json=job)

    page.route("**/v1/exports", take)
    page.click("#export")
    expect(page.locator("#what")).to_contain_text("Leads")
    page.go_back()
    page.wait_for_url("**/#/customers?limit=10")
    _order(screen)
    expect(page.locator("dialog")).to_have_count(0)
    assert [order["resource"] for order in orders] == ["leads"]
