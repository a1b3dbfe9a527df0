"""The log answers who looked at a person, by ids alone."""

from typing import Any

from tests.api.client import Client
from tests.api.conftest import Logs
from tests.api.pool import person_claims
from tests.builders import customer, lead, save, save_ecosystem
from tests.feed import Feed
from tests.following import follow

SUBJECTS = {role: person_claims(role)["sub"] for role in ("viewer", "support", "marketing")}


def _who_looked_at(person: str, logs: Logs) -> list[tuple[Any, ...]]:
    """What the query of docs/operating.md finds, in order of time."""
    return [
        (line["actor_id"], line["operation"], line["rows_read"])
        for line in logs()
        if line["event"] == "request" and f" {person} " in line.get("people", "")
    ]


def test_who_looked_at_a_person_has_an_answer(api: Client, logs: Logs) -> None:
    feed = Feed()
    save(customer(), customer("cus_00421"), lead())
    save_ecosystem()
    follow(feed)
    logs()
    api.get("/v1/customers/cus_0042", "viewer")
    api.get("/v1/customers", "support")
    api.get("/v1/customers", "support", q="gomez")
    api.get("/v1/customers/cus_0042/access/history", "support")
    api.switch({"access": "active"})
    assert api.switch({"access": "active"}, if_match='"3"').status == 412, "it shows the customer"
    api.get("/v1/customers/cus_00421", "viewer")
    api.get("/v1/customers/cus_404", "viewer")
    api.get("/v1/leads", "marketing")
    api.get("/v1/customers/cus_0042", "marketing")
    viewer, support = SUBJECTS["viewer"], SUBJECTS["support"]
    assert _who_looked_at("cus_0042", logs) == [
        (viewer, "get_customer", 1),
        (support, "list_customers", 2),
        (support, "list_customers", 2),
        (support, "list_access_history", 1),
        (support, "change_access", 1),
        (support, "change_access", 1),
    ]
    api.get("/v1/leads/led_0007", "marketing")
    api.get("/v1/leads", "marketing")
    marketing = SUBJECTS["marketing"]
    assert _who_looked_at("led_0007", logs) == [
        (marketing, "get_lead", 1),
        (marketing, "list_leads", 1),
    ]


def test_the_log_tells_neither_names_nor_what_was_searched(api: Client, logs: Logs) -> None:
    feed = Feed()
    save(customer())
    follow(feed)
    logs()
    assert len(api.get("/v1/customers", q="gomez").json["data"]) == 1
    (line,) = [line for line in logs() if line["event"] == "request"]
    assert line["people"] == " cus_0042 "
    assert "gomez" not in str(line).casefold()
    assert "sol" not in str(line).casefold()
