"""What somebody hostile sends: none of it gets further than it should, or is told more."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.users import cursor
from chalicelib.users.cursor import Position
from tests.api.client import Client
from tests.api.conftest import Logs
from tests.api.exports import KEYS, link_to, order_export, run_exports
from tests.api.test_switch_bodies import DEPTHS
from tests.builders import ECOSYSTEM, customer, lead, save, stored
from tests.exporting import content, stored_job
from tests.workbooks import Book, csv_rows

ELSEWHERE = "evil.example"
REASON = "Privacy incident 4711"


# --- cursors, links and keys of others --------------------------------------------------------


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


# --- more than what may be said ---------------------------------------------------------------

MORE: list[dict[str, Any]] = [
    {"version": 99},
    {"id": "cus_0001"},
    {"by": "somebody@else.example"},
    {"at": "2020-01-01T00:00:00Z"},
    {"ecosystem": {"id": "eco_1"}},
    {"access_change": {"by": "nobody"}},
    {"__proto__": {"access": "active"}},
    {"request_id": "forged"},
]


@pytest.mark.parametrize("more", MORE, ids=lambda more: next(iter(more)))
def test_the_switch_takes_no_member_but_its_own(api: Client, more: dict[str, Any]) -> None:
    save(customer())
    before = stored("cus_0042")
    answer = api.switch({"access": "suspended", "reason": REASON, **more})
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert stored("cus_0042") == before


@pytest.mark.parametrize(
    "more",
    [
        *({"status": "succeeded"}, {"requested_by": "ana@example.com"}, {"origin": "scheduled"}),
        *({"object_key": "exports/exp_1/1"}, {"id": "exp_1"}, {"file_name": "a.exe"}),
        *({"period": {"from": None, "to": "2026-01-01T00:00:00Z"}}, {"rows": 1}, {"attempt": 9}),
    ],
    ids=lambda more: next(iter(more)),
)
def test_an_order_takes_no_member_but_its_own(edge: Client, more: dict[str, Any]) -> None:
    answer = edge.order(KEYS[0], {"resource": "leads", **more})
    assert (answer.status, answer.problem) == (400, "invalid-request")


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_a_deep_order_is_refused_however_deep(edge: Client, depth: int, kind: str) -> None:
    begin, end = (b"[", b"]") if kind == "lists" else (b'{"a":', b"}")
    body = b'{"resource":"leads","filters":' + begin * depth + b"1" + end * depth + b"}"
    answer = edge.order(KEYS[0], body)
    assert answer.status in {400, 413}
    assert answer.problem in {"invalid-request", "payload-too-large"}


def test_a_wide_order_is_told_in_few_words(edge: Client) -> None:
    wide = {f"m{number}": number for number in range(1_200)}
    answer = edge.order(KEYS[0], {"resource": "leads", **wide})
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert len(answer.body) < 1_500


# --- addresses and headers --------------------------------------------------------------------


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


# --- lines of headers and logs, cells of files ------------------------------------------------

BROKEN_LINES = [
    "x\r\nSet-Cookie: role=admin",
    'x\n{"level": "ERROR", "event": "forged"}',
    "x\u2028forged",
    "x\x1b[2Jforged",
    'x", "event": "forged',
]


@pytest.mark.parametrize("text", BROKEN_LINES)
def test_no_text_begins_a_header_or_a_line_of_the_log(api: Client, logs: Logs, text: str) -> None:
    save(customer())
    logs()
    answers = [
        api.get("/v1/customers", q=text, limit=1),
        api.get(f"/v1/customers/{quote(text)}"),
        api.get("/v1/customers", **{text: "1"}),
        api.switch({"access": "suspended", "reason": text}),
        api.call("GET", "/v1/customers", headers={"User-Agent": text, "Origin": text}),
        api.order(text, {"resource": "leads"}),
    ]
    lines = logs()
    assert [line["event"] for line in lines] == ["request"] * len(answers)
    assert [line["status"] for line in lines] == [answer.status for answer in answers]
    assert "forged" not in json.dumps(lines)
    assert "Set-Cookie" not in json.dumps(lines)
    for answer in answers:
        assert "set-cookie" not in answer.headers
        assert not any("\n" in value or "\r" in value for value in answer.headers.values())


FORMULAS = ["=1+1", '=HYPERLINK("//evil.example")', "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_no_cell_of_a_file_is_a_formula(api: Client, format_: str) -> None:
    for number, text in enumerate(FORMULAS):
        save(
            customer(
                f"cus_{number}",
                first_name=text,
                last_name=text,
                company_email=text,
                company_name=text,
                phone_number=text,
                ecosystem=ECOSYSTEM.__class__(f"eco_{number}", text, "2026-03-04T10:00:00Z"),
            )
        )
    export_id = order_export(api, "customers", format=format_)
    run_exports()
    job = stored_job({"job": {"id": {"S": export_id}}})
    whole = content(job)
    rows = csv_rows(whole) if format_ == "csv" else Book(whole).rows()
    assert len(rows) == len(FORMULAS) + 1
    if format_ == "xlsx":
        assert not any(cell.data_type == "f" for row in Book(whole).openpyxl().rows for cell in row)
        return
    cells = [cell for row in rows[1:] for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "@", "\t", "\r", "-"}]
    assert not [cell for cell in cells if cell[:1] == "+" and not cell[1:2].isdigit()]
