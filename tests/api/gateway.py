"""A stand-in for API Gateway's REST proxy, in this process: for speed, and for faults.

It does what API Gateway is documented to do between a client and the functions: match the path,
ask the authorizer (and keep its answer), build the proxy event, answer by itself where there is
nothing to ask, rename headers. It is no more than that: the real engine's behaviour is tested by
tests/e2e. Every answer is held against the contract, see `conformity`.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chalice.app import ChaliceAuthorizer

from app import app
from chalicelib import clock
from infra.gateway_responses import gateway_responses
from infra.gateway_shim import ANSWER_BYTES, EVENT_BYTES, REQUEST_BYTES, TOO_LARGE, remapped
from tests.api.conformity import Answer, check_answer

STAGE = "api"

_HOST = ("Host", "abcdef1234.execute-api.us-east-1.amazonaws.com")
_ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A request with the route that it matches; `parameters` are as encoded as they came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes
    route: str
    parameters: Mapping[str, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def header(self, name: str) -> str:
        return {key.lower(): value for key, value in self.headers}.get(name, "")


class Gateway:
    """The way to `app.app`, as a client on the internet has to take it."""

    def __init__(self) -> None:
        self._policies: dict[str, tuple[float, dict[str, Any]]] = {}
        self.asked_authorizer = 0
        self.identity = {"sourceIp": "192.0.2.1", "userAgent": "tests"}

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        base64_body: bool = False,
    ) -> Answer:
        """The answer to a request of `target`: the path below the stage, and the query.

        `base64_body` has the body sent on encoded even where its type does not ask for that.
        """
        assert target.isascii(), "a client encodes the rest"
        parts = urlsplit(target)
        route, parameters = _match(parts.path)
        request = _Request(
            method=method,
            path=parts.path,
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers=[_HOST, *(headers or {}).items()],
            body=body,
            route=route,
            parameters=parameters,
        )
        if len(body) > REQUEST_BYTES:
            return _too_large()
        answer = self._answer(request, base64_body=base64_body)
        if answer == _too_large():
            return answer
        check_answer(answer, method, route, request.id)
        return answer

    def _answer(self, request: _Request, *, base64_body: bool) -> Answer:
        entry = app.routes.get(request.route, {}).get(request.method)
        if entry is None:
            return _own_answer("MISSING_AUTHENTICATION_TOKEN", request)
        authorizer = None
        if isinstance(entry.authorizer, ChaliceAuthorizer):
            answer = self._authorize(entry.authorizer, request)
            if isinstance(answer, Answer):
                return answer
            authorizer = answer
        event = _event(request, authorizer, base64_body=base64_body)
        event["requestContext"]["identity"] = self.identity
        if len(json.dumps(event, ensure_ascii=False).encode()) > EVENT_BYTES:
            return _too_large()
        return _from_lambda(app(_as_json(event), None), request)

    def _authorize(
        self, authorizer: ChaliceAuthorizer, request: _Request
    ) -> dict[str, str] | Answer:
        """The context of a caller who may pass, or the answer to one who may not."""
        token = request.header("authorization")
        if not token:
            return _own_answer("UNAUTHORIZED", request)
        arn = f"{_ARN}/{STAGE}/{request.method}{request.path}"
        now = clock.now().timestamp()
        kept_until, result = self._policies.get(token, (0.0, {}))
        if kept_until <= now:
            event = {"type": "TOKEN", "authorizationToken": token, "methodArn": arn}
            self.asked_authorizer += 1
            try:
                result = _as_json(authorizer(_as_json(event), {}))
            except Exception as error:  # noqa: BLE001 - Lambda catches everything as well
                if str(error) == "Unauthorized":
                    return _own_answer("UNAUTHORIZED", request)
                return _own_answer("AUTHORIZER_FAILURE", request)
            self._policies[token] = (now + (authorizer.config.ttl_seconds or 0), result)
        context = result["context"]
        if not all(isinstance(value, str | int | float) for value in context.values()):
            return _own_answer("AUTHORIZER_CONFIGURATION_ERROR", request)
        if not _allows(result["policyDocument"], arn):
            return _own_answer("ACCESS_DENIED", request)
        return {
            "principalId": str(result["principalId"]),
            **{name: _as_text(value) for name, value in context.items()},
        }


def _too_large() -> Answer:
    status, given, text = TOO_LARGE
    headers = {name.lower(): value for name, value in given.items()}
    return Answer(status, headers, text.decode(), by_gateway=True)


def _match(path: str) -> tuple[str, dict[str, str]]:
    """The route of the path and its parameters: the one that begins literally wins; "" is none."""
    wanted = path.split("/")
    found = [
        (template, dict(zip(template.split("/"), wanted, strict=True)))
        for template in app.routes
        if _fits(template.split("/"), wanted)
    ]
    if not found:
        return "", {}
    template, values = min(found, key=lambda one: [part[:1] == "{" for part in one[0].split("/")])
    return template, {name[1:-1]: value for name, value in values.items() if name[:1] == "{"}


def _fits(template: list[str], wanted: list[str]) -> bool:
    return len(template) == len(wanted) and all(
        given != "" if part[:1] == "{" else part == given
        for part, given in zip(template, wanted, strict=True)
    )


def _event(
    request: _Request, authorizer: Mapping[str, str] | None, *, base64_body: bool
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"""
    encoded = base64_body or request.header("content-type") in app.api.binary_types
    text = base64.b64encode(request.body) if encoded else request.body
    return {
        "resource": request.route,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(request.headers),
        "multiValueHeaders": _grouped(request.headers),
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": _grouped(request.query) or None,
        "pathParameters": dict(request.parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": request.route,
            "httpMethod": request.method,
            "path": f"/{STAGE}{request.path}",
            "stage": STAGE,
            "protocol": "HTTP/1.1",
            "requestId": request.id,
            **({} if authorizer is None else {"authorizer": authorizer}),
        },
        "body": text.decode(errors="replace") if request.body else None,
        "isBase64Encoded": encoded and bool(request.body),
    }


