"""Whether an answer keeps the contract: what every test of the API checks without saying so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, FormatChecker

from chalicelib.api import openapi
from chalicelib.api.problems import PROBLEMS

ALWAYS = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
# Files may be kept while each use asks whether they still hold, those of a version for a year;
# everything else names people or says how things are just now.
_CACHED = {
    "/": "no-cache",
    "/ui/{file}": "no-cache",
    "/docs": "no-cache",
    "/docs/{file}": "no-cache",
    "/ui/versions/{version}/{file}": "public, max-age=31536000, immutable",
}
_PROBLEM = "application/problem+json"
_PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets; the names of headers are in lower case, as HTTP/2 writes them."""

    status: int
    headers: Mapping[str, str]
    body: str
    by_gateway: bool = False

    @property
    def json(self) -> Any:
        """The body, which is JSON to the letter: no NaN, no lone surrogates."""
        self.body.encode()
        return json.loads(self.body, parse_constant=_refuse)

    @property
    def problem(self) -> str:
        """The code of the problem that the answer is."""
        assert self.headers["content-type"] == _PROBLEM, self.body
        code: str = self.json["type"].removeprefix("/problems/")
        return code


def check_answer(answer: Answer, method: str, route: str, request_id: str) -> None:
    """Fail unless the answer is one that the contract allows; `route` is "" where there is none."""
    _check_headers(answer, route, request_id)
    assert "Traceback" not in answer.body
    described = openapi.document()["paths"].get(route, {}).get(method.lower())
    media = _media(answer, described)
    if method == "HEAD":
        assert answer.body == ""
        return
    if media is None:
        assert answer.body == "", f"an undescribed body: {answer.body[:200]}"
        return
    content_type = answer.headers["content-type"].partition(";")[0]
    assert content_type in media, f"{answer.status} {content_type}"
    schema = media[content_type]["schema"]
    if schema != {"type": "string"}:
        check_schema(answer.json, schema)
    if content_type == _PROBLEM:
        _check_problem(answer, request_id)


def check_schema(value: Any, schema: Mapping[str, Any]) -> None:
    """Fail unless the value fits the schema, whose references are to the OpenAPI document."""
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in _validator(json.dumps(schema)).iter_errors(value)
    ]
    assert not errors, errors


def _media(answer: Answer, described: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What the contract says that the body may be, by content type; None for no body at all."""
    problem: Mapping[str, Any] = {_PROBLEM: {"schema": _PROBLEM_SCHEMA}}
    if answer.by_gateway or described is None:
        return problem if answer.status >= 400 else None
    response = described["responses"].get(str(answer.status))
    assert response, f"{described['operationId']} answers {answer.status}: not in the contract"
    content: Mapping[str, Any] | None = response.get("content")
    if answer.status >= 400 and described["operationId"] != "get_health_of_stores":
        assert content
        assert content.keys() == problem.keys()
    return content


def _check_headers(answer: Answer, route: str, request_id: str) -> None:
    headers = answer.headers
    found = {name: headers.get(name) for name in ALWAYS}
    assert found == ALWAYS
    assert headers.get("x-request-id") == request_id
    cached = _CACHED.get(route, "no-store") if answer.status < 400 else "no-store"
    expected = "no-store" if answer.status == 204 else cached
    assert headers.get("cache-control") == expected
    # What API Gateway answers by itself cannot tell one origin from another.
    assert (headers.get("access-control-allow-origin") == "*") == answer.by_gateway
    assert "access-control-allow-credentials" not in headers


def _check_problem(answer: Answer, request_id: str) -> None:
    document = answer.json
    status, title = PROBLEMS[answer.problem]
    said = (document["status"], document["title"], document["request_id"])
    assert said == (status, title, request_id)
    assert answer.status == status


def _refuse(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


@cache
def _validator(schema: str) -> Draft202012Validator:
    """The formats are checked, too: `date-time` by rfc3339-validator, where it is installed."""
    whole = {**json.loads(schema), "components": openapi.document()["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())
