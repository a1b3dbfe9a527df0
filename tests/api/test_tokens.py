"""What is no token of ours opens nothing."""

from collections.abc import Callable

import pytest

from chalicelib import clock
from tests.api.client import Client
from tests.api.conftest import Logs
from tests.api.pool import (
    Pool,
    gateway_claims,
    person_claims,
    signed_with_public_key,
    signing_input,
    unsigned,
)

NOT_PUBLIC = [
    ("GET", "/v1/customers"),
    ("GET", "/v1/customers/cus_0042"),
    ("PUT", "/v1/customers/cus_0042/access"),
    ("GET", "/v1/customers/cus_0042/access/history"),
    ("GET", "/v1/leads"),
    ("GET", "/v1/leads/led_0007"),
    ("GET", "/v1/ecosystems/eco_17/access"),
    ("POST", "/v1/exports"),
    ("GET", "/v1/exports"),
    ("GET", "/v1/exports/exp_1"),
    ("DELETE", "/v1/exports/exp_1"),
    ("GET", "/v1/session"),
]


def _tampered_payload(pool: Pool) -> str:
    good = pool.token("viewer").split(".")
    forged = signing_input({}, person_claims("admin")).decode().split(".")[1]
    return ".".join((good[0], forged, good[2]))


def _tampered_signature(pool: Pool) -> str:
    head, payload, signature = pool.token("admin").split(".")
    other = "A" if signature[40] != "A" else "B"
    return ".".join((head, payload, signature[:40] + other + signature[41:]))


BAD: dict[str, Callable[[Pool], str | None]] = {
    "no token": lambda _: None,
    "an empty header": lambda _: "",
    "an empty bearer": lambda _: "Bearer ",
    "a bearer of nothing": lambda _: "Bearer",
    "basic credentials": lambda _: "Basic YWRtaW46YWRtaW4=",
    "a token as basic": lambda pool: f"Basic {pool.token('admin')}",
    "several spaces": lambda pool: f"Bearer   {pool.token('admin')}",
    "nonsense": lambda _: "Bearer nonsense",
    "three parts of nonsense": lambda _: "Bearer a.b.c",
    "not ASCII": lambda _: "Bearer ñandú.ñandú.ñandú",
    "expired": lambda pool: f"Bearer {pool.token('admin', exp=1_700_000_000)}",
    "no expiry": lambda pool: f"Bearer {pool.token('admin', exp=None)}",
    "expiry is text": lambda pool: f"Bearer {pool.token('admin', exp='never')}",
    "not valid yet": lambda pool: f"Bearer {pool.token('admin', nbf=4_000_000_000)}",
    "another pool's key": lambda pool: (
        f"Bearer {pool.sign(person_claims('admin'), 'another', kid='first')}"
    ),
    "a key that nobody knows": lambda pool: (
        f"Bearer {pool.sign(person_claims('admin'), 'another')}"
    ),
    "no key id": lambda pool: f"Bearer {pool.sign(person_claims('admin'), kid=None)}",
    "another issuer": lambda pool: (
        "Bearer "
        + pool.token("admin", iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other")
    ),
    "no issuer": lambda pool: f"Bearer {pool.token('admin', iss=None)}",
    "no subject": lambda pool: f"Bearer {pool.token('admin', sub=None)}",
    "another client": lambda pool: f"Bearer {pool.token('admin', client_id='other-client')}",
    "no client": lambda pool: f"Bearer {pool.token('admin', client_id=None)}",
    "an id token": lambda pool: (
        "Bearer " + pool.token("admin", token_use="id", aud="page-client", client_id=None)
    ),
    "an id token with a client": lambda pool: f"Bearer {pool.token('admin', token_use='id')}",
    "no use": lambda pool: f"Bearer {pool.token('admin', token_use=None)}",
    "a changed payload": lambda pool: f"Bearer {_tampered_payload(pool)}",
    "a changed signature": lambda pool: f"Bearer {_tampered_signature(pool)}",
    "a signature left out": lambda pool: f"Bearer {pool.token('admin').rpartition('.')[0]}.",
    "algorithm none": lambda _: f"Bearer {unsigned(person_claims('admin'))}",
    "signed with the public key": lambda _: (
        f"Bearer {signed_with_public_key(person_claims('admin'))}"
    ),
    "a machine, algorithm none": lambda _: f"Bearer {unsigned(gateway_claims())}",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_is_refused_by_every_operation_that_is_not_public(
    edge: Client, kind: str, logs: Logs
) -> None:
    value = BAD[kind](edge.pool)
    headers = {} if value is None else {"Authorization": value}
    for method, path in NOT_PUBLIC:
        answer = edge.call(method, path, None, headers=headers)
        assert (answer.status, answer.problem) == (401, "unauthenticated"), (method, path)
        assert answer.by_gateway
        assert answer.headers["www-authenticate"] == "Bearer"
    assert all(line["event"] == "token.refused" for line in logs())


def test_the_scheme_is_asked_for(edge: Client) -> None:
    headers = {"Authorization": edge.pool.token("admin")}
    assert edge.call("GET", "/v1/session", None, headers=headers).status == 401


def test_the_scheme_may_be_written_in_any_case(edge: Client) -> None:
    """RFC 9110 §11.1 says so."""
    headers = {"Authorization": f"bearer {edge.pool.token('admin')}"}
    assert edge.call("GET", "/v1/session", None, headers=headers).status == 200


def test_a_refused_token_is_logged_with_the_reason_and_without_the_token(
    edge: Client, logs: Logs
) -> None:
    token = edge.pool.token("admin", client_id="other-client")
    edge.call("GET", "/v1/session", None, headers={"Authorization": f"Bearer {token}"})
    assert logs() == [{"level": "INFO", "event": "token.refused", "reason": "of another client"}]


def test_a_token_that_expires_while_api_gateway_keeps_its_answer_is_refused_by_the_view(
    edge: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    expiry = int(now.timestamp()) + 100
    headers = {"Authorization": f"Bearer {edge.pool.token('admin', exp=expiry)}"}
    assert edge.call("GET", "/v1/session", None, headers=headers).status == 200
    later = now.fromtimestamp(expiry, tz=now.tzinfo)
    monkeypatch.setattr(clock, "now", lambda: later)
    answer = edge.call("GET", "/v1/session", None, headers=headers)
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert answer.json["detail"] == "Your session is over; sign in again"
    assert not answer.by_gateway
    assert edge.gateway.asked_authorizer == 1


def test_a_token_of_a_pool_whose_clock_is_ahead_is_good_at_once(edge: Client) -> None:
    soon = int(clock.now().timestamp()) + 120
    token = edge.pool.token("viewer", iat=soon, auth_time=soon)
    headers = {"Authorization": f"Bearer {token}"}
    assert edge.call("GET", "/v1/session", None, headers=headers).status == 200


@pytest.mark.parametrize(
    "name", ["worker", "Link", "SCHEDULE", "stream", "system", "system worker", "ana maria", ""]
)
def test_nobody_is_called_like_a_part_of_the_system(edge: Client, name: str, logs: Logs) -> None:
    token = edge.pool.token("admin", username=name, client_id="page-client")
    answer = edge.call("GET", "/v1/session", None, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert [line["reason"] for line in logs()] == ["of a name that is not a user's"]
