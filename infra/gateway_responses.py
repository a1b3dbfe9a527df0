"""What API Gateway itself answers, in the shape of our problems: for the template."""

from typing import Any

from chalicelib.api.problems import MIME_TYPE, PROBLEMS, RETRY_AFTER_SECONDS
from chalicelib.api.response_headers import EXPOSED_HEADERS, SECURITY_HEADERS

# A mapping can copy the caller's origin, but not compare it with the configured ones. These answers
# hold nothing of anyone and no cookie counts, so every origin may read them: decision 27.
_HEADERS = {
    "Content-Type": MIME_TYPE,
    "Access-Control-Allow-Origin": "*",
    **EXPOSED_HEADERS,
    **SECURITY_HEADERS,
}

# API Gateway's response type → our problem
# (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html).
_PROBLEM_OF = {
    "UNAUTHORIZED": "unauthenticated",
    "ACCESS_DENIED": "forbidden",
    "EXPIRED_TOKEN": "forbidden",
    "INVALID_API_KEY": "forbidden",
    "INVALID_SIGNATURE": "forbidden",
    "WAF_FILTERED": "forbidden",
    # An address that is not there answers «Missing Authentication Token» by itself.
    "MISSING_AUTHENTICATION_TOKEN": "not-found",
    "RESOURCE_NOT_FOUND": "not-found",
    # AWS does not heed it yet: infra/gateway_shim.py.
    "REQUEST_TOO_LARGE": "payload-too-large",
    "UNSUPPORTED_MEDIA_TYPE": "unsupported-media-type",
    "THROTTLED": "too-many-requests",
    "QUOTA_EXCEEDED": "too-many-requests",
    "BAD_REQUEST_BODY": "invalid-request",
    "BAD_REQUEST_PARAMETERS": "invalid-request",
    "DEFAULT_4XX": "invalid-request",
    "AUTHORIZER_FAILURE": "sign-in-unavailable",
    "AUTHORIZER_CONFIGURATION_ERROR": "internal",
    "API_CONFIGURATION_ERROR": "internal",
    "INTEGRATION_FAILURE": "store-unavailable",
    "INTEGRATION_TIMEOUT": "timeout",
    "DEFAULT_5XX": "internal",
}


def gateway_responses() -> dict[str, Any]:
    """The `GatewayResponses` of the API, as the serverless transform takes them."""
    return {name: _response(problem) for name, problem in _PROBLEM_OF.items()}


def _response(problem: str) -> dict[str, Any]:
    status, title = PROBLEMS[problem]
    headers = dict(_HEADERS)
    if problem == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    if seconds := RETRY_AFTER_SECONDS.get(problem):
        headers["Retry-After"] = str(seconds)
    template = (
        f'{{"type":"/problems/{problem}","title":"{title}","status":{status},'
        '"request_id":"$context.requestId"}'
    )
    return {
        "StatusCode": status,
        "ResponseParameters": {
            "Headers": {
                **{name: f"'{value}'" for name, value in headers.items()},
                "X-Request-Id": "context.requestId",
            }
        },
        "ResponseTemplates": {"application/json": template},
    }
