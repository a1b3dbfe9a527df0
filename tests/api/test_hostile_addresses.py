"""No address and no header leads around a check, or anybody elsewhere."""

import pytest

from tests.api.client import Client
from tests.api.exports import link_to, order_export, run_exports
from tests.builders import customer, lead, save, stored

ELSEWHERE = "evil.example"


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/customers/cus_0042%2Faccess", "/v1/customers/..%2Fexports", "/v1%2Fcustomers"),
        *("/v1/customers/cus_0042;role=admin", "/v1/customers/%252e%252e", "/v1/leads/..;/exports"),
        *("/V1/CUSTOMERS", "/v1/customers/", "//v1/customers", "/v1/./customers", "/v1/x/../leads"),
        *("/health/../v1/exports", "/ui/%2e%2e/app.py", "/ui/..%2fapp.py", "/ui/....//app.py"),
        *("/ui/style.css%00.html", "/ui/%5c..%5capp.py", "/v1/customers%00", "/v1/customers%20"),
    ],
)
def test_no_spelling_of_an_address_leads_around_a_check(edge: Client, path: str) -> None:
    for role in (None, "none", "marketing"):
        answer = edge.get(path, role)
        assert answer.status in {400, 401, 403, 404}, answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/v1/exports"},
        {"X-Rewrite-URL": "/v1/exports"},
        {"X-Forwarded-User": "ana@example.com"},
        {"X-Amzn-Oidc-Identity": "ana"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Cookie": "roles=admin"},
        {"X-Roles": "admin"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_no_header_gives_a_person_what_the_role_does_not(
    api: Client, headers: dict[str, str]
) -> None:
    save(customer())
    assert api.call("GET", "/v1/exports", "viewer", headers=headers).status == 403
    assert api.call("GET", "/v1/customers/cus_0042", "viewer", headers=headers).status == 200
    assert api.call("GET", "/v1/customers", None, headers=headers).status == 401
    assert stored("cus_0042")


@pytest.mark.usefixtures("monday")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": ELSEWHERE},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Host": ELSEWHERE},
        {"Forwarded": f"host={ELSEWHERE};proto=http"},
        {"X-Forwarded-Prefix": f"//{ELSEWHERE}"},
        {"Referer": f"https://{ELSEWHERE}/"},
        {"X-Request-Id": ELSEWHERE},
        {"Origin": f"https://{ELSEWHERE}"},
        {"host": ELSEWHERE},
    ],
    ids="+".join,
)
def test_no_header_turns_a_link_or_a_redirect_elsewhere(
    api: Client, headers: dict[str, str]
) -> None:
    save(*(lead(f"led_{number}") for number in range(3)))
    export_id = order_export(api)
    run_exports()
    answers = [
        api.call("GET", "/v1/leads", headers=headers, query={"limit": 1}),
        api.call("GET", link_to(export_id), None, headers=headers),
        api.call("GET", f"/v1/exports/{export_id}", headers=headers),
        api.call("GET", "/", None, headers=headers),
        api.call("GET", "/v1/config", None, headers=headers),
        api.call("GET", "/v1/none", None, headers=headers),
    ]
    assert answers[1].status == 302
    assert answers[1].headers["location"].startswith("https://exports-bucket.s3.amazonaws.com/")
    for answer in answers:
        assert ELSEWHERE not in answer.body
        assert ELSEWHERE not in str(answer.headers)


@pytest.mark.usefixtures("monday")
def test_the_only_redirect_takes_no_address_from_the_request(api: Client) -> None:
    save(lead())
    export_id = order_export(api)
    run_exports()
    for name in ("next", "url", "redirect", "redirect_uri", "to"):
        answer = api.get(f"{link_to(export_id)}&{name}=https://{ELSEWHERE}/", None)
        assert (answer.status, answer.problem) == (400, "invalid-request")
        assert "location" not in answer.headers