def _from_lambda(result: Any, request: _Request) -> Answer:
    """What a client gets of a function's answer: some headers renamed, no body to a HEAD."""
    result = _as_json(result)
    if len(json.dumps(result, ensure_ascii=False).encode()) > ANSWER_BYTES:
        return _own_answer("DEFAULT_5XX", request)
    headers = {name.lower(): str(value) for name, value in result["headers"].items()}
    for name, values in (result.get("multiValueHeaders") or {}).items():
        headers[name.lower()] = ", ".join(values)
    body = "" if request.method == "HEAD" else result["body"]
    assert not result.get("isBase64Encoded"), "text only is served"
    renamed = {remapped(name): value for name, value in headers.items()}
    return Answer(result["statusCode"], renamed, body)


def _own_answer(kind: str, request: _Request) -> Answer:
    """What API Gateway answers without asking a function: our gateway responses."""
    response = gateway_responses()[kind]
    headers = {
        name.lower(): request.id if value == "context.requestId" else value.strip("'")
        for name, value in response["ResponseParameters"]["Headers"].items()
    }
    template = response["ResponseTemplates"]["application/json"]
    body = "" if request.method == "HEAD" else template.replace("$context.requestId", request.id)
    return Answer(int(response["StatusCode"]), headers, body, by_gateway=True)


def _allows(policy: Mapping[str, Any], arn: str) -> bool:
    """Whether the policy lets the request pass: denied unless allowed, and a Deny wins."""
    effects = {
        statement["Effect"]
        for statement in policy["Statement"]
        for resource in statement["Resource"]
        if fnmatchcase(arn, resource)
    }
    return effects == {"Allow"}


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _as_text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_json(value: Any) -> Any:
    """As it comes out of the JSON that everything travels as to and from a function."""
    return json.loads(json.dumps(value))
