"""How the application hangs together: routes, authorizer, methods, CORS."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib.api.auth import authorizer
from chalicelib.api.contract import OPERATIONS
from chalicelib.settings import settings
from infra.package import ROOT
from tests.api.client import Client

METHODS = {
    "/": "GET, OPTIONS",
    "/docs": "GET, OPTIONS",
    "/docs/{file}": "GET, OPTIONS",
    "/health": "GET, OPTIONS",
    "/ui/{file}": "GET, OPTIONS",
    "/ui/versions/{version}/{file}": "GET, OPTIONS",
    "/v1/config": "GET, OPTIONS",
    "/v1/customers": "GET, OPTIONS",
    "/v1/customers/{customer_id}": "GET, OPTIONS",
    "/v1/customers/{customer_id}/access": "PUT, OPTIONS",
    "/v1/customers/{customer_id}/access/history": "GET, OPTIONS",
    "/v1/ecosystems/{ecosystem_id}/access": "GET, OPTIONS",
    "/v1/exports": "POST, GET, OPTIONS",
    "/v1/exports/{export_id}": "GET, DELETE, OPTIONS",
    "/v1/exports/{export_id}/file": "GET, OPTIONS",
    "/v1/facets": "GET, OPTIONS",
    "/v1/health": "GET, OPTIONS",
    "/v1/leads": "GET, OPTIONS",
    "/v1/leads/{lead_id}": "GET, OPTIONS",
    "/v1/openapi.json": "GET, OPTIONS",
    "/v1/session": "GET, OPTIONS",
    "/v1/totals": "GET, OPTIONS",
}
PUBLIC = {
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/docs/{file}"),
    ("GET", "/health"),
    ("GET", "/ui/{file}"),
    ("GET", "/ui/versions/{version}/{file}"),
    ("GET", "/v1/config"),
    ("GET", "/v1/exports/{export_id}/file"),
    ("GET", "/v1/openapi.json"),
}
ALL_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OURS = "https://admin.example"
FOREIGN = [
    *("https://evil.example", "https://admin.example.evil.example", "http://admin.example"),
    *("https://ADMIN.example", "https://admin.example:8443", "null", "*", ""),
]


def _concrete(path: str) -> str:
    return path.replace("{file}", "style.css").replace("{", "").replace("}", "")


def test_every_route_but_the_public_ones_has_the_authorizer() -> None:
    open_routes = {
        (method, path)
        for path, methods in app.routes.items()
        for method, entry in methods.items()
        if entry.authorizer is None and not entry.view_name.startswith("other ")
    }
    assert open_routes == PUBLIC
    entries = [entry for methods in app.routes.values() for entry in methods.values()]
    assert {entry.authorizer for entry in entries} == {None, authorizer}


def test_every_operation_has_exactly_one_route() -> None:
    routes = {
        (entry.view_name, method, path)
        for path, methods in app.routes.items()
        for method, entry in methods.items()
        if not entry.view_name.startswith("other ")
    }
    assert routes == {(one.id, one.method, one.path) for one in OPERATIONS.values()}
    assert routes


def test_no_two_variables_of_paths_stand_beside_each_other() -> None:
    """API Gateway refuses such an API when it is deployed; the emulator takes it."""
    names: dict[str, set[str]] = {}
    for path in app.routes:
        parts = path.split("/")
        for at, part in enumerate(parts):
            if part.startswith("{"):
                names.setdefault("/".join(parts[:at]), set()).add(part)
    assert names["/ui"] == {"{file}"}
    assert {parent for parent, found in names.items() if len(found) > 1} == set()


def test_every_method_of_every_path_is_answered_by_us() -> None:
    assert {path: methods.keys() for path, methods in app.routes.items()} == dict.fromkeys(
        METHODS, ALL_METHODS
    )


def test_chalice_adds_no_cors_of_its_own_and_refuses_no_content_type() -> None:
    entries = [entry for methods in app.routes.values() for entry in methods.values()]
    assert {entry.cors for entry in entries} == {None}
    assert {len(entry.content_types) for entry in entries} == {0}
    assert not app.debug


def test_every_function_of_the_deployment_is_registered_once() -> None:
    registered: list[Any] = [
        *app.builtin_auth_handlers,
        *app.event_sources,
        *app.pure_lambda_functions,
    ]
    names = Counter(one.name for one in registered)
    assert names == {"authorizer": 1, "schedule": 1, "stream": 1, "watch": 1, "worker": 1}


@pytest.mark.parametrize("path", METHODS)
def test_a_path_answers_405_with_allow_to_every_other_method(edge: Client, path: str) -> None:
    known = set(METHODS[path].split(", "))
    for method in sorted(ALL_METHODS - known):
        answer = edge.call(method, _concrete(path), None)
        assert (answer.status, answer.headers["allow"]) == (405, METHODS[path]), method
        if method != "HEAD":
            assert answer.problem == "method-not-allowed"
            assert answer.json["detail"] == f"Allowed here: {METHODS[path]}"


FROM_A_FRONT_END = {
    *("authorization", "content-type", "if-match", "idempotency-key"),
    *("traceparent", "tracestate", "x-amzn-trace-id", "x-request-id"),
}


@pytest.fixture
def cors(edge: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of an API that lets two origins in."""
    monkeypatch.setenv("CORS_ORIGINS", f"{OURS}/, http://localhost:3000")
    settings.cache_clear()
    return edge


