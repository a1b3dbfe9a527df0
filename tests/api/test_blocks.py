"""A blocked person is refused, whatever API Gateway keeps and however good the token is."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.exports import jobs
from chalicelib.users import blocks
from chalicelib.users.tables import ExportItem
from infra import block as command
from tests.api.client import Client
from tests.api.conformity import Answer
from tests.api.exports import KEYS, link_to, order_export, run_exports
from tests.api.pool import person_claims
from tests.builders import author, customer, operations, save, save_ecosystem, sent_requests
from tests.exporting import Clock, stop_clock

ADMIN = person_claims("admin")["sub"]
SUSPEND = {"access": "suspended", "reason": "Privacy incident 4711"}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It is now, until the test says otherwise."""
    return stop_clock(monkeypatch, clock.instant(clock.now()))


def _is_shut_out(answer: Answer) -> bool:
    if answer.status < 300:
        return False
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    # The function's header, as API Gateway hands it on.
    assert "www-authenticate" not in answer.headers
    assert answer.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert answer.json["detail"] == "This account is blocked"
    return True


def test_what_changes_anything_is_refused_at_once_and_what_reads_within_five_seconds(
    api: Client, now: Clock
) -> None:
    save(customer())
    save_ecosystem()
    export_id = order_export(api)
    run_exports()
    changes: list[Callable[[], Answer]] = [
        lambda: api.switch(SUSPEND, role="admin"),
        lambda: api.order(str(uuid.uuid4()), {"resource": "leads"}),
        lambda: api.call("DELETE", f"/v1/exports/{export_id}"),
    ]
    reads: list[Callable[[], Answer]] = [
        lambda: api.get("/v1/customers"),
        lambda: api.get("/v1/customers/cus_0042"),
        lambda: api.get("/v1/customers/cus_0042/access/history"),
        lambda: api.get("/v1/leads"),
        lambda: api.get("/v1/totals", list="leads", **{"from": "2026-03-01", "to": "2026-03-02"}),
        lambda: api.get("/v1/facets", list="leads"),
        lambda: api.get("/v1/exports"),
        lambda: api.get(f"/v1/exports/{export_id}"),
        lambda: api.get("/v1/session"),
    ]
    assert not any(_is_shut_out(read()) for read in reads)
    asked = api.gateway.asked_authorizer
    blocks.write(ADMIN, is_shut=True)
    assert all(_is_shut_out(change()) for change in changes[:1])
    assert all(_is_shut_out(read()) for read in reads), "the process knows it by then"
    blocks.forget()
    now.goes_on(5)
    assert all(_is_shut_out(call()) for call in (*reads, *changes))
    assert api.gateway.asked_authorizer == asked, "API Gateway kept the authorizer's answer"
    assert api.get("/v1/customers", "viewer").status == 200, "others go on"


def test_reads_are_answered_from_memory_for_five_seconds_at_one_read_unit(
    api: Client, now: Clock
) -> None:
    api.get("/v1/session")
    with sent_requests() as made:
        for _ in range(20):
            assert api.get("/v1/session").status == 200
    assert made == []
    blocks.write(ADMIN, is_shut=True)
    now.goes_on(4.9)
    assert not _is_shut_out(api.get("/v1/session"))
    now.goes_on(0.1)
    with sent_requests() as made:
        assert _is_shut_out(api.get("/v1/session"))
        assert _is_shut_out(api.get("/v1/session"))
    assert operations(made) == ["GetItem"]


def test_who_was_let_in_again_signs_in_again(api: Client, now: Clock) -> None:
    api.get("/v1/customers")
    blocks.write(ADMIN, is_shut=True)
    now.goes_on(60)
    blocks.write(ADMIN, is_shut=False)
    answer = api.get("/v1/customers")
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert answer.json["detail"] == "Your session is over; sign in again"
    later = int((now.at + timedelta(seconds=1)).timestamp())
    refreshed = api.pool.token("admin", iat=later)
    signed_in = api.pool.token("admin", iat=later, auth_time=later)
    of_another_issuer = api.pool.token("admin", iat=later, auth_time=None)
    statuses = [
        api.call("GET", "/v1/customers", None, headers={"Authorization": f"Bearer {one}"}).status
        for one in (refreshed, signed_in, of_another_issuer)
    ]
    assert statuses == [401, 200, 200]


def test_what_the_person_has_left_is_listed_and_killed(api: Client, now: Clock) -> None:
    save(customer())
    own = order_export(api)
    of_others = api.order(KEYS[1], {"resource": "leads"}, "marketing").json["id"]
    untouched = api.order(KEYS[2], {"resource": "leads"}, "marketing").json["id"]
    run_exports()
    running = order_export(api, "customers", KEYS[3])
    assert api.get(f"/v1/exports/{of_others}").json["download_url"]
    found = {one.job.id: one.why for one in command.live_exports(ADMIN)}
    assert found == {
        own: "asked for by them",
        running: "asked for by them",
        of_others: "they were given a link of five minutes to it",
    }
    link = link_to(own)
    assert api.get(link, None).status == 302
    command.kill(command.live_exports(ADMIN), author("operator"))
    assert command.live_exports(ADMIN) == []
    assert api.get(link, None).status == 410
    run_exports()
    assert {one.id for one in _left()} == {untouched}
    now.goes_on(301)
    assert api.get(f"/v1/exports/{untouched}", "marketing").json["status"] == "succeeded"


def _left() -> list[ExportItem]:
    return jobs.from_items(jobs.page(list(jobs.KINDS), None, 100).items)
