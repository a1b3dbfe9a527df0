"""The edge of the API: odd addresses, odd headers, and what is public."""

import pytest

from chalicelib.settings import origin, settings
from chalicelib.users.item import to_item
from tests.api.client import Client
from tests.api.pool import person_claims
from tests.builders import client, customer, save, save_item

ODD_IDS = [
    *("a%2Fb", "%2F", "..%2F..%2Fhealth", "%2e%2e", "..", ".", "a.b", "a%20b", "%20", "a+b"),
    *("%F0%9F%8F%A5", "Jos%C3%A9", "%FF", "%00", "cus_1%00", "cus_1%0A", "%0Acus_1", "a%0D%0Ab"),
    *("a" * 65, "a%25", "%2541", "%", "%zz", "*", "customer%23cus_1", "a;b", "a,b", "a:b", "(a)"),
    *("%7Bcustomer_id%7D", "'", "%22", "%3Cscript%3E", "%EF%BC%91", "a%E2%80%8B"),
]
# Each path with an id in it, and who may ask.
WITH_IDS = [
    ("GET", "/v1/customers/{}", "viewer", "customer_id"),
    ("PUT", "/v1/customers/{}/access", "support", "customer_id"),
    ("GET", "/v1/customers/{}/access/history", "support", "customer_id"),
    ("GET", "/v1/leads/{}", "marketing", "lead_id"),
    ("GET", "/v1/ecosystems/{}/access", "gateway", "ecosystem_id"),
    ("GET", "/v1/exports/{}", "admin", "export_id"),
    ("DELETE", "/v1/exports/{}", "admin", "export_id"),
    ("GET", "/v1/exports/{}/file?token=1.2.3", "none", "export_id"),
]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_what_is_no_id_is_a_fault_of_the_path(edge: Client, odd: str) -> None:
    for method, path, role, name in WITH_IDS:
        target = path.format(odd)
        headers = {"If-Match": '"7"'} if method == "PUT" else {}
        answer = edge.call(method, target, role, headers=headers, body={} if headers else None)
        assert (answer.status, answer.problem) == (400, "invalid-request"), (method, target)
        assert ("path", name) in {(one["in"], one["name"]) for one in answer.json["errors"]}
        assert answer.json["instance"] == target.partition("?")[0]


def test_an_id_may_be_percent_encoded_and_as_long_as_64_characters(api: Client) -> None:
    save(customer("cus_0042"), customer("c" * 64))
    for path in ("cus_0042", "%63us_0042", "cus%5F0042", "c" * 64):
        assert api.get(f"/v1/customers/{path}").status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/v1", "/v1/", "/v2/customers", "/v1/customers/", "/v1/customers/a/b", "//v1/customers"),
        *("/v1/customers/a/access/", "/V1/customers", "/v1/ecosystems", "/favicon.ico", "/ui/"),
        *(
            "/ui/../app.py",
            "/../v1/customers",
            "/ui/versions/",
            "/ui/0123456789abcdef/style.css",
            "/v1/customers%3Flimit=1",
            "/.env",
            "/v1/exports/a/b",
        ),
    ],
)
def test_an_address_that_is_not_there_is_a_problem_too(edge: Client, path: str) -> None:
    for method in ("GET", "POST", "HEAD"):
        answer = edge.call(method, path, "admin")
        assert (answer.status, answer.by_gateway) == (404, True)
        assert method == "HEAD" or answer.problem == "not-found"


def test_a_method_that_api_gateway_does_not_know_is_an_address_that_is_not_there(
    edge: Client,
) -> None:
    for method in ("TRACE", "CONNECT", "PROPFIND", "get"):
        assert edge.call(method, "/v1/customers").problem == "not-found"


def test_headers_may_be_written_in_any_case(api: Client) -> None:
    save(customer())
    for write in (str.lower, str.upper, str.swapcase):
        headers = {
            write("Authorization"): f"Bearer {api.token('admin')}",
            write("If-Match"): '"7"',
            write("Content-Type"): "application/json",
            write("Idempotency-Key"): "0b8f2a64-1111-4222-8333-444455556660",
        }
        path = "/v1/customers/cus_0042/access"
        body = b'{"access": "active"}'
        assert api.gateway.send("PUT", path, headers, body).status == 200
        assert (
            api.gateway.send("POST", "/v1/exports", headers, b'{"resource": "leads"}').status == 202
        )


