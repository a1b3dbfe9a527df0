"""Every function may do what it does: the calls that it makes are held against its policy.

In one process, so that each fault can be made which needs a line of a policy. The local stack
enforces the policies: tests/e2e runs under the real roles, and test_taken_away.py there takes
their actions away.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import upload
from chalicelib.triggers.stream import stream
from chalicelib.triggers.watch import watch
from chalicelib.users.model import Ecosystem
from infra.package import ROOT
from tests.api.client import Client
from tests.api.exports import KEYS, link_to, order_export, run_exports
from tests.builders import ECOSYSTEM, client, customer, lead, refusals, save, stored
from tests.exporting import before, deliver, ordered, queued, stored_job, unreachable
from tests.feed import Feed, record
from tests.scheduled import fire
from tests.watching import removed
from tests.wiring.grants import BY_LAMBDA, Grant, assert_fits, granted, record_grants, without_notes

DAYS = {"list": "customers", "from": "2026-03-01", "to": "2026-03-31"}
SORTS = ("registered_at", "-first_name", "company_name", "-subscription.ends_on")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Grant]:
    """The grants that the calls to AWS need which are made from now on."""
    return record_grants(monkeypatch)


def test_no_policy_has_a_wildcard_but_for_names_of_files_and_subjects_of_the_audit() -> None:
    grants = [grant for function in BY_LAMBDA for grant in granted(function)]
    assert {resource for _, resource in grants if "*" in resource} == {
        "AuditTable customer#*",
        "AuditTable export#*",
        "ExportsBucket/exports/*",
        "ExportsBucket/schedule/*",
    }
    assert [action for action, _ in grants if "*" in action] == []


def test_every_function_has_the_policy_of_its_name() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    functions = config["stages"]["x86_64"]["lambda_functions"]
    assert {name: one["iam_policy_file"] for name, one in functions.items()} == {
        "api_handler": "policy-api.json",
        **{name: f"policy-{name}.json" for name in BY_LAMBDA if name != "api"},
    }


def test_the_authorizer_asks_nothing_of_aws(edge: Client, made: list[Grant]) -> None:
    assert edge.get("/v1/session").status == 200
    assert edge.gateway.asked_authorizer == 1
    assert_fits("authorizer", made)


def test_the_api_may_do_what_its_operations_do(api: Client, made: list[Grant]) -> None:
    feed = Feed()
    # So many in one hour that the page of a number is looked for among the minutes.
    same_hour = [lead(f"led_{number}") for number in range(20)]
    others = [customer(f"cus_{number}", access="suspended") for number in range(40)]
    save(customer(), lead(), *same_hour, *others)
    stream({"Records": feed.records()}, None)
    finished = order_export(api)
    run_exports()
    _begin_upload(f"exports/{finished}/9")
    made.clear()
    off = {"access": "suspended", "reason": "Privacy incident 4711"}
    calls: list[Callable[[], Any]] = [
        *(lambda sort=sort: api.get("/v1/customers", sort=sort, limit=1) for sort in SORTS),
        lambda: api.get("/v1/customers/cus_0042"),
        lambda: api.get("/v1/leads", limit=1),
        lambda: api.get("/v1/leads/led_0007"),
        lambda: api.get("/v1/customers", q="gomez"),
        lambda: api.get("/v1/customers", q="maria gomez", access="active"),
        lambda: api.get("/v1/leads", q="p."),
        lambda: api.get("/v1/leads", page=2, limit=15),
        lambda: api.get("/v1/customers", access="active", limit=1),
        lambda: api.get("/v1/customers", access="active", registered_to="2026-03-31"),
        lambda: api.get("/v1/customers", registered_from="2026-03-01", limit=1),
        lambda: api.call("GET", "/v1/totals", query=DAYS),
        lambda: api.switch(off),
        lambda: api.switch({"access": "active"}, if_match='"8"'),
        lambda: api.get("/v1/customers/cus_0042/access/history"),
        lambda: api.get("/v1/ecosystems/eco_17/access", "gateway"),
        lambda: api.order(KEYS[1], {"resource": "customers"}),
        lambda: api.get("/v1/exports"),
        lambda: api.get(f"/v1/exports/{finished}"),
        lambda: api.get(link_to(finished), None),
        lambda: api.call("DELETE", f"/v1/exports/{finished}"),
        lambda: api.get("/v1/health", "gateway"),
    ]
    assert {call().status for call in calls} == {200, 202, 204, 302}
    assert len(set(made)) > 20
    assert set(made) >= {
        ("dynamodb:BatchGetItem", "UsersTable"),
        ("dynamodb:Query", "UsersTable/index/by_segment"),
        ("dynamodb:Query", "SearchTable"),
        ("dynamodb:Query", "TotalsTable"),
        ("dynamodb:GetItem", "TotalsTable"),
    }
    # A presigned link may do what its signer may.
    made.append(("s3:GetObject", "ExportsBucket/exports/exp_1/1"))
    assert_fits("api", made)


def _begin_upload(key: str) -> None:
    """As a worker does that dies before it ends it."""
    aws.s3().create_multipart_upload(Bucket="exports-bucket", Key=key)


def _assert_busy(message: dict[str, Any]) -> None:
    with pytest.raises(StoreUnavailableError):
        deliver(message)


@pytest.mark.usefixtures("api", "no_waiting")
def test_the_worker_may_do_what_exports_take(
    made: list[Grant], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed()
    save(lead())
    stream({"Records": feed.records()}, None)
    fire("2026-03-02T11:00:00Z")
    first, second = queued()
    left = f"exports/{second['job']['id']['S']}/1"
    aws.s3().put_object(Bucket="exports-bucket", Key=left, Body=b"of a worker that died")
    # Whoever ordered it died before the job was written.
    client().delete_item(TableName="exports", Key={"id": first["job"]["id"]})
    made.clear()
    deliver(first)
    with refusals("Query", "ThrottlingException", table="users"):
        _assert_busy(second)
    deliver(second)
    # A week later the new leads are those since; then the store is down for good.
    for at in ("2026-03-09T11:00:00Z", "2026-03-16T11:00:00Z"):
        with without_notes(made):
            fire(at)
            one, other = queued()
        if at.startswith("2026-03-09"):
            deliver(one)
            deliver(other)
    with refusals("Query", "ThrottlingException", table="users"):
        _assert_busy(one)
        _assert_busy(one)
        deliver(one)
    with without_notes(made):
        found, cut = ordered(filters={"q": "perez"}), ordered(key="key-2")
        lost = ordered(key="key-3")
    deliver(found)
    monkeypatch.setattr(upload, "PART_BYTES", 1)
    with before(aws.s3(), "s3.CompleteMultipartUpload", lambda: _complete_unheard(made)):
        deliver(lost)
    assert stored_job(lost).status == "succeeded"
    with before(aws.s3(), "s3.UploadPart", unreachable):
        _assert_busy(cut)
    assert_fits("worker", made)


def _complete_unheard(made: list[Grant]) -> NoReturn:
    """S3 has completed the upload when it is asked to, as where its first answer got lost."""
    s3, bucket = aws.s3(), "exports-bucket"
    with without_notes(made):
        (begun,) = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
        address: Any = {"Bucket": bucket, "Key": begun["Key"]}
        parts = s3.list_parts(**address, UploadId=begun["UploadId"])["Parts"]
        s3.put_object(**address, Body=b"." * sum(part["Size"] for part in parts))
        s3.abort_multipart_upload(**address, UploadId=begun["UploadId"])
    raise s3.exceptions.NoSuchUpload({"Error": {"Code": "NoSuchUpload"}}, "CompleteMultipartUpload")


@pytest.mark.usefixtures("api")
def test_the_schedule_may_do_what_ordering_takes(made: list[Grant]) -> None:
    fire("2026-03-02T11:00:00Z")
    assert ("sqs:SendMessage", "ExportsQueue") in made
    assert_fits("schedule", made)


@pytest.mark.usefixtures("api")
def test_the_stream_may_do_what_the_projection_takes(made: list[Grant]) -> None:
    feed = Feed()
    save(customer(version=0, access=None))
    save(customer("cus_2", ecosystem=ECOSYSTEM))
    nameless = dict.fromkeys(("first_name", "last_name", "company_email", "phone_number"), "")
    save(lead("led_1"), lead("led_2"), lead("led_3", **nameless))
    save(customer("cus_4", ecosystem=Ecosystem("eco_4", "luna", None), access="suspended"))
    stream({"Records": feed.records()}, None)
    before = stored("cus_0042")
    save(customer(ecosystem=None), lead("led_1", first_name="Ana"))
    save(customer("cus_3", version=0, access=None))
    save(customer("cus_4", ecosystem=Ecosystem("eco_5", "luna", None)))
    for gone in ("led_2", "led_3"):
        client().delete_item(TableName="users", Key={"id": {"S": gone}})
    records = [
        *feed.records(),
        record(before, stored("cus_0042")),
        {"dynamodb": {"NewImage": {"kind": {"S": "nonsense"}}}},
    ]
    made.clear()
    stream({"Records": records}, None)
    needed = {action for action, _ in made}
    assert needed >= {"dynamodb:DeleteItem", "dynamodb:UpdateItem", "sqs:SendMessage"}
    assert set(made) >= {
        ("dynamodb:BatchGetItem", "TotalsTable"),
        ("dynamodb:BatchGetItem", "UsersTable"),
        ("dynamodb:BatchWriteItem", "SearchTable"),
        ("dynamodb:BatchWriteItem", "TotalsTable"),
        ("dynamodb:DeleteItem", "TotalsTable"),
        ("dynamodb:PutItem", "TotalsTable"),
        ("dynamodb:UpdateItem", "TotalsTable"),
    }
    assert_fits("stream", made)


@pytest.mark.usefixtures("cloud")
def test_the_watch_reads_nothing_but_what_erasures_announced(made: list[Grant]) -> None:
    watch({"Records": [removed("customer#cus_0042", "n0000000001")]}, None)
    assert_fits("watch", made)
