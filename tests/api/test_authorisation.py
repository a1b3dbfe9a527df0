"""Who may do what: every operation, every role, every way not to be anybody."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.api.contract import OPERATIONS
from chalicelib.api.pages import version
from chalicelib.exports import schedule
from tests.api.client import Client
from tests.api.conformity import Answer
from tests.api.exports import run_exports
from tests.api.pool import person_claims
from tests.builders import customer, lead, save, save_ecosystem
from tests.exporting import Clock

ROLES = ("none", "viewer", "support", "marketing", "admin", "gateway")
READERS = {"viewer", "support", "admin"}
SWITCHERS = {"support", "admin"}
EXPORTERS = {"marketing", "admin"}
EVERYBODY = set(ROLES)
LEADS = {"resource": "leads"}


@dataclass(frozen=True)
class Case:
    """A call that fits the contract, who may make it, and what those are told who may not."""

    method: str
    path: str
    allowed: set[str]
    permission: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    instead: Mapping[str, str] = field(default_factory=dict)
    """The permission that a role lacks where it is another one."""


# API.md, «Who may call»: one line an operation.
CASES = {
    "list_customers": Case("GET", "/v1/customers", READERS, "customers:read"),
    "get_customer": Case("GET", "/v1/customers/cus_0042", READERS, "customers:read"),
    "change_access": Case(
        "PUT",
        "/v1/customers/cus_0042/access",
        SWITCHERS,
        "access:change",
        headers={"If-Match": '"7"'},
        body={"access": "active"},
    ),
    "list_access_history": Case(
        "GET", "/v1/customers/cus_0042/access/history", SWITCHERS, "audit:read"
    ),
    "list_leads": Case("GET", "/v1/leads", READERS | {"marketing"}, "leads:read"),
    "get_lead": Case("GET", "/v1/leads/led_0007", READERS | {"marketing"}, "leads:read"),
    # The list decides on the permission; the other list has a test of its own.
    "get_totals": Case(
        "GET",
        "/v1/totals?list=leads&from=2026-02-01&to=2026-02-28",
        READERS | {"marketing"},
        "leads:read",
    ),
    "get_facets": Case("GET", "/v1/facets?list=leads", READERS | {"marketing"}, "leads:read"),
    "get_ecosystem_access": Case(
        "GET", "/v1/ecosystems/eco_17/access", {"gateway"}, "ecosystem-access:read"
    ),
    "create_export": Case(
        "POST",
        "/v1/exports",
        EXPORTERS,
        "exports:create",
        202,
        {"Idempotency-Key": "3b241101-e2bb-4255-8caf-4136c566a962"},
        LEADS,
    ),
    "list_exports": Case("GET", "/v1/exports", EXPORTERS, "exports:read"),
    "get_export": Case("GET", "/v1/exports/{export}", EXPORTERS, "exports:read"),
    # An admin asked for it; one's own has a test of its own.
    "delete_export": Case(
        "DELETE",
        "/v1/exports/{export}",
        {"admin"},
        "exports:create",
        204,
        instead={"marketing": "exports:delete"},
    ),
    "get_session": Case("GET", "/v1/session", EVERYBODY),
    "get_config": Case("GET", "/v1/config", EVERYBODY),
    "get_openapi": Case("GET", "/v1/openapi.json", EVERYBODY),
    "get_health": Case("GET", "/health", EVERYBODY),
    "get_health_of_stores": Case("GET", "/v1/health", EVERYBODY),
    "get_page": Case("GET", "/", EVERYBODY),
    "get_reference": Case("GET", "/docs", EVERYBODY),
    "get_reference_file": Case("GET", "/docs/reference.js", EVERYBODY),
    "get_page_file": Case("GET", "/ui/style.css", EVERYBODY),
    "get_page_file_of_version": Case("GET", f"/ui/versions/{version()}/style.css", EVERYBODY),
    # Who holds the link needs no role, and a role without the link helps nobody.
    "open_export_file": Case(
        "GET", "/v1/exports/{export}/file?token=nonsense", EVERYBODY, status=401
    ),
}
PUBLIC = {
    *(
        "get_config",
        "get_openapi",
        "get_health",
        "get_page",
        "get_reference",
        "get_reference_file",
        "get_page_file",
    ),
    *("get_page_file_of_version", "open_export_file"),
}


def _order(api: Client, resource: str = "leads", role: str = "admin") -> Answer:
    return api.order(str(uuid.uuid4()), {"resource": resource}, role)


def _call(api: Client, case: Case, role: str | None, export_id: str) -> Answer:
    path = case.path.replace("{export}", export_id)
    return api.call(case.method, path, role, headers=case.headers, body=case.body)


def test_every_operation_of_the_contract_has_a_line_in_the_table() -> None:
    assert CASES.keys() == OPERATIONS.keys()
    for name, case in CASES.items():
        assert case.method == OPERATIONS[name].method
        assert len(case.path.split("/")) == len(OPERATIONS[name].path.split("/"))
        assert (name in PUBLIC) == OPERATIONS[name].public


def test_each_role_may_do_what_the_contract_says_and_nothing_else(api: Client) -> None:
    save(customer(), lead())
    save_ecosystem()
    export_id = _order(api).json["id"]
    answers = {
        (name, role): _call(api, case, role, export_id)
        for name, case in CASES.items()
        for role in ROLES
    }
    expected = {
        (name, role): case.status if role in case.allowed else 403
        for name, case in CASES.items()
        for role in ROLES
    }
    assert {call: answer.status for call, answer in answers.items()} == expected
    for (name, role), answer in answers.items():
        if answer.status == 403:
            permission = CASES[name].instead.get(role, CASES[name].permission)
            assert answer.problem == "forbidden"
            assert answer.json["permission"] == permission
            assert answer.json["detail"] == f"This needs the permission {permission}"


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_what_is_public_needs_no_token_and_minds_no_bad_one(edge: Client, name: str) -> None:
    case = CASES[name]
    statuses = [
        edge.call("GET", case.path.replace("{export}", "exp_1"), None, headers=headers).status
        for headers in ({}, {"Authorization": "Bearer nonsense"})
    ]
    assert statuses == ([401, 401] if name == "open_export_file" else [200, 200])
    assert edge.gateway.asked_authorizer == 0


@pytest.mark.parametrize("context", [{}, {"roles": "admin"}])
def test_a_caller_whom_nobody_vouches_for_is_refused_by_the_view(
    edge: Client, monkeypatch: pytest.MonkeyPatch, context: dict[str, str]
) -> None:
    """As after a mistake in the template: a route without its authorizer, or with another one."""
    monkeypatch.setattr(edge.gateway, "_authorize", lambda *_: context)
    for name in CASES.keys() - PUBLIC:
        answer = _call(edge, CASES[name], "admin", "exp_1")
        assert (answer.status, answer.problem) == (401, "unauthenticated"), name


def test_a_role_is_checked_before_the_request_is_read(edge: Client) -> None:
    for path in ("/v1/customers?limit=500", "/v1/customers/a%2Fb"):
        assert edge.get(path, "marketing").status == 403
    assert edge.switch({"access": "nonsense"}, role="viewer", if_match=None).status == 403
    assert edge.order(None, b"no JSON", "support").status == 403


TOTALS_OF = {
    "customers": (READERS, "customers:read"),
    "leads": (READERS | {"marketing"}, "leads:read"),
}


@pytest.mark.parametrize("name", TOTALS_OF)
def test_a_list_may_be_counted_by_those_who_may_read_it(api: Client, name: str) -> None:
    allowed, permission = TOTALS_OF[name]
    query = {"list": name, "from": "2026-02-01", "to": "2026-02-28"}
    for role in ROLES:
        answer = api.call("GET", "/v1/totals", role, query=query)
        if role in allowed:
            assert (answer.status, answer.json["list"]) == (200, name), role
        else:
            assert (answer.status, answer.problem) == (403, "forbidden"), role
            assert answer.json["permission"] == permission


def test_marketing_may_not_touch_exports_of_customers(api: Client) -> None:
    theirs = _order(api, "customers").json["id"]
    refused = [
        _order(api, "customers", "marketing"),
        api.get(f"/v1/exports/{theirs}", "marketing"),
    ]
    for answer in refused:
        assert answer.status == 403
        assert answer.json["permission"] == "exports:customers"
    assert api.call("DELETE", f"/v1/exports/{theirs}", "marketing").status == 403
    assert api.get(f"/v1/exports/{theirs}").status == 200


def _delete(api: Client, export_id: str, role: str) -> Answer:
    return api.call("DELETE", f"/v1/exports/{export_id}", role)


def test_people_cancel_their_own_exports_and_remove_their_own_files(api: Client) -> None:
    queued_one, finished = (_order(api, "leads", "marketing").json["id"] for _ in range(2))
    assert _delete(api, queued_one, "marketing").status == 204
    assert _delete(api, queued_one, "marketing").status == 204, "repeating it is no fault"
    run_exports()
    assert api.get(f"/v1/exports/{queued_one}", "marketing").status == 404
    assert api.get(f"/v1/exports/{finished}", "marketing").json["status"] == "succeeded"
    assert _delete(api, finished, "marketing").status == 204
    assert api.get(f"/v1/exports/{finished}", "marketing").status == 404


def test_what_others_or_the_schedule_asked_for_needs_a_permission_to_delete(
    api: Client, monday: Clock
) -> None:
    scheduled = schedule.order_exports(monday.at, "req_1")[0].id
    others = [_order(api).json["id"], scheduled]
    for export_id in others:
        answer = _delete(api, export_id, "marketing")
        assert (answer.status, answer.json["permission"]) == (403, "exports:delete")
        assert api.get(f"/v1/exports/{export_id}").json["status"] == "queued"
        assert _delete(api, export_id, "admin").status == 204


def test_marketing_finds_exports_of_leads_alone_and_admins_find_all(api: Client) -> None:
    customers, leads = _order(api, "customers").json["id"], _order(api, "leads").json["id"]
    own = _order(api, "leads", "marketing").json["id"]
    found = {
        role: {row["id"] for row in api.get("/v1/exports", role).json["data"]} for role in EXPORTERS
    }
    assert found == {"marketing": {leads, own}, "admin": {customers, leads, own}}
    assert api.get(f"/v1/exports/{leads}", "marketing").json["id"] == leads


def _session(edge: Client, **claims: Any) -> Any:
    token = edge.pool.sign({**person_claims("none"), **claims})
    return edge.call("GET", "/v1/session", None, headers={"Authorization": f"Bearer {token}"}).json


def test_several_roles_add_up(edge: Client) -> None:
    session = _session(edge, **{"cognito:groups": ["marketing", "support"]})
    assert session["roles"] == ["marketing", "support"]
    assert session["permissions"] == [
        *("access:change", "audit:read", "customers:read"),
        *("exports:create", "exports:leads", "exports:read", "leads:read"),
    ]


@pytest.mark.parametrize("groups", [["gateway"], ["gateway", "Admin", "us-east-1_Test_Google"], []])
def test_a_group_of_another_name_gives_a_person_nothing(edge: Client, groups: list[str]) -> None:
    session = _session(edge, **{"cognito:groups": groups})
    assert (session["roles"], session["permissions"]) == ([], [])


def test_a_scope_gives_a_person_no_role_of_a_machine(edge: Client) -> None:
    assert _session(edge, scope="store-users/gateway")["roles"] == []


@pytest.mark.parametrize("scope", ["", "store-users/other", "store-users/gateway2", None])
def test_the_machine_client_needs_its_scope(edge: Client, scope: str | None) -> None:
    token = edge.pool.token("gateway", scope=scope)
    headers = {"Authorization": f"Bearer {token}"}
    answer = edge.call("GET", "/v1/ecosystems/eco_17/access", None, headers=headers)
    assert (answer.status, answer.json["permission"]) == (403, "ecosystem-access:read")


def test_groups_give_the_machine_client_nothing(edge: Client) -> None:
    token = edge.pool.token("gateway", **{"cognito:groups": ["admin"]})
    headers = {"Authorization": f"Bearer {token}"}
    assert edge.call("GET", "/v1/session", None, headers=headers).json["roles"] == ["gateway"]
    assert edge.call("GET", "/v1/customers", None, headers=headers).status == 403


def test_the_map_of_groups_is_configuration(edge: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = '{"Soporte": "support", "root": "gateway", "odd": "no-such-role"}'
    monkeypatch.setenv("GROUP_ROLES", roles)
    groups = ["Soporte", "root", "odd", "admin"]
    assert _session(edge, **{"cognito:groups": groups})["roles"] == ["support"]
