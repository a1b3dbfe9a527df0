"""The OpenAPI 3.1 document, built from the contract."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from chalicelib.api import problems, response_headers
from chalicelib.api.contract import OPERATIONS
from chalicelib.api.examples import EXAMPLES, problem
from chalicelib.api.operation import Operation
from chalicelib.api.parameters import Parameter
from chalicelib.api.schemas import SCHEMAS, resolved
from chalicelib.api.shapes import TEXT, Schema, ref

_EVERYWHERE = ("invalid-request", "internal", "service-misconfigured", "store-unavailable")
_SIGNED_IN = ("unauthenticated", "forbidden", "sign-in-unavailable")
_RELATIVE_SERVER = ".."
"""Relative to the address of the document (OpenAPI 3.1, 4.8.5), which is `/v1/openapi.json`."""

# Where a path begins so → the tag of its operations, and what they are for.
_TAGS: Mapping[str, tuple[str, str]] = {
    "/v1/customers": ("Customers", "Customers, and the switch of the access to their ecosystems."),
    "/v1/leads": ("Leads", "People who registered and bought nothing yet."),
    "/v1/totals": ("Totals", "How many there are, and when they registered."),
    "/v1/facets": ("Totals", "How many there are, and when they registered."),
    "/v1/ecosystems": ("Gateways", "What the gateways in front of the ecosystems ask."),
    "/v1/exports": ("Exports", "Lists as Excel or CSV files."),
    "/v1/": ("Service", "Signing in, the contract, and health."),
    "/health": ("Service", "Signing in, the contract, and health."),
    "/": ("Web", "The files of the pages for people."),
}
_INFO = {
    "title": "Store Users",
    "version": "1.0.0",
    "description": "Customers and leads of the shop: list, inspect, switch, export.\n\n"
    "Errors are problem details (RFC 9457). Every answer has `X-Request-Id`.",
    "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
}


@cache
def document(server: str = "") -> dict[str, Any]:
    """Return the document, whose server is the address `server`; "" leaves it a relative one.

    Treat it as read-only: it is made once.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": server or _RELATIVE_SERVER}],
        "tags": [{"name": name, "description": text} for name, text in _tags()],
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the user pool.",
                }
            },
        },
    }


def _tags() -> list[tuple[str, str]]:
    return sorted(set(_TAGS.values()))


def _tag_of(path: str) -> str:
    return next(name for prefix, (name, _) in _TAGS.items() if path.startswith(prefix))


def _operation(operation: Operation) -> dict[str, Any]:
    permission = operation.permission
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [_tag_of(operation.path)],
        "summary": operation.summary,
        "description": f"Needs the permission `{permission}`." if permission else operation.summary,
        "responses": _responses(operation),
        "security": [] if operation.public else [{"bearer": []}],
    }
    if operation.parameters:
        described["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body:
        described["requestBody"] = {"required": True, "content": _json(operation.body)}
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    if resolved(parameter.schema).get("type") == "array":
        described |= {"style": "form", "explode": True}
    if parameter.example:
        described["example"] = parameter.example
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {
        str(status): _answer(operation, status, schema)
        for status, schema in operation.answers.items()
    }
    codes = [*_EVERYWHERE, *operation.problems]
    if not operation.public:
        codes += _SIGNED_IN
    if operation.is_bounded:
        codes.append("too-much-read")
    if operation.body:
        codes += ["payload-too-large", "unsupported-media-type"]
    of_status: dict[int, list[str]] = {}
    for code in codes:
        of_status.setdefault(problems.PROBLEMS[code][0], []).append(code)
    for status in of_status.keys() - operation.answers.keys():
        responses[str(status)] = _failure(status, of_status[status])
    return dict(sorted(responses.items()))


def _answer(operation: Operation, status: int, schema: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": operation.summary,
        "headers": response_headers.of_answer(operation.id),
    }
    if schema:
        answer["content"] = _json(schema)
    elif status == 200:  # noqa: PLR2004
        answer["content"] = {media: {"schema": _file(media)} for media in operation.media}
    return answer


def _file(media: str) -> Schema:
    return TEXT if media.startswith("text/") else {"type": "object", "additionalProperties": True}


def _json(schema: str) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in EXAMPLES.get(schema, {}).items()}
    more = {"examples": examples} if examples else {}
    return {"application/json": {"schema": ref(schema), **more}}


def _failure(status: int, codes: list[str]) -> dict[str, Any]:
    schema: Schema = ref(problems.SCHEMA_OF_STATUS.get(status, "Problem"))
    examples = {code: {"value": problem(code)} for code in codes}
    return {
        "description": "; or: ".join(problems.PROBLEMS[code][1] for code in codes),
        "headers": response_headers.of_problem(status),
        "content": {problems.MIME_TYPE: {"schema": schema, "examples": examples}},
    }
