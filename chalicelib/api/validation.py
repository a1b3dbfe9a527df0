"""Requests checked against the contract: every fault is found, not just the first."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalicelib.api import reasons
from chalicelib.api.operation import Operation
from chalicelib.api.parameters import Parameter
from chalicelib.api.problems import PayloadTooLargeError, UnsupportedMediaTypeError
from chalicelib.api.schemas import MAX_BODY_BYTES, SCHEMAS, resolved
from chalicelib.api.shapes import Schema, ref
from chalicelib.errors import (
    Fault,
    IdempotencyKeyRequiredError,
    InvalidRequestError,
    PreconditionRequiredError,
    StoreUsersError,
)

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_MAX_DETAIL = 300
_MAX_DEPTH = 20
_DIGITS = 18
"""More than any number here has; a longer one is out of range all the same."""

_MISSING_HEADERS: Mapping[str, tuple[type[StoreUsersError], str]] = {
    "If-Match": (PreconditionRequiredError, "Send the ETag of the customer that you saw"),
    "Idempotency-Key": (IdempotencyKeyRequiredError, "Send a UUID of yours, and keep it"),
}


def parameters(operation: Operation, event: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the request by name, converted, with defaults filled in.

    `event` is API Gateway's. Raises `InvalidRequestError` with every fault, or the error of its
    own that a missing header has.
    """
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    given = {"path": _path(event), "query": _query(event), "header": _headers(operation, event)}
    for where, raw in given.items():
        known = [one for one in operation.parameters if one.where == where]
        if where == "query" and not operation.any_query:
            faults += _unknown(known, raw)
        for parameter in known:
            values[parameter.name] = _value(parameter, raw.get(parameter.name), faults)
    if faults:
        raise InvalidRequestError(faults)
    return {name: value for name, value in values.items() if value is not None}


def body(operation: Operation, event: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body, fitting the operation's schema.

    Raises `PayloadTooLargeError`, `UnsupportedMediaTypeError`, `InvalidRequestError`.
    """
    raw = _raw_body(event)
    content_type = _header(event, "content-type") or "application/json"
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaTypeError
    value = _parse(raw)
    faults = list(_body_faults(ref(operation.body or ""), value))
    if faults:
        raise InvalidRequestError(faults)
    fitting: dict[str, Any] = value
    return fitting


def _path(event: Mapping[str, Any]) -> dict[str, list[str]]:
    given = event.get("pathParameters") or {}
    return {name: [unquote(value)] for name, value in given.items()}


def _query(event: Mapping[str, Any]) -> dict[str, list[str]]:
    return dict(event.get("multiValueQueryStringParameters") or {})


def _headers(operation: Operation, event: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for parameter in operation.parameters:
        if parameter.where == "header":
            value = _header(event, parameter.name.lower())
            if value is not None:
                found[parameter.name] = [value]
            elif parameter.required:
                error, detail = _MISSING_HEADERS[parameter.name]
                raise error(detail)
    return found


def _header(event: Mapping[str, Any], name: str) -> str | None:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _unknown(known: Sequence[Parameter], raw: Mapping[str, Any]) -> list[Fault]:
    names = {parameter.name for parameter in known}
    return [Fault("query", name, "is not a parameter here") for name in raw if name not in names]


def _value(parameter: Parameter, given: list[str] | None, faults: list[Fault]) -> Any:
    schema = resolved(parameter.schema)
    if given is None:
        if parameter.required:
            faults.append(Fault(parameter.where, parameter.name, "is missing"))
        return schema.get("default")
    array = schema.get("type") == "array"
    if not array and len(given) > 1:
        faults.append(Fault(parameter.where, parameter.name, "is given more than once"))
        return None
    value: Any = given if array else _converted(schema, given[0])
    faults += [
        Fault(parameter.where, parameter.name, error.message[:_MAX_DETAIL])
        for error in _validator(json.dumps(schema)).iter_errors(value)
    ]
    return tuple(value) if array else value


def _converted(schema: Schema, text: str) -> str | int:
    """A whole number where one is due and one is there; else the text, which will not fit."""
    digits = text.removeprefix("-")
    if schema.get("type") != "integer" or not (digits.isascii() and digits.isdecimal()):
        return text
    number = int(digits.lstrip("0")[:_DIGITS] or "0")
    return number if digits == text else -number


def _raw_body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    raw = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode(errors="replace")
    if len(raw) > MAX_BODY_BYTES:
        message = f"The body is larger than {MAX_BODY_BYTES} bytes"
        raise PayloadTooLargeError(message)
    return raw


def _parse(raw: bytes) -> Any:
    try:
        value = json.loads(
            raw.decode(), parse_constant=_refuse_constant, object_pairs_hook=_members
        )
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        detail = "is not JSON in UTF-8" if raw else "is missing"
        raise InvalidRequestError([Fault("body", "", detail)]) from error
    if _is_deep(value):
        raise InvalidRequestError([Fault("body", "", f"is nested deeper than {_MAX_DEPTH}")])
    return value


def _refuse_constant(name: str) -> None:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "a member is there twice"
        raise ValueError(message)
    return members


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [part for whole in level for part in _parts(whole)]
    return bool(level)


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _body_faults(schema: Schema, value: Any) -> Iterator[Fault]:
    branch = _branch(schema, value)
    for error in _validator(json.dumps(branch)).iter_errors(value):
        name = "/".join(str(step) for step in error.absolute_path)
        yield Fault("body", name, error.message[:_MAX_DETAIL])


def _branch(schema: Schema, value: Any) -> Schema:
    """Return the member of a union that the discriminator names: only its faults are told."""
    union = resolved(schema)
    if "discriminator" not in union or not isinstance(value, dict):
        return schema
    name = union["discriminator"]["propertyName"]
    members: Mapping[str, str] = union["discriminator"]["mapping"]
    chosen = value.get(name)
    if isinstance(chosen, str) and chosen in members:
        return {"$ref": members[chosen]}
    return {"type": "object", "properties": {name: {"enum": list(members)}}, "required": [name]}


@cache
def _validator(schema: str) -> "Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(
        {**_for_python(schema), "components": _components()},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@cache
def _components() -> Schema:
    """Return the component schemas that references are resolved in."""
    return {"schemas": _for_python(json.dumps(dict(SCHEMAS)))}


def _for_python(schema: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(schema, object_hook=_with_python_pattern)
    return read


def _with_python_pattern(schema: dict[str, Any]) -> dict[str, Any]:
    """In JSON Schema `$` is the end of the text; in Python it is also in front of a line feed.

    And in the place of the pattern of a reason stands the exact one.
    """
    pattern = schema.get("pattern")
    if schema.get("format") == reasons.FORMAT:
        pattern = reasons.EXACT_PATTERN
    if isinstance(pattern, str) and pattern.endswith("$"):
        return {**schema, "pattern": pattern.removesuffix("$") + r"\Z"}
    return schema
