"""The switch over HTTP: who is let in, from the next call on, and what the history says."""

import pytest

from chalicelib.users.item import to_item
from tests.api.client import Client
from tests.builders import (
    customer,
    lead,
    operations,
    save,
    save_ecosystem,
    save_item,
    sent_requests,
    stored,
    stored_ecosystem,
)

OFF = {"access": "suspended", "reason": "Privacy incident 4711"}
ON = {"access": "active"}
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


def test_suspending_answers_the_customer_as_now_with_its_new_version(api: Client) -> None:
    save(customer())
    answer = api.switch(OFF)
    assert (answer.status, answer.headers["etag"]) == (200, '"8"')
    change = answer.json["access_change"]
    assert (change["by"], change["reason"]) == ("support@staff.example", "Privacy incident 4711")
    assert (answer.json["id"], answer.json["access"], answer.json["version"]) == (
        *("cus_0042", "suspended", 8),
    )
    assert answer.json["subscription"]["encounters"] == {"included": 5000, "used": 1270}
    seen = api.get("/v1/customers/cus_0042", "viewer")
    assert (seen.json, seen.headers["etag"]) == (answer.json, '"8"')
    (row,) = api.get("/v1/customers", "viewer", access="suspended").json["data"]
    assert (row["id"], row["version"]) == ("cus_0042", 8)


def test_the_gateway_sees_a_switch_from_the_next_call_on(api: Client) -> None:
    """Also where the projection has not yet told of the ecosystem."""
    save(customer())
    path = "/v1/ecosystems/eco_17/access"
    assert api.get(path, "gateway").problem == "not-found"
    suspended_at, epoch = None, 0
    for version, wish, access in ((7, OFF, "suspended"), (8, ON, "active"), (9, OFF, "suspended")):
        assert api.switch(wish, if_match=f'"{version}"').status == 200
        answer = api.get(path, "gateway")
        assert answer.status == 200
        made = answer.json["changed_at"]
        suspended_at = made if access == "suspended" else suspended_at
        assert answer.json["epoch"] > epoch
        epoch = answer.json["epoch"]
        assert answer.json == {
            "ecosystem_id": "eco_17",
            "access": access,
            "changed_at": made,
            "version": version + 1,
            "epoch": epoch,
            "not_before": suspended_at,
        }


def test_the_gateway_asks_strongly_consistently_and_once(api: Client) -> None:
    save_ecosystem()
    with sent_requests() as sent:
        assert api.get("/v1/ecosystems/eco_17/access", "gateway").json["access"] == "active"
    assert operations(sent) == ["GetItem"]
    assert sent[0].body["ConsistentRead"] is True


def test_no_reason_is_needed_to_activate_and_one_is_kept(api: Client) -> None:
    save(customer(access="suspended"))
    assert api.switch(ON).json["access_change"]["reason"] is None
    assert api.switch(OFF, if_match='"8"').status == 200
    answer = api.switch({**ON, "reason": "paid"}, if_match='"9"')
    assert answer.json["access_change"]["reason"] == "paid"


def test_the_state_it_already_has_changes_nothing(api: Client) -> None:
    save(customer())
    before = stored("cus_0042")
    answer = api.switch(ON)
    assert (answer.status, answer.headers["etag"]) == (200, '"7"')
    assert stored("cus_0042") == before
    assert stored_ecosystem() is None
    assert api.get("/v1/customers/cus_0042/access/history", "support").json["data"] == []


def test_the_same_wish_again_is_answered_as_before(api: Client) -> None:
    """Decision 5: a client that lost the answer repeats what it sent."""
    save(customer())
    first = api.switch(OFF)
    again = api.switch(OFF)
    assert (again.status, again.headers["etag"], again.json) == (200, '"8"', first.json)
    assert len(api.get("/v1/customers/cus_0042/access/history").json["data"]) == 1
    assert api.switch(OFF, role="admin").status == 412


@pytest.mark.parametrize("access", ["active", "suspended"])
def test_what_the_switch_has_answered_is_what_the_gateway_is_told(api: Client, access: str) -> None:
    """Also where the shop has just written another access into the customer (decision 2)."""
    other = "active" if access == "suspended" else "suspended"
    save(customer(access=access))
    save_ecosystem(access=other)
    answer = api.switch({"access": access, "reason": "Privacy incident 4711"})
    assert (answer.status, answer.json["access"]) == (200, access)
    assert api.get("/v1/ecosystems/eco_17/access", "gateway").json["access"] == access
    (entry,) = api.get("/v1/customers/cus_0042/access/history").json["data"]
    assert (entry["from"], entry["to"]) == (other, access)


def test_a_version_that_is_no_more_is_refused_with_the_customer_as_now(api: Client) -> None:
    save(customer())
    for if_match in ('"6"', '"0"', '"8"', '"999999999999999"'):
        answer = api.switch(OFF, if_match=if_match)
        assert (answer.status, answer.problem) == (412, "version-conflict")
        assert answer.json["current"] == api.get("/v1/customers/cus_0042").json
    assert stored_ecosystem() is None


