"""Exports of the tests of the page: ordered in its window, told of, found in messages."""

from typing import Any

from playwright.sync_api import Locator, Route

from tests.e2e.ui.conftest import Screen
from tests.exporting import UNFINISHED


def running_job() -> dict[str, Any]:
    """A job as the API tells of it, on its way."""
    return {
        **UNFINISHED,
        "id": "exp_1",
        "resource": "leads",
        "format": "xlsx",
        "language": "es",
        "filters": {},
        "status": "running",
        "progress": {"done": 120, "total": 478},
        "requested_by": "ana.admin@waizant.example",
        "requested_at": "2026-11-20T10:00:00Z",
    }


def tell_of(screen: Screen, job: dict[str, Any]) -> None:
    """Let the API tell of this job and of no other."""
    page = {"limit": 25, "start": 0, "next": None, "prev": None}
    body = {"data": [job], "page": {**page, "total": None, "total_relation": "unknown"}}
    screen.page.route("**/v1/exports?**", lambda route: route.fulfill(json=body))
    screen.page.route("**/v1/exports/exp_1", lambda route: route.fulfill(json=job))


def taken_orders(screen: Screen, job: dict[str, Any]) -> list[Any]:
    """The bodies of the orders from now on: each is answered with this job."""
    orders: list[Any] = []

    def take(route: Route) -> None:
        orders.append(route.request.post_data_json)
        route.fulfill(status=202, json=job)

    screen.page.route("**/v1/exports", take)
    return orders


def order(screen: Screen) -> None:
    """Ask for what the window of exports tells of."""
    screen.page.locator(".order").get_by_role("button", name=screen.t("export")).click()


def toast(screen: Screen, words: str) -> Locator:
    """The message that says these words."""
    return screen.page.locator(".toast", has_text=words)
