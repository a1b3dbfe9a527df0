"""`make block` and `make unblock` on the running system, through API Gateway's kept answers."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Reply, Stack, eventually

PERSON = "marta.marketing@waizant.example"
KEYS = [f"0b8f2a64-1111-4222-8333-4444555566{number}" for number in (31, 32)]


def _block(stack: Stack, *arguments: str) -> str:
    done = stack.run("infra.block", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _order(stack: Stack, token: str, key: str) -> Reply:
    headers = {"Idempotency-Key": key}
    return stack.call(
        "POST", "/v1/exports", token=token, body={"resource": "leads"}, headers=headers
    )


@pytest.fixture(autouse=True)
def _let_in_again(stack: Stack) -> Iterator[None]:
    yield
    _block(stack, "--undo", "--person", PERSON)


def test_a_dismissed_colleague_is_refused_within_ten_seconds(stack: Stack) -> None:
    token = stack.token("marketing")
    job = f"/v1/exports/{_order(stack, token, KEYS[0]).json['id']}"
    done = eventually(
        lambda: (told := stack.call("GET", job, token=token).json)["download_url"] and told,
        seconds=60,
    )
    paths = [
        "/v1/leads",
        "/v1/exports",
        job,
        "/v1/session",
        "/v1/totals?list=leads&from=2026-01-01&to=2026-01-02",
    ]
    paths.append(
        f"/v1/leads/{stack.call('GET', '/v1/leads?limit=1', token=token).json['data'][0]['id']}"
    )
    assert {stack.call("GET", path, token=token).status for path in paths} == {200}

    told = _block(stack, "--person", PERSON, "--kill", done["id"])
    blocked_at = time.monotonic()
    assert _order(stack, token, KEYS[1]).status == 401, "at once"
    refused = stack.call("DELETE", job, token=token)
    assert refused.status == 401
    # It comes from the function, whose header API Gateway renames.
    headers = {name.lower(): value for name, value in refused.headers.items()}
    assert headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert "www-authenticate" not in headers
    eventually(
        lambda: {stack.call("GET", path, token=token).status for path in paths} == {401}, seconds=10
    )
    assert time.monotonic() - blocked_at < 10
    assert f"{done['id']}  leads, succeeded, " in told
    assert "1 of " in told
    assert stack.call("GET", done["download_url"]).status in {403, 404}
    assert stack.run("infra.local", "token", "marketing").returncode != 0, "no new sign-in"
    user = stack.client("cognito-idp").admin_get_user(
        UserPoolId=stack.facts["user_pool_id"], Username=PERSON
    )
    assert user["Enabled"] is False

    subject = next(one["Value"] for one in user["UserAttributes"] if one["Name"] == "sub")
    again = _block(stack, "--undo", "--subject", subject)
    assert again.startswith(f"{subject} may sign in again")
    assert stack.call("GET", "/v1/leads", token=token).status == 401, "the old token is over"
    eventually(
        lambda: stack.call("GET", "/v1/leads", token=stack.token("marketing")).status == 200,
        seconds=30,
    )


def test_who_is_not_in_the_pool_is_said_to_be_missing(stack: Stack) -> None:
    done = stack.run("infra.block", "--person", "nobody@waizant.example")
    assert done.returncode == 2
    assert "make block SUBJECT=" in done.stderr


def test_a_gateway_is_not_said_to_be_refused(stack: Stack) -> None:
    """Its question never looks at who is blocked."""
    client_id = stack.facts["gateway_client_id"]
    done = stack.run("infra.block", "--subject", client_id)
    assert (done.returncode, done.stdout) == (2, "")
    assert "docs/runbook.md" in done.stderr
