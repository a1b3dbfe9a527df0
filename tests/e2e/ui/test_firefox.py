"""The page's main flow in Debian's Firefox."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.ui.conftest import PATIENCE_MS
from tests.e2e.ui.firefox import FIREFOX, Firefox, running_firefox
from tests.e2e.ui.test_reflow import CELLS_IN_SIGHT, SIZES

_HOW_TO_GET_IT = "Firefox is not installed. Debian: apt-get install firefox-esr"
_NARROWEST = 500
"""A window of Firefox is no narrower, in CSS pixels."""


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    if FIREFOX is None:
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(_HOW_TO_GET_IT)
        pytest.skip(_HOW_TO_GET_IT)
    with running_firefox(tmp_path, PATIENCE_MS / 1000) as browser:
        yield browser


def _sign_in(firefox: Firefox, stack: Stack, role: str) -> None:
    person = next(one for one in stack.facts["people"] if one["roles"] == [role])
    firefox.send("WebDriver:Navigate", url=stack.facts["url"] + "/")
    firefox.click("#sign-in")
    firefox.write("#username", person["username"])
    firefox.write("#password", person["password"])
    firefox.click("button[type=submit]")
    firefox.until("document.querySelector('tbody tr[data-id]')")


def test_list_search_and_switch_work(firefox: Firefox, stack: Stack) -> None:
    _sign_in(firefox, stack, "support")
    firefox.write("#search", "\N{HOSPITAL}")
    firefox.until("document.querySelector('#search-short').checkVisibility()")
    firefox.write("#search", "clinica")
    firefox.until("document.querySelector('tbody mark')")
    firefox.run("location.hash = '#/customers?access=active'")
    firefox.until("!document.querySelector('tbody mark')")
    firefox.click("td.access .switch[aria-checked=true]")
    firefox.write("#reason", "Privacy incident 4711")
    firefox.click("dialog [type=submit]")
    firefox.until("document.querySelector('tr.suspended td.access .state')")
    firefox.click("#toasts .button:not(.bare)")
    firefox.until("!document.querySelector('#toasts .button:not(.bare)')")
    firefox.click("#tab-leads")
    firefox.until("document.querySelector('table.leads tbody tr[data-id]')")
    firefox.click("#sign-out")
    firefox.until("document.querySelector('#sign-in')")


def test_the_list_can_be_read_at_every_size(firefox: Firefox, stack: Stack) -> None:
    _sign_in(firefox, stack, "viewer")
    for (width, height), least in SIZES.items():
        if width >= _NARROWEST:
            firefox.resize(width, height)
            firefox.run("document.querySelectorAll('tbody tr')[4].scrollIntoView()")
            firefox.until(f"({CELLS_IN_SIGHT})() >= {least}")
            assert firefox.run("return document.documentElement.scrollWidth") <= width
