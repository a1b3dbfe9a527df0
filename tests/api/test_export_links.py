"""The links that marketing gets: they live their time, open often, and die with the file."""

import pytest

from chalicelib.users import audit
from chalicelib.users.model import Author
from tests.api.client import Client
from tests.api.conftest import Logs
from tests.api.exports import KEYS, audit_of, link_to, object_of, order_export, run_exports
from tests.builders import customer, lead, save
from tests.exporting import Clock, object_keys


def test_our_link_leads_to_the_file_as_often_as_it_is_opened(api: Client, monday: Clock) -> None:
    save(lead())
    export_id = order_export(api, format="csv")
    run_exports()
    link = link_to(export_id)
    locations = []
    for _ in range(3):
        answer = api.get(link, None)
        assert (answer.status, answer.body) == (302, "")
        locations.append(answer.headers["location"])
        monday.goes_on(2 * 86_400)
    assert {object_of(url) for url in locations} == set(object_keys())
    assert audit_of(export_id)[:3] == ["export.link_opened"] * 3
    monday.goes_on(86_400)
    assert api.get(link, None).problem == "export-gone"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("cloudfront.example", ""),
        ("", ""),
    ],
)
def test_an_opening_is_told_with_time_network_and_program(
    api: Client, monday: Clock, address: str, network: str
) -> None:
    export_id = order_export(api)
    run_exports()
    monday.goes_on(61)
    agent = "Mail\u202escanner\n{} " + "x" * 300
    api.gateway.identity = {"sourceIp": address, "userAgent": agent}
    assert api.get(link_to(export_id), None).status == 302
    opened = audit.from_item(audit.page(audit.export(export_id), None, 1).items[0])
    assert (opened.action, opened.by) == ("export.link_opened", Author.system("link"))
    assert opened.at == "2026-03-02T11:01:01Z"
    assert opened.facts == {"address": network, "agent": "Mail?scanner?{} " + "x" * 104}


@pytest.mark.usefixtures("monday")
def test_a_link_that_is_not_ours_opens_nothing(api: Client) -> None:
    first, second = order_export(api), order_export(api, key=KEYS[1])
    run_exports()
    expiry, key, signature = link_to(first).partition("=")[2].split(".")
    other = "A" if signature[20] != "A" else "B"
    forged = [
        f"{int(expiry) + 1}.{key}.{signature}",
        f"{expiry}.{key}.{signature[:20]}{other}{signature[21:]}",
        f"{expiry}.{key}.{signature[:-1]}",
        f"{expiry}.{key}.",
        f"{expiry}.00000000.{signature}",
        f"{expiry}..{signature}",
        f"+{expiry}.{key}.{signature}",
        f"%D9%A1.{key}.{signature}",
        f"{expiry}.{key}.%F0%9F%8F%A5",
        *("x", "...", "a.b.c", "1.2.3.4"),
    ]
    for token in forged:
        answer = api.get(f"/v1/exports/{first}/file?token={token}", None)
        assert (answer.status, answer.problem) == (401, "unauthenticated"), token
    assert (
        api.get(f"/v1/exports/{second}/file?token={expiry}.{key}.{signature}", None).status == 401
    )
    for query in ("", "?token=", f"?token={'x' * 201}", "?token=a&token=b", "?token=a&x=1"):
        assert api.get(f"/v1/exports/{first}/file{query}", None).status == 400, query
    assert audit_of(first) == ["export.requested", "export.succeeded"]


def test_a_link_that_has_expired_says_so_whatever_the_file(api: Client, monday: Clock) -> None:
    export_id = order_export(api)
    run_exports()
    link = link_to(export_id, days=1)
    monday.goes_on(86_400)
    answer = api.get(link, None)
    assert (answer.status, answer.json["detail"]) == (
        *(410, "This link has expired; ask for a new export"),
    )


@pytest.mark.usefixtures("monday")
def test_a_link_to_a_file_that_is_not_there_yet_or_never_was(api: Client) -> None:
    answer = api.get(link_to(order_export(api)), None)
    assert (answer.status, answer.problem) == (409, "export-not-ready")
    assert api.get(link_to("exp_unknown"), None).problem == "export-gone"


@pytest.mark.usefixtures("monday")
def test_no_token_of_a_link_is_logged(api: Client, logs: Logs) -> None:
    save(customer())
    export_id = order_export(api, "customers")
    run_exports()
    link = link_to(export_id)
    api.get(link, None)
    api.get(link + "x", None)
    api.get(f"/v1/exports/{export_id}")
    logged = str(logs())
    for secret in (link.partition("=")[2], "X-Amz", "mj@clinica-sol.co", "María"):
        assert secret not in logged
    assert export_id in logged
