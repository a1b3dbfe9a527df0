"""Exports over HTTP: asking for one, asking again, asking too often."""

import pytest

from tests.api.client import Client
from tests.api.conformity import Answer
from tests.api.exports import KEYS
from tests.builders import customer, lead, refusals, save
from tests.exporting import UNFINISHED, deliver, queued

LEADS = {"resource": "leads"}


def test_an_order_is_accepted_and_says_where_to_look_and_when(api: Client) -> None:
    body = {
        "resource": "customers",
        "format": "csv",
        "language": "en",
        "filters": {"access": "active", "status": ["active", "past_due"]},
    }
    answer = api.order(KEYS[0], body)
    assert answer.status == 202
    job = answer.json
    assert job["id"].startswith("exp_")
    assert answer.headers["location"] == f"/v1/exports/{job['id']}"
    assert answer.headers["retry-after"] == "1"
    assert "idempotency-replayed" not in answer.headers
    requested_at = job["requested_at"]
    assert job == {
        "id": job["id"],
        **body,
        **UNFINISHED,
        "status": "queued",
        "progress": {"done": 0, "total": None},
        "requested_by": "admin@staff.example",
        "requested_by_id": "bace0701-15e3-5144-97c5-47487d543032",
        "requested_at": requested_at,
    }
    assert api.get(answer.headers["location"]).json == job
    (message,) = queued()
    assert message["job"]["id"] == {"S": job["id"]}
    assert message["job"]["request_id"] == {"S": answer.headers["x-request-id"]}


def test_what_an_order_leaves_out_is_excel_in_spanish_of_everybody(api: Client) -> None:
    job = api.order(KEYS[0], LEADS).json
    assert (job["format"], job["language"], job["filters"]) == ("xlsx", "es", {})


def test_the_same_key_and_body_are_the_same_job(api: Client) -> None:
    first = api.order(KEYS[0], LEADS)
    written_out = {"filters": {}, "language": "es", "format": "xlsx", "resource": "leads"}
    for key, body in ((KEYS[0], LEADS), (KEYS[0].upper(), LEADS), (KEYS[0], written_out)):
        again = api.order(key, body)
        assert (again.status, again.json) == (202, first.json)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
    assert len(queued()) == 1


def test_the_same_key_and_another_body_are_a_mismatch(api: Client) -> None:
    api.order(KEYS[0], LEADS)
    for body in (
        {"resource": "customers"},
        {**LEADS, "format": "csv"},
        {**LEADS, "language": "en"},
        {**LEADS, "filters": {"registered_from": "2026-01-01"}},
    ):
        answer = api.order(KEYS[0], body)
        assert (answer.status, answer.problem) == (422, "idempotency-mismatch")
    assert len(queued()) == 1


def test_a_key_is_of_the_one_who_sent_it(api: Client) -> None:
    first = api.order(KEYS[0], LEADS, "admin")
    second = api.order(KEYS[0], LEADS, "marketing")
    assert second.status == 202
    assert second.json["id"] != first.json["id"]
    assert "idempotency-replayed" not in second.headers


def test_a_replay_tells_how_the_job_stands_now(api: Client) -> None:
    save(lead())
    api.order(KEYS[0], LEADS)
    for message in queued():
        deliver(message)
    again = api.order(KEYS[0], LEADS)
    assert (again.json["status"], again.json["rows"]) == ("succeeded", 1)


def test_a_file_holds_what_the_list_holds_with_the_same_filters(api: Client) -> None:
    save(
        customer("cus_1", registered_at="2026-01-31T23:59:59Z"),
        customer("cus_2", registered_at="2026-02-01T00:00:00Z"),
        customer("cus_3", registered_at="2026-02-28T23:59:59Z", access="suspended"),
        customer("cus_4", registered_at="2026-03-01T00:00:00Z"),
    )
    filters = {"registered_from": "2026-02-01", "registered_to": "2026-02-28", "status": ["active"]}
    listed = api.call("GET", "/v1/customers", query=filters)
    job = api.order(KEYS[0], {"resource": "customers", "filters": filters}).json
    for message in queued():
        deliver(message)
    done = api.get(f"/v1/exports/{job['id']}").json
    assert (done["status"], done["rows"]) == ("succeeded", 2)
    assert [row["id"] for row in listed.json["data"]] == ["cus_3", "cus_2"]


def _refused(answer: Answer) -> bool:
    if answer.status == 202:
        return False
    assert (answer.status, answer.problem) == (429, "too-many-exports")
    assert answer.headers["retry-after"] == "15"
    assert answer.json["detail"] == "3 of your exports are still running"
    return True


def test_a_person_has_three_exports_running_at_the_most(api: Client) -> None:
    answers = [api.order(key, LEADS) for key in KEYS[:5]]
    assert [_refused(answer) for answer in answers] == [False, False, False, True, True]
    assert not _refused(api.order(KEYS[5], LEADS, "marketing"))
    assert not _refused(api.order(KEYS[0], LEADS)), "a replay starts nothing"
    deliver(queued()[0])
    assert not _refused(api.order(KEYS[3], LEADS))
    assert _refused(api.order(KEYS[4], LEADS))
    assert api.call("DELETE", f"/v1/exports/{answers[1].json['id']}").status == 204
    assert not _refused(api.order(KEYS[4], LEADS))


@pytest.mark.usefixtures("no_waiting")
def test_an_order_that_could_not_be_noted_can_be_repeated(api: Client) -> None:
    """The message went out first: the worker and the repetition are the same job."""
    with refusals("TransactWriteItems", "ThrottlingException"):
        answer = api.order(KEYS[0], LEADS)
    assert (answer.status, answer.problem) == (503, "store-unavailable")
    assert answer.headers["retry-after"] == "2"
    again = api.order(KEYS[0], LEADS)
    assert again.status == 202
    messages = queued()
    assert len(messages) == 2
    for message in messages:
        deliver(message)
    (job,) = api.get("/v1/exports").json["data"]
    assert (job["id"], job["status"]) == (again.json["id"], "succeeded")