@pytest.mark.parametrize("path", METHODS)
def test_a_preflight_is_answered_without_a_token(cors: Client, path: str) -> None:
    headers = {
        "Origin": OURS,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(sorted(FROM_A_FRONT_END)),
    }
    answer = cors.call("OPTIONS", _concrete(path), None, headers=headers)
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["access-control-allow-origin"] == OURS
    allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
    assert set(allowed) == FROM_A_FRONT_END
    methods = set(answer.headers["access-control-allow-methods"].split(", "))
    assert methods >= {"GET", "POST", "PUT", "DELETE"}
    assert "Origin" in answer.headers["vary"]


def test_answers_to_the_configured_origins_can_be_read_by_them(cors: Client) -> None:
    exposed = "ETag, Link, Location, Retry-After, X-Total-Count, X-Request-Id, Idempotency-Replayed"
    for origin in (OURS, "http://localhost:3000"):
        for path, role in (("/v1/session", "viewer"), ("/v1/customers?limit=0", "viewer")):
            answer = cors.call("GET", path, role, headers={"oRiGiN": origin})
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["access-control-expose-headers"] == exposed


@pytest.mark.parametrize(
    ("method", "path", "role", "status"),
    [
        ("GET", "/v1/customers?limit=0", "viewer", 400),
        ("GET", "/v1/exports", "viewer", 403),
        ("GET", "/ui/nothing.js", None, 404),
        ("PATCH", "/v1/customers", None, 405),
        ("PUT", "/v1/customers/cus_1/access", "support", 428),
        ("GET", "/v1/customers", "viewer", 503),
    ],
)
def test_our_own_problems_can_be_read_by_the_configured_origins(
    cors: Client, method: str, path: str, role: str | None, status: int
) -> None:
    answer = cors.call(method, path, role, headers={"Origin": OURS})
    assert answer.status == status
    assert not answer.by_gateway
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "Retry-After, " in answer.headers["access-control-expose-headers"]


def test_a_front_end_reads_that_its_token_is_refused(cors: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer not.a.token"}):
        answer = cors.call("GET", "/v1/session", None, headers={"Origin": OURS, **headers})
        assert (answer.status, answer.problem) == (401, "unauthenticated")
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_origins_are_let_in_nowhere(cors: Client, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    for method, path in (("OPTIONS", "/v1/customers"), ("GET", "/v1/session"), ("GET", "/")):
        answer = cors.call(method, path, "viewer", headers=headers)
        assert answer.status in {200, 204}
        for name in ("origin", "credentials", "methods"):
            assert f"access-control-allow-{name}" not in answer.headers
        assert answer.headers["vary"] == "Origin"


def test_without_configured_origins_nobody_else_is_let_in(edge: Client) -> None:
    for origin in (OURS, *FOREIGN):
        answer = edge.call("GET", "/v1/session", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


def test_importing_the_application_needs_no_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import app; print(app.app.app_name)"],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("store-users\n", "")


@pytest.mark.parametrize("stage", [[], ["--stage", "arm64"]])
def test_chalice_deploy_is_refused_with_the_right_command(stage: list[str]) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("chalice"), "deploy", *stage],
        cwd=ROOT,
        env={
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "make deploy STAGE=prod" in done.stderr
