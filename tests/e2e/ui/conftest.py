"""The page in Debian's Chromium, against the running stack: somebody signs in, looks and clicks."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from infra.demo_store import add_missing
from infra.package import ROOT
from tests.e2e.conftest import Stack
from tests.e2e.ui.people import STRANGERS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOW_TO_GET_IT = "Chromium is not installed. Debian: apt-get install chromium"
PATIENCE_MS = 90_000
"""How long a condition is waited for: a busy machine is slow, and waiting costs nothing else."""
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    if CHROMIUM is None:
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(HOW_TO_GET_IT)
        pytest.skip(HOW_TO_GET_IT)
    quiet = ["background-networking", "component-update", "sync", "gpu"]
    return {
        "executable_path": CHROMIUM,
        "args": ["--headless", "--no-sandbox", *(f"--disable-{name}" for name in quiet)],
    }


@cache
def catalogue(language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads(
        (ROOT / "chalicelib" / "ui" / f"{language}.json").read_text()
    )
    return words


@dataclass
class Screen:
    """One person in front of the page, in one language."""

    page: Page
    stack: Stack
    language: str
    allowed: set[int] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)

    def t(self, key: str, **values: object) -> str:
        """The words of a key, as the reader sees them; `n` chooses between the forms."""
        forms = catalogue(self.language)[key].split(" | ")
        return forms[0 if values.get("n") == 1 else -1].format(**values)

    @property
    def address(self) -> str:
        return f"{self.stack.facts['url']}/"

    @property
    def rows(self) -> Locator:
        return self.page.locator(".rows tbody tr:not(.skeleton)")

    def button(self, key: str, **values: object) -> Locator:
        return self.page.get_by_role("button", name=self.t(key, **values), exact=True)

    def person(self, role: str) -> Any:
        roles = [role] if role else []
        return next(one for one in self.stack.facts["people"] if one["roles"] == roles)

    def open(self, hash_: str = "") -> None:
        self.page.goto(self.address + hash_)

    def give_password(self, role: str) -> None:
        person = self.person(role)
        self.page.fill("#username", person["username"])
        self.page.fill("#password", person["password"])
        self.page.click("button[type=submit]")

    def sign_in(self, role: str = "admin", hash_: str = "") -> "Screen":
        self.open(hash_)
        self.page.click("#sign-in")
        self.give_password(role)
        if role:
            self.settle()
        return self

    def reload(self, role: str = "admin") -> None:
        """The emulator's sign-in page sets no cookie of its own, as the real one does: it asks."""
        self.page.reload()
        self.give_password(role)
        self.settle()

    def settle(self) -> None:
        """Wait until the list has arrived, as rows or as words."""
        self.page.locator(
            ".rows tbody tr:not(.skeleton), .rows .empty, .rows .trouble"
        ).first.wait_for()
        self.page.wait_for_selector(".rows:not([aria-busy])")

    def storage(self) -> str:
        """All that the browser keeps for the page beyond its memory."""
        kept: str = self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        return kept

    def names(self) -> list[str]:
        return self.column("first_name")

    def column(self, name: str) -> list[str]:
        """What the cells of the column hold.

        Not their `innerText`: until the frame that decides which rows are in sight, those under
        `content-visibility: auto` have none.
        """
        return self.page.locator(f".rows td.{name}").all_text_contents()

    def violations(self) -> list[Any]:
        """What axe has to say of the page as it is."""
        found = Axe().run(self.page)
        return [
            (one["id"], [node["html"][:120] for node in one["nodes"]])
            for one in found.response["violations"]
        ]

    def hear(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status}" in message.text for status in self.allowed)
        offline = 0 in self.allowed and "ERR_" in message.text
        theirs = not message.location["url"].startswith(self.address)
        if not (expected or offline or theirs):
            self.seen.append(f"{message.type}: {message.text}")

    def hear_error(self, error: Error) -> None:
        if not (0 in self.allowed and "Failed to fetch" in error.message):
            self.seen.append(str(error))

    def watch(self, request: Request) -> None:
        # A download is a link that the person follows, as is the sign-in page.
        if not request.is_navigation_request() and not request.url.startswith(
            (self.stack.facts["endpoint"], "data:")
        ):
            self.seen.append(f"request to {request.url}")


Opener = Callable[..., Screen]


@pytest.fixture(params=["es", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def strangers(stack: Stack) -> None:
    """Store users whom a careless page would choke on; and functions that are warm."""
    add_missing(stack.client("dynamodb"), stack.facts["tables"]["users"], STRANGERS)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: stack.call("GET", "/v1/config"), range(6)))


@pytest.fixture(scope="session")
def files() -> Callable[[Route], None]:
    """Lets each file of the page come from the stack once, and from then on as it came.

    A browser asks for all files at once, and the emulator starts a process for each such call.
    """
    known: dict[str, tuple[dict[str, str], bytes]] = {}

    def answer(route: Route) -> None:
        name = route.request.url
        if name not in known:
            answered = route.fetch(timeout=PATIENCE_MS)
            assert answered.status == 200, name
            known[name] = answered.headers, answered.body()
        headers, body = known[name]
        route.fulfill(headers=headers, body=body)

    return answer


@pytest.fixture
def opener(
    browser: Browser,
    stack: Stack,
    strangers: None,  # noqa: ARG001 - they are there from now on
    files: Callable[[Route], None],
    language: str,
) -> Iterator[Opener]:
    """Opens a browser of its own for one person; fails on whatever it had to complain of."""
    contexts: list[BrowserContext] = []
    screens: list[Screen] = []

    def open_(*, clock: bool = False, **options: Any) -> Screen:
        chosen = {"viewport": WIDE, "locale": language, "color_scheme": "light", **options}
        context = browser.new_context(**chosen)
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/ui/**", files)
        contexts.append(context)
        if clock:
            context.clock.install()
        screen = Screen(context.new_page(), stack, language)
        screen.page.on("console", screen.hear)
        screen.page.on("pageerror", screen.hear_error)
        screen.page.on("request", screen.watch)
        screens.append(screen)
        return screen

    yield open_
    complaints = [complaint for screen in screens for complaint in screen.seen]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def screen(opener: Opener) -> Screen:
    return opener()
