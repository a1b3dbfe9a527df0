"""How an address is spelled changes nothing about who may ask: against the gateway that routes.

The tests on moto have a stand-in for it, which is stricter: here slashes are doubled and forgiven.
"""

import http.client
from urllib.parse import urlsplit

import pytest

from infra.gateway_shim import EVENT_BYTES, REQUEST_BYTES
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.deployed

SPELLINGS = (
    *("/v1/customers", "/v1/customers/", "//v1/customers", "/v1//customers", "/v1/customers%2f"),
    *("/v1/customers/cus_0042", "/v1/customers%2Fcus_0042", "/v1/customers/cus_0042/"),
    *("/V1/customers", "/v1/Customers", "/v1/./customers", "/health/../v1/customers"),
    *("/v1/customers;x=1", "/v1/customers%00", "/ui/../v1/customers", "/ui/%2e%2e/v1/customers"),
)


def _status(stack: Stack, method: str, path: str, token: str | None) -> int:
    """Sent as it is: urllib and browsers would tidy the path up first."""
    base = urlsplit(stack.facts["url"])
    kind = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
    connection = kind(str(base.hostname), base.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, base.path + path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_spelling_of_an_address_leads_to_people_without_the_role(
    stack: Stack, method: str
) -> None:
    tokens = {"nobody": None, **{role: stack.token(role) for role in ("none", "marketing")}}
    for path in SPELLINGS:
        for who, token in tokens.items():
            status = _status(stack, method, path, token)
            assert status in {400, 401, 403, 404, 405}, (method, path, who)


def test_the_addresses_are_those_that_lead_there_with_the_role(stack: Stack) -> None:
    """Else the test above would hold where nothing is found at all."""
    token = stack.token("viewer")
    assert {_status(stack, "GET", path, token) for path in SPELLINGS} >= {200, 404}
    assert _status(stack, "GET", "/v1/customers", token) == 200


def test_a_body_that_api_gateway_does_not_take_is_refused_in_its_own_words(stack: Stack) -> None:
    token, headers = (
        stack.token("admin"),
        {"Idempotency-Key": "0b8f2a64-1111-4222-8333-444455556641"},
    )
    taken, refused = (
        stack.call("POST", "/v1/exports", token=token, body="x" * (size - 2), headers=headers)
        for size in (EVENT_BYTES - 10_000, REQUEST_BYTES + 1)
    )
    assert (taken.status, taken.json["type"]) == (413, "/problems/payload-too-large")
    assert (refused.status, refused.json.keys()) == (413, {"message"})
    assert "Access-Control-Allow-Origin" not in refused.headers
