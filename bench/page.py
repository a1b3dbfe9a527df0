"""How long the page takes to paint 100 rows: `python -m bench.page`.

The page's own files in Chromium, with answers that stand ready, so that neither network nor API
is in the figure: from the end of the answer to the moment after the frame that shows it. Ends
with the criterion, and with status 1 where it is not met.
"""

import argparse
import json
import shutil
import sys
from datetime import date
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from chalicelib.api import pages
from chalicelib.api.rows import customer_row
from chalicelib.users.model import Kind
from infra.demo import demo_users

_ADDRESS = "http://localhost/"
_ROWS = 100
_MOST_MS = 60
_WARMING = 5
_TYPES = {"css": "text/css", "js": "text/javascript", "json": "application/json"}

# The sign-in has just sent the reader back, and everything that comes later is known already.
_BEFORE = """
sessionStorage.setItem("sign-in", JSON.stringify({state: "s", verifier: "v", hash: ""}));
window.painted = [];
addEventListener("rows", () => {
  const answered = performance.getEntriesByType("resource")
    .findLast(one => one.name.includes("v1/customers?")).responseEnd;
  const after = new MessageChannel();
  after.port1.onmessage = () => painted.push(performance.now() - answered);
  requestAnimationFrame(() => after.port2.postMessage(null));
});
"""


def _answers() -> dict[str, Any]:
    """What the API and the user pool say, by path."""
    customers = (user for user in demo_users(1_000, today=date(2026, 11, 1)))
    rows = [customer_row(user) for user in customers if user.kind is Kind.CUSTOMER][:_ROWS]
    page = {"limit": _ROWS, "start": 0, "next": None, "prev": None}
    sign_in = {"url": "", "pool_url": "", "client_id": "page", "scopes": "openid"}
    return {
        "v1/config": {
            "languages": ["es", "en"],
            "time_zone": "UTC",
            "sign_in": {**sign_in, "session_seconds": 3_600},
        },
        "oauth2/token": {"access_token": "a", "refresh_token": "r", "expires_in": 3_600},
        "v1/session": {
            "username": "ana",
            "roles": ["admin"],
            "permissions": ["customers:read", "leads:read", "access:change"],
        },
        "v1/customers": {"data": rows, "page": {**page, "total": _ROWS, "total_relation": "exact"}},
    }


def _served(page: Page) -> None:
    """Answer every request of the page from what is here."""
    files, answers = pages._files(), _answers()  # noqa: SLF001 - as the API serves them

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(_ADDRESS).lstrip("/").partition("?")[0]
        if path in answers:
            route.fulfill(body=json.dumps(answers[path]), content_type="application/json")
            return
        name = path.removeprefix("ui/") or "index.html"
        kind = _TYPES.get(name.rpartition(".")[2], "text/html")
        route.fulfill(body=files[name][0], content_type=f"{kind}; charset=utf-8")

    page.route("**/*", answer)


def painted_ms(browser: Browser, samples: int) -> list[float]:
    """From answer to paint, in milliseconds, once the code is warm; one for each new order."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    _served(page)
    page.add_init_script(_BEFORE)
    page.goto(f"{_ADDRESS}?code=c&state=s")
    page.wait_for_function("painted.length === 1")
    for number in range(_WARMING + samples):
        sort = ("name", "-name")[number % 2]
        page.evaluate(f"location.hash = '#/customers?limit={_ROWS}&sort={sort}'")
        page.wait_for_function(f"painted.length === {number + 2}")
    rows = page.locator("tbody tr").count()
    if rows != _ROWS:
        message = f"{rows} rows were painted instead of {_ROWS}"
        raise RuntimeError(message)
    measured: list[float] = page.evaluate("painted")
    page.close()
    return measured[1 + _WARMING :]


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=60)
    samples = parser.parse_args().samples
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is not installed. Debian: apt-get install chromium", file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        measured = painted_ms(browser, samples)
        version = browser.version
        browser.close()
    middle, slow = median(measured), quantiles(measured, n=10)[-1]
    print(f"| 100 rows, Chromium {version} | ms |\n| --- | ---: |")
    print(f"| median of {samples} | {middle:.0f} |\n| nine of ten within | {slow:.0f} |\n")
    print(f"- {'PASS' if middle <= _MOST_MS else 'FAIL'}: painted within {_MOST_MS} ms (median)")
    return 0 if middle <= _MOST_MS else 1


if __name__ == "__main__":
    sys.exit(main())
