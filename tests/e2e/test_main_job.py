"""The main job over HTTP: sign in, list, switch, ask as a gateway, export, download, schedule."""

import hashlib
import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.e2e.conftest import Reply, Stack, eventually

pytestmark = pytest.mark.deployed


@pytest.fixture(scope="module")
def admin(stack: Stack) -> str:
    return stack.token("admin")


@pytest.fixture(scope="module")
def gateway(stack: Stack) -> str:
    return stack.token("gateway")


def test_a_person_signs_in_with_a_password_and_sees_the_roles(stack: Stack) -> None:
    facts = stack.facts
    client = stack.client("cognito-idp")
    for person in facts["people"]:
        answer = client.initiate_auth(
            ClientId=facts["client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": person["username"], "PASSWORD": person["password"]},
        )
        token = answer["AuthenticationResult"]["AccessToken"]
        session = stack.call("GET", "/v1/session", token=token).json
        assert session["username"] == person["username"]
        assert session["roles"] == person["roles"]


def test_nobody_gets_in_without_a_good_token(stack: Stack, admin: str) -> None:
    head, payload, signature = admin.split(".")
    for token in (None, "nonsense", f"{head}.{payload}.{signature[:-4]}AAAA"):
        reply = stack.call("GET", "/v1/customers", token=token)
        assert reply.status == 401
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert reply.json["type"] == "/problems/unauthenticated"


def test_an_unknown_address_and_method_are_problems(stack: Stack, admin: str) -> None:
    missing = stack.call("GET", "/v1/nothing", token=admin)
    assert (missing.status, missing.json["type"]) == (404, "/problems/not-found")
    method = stack.call("DELETE", "/v1/leads", token=admin)
    assert (method.status, method.json["type"]) == (405, "/problems/method-not-allowed")
    assert method.headers["Allow"] == "GET, OPTIONS"


@pytest.mark.parametrize(
    "sort", ["-registered_at", "first_name", "-company_name", "subscription.ends_on"]
)
def test_walking_forward_and_back_meets_every_customer_once(
    stack: Stack, admin: str, sort: str
) -> None:
    everybody = _walk(stack, admin, f"/v1/customers?limit=100&sort={sort}", "next")
    forward = _walk(stack, admin, f"/v1/customers?limit=4&sort={sort}", "next")
    assert [row["id"] for page in forward for row in page["data"]] == [
        row["id"] for page in everybody for row in page["data"]
    ]
    last = f"/v1/customers?limit=4&sort={sort}&cursor={forward[-2]['page']['next']}"
    backward = _walk(stack, admin, last, "prev")[::-1]
    assert [page["data"] for page in backward] == [page["data"] for page in forward]
    assert [page["page"]["start"] for page in backward] == [
        page["page"]["start"] for page in forward
    ]


def test_filters_show_the_customers_that_fit(stack: Stack, admin: str) -> None:
    rows = stack.call("GET", "/v1/customers?limit=100", token=admin).json["data"]
    suspended = stack.call("GET", "/v1/customers?access=suspended&limit=100", token=admin).json
    assert suspended["data"] == [row for row in rows if row["access"] == "suspended"] != []
    none = stack.call("GET", "/v1/customers?ecosystem=none&limit=100", token=admin).json
    assert none["data"] == [row for row in rows if row["ecosystem"] is None] != []


def test_the_switch_counts_for_the_gateway_from_the_next_call_on(
    stack: Stack, admin: str, gateway: str
) -> None:
    customer = stack.call("GET", "/v1/customers/cus_0042", token=admin)
    ecosystem = f"/v1/ecosystems/{customer.json['ecosystem']['id']}/access"
    assert _access(stack, gateway, ecosystem) == customer.json["access"] == "active"
    version = customer.headers["ETag"]
    for wanted in ("suspended", "active", "suspended"):
        reply = _switch(stack, admin, wanted, version)
        assert (reply.status, reply.json["access"]) == (200, wanted)
        assert stack.call("GET", ecosystem, token=gateway).json["access"] == wanted
        version = reply.headers["ETag"]
    late = _switch(stack, admin, "active", customer.headers["ETag"])
    assert (late.status, late.json["type"]) == (412, "/problems/version-conflict")
    assert late.json["current"]["version"] == int(version.strip('"'))
    history = stack.call("GET", "/v1/customers/cus_0042/access/history", token=admin).json["data"]
    assert [event["to"] for event in history] == ["suspended", "active", "suspended"]
    assert {event["by"] for event in history} == {"ana.admin@waizant.example"}


