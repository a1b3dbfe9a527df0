"""examples/react-admin in Chromium, on an origin of its own, against the running stack.

No request is intercepted unless a test says so: preflights and refusals are the API's own.
"""

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect

from infra.package import ROOT
from tests.e2e.conftest import Stack, eventually
from tests.e2e.npm import find_node, install
from tests.e2e.ui.conftest import PATIENCE_MS

EXAMPLE = ROOT / "examples" / "react-admin"
SPOIL = """(names) => {
    const kept = JSON.parse(sessionStorage.tokens);
    for (const name of names) kept[name] = "not.a.token";
    sessionStorage.tokens = JSON.stringify(kept);
}"""

RENEW = """async ([address, client_id]) => {
    const { refresh } = JSON.parse(sessionStorage.tokens);
    const body = { grant_type: "refresh_token", client_id, refresh_token: refresh };
    const reply = await fetch(address, { method: "POST", body: new URLSearchParams(body) });
    return (await reply.json()).access_token;
}"""


@pytest.fixture(scope="module")
def site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address at which the example is served, built for the stack."""
    node = find_node()
    install(node, EXAMPLE)
    vite, out = EXAMPLE / "node_modules" / "vite" / "bin" / "vite.js", tmp_path_factory.mktemp("ra")
    environment = {**os.environ, "VITE_API_URL": stack.facts["url"]}
    options: dict[str, Any] = {"cwd": EXAMPLE, "env": environment, "stdout": subprocess.PIPE}
    subprocess.run([node, vite, "build", "--outDir", out], check=True, timeout=180, **options)
    serve: list[str | Path] = [node, vite, "preview", "--outDir", out]
    serve += ["--port", str(stack.front_end_port)]
    with subprocess.Popen(serve, **options) as server:
        try:
            eventually(lambda: _answers(stack.front_end))
            yield stack.front_end
        finally:
            server.terminate()


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(address, timeout=5):
        return True
    return False


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack, site: str) -> Iterator[Page]:
    """The example after an administrator has signed in."""
    context = browser.new_context(locale="en", accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(site)
    _sign_in(page, stack)
    yield page
    context.close()


def _sign_in(page: Page, stack: Stack) -> None:
    page.get_by_role("button", name="Sign in").click()
    person = next(one for one in stack.facts["people"] if one["roles"] == ["admin"])
    page.fill("#username", person["username"])
    page.fill("#password", person["password"])
    page.click("button[type=submit]")
    page.locator("tbody tr").first.wait_for()


def _is_refused(answer: Response) -> bool:
    """Return True for a 401 of the API; which request meets it first is a matter of chance."""
    return answer.status == 401 and "/v1/" in answer.url


def _is_list(answer: Response) -> bool:
    return answer.status == 200 and "/v1/customers?" in answer.url


def _column(page: Page, source: str) -> list[str]:
    return page.locator(f"tbody td.column-{source}").all_text_contents()


def _rows(stack: Stack, query: str) -> Any:
    return stack.call("GET", f"/v1/customers?{query}", token=stack.token("admin")).json["data"]


def test_lists_are_searched_sorted_and_walked_by_cursor(
    page: Page, stack: Stack, site: str
) -> None:
    page.goto(f"{site}/customers?perPage=5&page=1&sort=registered_at&order=DESC&filter=%7B%7D")
    expected = [row["company_email"] for row in _rows(stack, "limit=100&sort=company_name")]
    with page.expect_response(lambda answer: "sort=company_name" in answer.url):
        page.click('[data-field="company_name"]')
    walked: list[str] = []
    for number in range(3):
        expect(page.locator("tbody tr")).to_have_count(5)
        expect(page.locator("tbody td.column-company_email").first).to_have_text(
            expected[5 * number]
        )
        walked += _column(page, "company_email")
        if number < 2:
            with page.expect_request(lambda request: "cursor=" in request.url):
                page.get_by_role("button", name="Go to next page").click()
    assert walked == expected[:15]
    with page.expect_response(lambda answer: "sort=subscription.ends_on" in answer.url) as sorted_:
        page.click('[data-field="subscription.ends_on"]')
    assert sorted_.value.status == 200
    name = _rows(stack, "limit=1")[0]["company_email"]
    with page.expect_response(lambda answer: "q=" in answer.url) as searched:
        page.get_by_role("textbox", name="Search").fill(name)
    assert searched.value.status == 200
    expect(page.locator("tbody td.column-company_email").first).to_have_text(name)


def test_a_refused_token_is_renewed_and_a_session_that_is_over_leads_to_the_sign_in_and_back(
    page: Page, stack: Stack, site: str
) -> None:
    page.goto(f"{site}/customers?filter=%7B%7D")
    page.locator("tbody tr").first.wait_for()
    page.evaluate(SPOIL, ["access"])
    with (
        page.expect_response(_is_refused),
        page.expect_response(_is_list),
    ):
        page.get_by_role("button", name="Refresh").click()
    assert _is_fresh(page)

    page.goto(f"{site}/leads?perPage=25&page=1&sort=registered_at&order=ASC&filter=%7B%7D")
    page.locator("tbody tr").first.wait_for()
    page.evaluate(SPOIL, ["access", "refresh"])
    with page.expect_response(_is_refused):
        page.get_by_role("button", name="Refresh").click()
    page.wait_for_url("**/login")
    _sign_in(page, stack)
    assert page.url.startswith(f"{site}/leads?")
    assert "order=ASC" in page.url


def _is_fresh(page: Page) -> bool:
    """Return True if the example has got itself another access token."""
    return bool(page.evaluate("JSON.parse(sessionStorage.tokens).access !== 'not.a.token'"))


def test_the_token_endpoint_of_the_local_stack_renews_with_the_roles(
    page: Page, stack: Stack, site: str
) -> None:
    """As a library for OpenID Connect renews; the example uses the pool's own API."""
    page.goto(site)
    page.locator("tbody tr").first.wait_for()
    facts = stack.facts
    token = page.evaluate(RENEW, [f"{facts['endpoint']}/oauth2/token", facts["client_id"]])
    assert stack.call("GET", "/v1/session", token=token).json["roles"] == ["admin"]


