"""The OpenAPI 3.1 document, built from the contract."""

from functools import cache
from typing import Any

from chalicelib.api import problems
from chalicelib.api.contract import OPERATIONS
from chalicelib.api.operation import Operation
from chalicelib.api.parameters import Parameter
from chalicelib.api.schemas import SCHEMAS
from chalicelib.api.shapes import Schema, ref

_EVERYWHERE = ("invalid-request", "internal", "store-unavailable")
_SIGNED_IN = ("unauthenticated", "forbidden", "sign-in-unavailable")
_HEADERS = {
    "X-Request-Id": "The name of this request in our logs.",
}
_LINK = {"Link": "The pages beside this one (RFC 8288)."}
_LIST = {**_LINK, "X-Total-Count": "`page.total`, where it is exact."}
_VALIDATOR = {"ETag": "The validator of the file."}
_HEADERS_OF: dict[str, dict[str, str]] = {
    "list_customers": _LIST,
    "list_leads": _LIST,
    "list_access_history": _LINK,
    "list_exports": _LINK,
    "get_page": _VALIDATOR,
    "get_page_file": _VALIDATOR,
    "get_page_file_of_version": _VALIDATOR,
    "get_customer": {"ETag": "The version."},
    "get_lead": {"ETag": "The version."},
    "change_access": {"ETag": "The new version."},
    "create_export": {
        "Location": "The path of the job.",
        "Retry-After": "Seconds after which to look at the job.",
        "Idempotency-Replayed": "`true` where the job was there before.",
    },
    "open_export_file": {"Location": "A presigned link of five minutes."},
}


@cache
def document() -> dict[str, Any]:
    """The whole document. Treat it as read-only: it is made once."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Store Users",
            "version": "1.0.0",
            "description": "Customers and leads of the shop: list, inspect, switch, export.",
        },
        "servers": [{"url": ".."}],
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


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": _responses(operation),
        "security": [] if operation.public else [{"bearer": []}],
    }
    if operation.permission:
        described["description"] = f"Needs the permission `{operation.permission}`."
    if operation.parameters:
        described["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": ref(operation.body)}},
        }
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        described |= {"style": "form", "explode": True}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {
        str(status): _answer(operation, status, schema)
        for status, schema in operation.answers.items()
    }
    codes = [*_EVERYWHERE, *operation.problems]
    if not operation.public:
        codes += _SIGNED_IN
    if operation.body:
        codes += ["payload-too-large", "unsupported-media-type"]
    for code in codes:
        status, title = problems.PROBLEMS[code]
        if status in operation.answers:
            continue
        known = responses.get(str(status))
        if known is None:
            responses[str(status)] = _problem(title)
        else:
            known["description"] += f"; or: {title}"
    return responses


def _answer(operation: Operation, status: int, schema: str) -> dict[str, Any]:
    texts = {**_HEADERS, **(_HEADERS_OF.get(operation.id, {}) if status < 400 else {})}  # noqa: PLR2004
    answer: dict[str, Any] = {
        "description": operation.summary,
        "headers": {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in texts.items()
        },
    }
    if schema:
        answer["content"] = {"application/json": {"schema": _schema(schema)}}
    elif status == 200 and _HEADERS_OF.get(operation.id) is _VALIDATOR:  # noqa: PLR2004
        answer["content"] = {"text/*": {"schema": {"type": "string"}}}
    return answer


def _schema(name: str) -> Schema:
    return {"type": "object"} if name == "OpenApi" else ref(name)


def _problem(title: str) -> dict[str, Any]:
    return {
        "description": title,
        "content": {problems.MIME_TYPE: {"schema": ref("Problem")}},
    }