def test_of_several_people_who_switch_at_once_one_wins(stack: Stack, admin: str) -> None:
    seen = stack.call("GET", "/v1/customers/cus_0042", token=admin)
    wanted = "active" if seen.json["access"] == "suspended" else "suspended"

    def switch(number: int) -> Reply:
        return stack.call(
            "PUT",
            "/v1/customers/cus_0042/access",
            token=admin,
            body={"access": wanted, "reason": f"Wish number {number}"},
            headers={"If-Match": seen.headers["ETag"]},
        )

    with ThreadPoolExecutor() as pool:
        replies = sorted(pool.map(switch, range(4)), key=lambda reply: reply.status)
    assert [reply.status for reply in replies] == [200, 412, 412, 412]
    assert {reply.json["current"]["version"] for reply in replies[1:]} == {
        replies[0].json["version"]
    }


def test_an_export_is_made_watched_downloaded_and_deleted(stack: Stack, admin: str) -> None:
    listed = stack.call("GET", "/v1/leads?limit=100", token=admin).json["data"]
    key = str(uuid.uuid4())
    order = {"resource": "leads", "language": "en"}
    asked = stack.call(
        "POST", "/v1/exports", token=admin, body=order, headers={"Idempotency-Key": key}
    )
    assert asked.status == 202
    address = asked.headers["Location"]
    job = _finished(stack, admin, address)
    assert (job["status"], job["rows"]) == ("succeeded", len(listed))
    file = stack.call("GET", job["download_url"])
    assert hashlib.sha256(file.content).hexdigest() == job["sha256"]
    sheet = openpyxl.load_workbook(io.BytesIO(file.content))["Leads"]
    ids = [row[-1] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert ids == [lead["id"] for lead in listed]
    again = stack.call(
        "POST", "/v1/exports", token=admin, body=order, headers={"Idempotency-Key": key}
    )
    assert (again.json["id"], again.headers["Idempotency-Replayed"]) == (job["id"], "true")
    assert stack.call("DELETE", address, token=admin).status == 204
    assert stack.call("GET", address, token=admin).status == 404
    # 403 on AWS: the role that signed the link may not list the bucket.
    assert stack.call("GET", job["download_url"]).status in {403, 404}


def test_what_the_shop_writes_is_completed_and_known_to_the_gateways(
    stack: Stack, admin: str, gateway: str
) -> None:
    stack.client("dynamodb").put_item(
        TableName=stack.facts["tables"]["users"],
        Item={
            "id": {"S": "cus_shop"},
            "kind": {"S": "customer"},
            "registered_at": {"S": "2026-11-01T10:00:00Z"},
            "first_name": {"S": "Íñigo"},
            "ecosystem": {"M": {"id": {"S": "eco_shop"}, "name": {"S": "shop"}}},
        },
    )
    address = "/v1/ecosystems/eco_shop/access"
    eventually(lambda: stack.call("GET", address, token=gateway).status == 200)
    row = eventually(
        lambda: next(
            (
                row
                for row in stack.call(
                    "GET", "/v1/customers?sort=first_name&limit=100", token=admin
                ).json["data"]
                if row["id"] == "cus_shop"
            ),
            None,
        )
    )
    assert (row["access"], row["version"], row["company_name"]) == ("active", 1, "")


def test_a_file_of_store_users_is_loaded(stack: Stack, admin: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "id;kind;first_name;registered_at\nled_e2e;lead;Zoë;2026-10-01T08:00:00+02:00\nbad;lead;;x\n"
    )
    done = stack.run("infra.load", str(file))
    assert done.returncode == 1, done.stderr
    lead = stack.call("GET", "/v1/leads/led_e2e", token=admin).json
    assert (lead["first_name"], lead["registered_at"]) == ("Zoë", "2026-10-01T06:00:00Z")
    assert "bad" in (tmp_path / "people.csv.rejects.csv").read_text()


def _walk(stack: Stack, token: str, path: str, towards: str) -> list[Any]:
    pages = [stack.call("GET", path, token=token).json]
    base = path.partition("&cursor=")[0]
    while cursor := pages[-1]["page"][towards]:
        pages.append(stack.call("GET", f"{base}&cursor={cursor}", token=token).json)
    return pages


def _access(stack: Stack, gateway: str, path: str) -> Any:
    """The stream tells of a new ecosystem within moments."""
    return eventually(lambda: stack.call("GET", path, token=gateway).json.get("access"))


def _switch(stack: Stack, token: str, wanted: str, version: str) -> Reply:
    return stack.call(
        "PUT",
        "/v1/customers/cus_0042/access",
        token=token,
        body={"access": wanted, "reason": "Privacy incident 4711"},
        headers={"If-Match": version},
    )


def _finished(stack: Stack, token: str, address: str) -> Any:
    def ask() -> Any:
        job = stack.call("GET", address, token=token).json
        return job if job["status"] not in {"queued", "running"} else None

    return eventually(ask)
