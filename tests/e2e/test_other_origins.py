"""What a front end on another origin can read, over HTTP: the headers that are ours.

The emulator gives API Gateway none of its own; to answers of S3 it adds `*` for every origin, so
the bucket's configuration is looked at instead.
"""

import pytest

from tests.e2e.conftest import Stack

FOREIGN = "https://evil.example"


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/v1/session", None, 401),
        ("/v1/session", "not.a.token", 401),
        ("/v1/nowhere", None, 404),
    ],
)
def test_answers_of_api_gateway_itself_can_be_read(
    stack: Stack, path: str, token: str | None, status: int
) -> None:
    reply = stack.call("GET", path, token=token, headers={"Origin": stack.front_end})
    assert reply.status == status
    assert reply.json["status"] == status
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Request-Id" in reply.headers["Access-Control-Expose-Headers"]


def test_our_own_answers_can_be_read_by_the_configured_origin_alone(stack: Stack) -> None:
    token = stack.token("viewer")
    for path, status in (("/v1/customers?limit=1", 200), ("/v1/exports", 403)):
        reply = stack.call("GET", path, token=token, headers={"Origin": stack.front_end})
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (
            status,
            stack.front_end,
        )
        assert "X-Total-Count" in reply.headers["Access-Control-Expose-Headers"]
        foreign = stack.call("GET", path, token=token, headers={"Origin": FOREIGN})
        assert "Access-Control-Allow-Origin" not in foreign.headers


def test_a_traced_request_passes_its_preflight(stack: Stack) -> None:
    headers = {
        "Origin": stack.front_end,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,if-match,traceparent",
    }
    reply = stack.call("OPTIONS", "/v1/customers/cus_0042/access", headers=headers)
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, stack.front_end)
    assert "traceparent" in reply.headers["Access-Control-Allow-Headers"]


def test_the_bucket_lets_the_configured_origin_read_files(stack: Stack) -> None:
    found = stack.client("s3").get_bucket_cors(Bucket=stack.facts["bucket"])
    (rule,) = found["CORSRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == ([stack.front_end], ["GET", "HEAD"])
