"""Searches, totals and pages by number over HTTP."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.client import Client
from tests.api.exports import order_export, run_exports
from tests.builders import customer, lead, save
from tests.feed import Feed
from tests.following import follow


@pytest.fixture
def shop(api: Client) -> Client:
    """Three customers and two leads, counted and indexed."""
    feed = Feed()
    save(
        customer(ecosystem=None),
        customer("cus_2", ecosystem=None, first_name="Ana", phone_number="3104445566"),
        customer("cus_3", ecosystem=None, last_name="Rodríguez", access="suspended"),
        lead(),
        lead("led_8", registered_at="2026-02-03T08:00:00Z"),
    )
    follow(feed)
    return api


def test_a_search_answers_rows_total_and_link(shop: Client) -> None:
    answer = shop.get("/v1/customers", q="ruiz MARÍA", limit=1)
    assert answer.status == 200
    assert [row["id"] for row in answer.json["data"]] == ["cus_0042"]
    assert (answer.json["page"]["total"], answer.json["page"]["total_relation"]) == (1, "exact")
    assert answer.headers["x-total-count"] == "1"


def test_a_search_goes_on_by_its_link(shop: Client) -> None:
    first = shop.get("/v1/customers", q="clinica sol", limit=2)
    assert first.json["page"]["total"] == 3
    link = first.headers["link"].split(";")[0].strip("<>")
    query = parse_qs(urlsplit(link).query)
    assert "sort" not in query
    second = shop.get(link)
    assert second.status == 200
    ids = {row["id"] for page in (first, second) for row in page.json["data"]}
    assert ids == {"cus_0042", "cus_2", "cus_3"}
    assert second.json["page"]["total"] == 3


@pytest.mark.parametrize("q", ["driguez", "RODRÍGUEZ", "300 123", "(300)123-4567", "mj@clinica"])
def test_a_search_with_a_filter(shop: Client, q: str) -> None:
    answer = shop.get("/v1/customers", q=q, access="suspended")
    assert [row["id"] for row in answer.json["data"]] == ["cus_3"]


def test_an_export_of_a_search_holds_what_the_screen_shows(shop: Client) -> None:
    filters = {"q": "clinica sol", "ecosystem": "none"}
    shown = shop.get("/v1/customers", **filters).json
    job = order_export(shop, resource="customers", filters=filters)
    run_exports()
    made = shop.get(f"/v1/exports/{job}").json
    assert (made["status"], made["rows"]) == ("succeeded", shown["page"]["total"])
    assert made["rows"] == len(shown["data"]) == 3


def test_leads_are_searched_among_leads(shop: Client) -> None:
    assert len(shop.get("/v1/leads", q="juan").json["data"]) == 2
    assert shop.get("/v1/leads", q="maria").json["data"] == []
    assert shop.get("/v1/leads", q="!!").json["page"]["total"] == 0


def test_a_cursor_of_a_search_serves_no_other(shop: Client) -> None:
    token = shop.get("/v1/customers", q="clinica", limit=1).json["page"]["next"]
    answer = shop.get("/v1/customers", q="clinicas", limit=1, cursor=token)
    assert (answer.status, answer.json["type"]) == (400, "/problems/stale-cursor")


def test_a_total_that_was_not_asked_for_is_unknown(shop: Client) -> None:
    page = shop.get("/v1/leads", limit=1, total="none").json["page"]
    assert (page["total"], page["total_relation"]) == (None, "unknown")


def test_a_page_by_number(shop: Client) -> None:
    answer = shop.get("/v1/leads", page=2, limit=1)
    assert [row["id"] for row in answer.json["data"]] == ["led_0007"]
    page = answer.json["page"]
    assert (page["start"], page["total"], page["next"]) == (1, 2, None)
    before = shop.get("/v1/leads", limit=1, cursor=page["prev"])
    assert [row["id"] for row in before.json["data"]] == ["led_8"]
    beyond = shop.get("/v1/leads", page=99, limit=1).json
    assert (beyond["data"], beyond["page"]["start"], beyond["page"]["total"]) == ([], 2, 2)


@pytest.mark.parametrize(
    ("given", "name", "detail"),
    [
        (
            {"q": "ana", "sort": "first_name"},
            "sort",
            "not together with q: the best match comes first",
        ),
        (
            {"page": 2, "q": "ana"},
            "page",
            "not together with q or a filter: walk by cursors",
        ),
        (
            {"page": 2, "registered_from": "2026-01-01"},
            "page",
            "not together with q or a filter: walk by cursors",
        ),
        (
            {"page": 2, "sort": "first_name"},
            "page",
            "only where the list is sorted by registered_at",
        ),
        ({"page": 2, "cursor": "x"}, "page", "not together with a cursor"),
    ],
)
def test_what_cannot_be_asked_together_is_refused(
    api: Client, given: dict[str, Any], name: str, detail: str
) -> None:
    answer = api.get("/v1/leads", **given)
    assert answer.status == 400
    assert answer.json["errors"] == [{"in": "query", "name": name, "detail": detail}]


def test_sign_ups_a_day(shop: Client) -> None:
    answer = shop.get("/v1/totals?list=leads&from=2026-02-01&to=2026-02-03", "marketing")
    assert answer.json == {
        "list": "leads",
        "total": 2,
        "days": [
            {"on": "2026-02-01", "registered": 1},
            {"on": "2026-02-02", "registered": 0},
            {"on": "2026-02-03", "registered": 1},
        ],
    }


def test_sign_ups_of_a_list_that_one_may_not_read(shop: Client) -> None:
    answer = shop.get("/v1/totals?list=customers&from=2026-02-01&to=2026-02-03", "marketing")
    assert (answer.status, answer.json["permission"]) == (403, "customers:read")


@pytest.mark.parametrize(
    ("first", "last", "detail"),
    [
        ("2026-02-02", "2026-02-01", "is before `from`"),
        ("2025-01-01", "2026-02-05", "is more than 400 days from `from`"),
    ],
)
def test_days_that_make_no_sense_are_refused(
    api: Client, first: str, last: str, detail: str
) -> None:
    answer = api.get(f"/v1/totals?list=leads&from={first}&to={last}")
    assert answer.json["errors"] == [{"in": "query", "name": "to", "detail": detail}]
