"""Exports over HTTP: watching, finding and deleting them."""

import re

import pytest

from chalicelib import aws, clock
from chalicelib.exports import schedule
from chalicelib.exports.jobs import find_file
from chalicelib.users import audit
from chalicelib.users.model import Ecosystem
from tests.api.client import Client
from tests.api.exports import KEYS, audit_of, link_to, object_of, order_export, run_exports
from tests.builders import customer, lead, refusals, save
from tests.exporting import Clock, before, content, ids, object_keys, unreachable
from tests.feed import Feed
from tests.following import follow
from tests.workbooks import Book


@pytest.mark.usefixtures("monday")
def test_an_export_is_queued_until_the_worker_has_succeeded(api: Client) -> None:
    save(lead(), lead("led_8"))
    export_id = order_export(api)
    assert api.get(f"/v1/exports/{export_id}").json["status"] == "queued"
    run_exports()
    job = api.get(f"/v1/exports/{export_id}").json
    assert (job["status"], job["progress"], job["rows"]) == (
        *("succeeded", {"done": 2, "total": 2}, 2),
    )
    assert (job["finished_at"], job["expires_at"]) == (
        *("2026-03-02T11:00:00Z", "2026-03-09T11:00:00Z"),
    )
    assert job["file_name"] == "store-users-leads-2026-03-02-060000.xlsx"
    assert re.fullmatch("[0-9a-f]{64}", job["sha256"])
    key = object_of(job["download_url"])
    stored = aws.s3().get_object(Bucket="exports-bucket", Key=key)
    assert stored["ContentLength"] == job["size_bytes"]


@pytest.mark.usefixtures("monday")
def test_a_link_to_the_file_is_made_at_each_read_of_a_job_that_succeeded(api: Client) -> None:
    export_id = order_export(api)
    assert api.get(f"/v1/exports/{export_id}").json["download_url"] is None
    assert audit_of(export_id) == ["export.requested"]
    run_exports()
    api.get("/v1/exports")
    assert api.get("/v1/exports").json["data"][0]["download_url"] is None
    assert audit_of(export_id) == ["export.requested", "export.succeeded"]
    assert api.get(f"/v1/exports/{export_id}").json["download_url"].startswith("https://")
    assert audit_of(export_id) == ["export.link_issued", "export.requested", "export.succeeded"]


@pytest.mark.parametrize(
    ("resource", "filters", "found"),
    [
        pytest.param("customers", {}, ["cus_3", "cus_2", "cus_1"], id="a list"),
        pytest.param("customers", {"access": "suspended"}, ["cus_2"], id="a filter"),
        pytest.param("customers", {"ecosystem": "none"}, ["cus_3"], id="another filter"),
        pytest.param("customers", {"q": "garcia"}, ["cus_3", "cus_1"], id="a search"),
        pytest.param(
            "customers",
            {"q": "garcia", "ecosystem": "deployed"},
            ["cus_1"],
            id="both together",
        ),
        pytest.param("leads", {"q": "nobody"}, [], id="a search that finds nobody"),
    ],
)
@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_list_file_receipt_job_and_audit_have_the_same_rows(
    api: Client, format_: str, resource: str, filters: dict[str, str], found: list[str]
) -> None:
    feed = Feed()
    save(
        customer("cus_1", last_name="García", registered_at="2026-02-01T08:00:00Z"),
        customer(
            "cus_2",
            access="suspended",
            ecosystem=Ecosystem("eco_2", "dos", None),
            registered_at="2026-02-02T08:00:00Z",
        ),
        customer(
            "cus_3",
            company_email="garcia@clinica.example",
            ecosystem=None,
            registered_at="2026-02-03T08:00:00Z",
        ),
        lead(),
    )
    follow(feed)
    shown = api.get(f"/v1/{resource}", **filters).json
    assert [row["id"] for row in shown["data"]] == found
    assert (shown["page"]["total"], shown["page"]["total_relation"]) == (len(found), "exact")
    export_id = order_export(api, resource, format=format_, filters=filters)
    run_exports()
    job = api.get(f"/v1/exports/{export_id}").json
    assert (job["status"], job["rows"]) == ("succeeded", len(found))
    assert job["progress"] == {"done": len(found), "total": len(found)}
    stored = find_file(export_id)
    assert stored is not None
    assert ids(stored) == found
    if format_ == "xlsx":
        assert ["Filas", str(len(found))] in Book(content(stored)).rows(1)
    entries = audit.page(audit.export(export_id), None, 100).items
    succeeded = [one for one in map(audit.from_item, entries) if one.action == "export.succeeded"]
    assert [one.facts["rows"] for one in succeeded] == [len(found)]


