"""Sign-ups per day above the leads."""

import re

from playwright.sync_api import Route, expect

from tests.e2e.ui.conftest import Screen


def test_sign_ups_per_day_stand_above_the_leads(screen: Screen) -> None:
    page = screen.sign_in("marketing").page
    chart = page.locator("figure.chart")
    expect(chart.locator("svg rect")).to_have_count(30)
    expect(chart.get_by_role("img")).to_have_accessible_name(
        re.compile("^" + re.escape(screen.t("chart.title")))
    )
    days = chart.locator("tr")
    expect(days).to_have_count(30)
    month = sum(int(text) for text in chart.locator("td").all_inner_texts())
    most = screen.t("chart.best", n="|", day="").split("|")[0]
    words = f"{screen.t('chart.title')} {screen.t('chart.sum', n=month)} · {most}"
    expect(chart.locator("figcaption")).to_contain_text(words)
    page.select_option("#chart-span", "90")
    expect(chart.locator("svg rect")).to_have_count(90)


def test_the_chart_shows_the_span_that_was_chosen_last(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/totals?**", hold_the_first)
    with page.expect_request("**/v1/totals?**"):
        page.click("#tab-leads")
    page.select_option("#chart-span", "90")
    expect(page.locator(".chart rect")).to_have_count(90)
    with page.expect_response(held[0].request.url) as late:
        held[0].continue_()
    late.value.finished()
    page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    expect(page.locator(".chart rect")).to_have_count(90)
