"""The lists over HTTP: their shape, their links, their filters."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.api.enumerations import OLD_SORTS
from chalicelib.users.cursor import Position, encode
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from tests.api.client import Client
from tests.api.conformity import Answer
from tests.builders import SUBSCRIPTION, customer, lead, save, save_item

LISTS = ["/v1/customers", "/v1/leads"]


def _ids(answer: Answer) -> list[str]:
    return [row["id"] for row in answer.json["data"]]


def _links(answer: Answer) -> dict[str, str]:
    """The targets of the `Link` header by relation (RFC 8288)."""
    parts = re.findall(r'<([^>]*)>; rel="([a-z]+)"', answer.headers["link"])
    return {relation: target for target, relation in parts}


def _save_customers(count: int) -> None:
    save(
        *(
            customer(f"cus_{number}", registered_at=f"2026-03-0{number}T00:00:00Z", ecosystem=None)
            for number in range(1, count + 1)
        )
    )


def test_a_list_of_customers_has_the_shape_of_the_contract(api: Client) -> None:
    save(customer(), lead())
    answer = api.get("/v1/customers", "viewer")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "data": [
            {
                "id": "cus_0042",
                "first_name": "María José",
                "last_name": "Gómez Ruiz",
                "company_email": "mj@clinica-sol.co",
                "phone_number": "+573001234567",
                "company_name": "Clínica Sol",
                "registered_at": "2026-03-01T15:04:05Z",
                "ecosystem": {
                    "id": "eco_17",
                    "name": "clinica-sol",
                    "deployed_at": "2026-03-04T10:00:00Z",
                },
                "access": "active",
                "subscription": {
                    "plan": "Premium",
                    "billing_period": "annual",
                    "status": "active",
                    "starts_on": "2026-03-01",
                    "ends_on": "2027-02-28",
                },
                "version": 7,
            }
        ],
        "page": {
            "limit": 25,
            "start": 0,
            "next": None,
            "prev": None,
            "total": 1,
            "total_relation": "exact",
        },
    }
    assert answer.headers["x-total-count"] == "1"


def test_a_lead_has_neither_ecosystem_nor_access_nor_subscription(api: Client) -> None:
    save(customer(), lead())
    assert api.get("/v1/leads", "marketing").json["data"] == [
        {
            "id": "led_0007",
            "first_name": "Juan",
            "last_name": "Pérez",
            "company_email": "juan@example.com",
            "phone_number": "3001112233",
            "company_name": "",
            "registered_at": "2026-02-01T08:00:00Z",
            "version": 1,
        }
    ]


def test_the_ecosystem_is_null_until_it_is_deployed(api: Client) -> None:
    save(customer(ecosystem=None, access=None, subscription=None))
    (row,) = api.get("/v1/customers").json["data"]
    assert (row["ecosystem"], row["access"], row["subscription"]) == (None, None, None)


def test_an_item_that_lacks_nearly_everything_is_listed_all_the_same(api: Client) -> None:
    item = to_item(customer("cus_bare"))
    save_item({name: item[name] for name in ("id", "kind", "registered_at")})
    (row,) = api.get("/v1/customers").json["data"]
    assert (row["id"], row["first_name"], row["version"]) == ("cus_bare", "", 0)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_without_rows_is_an_empty_page(api: Client, path: str) -> None:
    answer = api.get(path)
    assert answer.json["data"] == []
    page = answer.json["page"]
    assert (page["next"], page["prev"]) == (None, None)
    assert (page["total"], page["total_relation"]) == (0, "exact")
    assert _links(answer) == {"first": f"{path}?sort=-registered_at&limit=25&total=count"}


def test_the_links_of_a_page_lead_through_the_whole_list_and_back(api: Client) -> None:
    _save_customers(5)
    filters = {
        "limit": 2,
        "sort": "registered_at",
        "status": ["active", "past_due"],
        "ecosystem": "none",
    }
    first = api.call("GET", "/v1/customers", query=filters)
    assert (_ids(first), list(_links(first))) == (["cus_1", "cus_2"], ["next", "first"])
    second = api.get(_links(first)["next"])
    assert (_ids(second), second.json["page"]["start"]) == (["cus_3", "cus_4"], 2)
    assert _links(second).keys() == {"next", "prev", "first"}
    third = api.get(_links(second)["next"])
    assert (_ids(third), third.json["page"]["start"]) == (["cus_5"], 4)
    assert _links(third).keys() == {"prev", "first"}
    assert _ids(api.get(_links(third)["prev"])) == ["cus_3", "cus_4"]
    assert _ids(api.get(_links(third)["first"])) == ["cus_1", "cus_2"]
    target = urlsplit(_links(second)["next"])
    assert target.path == "/v1/customers"
    query = parse_qs(target.query)
    assert query.pop("cursor") == [second.json["page"]["next"]]
    assert query == {
        "limit": ["2"],
        "sort": ["registered_at"],
        "status": ["active", "past_due"],
        "ecosystem": ["none"],
        "total": ["count"],
    }


def test_the_cursors_of_a_page_are_those_of_its_links(api: Client) -> None:
    _save_customers(3)
    first = api.get("/v1/customers", limit=2)
    assert _ids(first) == ["cus_3", "cus_2"]
    second = api.get("/v1/customers", limit=2, cursor=first.json["page"]["next"])
    assert _ids(second) == ["cus_1"]
    back = api.get("/v1/customers", limit=2, cursor=second.json["page"]["prev"])
    assert _ids(back) == ["cus_3", "cus_2"]


def test_a_cursor_of_another_query_of_another_list_or_of_nobody_is_stale(api: Client) -> None:
    _save_customers(3)
    cursor = api.get("/v1/customers", limit=2).json["page"]["next"]
    middle = len(cursor) // 2
    damaged = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    queries: list[tuple[str, dict[str, Any]]] = [
        ("/v1/customers", {"limit": 3, "cursor": cursor}),
        ("/v1/customers", {"limit": 2, "cursor": cursor, "sort": "first_name"}),
        ("/v1/customers", {"limit": 2, "cursor": cursor, "access": "active"}),
        ("/v1/leads", {"limit": 2, "cursor": cursor}),
        ("/v1/exports", {"limit": 2, "cursor": cursor}),
        ("/v1/customers", {"limit": 2, "cursor": damaged}),
        ("/v1/customers", {"limit": 2, "cursor": cursor[:-1]}),
        ("/v1/customers", {"limit": 2, "cursor": cursor + "="}),
        ("/v1/customers", {"limit": 2, "cursor": "abc"}),
        ("/v1/customers", {"limit": 2, "cursor": "2" * 3_000}),
        ("/v1/customers", {"limit": 2, "cursor": "ñ"}),
        ("/v1/customers", {"limit": 2, "cursor": "2ñññññññññññññññññññ"}),
    ]
    for path, query in queries:
        answer = api.get(path, **query)
        assert (answer.status, answer.problem) == (400, "stale-cursor"), query


def test_the_limit_can_be_what_the_contract_allows(api: Client) -> None:
    _save_customers(3)
    for limit, rows in ((1, 1), (2, 2), (3, 3), (100, 3)):
        answer = api.get("/v1/customers", limit=limit)
        assert (len(answer.json["data"]), answer.json["page"]["limit"]) == (rows, limit)


SORTED = {
    "registered_at": ["a", "b", "c"],
    "-registered_at": ["c", "b", "a"],
    "first_name": ["b", "c", "a"],
    "-first_name": ["a", "c", "b"],
    "company_name": ["c", "a", "b"],
    "-company_name": ["b", "a", "c"],
    "subscription.ends_on": ["b", "a", "c"],
    "-subscription.ends_on": ["c", "a", "b"],
}


def test_a_list_is_sorted_as_asked(api: Client) -> None:
    """Case and accents play no part; who has nothing to sort by comes after everybody."""
    for id_, day, first, company, end in (
        ("a", "01", "Zoë", "m", "2026-05-01"),
        ("b", "02", "ana", "", "2026-01-01"),
        ("c", "03", "Ángel", "Ábaco", None),
    ):
        at = f"2026-03-{day}T00:00:00Z"
        facts = {"registered_at": at, "first_name": first, "company_name": company}
        bought = replace(SUBSCRIPTION, ends_on=end)
        save(customer(id_, subscription=bought, **facts), lead(f"lead-{id_}", **facts))
    assert {name: _ids(api.get("/v1/customers", sort=name)) for name in SORTED} == SORTED
    for name, ids in SORTED.items():
        if "ends_on" not in name:
            assert _ids(api.get("/v1/leads", sort=name)) == [f"lead-{id_}" for id_ in ids]


@pytest.mark.parametrize(("old", "field"), OLD_SORTS.items())
def test_a_link_with_an_old_name_to_sort_by_still_works_and_goes_on_with_the_field(
    api: Client, old: str, field: str
) -> None:
    _save_customers(3)
    for sign in ("", "-"):
        first = api.get("/v1/customers", limit=2, sort=sign + old)
        assert _ids(first) == _ids(api.get("/v1/customers", limit=2, sort=sign + field))
        link = _links(first)["next"]
        assert parse_qs(urlsplit(link).query)["sort"] == [sign + field]
        cursor = first.json["page"]["next"]
        for name in (old, field):
            rest = api.get("/v1/customers", limit=2, sort=sign + name, cursor=cursor)
            assert len(_ids(rest)) == 1


def test_a_cursor_of_before_the_names_to_sort_by_were_those_of_fields_is_stale(api: Client) -> None:
    _save_customers(3)
    query = repr(("customer", Filters(), "name", 2))
    cursor = encode(Position(("clara", "cus_1"), forward=True, start=2), query)
    for sort in ("name", "first_name"):
        answer = api.get("/v1/customers", limit=2, sort=sort, cursor=cursor)
        assert (answer.status, answer.problem) == (400, "stale-cursor")