def test_an_expired_export_says_so_and_offers_no_link(api: Client, monday: Clock) -> None:
    export_id = order_export(api)
    run_exports()
    monday.goes_on(7 * 86_400 - 1)
    assert api.get(f"/v1/exports/{export_id}").json["status"] == "succeeded"
    link = link_to(export_id)
    monday.goes_on(1)
    job = api.get(f"/v1/exports/{export_id}").json
    assert (job["status"], job["download_url"]) == ("expired", None)
    answer = api.get(link, None)
    assert (answer.status, answer.problem) == (410, "export-gone")


def test_an_export_that_nobody_could_finish_reads_failed(api: Client, monday: Clock) -> None:
    export_id = order_export(api)
    monday.goes_on(10_801)
    job = api.get(f"/v1/exports/{export_id}").json
    assert (job["status"], job["error"]) == (
        *("failed", "Nadie pudo terminar esta exportación; pida una nueva"),
    )


@pytest.mark.usefixtures("monday")
def test_deleting_removes_the_file_and_kills_its_links(api: Client) -> None:
    export_id = order_export(api)
    run_exports()
    link = link_to(export_id)
    assert api.get(link, None).status == 302
    answer = api.call("DELETE", f"/v1/exports/{export_id}")
    assert (answer.status, answer.body) == (204, "")
    assert object_keys() == []
    assert api.get(link, None).problem == "export-gone"
    assert api.get(f"/v1/exports/{export_id}").problem == "not-found"
    assert api.call("DELETE", f"/v1/exports/{export_id}").status == 204, "deleting is idempotent"
    assert api.get("/v1/exports").json["data"] == []
    assert audit_of(export_id).count("export.deleted") == 1
    again = api.order(KEYS[0], {"resource": "leads"})
    assert (again.status, again.problem) == (410, "export-gone")


def test_deleting_cancels_an_export_that_waits(api: Client) -> None:
    export_id = order_export(api)
    assert api.call("DELETE", f"/v1/exports/{export_id}").status == 204
    run_exports()
    assert object_keys() == []
    assert api.get(f"/v1/exports/{export_id}").status == 404


def test_a_delete_that_could_not_remove_the_file_can_be_repeated(api: Client) -> None:
    export_id = order_export(api)
    run_exports()
    with before(aws.s3(), "s3.ListObjectsV2", unreachable):
        answer = api.call("DELETE", f"/v1/exports/{export_id}")
    assert (answer.status, answer.problem) == (503, "store-unavailable")
    assert api.call("DELETE", f"/v1/exports/{export_id}").status == 204
    assert object_keys() == []


@pytest.mark.usefixtures("no_waiting")
def test_a_delete_that_could_not_be_audited_is_audited_when_it_is_repeated(api: Client) -> None:
    export_id = order_export(api)
    busy = "ThrottlingException"
    with refusals("PutItem", busy), refusals("TransactWriteItems", busy):
        assert api.call("DELETE", f"/v1/exports/{export_id}").status == 503
    assert api.call("DELETE", f"/v1/exports/{export_id}").status == 204
    assert audit_of(export_id) == ["export.deleted", "export.requested"]


def test_the_history_is_paged_newest_first(api: Client, monday: Clock) -> None:
    ids = []
    for key in KEYS[:3]:
        ids.append(order_export(api, key=key))
        monday.goes_on(60)
    page = api.get("/v1/exports", limit=2)
    assert [job["id"] for job in page.json["data"]] == [ids[2], ids[1]]
    rest = api.get("/v1/exports", limit=2, cursor=page.json["page"]["next"])
    assert [job["id"] for job in rest.json["data"]] == [ids[0]]
    # What marketing may see is another list.
    other = api.get("/v1/exports", "marketing", limit=2, cursor=page.json["page"]["next"])
    assert other.problem == "stale-cursor"


@pytest.mark.usefixtures("monday")
def test_what_the_schedule_remembers_is_no_export(api: Client) -> None:
    schedule.order_exports(clock.now(), "request")
    run_exports()
    assert {job["origin"] for job in api.get("/v1/exports").json["data"]} == {"scheduled"}
    for method in ("GET", "DELETE"):
        assert api.call(method, "/v1/exports/schedule-leads").problem == "not-found"
