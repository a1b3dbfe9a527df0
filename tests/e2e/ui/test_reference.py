"""The page of API documentation in a browser: read it, and send a request with a token."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from chalicelib.api.contract import OPERATIONS
from tests.e2e.conftest import Stack

_LISTEN = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@pytest.fixture
def reference(stack: Stack, browser: Browser) -> Iterator[Page]:
    """The page, which violates no policy and logs no error."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.extend([said.text] if said.type == "error" else []))
    page.add_init_script(_LISTEN)
    page.goto(f"{stack.facts['url']}/docs")
    yield page
    assert page.evaluate("window.violations") == []
    page.close()
    assert errors == []


def test_it_draws_every_operation(reference: Page) -> None:
    expect(reference.locator(".opblock")).to_have_count(len(OPERATIONS))
    drawn = reference.locator(".opblock-summary-path").evaluate_all(
        "all => all.map((one) => one.dataset.path)"
    )
    assert sorted(drawn) == sorted(operation.path for operation in OPERATIONS.values())
    expect(reference.locator("#operations-Customers-change_access")).to_be_visible()
    reference.click("#operations-Customers-change_access .opblock-summary-control")
    expect(reference.get_by_text("Needs the permission access:change.")).to_be_visible()


def test_a_request_is_sent_with_a_pasted_token(stack: Stack, reference: Page) -> None:
    reference.get_by_role("button", name="Authorize").first.click()
    reference.fill(".auth-container input", stack.token("viewer"))
    reference.click(".auth-btn-wrapper .authorize")
    reference.click(".auth-btn-wrapper .btn-done")
    operation = reference.locator("#operations-Leads-list_leads")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    with reference.expect_response("**/v1/leads*") as sent:
        operation.get_by_role("button", name="Execute").click()
    assert sent.value.status == 200
    shown = operation.locator(".live-responses-table .response-col_description pre").first
    expect(shown).to_contain_text("total_relation")
    assert json.loads(sent.value.text())["data"]


def test_markup_that_could_do_something_is_shown_as_text(reference: Page) -> None:
    expect(reference.locator(".opblock").first).to_be_visible()
    made = reference.evaluate(
        """(html) => { const place = document.createElement("div"); place.innerHTML = html;
        return [place.children.length, place.textContent]; }""",
        "<p onclick='x()'>a</p><img src=x onerror=x()>",
    )
    assert made == [0, "<p onclick='x()'>a</p><img src=x onerror=x()>"]