def test_the_switch_goes_by_the_version_on_the_screen(page: Page, stack: Stack, site: str) -> None:
    customer = _rows(stack, "access=active&limit=1")[0]
    page.goto(f"{site}/customers/{customer['id']}/show")
    page.get_by_role("button", name="Suspend").wait_for()
    reply = stack.call(
        "PUT",
        f"/v1/customers/{customer['id']}/access",
        token=stack.token("support"),
        headers={"If-Match": f'"{customer["version"]}"'},
        body={"access": "suspended", "reason": "Meanwhile"},
    )
    assert reply.status == 200
    page.get_by_label("Reason").fill("Seen too late")
    with page.expect_response(lambda answer: answer.request.method == "PUT") as refused:
        page.get_by_role("button", name="Suspend").click()
    assert refused.value.status == 412
    assert refused.value.request.headers["if-match"] == f'"{customer["version"]}"'
    page.get_by_text("Changed by another person: it is suspended now.").wait_for()

    with page.expect_response(lambda answer: answer.request.method == "PUT") as activated:
        page.get_by_role("button", name="Activate").click()
    assert activated.value.status == 200
    assert activated.value.request.headers["if-match"] == f'"{customer["version"] + 1}"'
    page.get_by_role("button", name="Suspend").wait_for()


def _exported(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    return Path(download.value.path()).read_text("utf-8-sig")


def test_an_export_arrives_as_a_file(page: Page, stack: Stack, site: str) -> None:
    page.goto(f'{site}/customers?filter={{"access":"active"}}')
    with page.expect_response(lambda answer: answer.request.method == "POST") as ordered:
        text = _exported(page)
    assert ordered.value.status == 202
    assert len(ordered.value.request.headers["idempotency-key"]) == 36
    rows = _rows(stack, "access=active&limit=100")
    assert text.count("\n") == len(rows) + 1
    assert all(row["company_email"] in text for row in rows)


def test_an_order_whose_answer_is_lost_makes_one_export(page: Page, site: str) -> None:
    keys: list[str] = []
    jobs: list[str] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch(timeout=PATIENCE_MS)
        jobs.append(answer.json()["id"])
        if len(keys) == 1:
            route.abort()
        else:
            route.fulfill(response=answer)

    page.goto(f"{site}/leads")
    page.route("**/v1/exports", lose_the_first)
    assert _exported(page).count("\n") > 1
    page.unroute("**/v1/exports")
    assert len(keys) == 2
    assert (len(set(keys)), len(set(jobs))) == (1, 1)


def test_signing_out_ends_the_session_and_comes_back(page: Page, site: str) -> None:
    page.goto(f"{site}/leads")
    page.locator("tbody tr").first.wait_for()
    refresh = page.evaluate("JSON.parse(sessionStorage.tokens).refresh")
    page.get_by_role("button", name="Profile").click()
    with page.expect_response("**/logout?**") as left:
        page.get_by_role("menuitem", name="Logout").click()
    assert left.value.status == 302
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.url == f"{site}/login"
    assert page.evaluate("sessionStorage.tokens") is None

    kept = {"access": "not.a.token", "refresh": refresh}
    page.evaluate("(kept) => (sessionStorage.tokens = JSON.stringify(kept))", kept)
    with page.expect_response(_is_refused):
        page.goto(f"{site}/leads")
    page.wait_for_url("**/login")
