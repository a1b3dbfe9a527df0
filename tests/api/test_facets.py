"""The values of filters over HTTP: each with the number of rows that the filter then finds."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.users.model import Ecosystem, StoreUser
from tests.api.client import Client
from tests.builders import SUBSCRIPTION, client, customer, lead, save
from tests.feed import Feed
from tests.following import follow


def _customer(number: int, plan: str, status: str, **facts: Any) -> StoreUser:
    bought = replace(SUBSCRIPTION, plan=plan, status=status, billing_period="annual")
    return customer(f"cus_{number}", subscription=bought, **facts)


def _deployed(number: int) -> Ecosystem:
    return Ecosystem(f"eco_{number}", "clinica", None)


@pytest.fixture
def people(api: Client) -> Client:
    """Four customers, of which one has not deployed, and a lead; all of them counted."""
    feed = Feed()
    save(
        _customer(1, "Premium", "active", ecosystem=_deployed(1), access="active"),
        _customer(2, "Premium", "past_due", ecosystem=_deployed(2), access="suspended"),
        _customer(3, "Lite", "active", ecosystem=None, access="active"),
        _customer(4, "Clínica +", "active", ecosystem=_deployed(4), access="active"),
        lead("led_1"),
    )
    follow(feed)
    return api


def test_the_values_come_with_the_most_frequent_first(people: Client) -> None:
    answer = people.get("/v1/facets", list="customers").json
    assert (answer["list"], answer["complete"]) == ("customers", True)
    assert answer["facets"] == {
        "access": [{"value": "active", "count": 2}, {"value": "suspended", "count": 1}],
        "ecosystem": [{"value": "deployed", "count": 3}, {"value": "none", "count": 1}],
        "billing_period": [{"value": "annual", "count": 4}],
        "status": [{"value": "active", "count": 3}, {"value": "past_due", "count": 1}],
        "plan": [
            {"value": "Premium", "count": 2},
            {"value": "Clínica +", "count": 1},
            {"value": "Lite", "count": 1},
        ],
    }


def test_each_number_is_the_number_of_rows_that_the_filter_finds(people: Client) -> None:
    facets = people.get("/v1/facets", list="customers").json["facets"]
    for facet, values in facets.items():
        for one in values:
            rows = people.get("/v1/customers", **{facet: one["value"]}).json["data"]
            assert len(rows) == one["count"], (facet, one)


def test_leads_have_no_filters_with_values(people: Client) -> None:
    answer = people.get("/v1/facets", list="leads").json
    assert answer == {"list": "leads", "complete": True, "facets": {}}


def test_the_list_decides_on_the_permission(api: Client) -> None:
    answer = api.get("/v1/facets", role="marketing", list="customers")
    assert (answer.status, answer.json["permission"]) == (403, "customers:read")


@pytest.mark.parametrize(
    "bucket",
    [
        'segment#["active","Lite","annual","active",true,"pro"]',
        'segment#["active",1,"annual","active",true]',
        "segment#lite",
    ],
)
def test_a_counter_of_another_version_is_no_error(people: Client, bucket: str) -> None:
    key = {"list": {"S": "customer"}, "bucket": {"S": bucket}}
    client().put_item(TableName="totals", Item={**key, "n": {"N": "1"}})
    answer = people.get("/v1/facets", list="customers").json
    assert (answer["complete"], answer["facets"]) == (False, {})
    filtered = people.get("/v1/customers", plan="Premium", access="active")
    assert (filtered.status, [one["id"] for one in filtered.json["data"]]) == (200, ["cus_1"])


def test_a_filter_by_active_access_finds_those_that_can_be_entered(people: Client) -> None:
    rows = people.get("/v1/customers", access="active").json["data"]
    assert sorted(one["id"] for one in rows) == ["cus_1", "cus_4"]
