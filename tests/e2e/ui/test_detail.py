"""The detail window: what the manual lists, its address, its neighbours, its way back."""

from playwright.sync_api import expect

from tests.e2e.ui.conftest import Screen


def test_action_opens_everything_that_the_manual_lists(screen: Screen) -> None:
    page = screen.sign_in("admin", "#/customers?ecosystem=deployed").page
    first = page.locator(".rows tr[data-id]").first.get_attribute("data-id")
    token = screen.stack.token("admin")
    row = screen.stack.call("GET", f"/v1/customers/{first}", token=token).json
    page.locator("td.action button").first.click()
    page.locator("#detail meter").wait_for()
    subscription = row["subscription"]
    detail = page.locator("#detail")
    facts = {
        screen.t("filter.billing_period"): screen.t(
            f"billing_period.{subscription['billing_period']}"
        ),
        screen.t("filter.status"): screen.t(f"status.{subscription['status']}"),
        screen.t("filter.plan"): subscription["plan"],
        screen.t("column.ecosystem"): row["ecosystem"]["name"],
        screen.t("column.phone_number"): row["phone_number"],
    }
    for term, value in facts.items():
        line = detail.locator(".facts div", has_text=term).first
        expect(line.locator("dd")).to_have_text(value)
    years = {subscription["starts_on"][:4], subscription["ends_on"][:4]}
    for term in ("starts_on", "ends_on"):
        line = detail.locator(".facts div", has_text=screen.t(term))
        assert any(year in line.inner_text() for year in years)
    licences = detail.locator("section.licences")
    total = sum(part["count"] for part in subscription["licences"])
    expect(licences).to_contain_text(str(total))
    for part in subscription["licences"]:
        line = licences.locator(".facts div", has_text=screen.t(f"licence.{part['status']}"))
        expect(line.locator("dd")).to_have_text(str(part["count"]))
    used = page.locator("#detail meter").get_attribute("value")
    assert used == str(subscription["encounters"]["used"])


def test_the_window_has_an_address_and_back_closes_it(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?open=cus_0042").page
    page.locator("#detail meter").wait_for()
    expect(page.locator("dialog h2")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert page.url.endswith("#/customers")
    page.go_back()
    expect(page.locator("dialog")).to_have_count(1)


def test_arrow_keys_go_to_the_next_and_the_previous(screen: Screen) -> None:
    page = screen.sign_in("viewer").page
    names = page.locator(".rows tr").evaluate_all(
        "rows => rows.slice(1).map(row => row.dataset.id)"
    )
    page.click(f"#action-{names[0]}")
    expect(page.locator("#detail-previous")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("ArrowRight")
    expect(page.locator("dialog")).to_have_attribute("data-of", names[1])
    assert f"open={names[1]}" in page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("dialog")).to_have_attribute("data-of", names[1])
    page.locator("#detail-switch").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("dialog")).to_have_attribute("data-of", names[2])
    page.wait_for_selector("#detail:not([aria-busy])")
    expect(page.locator("#detail-switch")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f"#action-{names[0]}")).to_be_focused()


def test_a_link_to_somebody_who_is_not_there_says_so(screen: Screen) -> None:
    screen.allowed.add(404)
    page = screen.sign_in("viewer", "#/customers?open=cus_nobody").page
    expect(page.locator("#detail .trouble")).to_contain_text(screen.t("problem.not-found"))
    screen.button("again").click()
    expect(page.locator("dialog h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(screen.rows.first).to_be_visible()


def test_a_lead_has_contact_and_date_of_registration(screen: Screen) -> None:
    page = screen.sign_in("marketing").page
    page.locator("td.action button").first.click()
    expect(page.locator("#detail section")).to_have_count(1)
    line = page.locator("#detail .facts div", has_text=screen.t("column.registered_at"))
    expect(line.locator("dd")).to_contain_text("20")


def test_history_is_for_those_who_may_read_the_audit(screen: Screen) -> None:
    page = screen.sign_in("viewer", "#/customers?open=cus_0042").page
    page.locator("#detail meter").wait_for()
    expect(page.locator(".history")).to_have_count(0)
