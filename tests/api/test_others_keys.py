"""Cursors, links and keys of others open nothing: what somebody hostile has got hold of."""

import hashlib
import json

import pytest

from chalicelib.exports.jobs import find_file
from chalicelib.users import cursor
from chalicelib.users.cursor import Position
from tests.api.client import Client
from tests.api.exports import KEYS, link_to, order_export, run_exports
from tests.builders import client, customer, lead, save

REASON = "Privacy incident 4711"


def test_a_cursor_of_all_exports_shows_nothing_to_who_may_see_some(api: Client) -> None:
    save(lead())
    for number in range(3):
        order_export(api, "customers" if number else "leads", KEYS[number])
        run_exports()
    found = api.get("/v1/exports", "admin", limit=1).json["page"]["next"]
    answer = api.get("/v1/exports", "marketing", limit=1, cursor=found)
    assert (answer.status, answer.problem) == (400, "stale-cursor")


def test_a_cursor_into_one_history_opens_no_other(api: Client) -> None:
    save(customer("cus_0042"), customer("cus_0043", ecosystem=None))
    for version, access in enumerate(("suspended", "active", "suspended"), 7):
        body = {"access": access, "reason": REASON}
        assert api.switch(body, if_match=f'"{version}"').status == 200
    path = "/v1/customers/{}/access/history"
    page = api.get(path.format("cus_0042"), "support", limit=1).json["page"]
    answer = api.get(path.format("cus_0043"), "support", limit=1, cursor=page["next"])
    assert (answer.status, answer.problem) == (400, "stale-cursor")


@pytest.mark.usefixtures("monday")
def test_what_is_signed_for_one_purpose_serves_no_other(api: Client) -> None:
    """Links and cursors are made with the same secret."""
    export_id = order_export(api)
    run_exports()
    token = link_to(export_id).partition("token=")[2]
    sealed = cursor.encode(Position((), forward=True, start=0), f"{export_id}\n1")
    assert api.get("/v1/leads", cursor=token).problem == "stale-cursor"
    answer = api.get(f"/v1/exports/{export_id}/file", None, token=sealed)
    assert (answer.status, answer.problem) == (401, "unauthenticated")


def test_a_key_of_somebody_else_neither_shows_nor_changes_their_export(api: Client) -> None:
    save(lead(), customer())
    theirs = api.order(KEYS[0], {"resource": "customers"}, "admin").json
    ours = api.order(KEYS[0], {"resource": "leads"}, "marketing")
    assert (ours.status, ours.headers.get("idempotency-replayed")) == (202, None)
    assert ours.json["id"] != theirs["id"]
    assert api.get(f"/v1/exports/{theirs['id']}", "marketing").status == 403
    assert api.get(f"/v1/exports/{theirs['id']}").json["resource"] == "customers"


def test_a_new_account_of_the_same_name_inherits_nothing(api: Client) -> None:
    save(customer())
    theirs = api.order(KEYS[0], {"resource": "customers"}).json
    assert api.switch({"access": "suspended", "reason": REASON}, role="admin").status == 200

    token = {"Authorization": f"Bearer {api.pool.token('admin', sub='another-subject')}"}
    headers = token | {"Idempotency-Key": KEYS[0]}
    ours = api.call("POST", "/v1/exports", None, headers=headers, body={"resource": "customers"})
    assert (ours.status, ours.headers.get("idempotency-replayed")) == (202, None)
    assert ours.json["id"] != theirs["id"]
    assert ours.json["requested_by"] == theirs["requested_by"]
    assert ours.json["requested_by_id"] == "another-subject"
    # The same words are not the other's request, sent again after a lost answer.
    again = api.switch({"access": "suspended", "reason": REASON}, role=None, headers=token)
    assert (again.status, again.problem) == (412, "version-conflict")


def test_an_order_that_an_older_version_took_is_known_unless_it_is_of_another(api: Client) -> None:
    """The id of an order was made of the name of the person, and the job had no subject."""
    job = find_file(order_export(api))
    assert job is not None
    item = job.serialize()
    name = json.dumps([item["requested_by"]["S"], KEYS[1]])
    older = "exp_" + hashlib.sha256(name.encode()).hexdigest()[:32]
    client().put_item(TableName="exports", Item=item | {"id": {"S": older}})
    theirs = api.order(KEYS[1], {"resource": "leads"}).json
    assert theirs["id"] != older

    del item["requested_by_id"]
    client().delete_item(TableName="exports", Key={"id": {"S": theirs["id"]}})
    client().put_item(TableName="exports", Item=item | {"id": {"S": older}})
    ours = api.order(KEYS[1], {"resource": "leads"})
    assert (ours.status, ours.json["id"]) == (202, older)
    assert ours.headers["idempotency-replayed"] == "true"
