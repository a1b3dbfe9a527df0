"""Exports under way and earlier ones: progress, end, cancelling, who and when."""

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from chalicelib.exports.reasons import TOO_LONG
from tests.e2e.conftest import eventually
from tests.e2e.ui.conftest import Screen
from tests.e2e.ui.jobs import order, running_job, taken_orders, tell_of, toast


@pytest.fixture
def job() -> dict[str, Any]:
    return running_job()


def test_progress_survives_another_tab_and_a_reload(screen: Screen, job: dict[str, Any]) -> None:
    tell_of(screen, job)
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
    expect(toast(screen, screen.t("job.succeeded", n=478))).to_be_visible()
    expect(bar).to_have_count(0)


def test_a_search_whose_rows_nobody_has_counted_tells_how_many_are_written(
    screen: Screen, job: dict[str, Any]
) -> None:
    job["progress"] = {"done": 120, "total": None}
    tell_of(screen, job)
    page = screen.sign_in("admin").page
    expect(page.locator(".job .done")).to_have_text(screen.t("export.rows", n=120))
    expect(page.locator(".job progress")).not_to_have_attribute("value", "120")


def test_a_failure_is_told_in_plain_words(screen: Screen, job: dict[str, Any]) -> None:
    tell_of(screen, job)
    screen.sign_in("admin")
    job.update(status="failed", error="The list changed too often")
    expect(toast(screen, screen.t("job.failed"))).to_contain_text("The list changed too often")


def test_why_it_failed_is_told_in_the_language_of_the_file(
    screen: Screen, job: dict[str, Any]
) -> None:
    """On a Spanish page, where nobody chose another language, in Spanish."""
    tell_of(screen, job)
    page = screen.sign_in("admin").page
    orders = taken_orders(screen, job)
    page.click("#export")
    order(screen)
    expect(page.locator("dialog")).to_have_count(0)
    assert orders[0]["language"] == screen.language
    job.update(status="failed", error=TOO_LONG[orders[0]["language"]])
    why = {"es": "No se pudo terminar en el tiempo", "en": "It could not be finished within"}
    expect(toast(screen, screen.t("job.failed"))).to_contain_text(why[screen.language])


def test_an_export_under_way_can_be_cancelled(screen: Screen, job: dict[str, Any]) -> None:
    tell_of(screen, job)
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
    expect(toast(screen, screen.t("job.cancelled"))).to_be_visible()
    expect(page.locator(".job")).to_have_count(0)
    assert len(deleted) == 1


def test_marketing_cancels_its_own_export_and_not_those_of_others(
    screen: Screen, job: dict[str, Any]
) -> None:
    def answer(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"id": "subject-of-marta"})

    screen.page.route("**/v1/session", answer)
    job.update(requested_by="marta.marketing@waizant.example", requested_by_id="subject-of-marta")
    tell_of(screen, job)
    page = screen.sign_in("marketing").page
    cancel = page.locator(".job").get_by_role("button", name=screen.t("cancel"))
    expect(cancel).to_have_count(1)
    page.click("#export")
    own = page.locator(".earlier li").get_by_role("button")
    expect(own).to_have_count(1)
    expect(own).to_have_text(screen.t("cancel"))
    page.keyboard.press("Escape")
    job["requested_by_id"] = "another-subject"
    screen.reload("marketing")
    page.click("#export")
    expect(page.locator(".earlier li").get_by_role("button")).to_have_count(0)


def test_a_cancellation_that_fails_is_not_told_as_done(screen: Screen, job: dict[str, Any]) -> None:
    screen.allowed.add(503)
    tell_of(screen, job)
    page = screen.sign_in("admin").page

    def answer(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=503, json={"type": "/problems/store-unavailable", "status": 503})
        else:
            route.fulfill(json=job)

    page.route("**/v1/exports/exp_1", answer)
    page.locator(".job").get_by_role("button", name=screen.t("cancel")).click()
    toast(screen, screen.t("problem.busy")).wait_for()
    assert page.locator(".toast p").all_inner_texts() == [screen.t("problem.busy")]
    expect(page.locator(".job")).to_have_count(1)


def test_earlier_exports_tell_who_when_rows_and_expiry_and_can_be_deleted(screen: Screen) -> None:
    page = screen.sign_in("admin", "#/leads?registered_to=2020-12-31").page
    page.click("#export")
    page.locator(".order").get_by_label("CSV").check()
    order(screen)
    toast(screen, screen.t("job.succeeded", n=1).split(":")[0]).wait_for()
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
    tell_of(screen, job)
    page = screen.sign_in("marketing").page
    page.click("#export")
    item = page.locator(".earlier li")
    expect(item.locator(".tag")).to_have_text(screen.t("export.scheduled"))
    expect(item).to_contain_text(screen.t("export.period", **{"from": "|", "to": ""}).split("|")[0])
    expect(item.get_by_role("button")).to_have_count(1)
