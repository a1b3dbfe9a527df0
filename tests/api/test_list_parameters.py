"""The parameters of the lists: what each filter lets pass, and what each fault is answered."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.client import Client
from tests.api.conformity import Answer
from tests.builders import SUBSCRIPTION, customer, lead, save
from tests.feed import Feed
from tests.following import follow

_FIELDS = (
    "'registered_at', '-registered_at', 'first_name', '-first_name', 'company_name', "
    "'-company_name'"
)
_OLD = "'name', '-name', 'company', '-company'"
_END = "'subscription.ends_on', '-subscription.ends_on'"
SORTS_OF_LEADS = f"[{_FIELDS}, {_OLD}]"
SORTS = f"[{_FIELDS}, {_END}, {_OLD}, 'ends_on', '-ends_on']"
STATES = "['trialing', 'active', 'past_due', 'suspended', 'cancelled', 'expired']"


def _faults(answer: Answer) -> list[tuple[str, str, str]]:
    assert (answer.status, answer.problem) == (400, "invalid-request")
    faults = [(one["in"], one["name"], one["detail"]) for one in answer.json["errors"]]
    count = len(faults)
    assert answer.json["detail"] == f"{count} problem{'s' if count > 1 else ''} found"
    return faults


# The query of a list of customers → the fault, which is one of the query.
FAULTY = {
    "limit=500": ("limit", "500 is greater than the maximum of 100"),
    "limit=101": ("limit", "101 is greater than the maximum of 100"),
    "limit=0": ("limit", "0 is less than the minimum of 1"),
    "limit=-1": ("limit", "-1 is less than the minimum of 1"),
    "limit=": ("limit", "'' is not of type 'integer'"),
    "limit": ("limit", "'' is not of type 'integer'"),
    "limit=ten": ("limit", "'ten' is not of type 'integer'"),
    "limit=2.5": ("limit", "'2.5' is not of type 'integer'"),
    "limit=1e1": ("limit", "'1e1' is not of type 'integer'"),
    "limit=+5": ("limit", "' 5' is not of type 'integer'"),
    "limit=5%20": ("limit", "'5 ' is not of type 'integer'"),
    "limit=%D9%A5": ("limit", "'\u0665' is not of type 'integer'"),
    "limit=1_0": ("limit", "'1_0' is not of type 'integer'"),
    "limit=--5": ("limit", "'--5' is not of type 'integer'"),
    "limit=10&limit=10": ("limit", "is given more than once"),
    "sort=first_name&sort=first_name": ("sort", "is given more than once"),
    "cursor=a&cursor=b": ("cursor", "is given more than once"),
    "access=active&access=suspended": ("access", "is given more than once"),
    "registered_from=2026-01-01&registered_from=2026-01-01": (
        "registered_from",
        "is given more than once",
    ),
    "sort=email": ("sort", f"'email' is not one of {SORTS}"),
    "sort=": ("sort", f"'' is not one of {SORTS}"),
    "sort=Name": ("sort", f"'Name' is not one of {SORTS}"),
    "cursor=": ("cursor", "'' should be non-empty"),
    "access=off": ("access", "'off' is not one of ['active', 'suspended']"),
    "access=": ("access", "'' is not one of ['active', 'suspended']"),
    "ecosystem=clinica-sol": ("ecosystem", "'clinica-sol' is not one of ['deployed', 'none']"),
    "billing_period=weekly": (
        "billing_period",
        "'weekly' is not one of ['monthly', 'annual']",
    ),
    "status=new": ("status", f"'new' is not one of {STATES}"),
    "status=active&status=new": ("status", f"'new' is not one of {STATES}"),
    "status=": ("status", f"'' is not one of {STATES}"),
    "plan=": ("plan", "'' should be non-empty"),
    "q=": ("q", "'' is too short"),
    "q=g": ("q", "'g' is too short"),
    "q=garcia&q=garcia": ("q", "is given more than once"),
    "q=garcia&sort=first_name": ("sort", "not together with q: the best match comes first"),
    "q=garcia&sort=-registered_at": ("sort", "not together with q: the best match comes first"),
    "page=0": ("page", "0 is less than the minimum of 1"),
    "page=two": ("page", "'two' is not of type 'integer'"),
    "page=10000001": ("page", "10000001 is greater than the maximum of 10000000"),
    "page=2&page=2": ("page", "is given more than once"),
    "page=2&cursor=abc": ("page", "not together with a cursor"),
    "page=2&q=garcia": ("page", "not together with q or a filter: walk by cursors"),
    "page=2&access=active": ("page", "not together with q or a filter: walk by cursors"),
    "page=2&registered_to=2026-01-01": (
        "page",
        "not together with q or a filter: walk by cursors",
    ),
    "page=2&sort=first_name": ("page", "only where the list is sorted by registered_at"),
    "total=all": ("total", "'all' is not one of ['count', 'none']"),
    "total=count&total=none": ("total", "is given more than once"),
    "Limit=10": ("Limit", "is not a parameter here"),
    "status[]=active": ("status[]", "is not a parameter here"),
    "%3Cscript%3E=1": ("<script>", "is not a parameter here"),
    "=": ("", "is not a parameter here"),
}


@pytest.mark.parametrize("query", FAULTY)
def test_a_faulty_parameter_is_told_with_its_name_and_what_is_wrong(
    edge: Client, query: str
) -> None:
    answer = edge.call("GET", f"/v1/customers?{query}", "viewer")
    assert _faults(answer) == [("query", *FAULTY[query])]
    assert answer.json["instance"] == "/v1/customers"


def test_a_number_may_be_written_with_zeros_in_front(api: Client) -> None:
    for query in ("limit=025", f"limit={'0' * 30}25"):
        answer = api.call("GET", f"/v1/customers?{query}")
        assert (answer.status, answer.json.get("page", {}).get("limit")) == (200, 25), query


@pytest.mark.parametrize(
    ("query", "text"),
    [("limit=" + "9" * 500, "limit"), ("plan=" + "x" * 5_000, "plan")],
)
def test_what_is_said_of_a_very_long_value_is_short(edge: Client, query: str, text: str) -> None:
    ((_, name, detail),) = _faults(edge.call("GET", f"/v1/customers?{query}", "viewer"))
    assert name == text
    assert len(detail) <= 300


def test_a_long_cursor_and_too_many_values_are_faults(edge: Client) -> None:
    plans = "&".join(f"plan={number}" for number in range(11))
    faults = _faults(edge.call("GET", f"/v1/customers?cursor={'a' * 3001}&{plans}", "viewer"))
    assert [name for _, name, _ in faults] == ["cursor", "plan"]


def test_every_fault_is_listed(edge: Client) -> None:
    query = "limit=500&access=off&status=new&status=old&q=x&registered_from=soon&sort=email"
    found = _faults(edge.call("GET", f"/v1/customers?{query}", "viewer"))
    assert sorted({name for _, name, _ in found}) == [
        *("access", "limit", "q", "registered_from", "sort", "status"),
    ]
    assert ("query", "status", f"'old' is not one of {STATES}") in found


@pytest.mark.parametrize(
    "date",
    [
        *("2026-02-30", "2026-13-01", "2026-00-10", "2025-02-29", "0000-01-01", "20260101"),
        *("2026-W01-1", "2026-1-1", "01-02-2026", "2026/01/01", "2026-01-01T00:00:00Z"),
        *("2026-01-01%0A", "%202026-01-01", "", "today", "12026-01-01", "-2026-01-01"),
        *("%D9%A2%D9%A0%D9%A2%D9%A6-01-01", "2026-01-01%00"),
    ],
)
def test_what_is_no_day_of_the_calendar_is_no_date(edge: Client, date: str) -> None:
    for path, role in (("/v1/customers", "viewer"), ("/v1/leads", "marketing")):
        for name in ("registered_from", "registered_to"):
            faults = _faults(edge.call("GET", f"{path}?{name}={date}", role))
            assert {(where, what) for where, what, _ in faults} == {("query", name)}


@pytest.mark.parametrize("name", ["access", "ecosystem", "billing_period", "status", "plan"])
def test_leads_have_no_filters_of_customers(edge: Client, name: str) -> None:
    faults = _faults(edge.call("GET", f"/v1/leads?{name}=active", "marketing"))
    assert faults == [("query", name, "is not a parameter here")]


def test_leads_have_no_end_date_to_sort_by(edge: Client) -> None:
    for sort in ("-subscription.ends_on", "-ends_on"):
        faults = _faults(edge.call("GET", f"/v1/leads?sort={sort}", "marketing"))
        assert faults == [("query", "sort", f"'{sort}' is not one of {SORTS_OF_LEADS}")]


def test_other_operations_know_their_own_parameters_alone(edge: Client) -> None:
    for path in (
        *("/v1/customers/cus_1", "/v1/leads/led_1", "/v1/session", "/v1/exports/exp_1"),
        *("/v1/config", "/v1/openapi.json", "/health", "/ui/style.css"),
    ):
        faults = _faults(edge.call("GET", f"{path}?fields=id", "admin"))
        assert faults == [("query", "fields", "is not a parameter here")]
    # The page is an address that people copy about, with whatever clings to it.
    assert edge.call("GET", "/?utm_source=mail&code=x", None).status == 200


FILTERED: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"a", "b", "c", "d"}),
    ({"access": "active"}, {"a"}),
    ({"access": "suspended"}, {"b"}),
    ({"ecosystem": "deployed"}, {"a", "b"}),
    ({"ecosystem": "none"}, {"c", "d"}),
    ({"billing_period": "annual"}, {"a", "c"}),
    ({"billing_period": "monthly"}, {"b"}),
    ({"status": "active"}, {"a"}),
    ({"status": ["active", "past_due"]}, {"a", "b"}),
    ({"status": ["cancelled"]}, set()),
    ({"plan": "Premium"}, {"a"}),
    ({"plan": ["Premium", "Free Trial"]}, {"a", "c"}),
    ({"plan": "premium"}, set()),
    ({"plan": "Lite & Más"}, {"b"}),
    ({"registered_from": "2026-03-02"}, {"b", "c", "d"}),
    ({"registered_to": "2026-03-02"}, {"a", "b"}),
    ({"registered_from": "2026-03-02", "registered_to": "2026-03-02"}, {"b"}),
    ({"registered_from": "2026-03-03", "registered_to": "2026-03-02"}, set()),
    ({"registered_from": "2026-03-02", "ecosystem": "deployed", "sort": "first_name"}, {"b"}),
    ({"registered_to": "2026-03-02", "sort": "-subscription.ends_on"}, {"a", "b"}),
    ({"status": ["active", "trialing"], "plan": "Free Trial"}, {"c"}),
    ({"access": "active", "status": ["active", "trialing"], "plan": "Free Trial"}, set()),
]


def _save_four() -> None:
    lite = replace(SUBSCRIPTION, plan="Lite & Más", billing_period="monthly", status="past_due")
    trial = replace(SUBSCRIPTION, plan="Free Trial", status="trialing")
    save(
        customer("a", registered_at="2026-03-01T00:00:00Z"),
        customer("b", registered_at="2026-03-02T23:59:59Z", access="suspended", subscription=lite),
        customer("c", registered_at="2026-03-03T00:00:00Z", ecosystem=None, subscription=trial),
        customer(
            "d",
            registered_at="2026-03-04T12:00:00Z",
            ecosystem=None,
            access=None,
            subscription=None,
        ),
        lead("e", registered_at="2026-03-02T10:00:00Z"),
    )


def test_each_filter_lets_pass_what_it_names(api: Client) -> None:
    _save_four()
    found = [
        {row["id"] for row in api.get("/v1/customers", **query).json["data"]}
        for query, _ in FILTERED
    ]
    assert list(zip([query for query, _ in FILTERED], found, strict=True)) == FILTERED


def test_leads_are_filtered_by_their_day_of_registration(api: Client) -> None:
    _save_four()
    for day, ids in (("2026-03-01", []), ("2026-03-02", ["e"]), ("2026-03-03", [])):
        answer = api.get("/v1/leads", "marketing", registered_from=day, registered_to=day)
        assert [row["id"] for row in answer.json["data"]] == ids


def test_the_same_value_may_be_given_ten_times(api: Client) -> None:
    _save_four()
    query = "&".join(["status=active"] * 10)
    assert len(api.call("GET", f"/v1/customers?{query}").json["data"]) == 1


def test_a_page_number_in_a_crowded_minute_is_refused_with_a_code_of_its_own(api: Client) -> None:
    feed = Feed()
    save(*(lead(f"led_{n:03}", registered_at="2026-01-01T00:00:00Z") for n in range(130)))
    follow(feed)
    answer = api.get("/v1/leads", page=13, limit=10)
    assert (answer.status, answer.problem) == (400, "page-out-of-reach")
    assert "same minute" in answer.json["detail"]