def test_the_configuration_tells_a_client_what_it_needs(
    edge: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGN_IN_URL", "https://sign-in.example")
    settings.cache_clear()
    assert edge.get("/v1/config", None).json == {
        "stage": "test",
        "languages": ["es", "en"],
        "time_zone": "America/Bogota",
        "sign_in": {
            "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test",
            "url": "https://sign-in.example",
            "client_id": "page-client",
            "pool_url": f"{origin(settings().token_keys_url)}/",
            "scopes": "openid email profile",
            "session_seconds": 43_200,
        },
        "limits": {
            "page_rows": 100,
            "body_bytes": 16384,
            "running_exports": 3,
            "export_retention_days": 7,
        },
    }


def test_the_session_tells_who_is_calling_until_when(edge: Client) -> None:
    token = edge.pool.token("support", exp=4_102_444_800)
    headers = {"Authorization": f"Bearer {token}"}
    assert edge.call("GET", "/v1/session", None, headers=headers).json == {
        "id": "2c076030-eb94-51a1-8325-40b0c777ad23",
        "username": "support@staff.example",
        "roles": ["support"],
        "permissions": ["access:change", "audit:read", "customers:read", "leads:read"],
        "expires_at": "2100-01-01T00:00:00Z",
    }
    assert edge.get("/v1/session", "gateway").json["username"] == "gateway-client"


def test_without_a_role_there_is_a_session_that_permits_nothing(edge: Client) -> None:
    session = edge.get("/v1/session", "none").json
    assert (session["roles"], session["permissions"]) == ([], [])


def test_health_needs_no_token_and_asks_no_store(edge: Client) -> None:
    """Nothing answers behind `edge`."""
    assert edge.get("/health", None).json == {"status": "ok"}
    assert edge.get("/health?deep=1", None).problem == "invalid-request"


def test_health_of_the_stores_needs_a_token(edge: Client) -> None:
    answer = edge.get("/v1/health", None)
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    token = edge.pool.sign(person_claims("admin"), "another")
    headers = {"Authorization": f"Bearer {token}"}
    assert edge.call("GET", "/v1/health", None, headers=headers).status == 401


@pytest.mark.usefixtures("soon")
def test_health_of_the_stores_names_the_one_that_fails(api: Client) -> None:
    stores = ("users", "ecosystems", "search", "totals", "audit", "exports", "bucket")
    well = dict.fromkeys(stores, "ok")
    answer = api.get("/v1/health", "none")
    assert (answer.status, answer.json) == (200, {"status": "ok", "checks": well})
    client().delete_table(TableName="audit")
    answer = api.get("/v1/health", "none")
    assert (answer.status, answer.headers["content-type"]) == (503, "application/json")
    assert answer.json == {"status": "failing", "checks": {**well, "audit": "failing"}}


ODD_VALUES: dict[str, dict[str, dict[str, object]]] = {
    "an access of another name": {"access": {"S": "blocked"}},
    "a number for a text": {"phone_number": {"N": "3001"}, "first_name": {"BOOL": True}},
    "a version below nought": {"version": {"N": "-3"}},
    "a version with a fraction": {"version": {"N": "7.5"}},
    "an ecosystem's id with a blank": {"ecosystem": {"M": {"id": {"S": "eco 17"}}}},
    "encounters below nought": {
        "subscription": {"M": {"encounters": {"M": {"used": {"N": "-1"}, "included": {"S": "x"}}}}}
    },
    "licences of all kinds": {
        "subscription": {"M": {"licences": {"L": [{"M": {"count": {"N": "2.5"}}}, {"S": "none"}]}}}
    },
    "an access change that says nothing": {"access_change": {"M": {"by": {"N": "1"}}}},
}


@pytest.mark.parametrize("kind", ODD_VALUES)
def test_odd_values_in_an_item_are_answered_within_the_contract(api: Client, kind: str) -> None:
    """The gateway of these tests checks it: every answer fits its schema, whatever is stored."""
    save_item({**to_item(customer()), **ODD_VALUES[kind]})
    assert len(api.get("/v1/customers").json["data"]) == 1
    assert api.get("/v1/customers/cus_0042").status == 200


def test_an_id_of_the_shop_that_is_none_of_ours_is_listed_within_the_contract(api: Client) -> None:
    save(customer("cus.42"))
    assert len(api.get("/v1/customers").json["data"]) == 1