def test_without_if_match_nothing_is_switched(api: Client) -> None:
    save(customer())
    answer = api.switch(OFF, if_match=None)
    assert (answer.status, answer.problem) == (428, "precondition-required")
    assert api.get("/v1/customers/cus_0042").json["access"] == "active"


@pytest.mark.parametrize(
    "if_match",
    [
        *("7", '7"', '"7', '""', '"seven"', '"-1"', '"07"', '"7.0"', '" 7"', '"7 "', "'7'", "*"),
        *('W/"7"', '"7", "8"', '"7","8"', '"7" "7"', '"1000000000000000"', "", " ", '"+7"'),
    ],
)
def test_an_if_match_that_is_no_version_of_ours_is_a_fault(edge: Client, if_match: str) -> None:
    answer = edge.switch(OFF, if_match=if_match)
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert {(one["in"], one["name"]) for one in answer.json["errors"]} == {("header", "If-Match")}


@pytest.mark.parametrize("version", [None, {"N": "0"}, {"S": "one"}])
def test_an_item_without_a_version_has_the_version_nought(
    api: Client, version: dict[str, str] | None
) -> None:
    item = to_item(customer())
    del item["version"]
    save_item(item if version is None else {**item, "version": version})
    assert api.get("/v1/customers/cus_0042").headers["etag"] == '"0"'
    answer = api.switch(OFF, if_match='"0"')
    assert (answer.status, answer.headers.get("etag")) == (200, '"1"')


def test_who_has_no_ecosystem_has_nothing_to_switch(api: Client) -> None:
    save(customer(ecosystem=None))
    for if_match in ('"7"', '"6"'):
        answer = api.switch(OFF, if_match=if_match)
        assert (answer.status, answer.problem) == (409, "no-ecosystem")


def test_an_ecosystem_of_another_customer_is_not_switched(api: Client) -> None:
    save(customer())
    save_ecosystem(customer_id="cus_other")
    answer = api.switch(OFF)
    assert (answer.status, answer.problem) == (409, "no-ecosystem")
    assert (stored_ecosystem() or {})["access"] == "active"
    assert api.get("/v1/customers/cus_0042").json["access"] == "active"


def test_nobody_and_a_lead_are_no_customers(api: Client) -> None:
    save(lead())
    for user_id in ("cus_none", "led_0007"):
        for answer in (
            api.switch(OFF, user_id=user_id),
            api.get(f"/v1/customers/{user_id}"),
            api.get(f"/v1/customers/{user_id}/access/history"),
        ):
            assert (answer.status, answer.problem) == (404, "not-found")
            assert answer.json["detail"] == f"There is no customer {user_id}"
    save(customer())
    assert api.get("/v1/leads/cus_0042").json["detail"] == "There is no lead cus_0042"
    assert api.get("/v1/ecosystems/eco_none/access", "gateway").problem == "not-found"


def test_the_history_says_who_did_what_when_and_why_newest_first(api: Client) -> None:
    save(customer())
    first = api.switch(OFF)
    second = api.switch(ON, role="admin", if_match='"8"')
    for role in ("support", "admin"):
        answer = api.get("/v1/customers/cus_0042/access/history", role)
        assert [
            {name: value for name, value in entry.items() if name != "at"}
            for entry in answer.json["data"]
        ] == [
            {
                "by": "admin@staff.example",
                "by_id": "bace0701-15e3-5144-97c5-47487d543032",
                "from": "suspended",
                "to": "active",
                "reason": None,
                "kept_from": None,
                "ecosystem_id": None,
                "request_id": second.headers["x-request-id"],
            },
            {
                "by": "support@staff.example",
                "by_id": "2c076030-eb94-51a1-8325-40b0c777ad23",
                "from": "active",
                "to": "suspended",
                "reason": "Privacy incident 4711",
                "kept_from": None,
                "ecosystem_id": None,
                "request_id": first.headers["x-request-id"],
            },
        ]
    assert answer.json["data"][1]["at"] == first.json["access_change"]["at"]


def test_the_history_is_paged(api: Client) -> None:
    save(customer())
    for version in range(7, 12):
        wish = OFF if version % 2 else ON
        assert api.switch(wish, if_match=f'"{version}"').status == 200
    path = "/v1/customers/cus_0042/access/history"
    page = api.get(path, limit=2)
    states = [entry["to"] for entry in page.json["data"]]
    walked = 1
    while page.json["page"]["next"]:
        page = api.get(path, limit=2, cursor=page.json["page"]["next"])
        states += [entry["to"] for entry in page.json["data"]]
        walked += 1
    assert (walked, states) == (
        3,
        ["suspended", "active", "suspended", "active", "suspended"],
    )
    foreign = api.get("/v1/customers", limit=2).json["page"]
    assert foreign["next"] is None
    save(customer("cus_2"))
    first = api.get(path, limit=2).json["page"]["next"]
    other = api.get("/v1/customers/cus_2/access/history", limit=2, cursor=first)
    assert other.problem == "stale-cursor"
