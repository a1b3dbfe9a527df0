"""The HTTP edge, once for all operations: who, what, which error, which headers, one log line."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import log, metrics
from chalicelib.api import problems, validation
from chalicelib.api.auth import Actor, actor_of, authorizer
from chalicelib.api.contract import OPERATIONS
from chalicelib.api.operation import Operation
from chalicelib.api.response_headers import METHODS, PREFLIGHT_HEADERS, SECURITY_HEADERS, cors
from chalicelib.api.rows import customer_detail
from chalicelib.dynamodb import start_usage
from chalicelib.errors import (
    StoreRefusedError,
    StoreUsersError,
    UnauthenticatedError,
    VersionConflictError,
)
from chalicelib.users import blocks, reading

_NOBODY = Actor("", "", (), 0)

routes = Blueprint(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that fits the contract: the caller, parameters by name, body, and request id.

    `named` are the query parameters that were sent: the others hold their defaults. `identity` is
    what API Gateway knows of the client, such as `sourceIp`.
    """

    actor: Actor
    parameters: Mapping[str, Any]
    body: Mapping[str, Any]
    request_id: str
    named: frozenset[str]
    identity: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view answers: JSON unless `body` is text, which then says its own content type.

    `people` are the ids of the store users in it: the log tells who looked at them.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[str] = ()


View = Callable[[Call], Answer]


def serves(operation_id: str) -> Callable[[View], View]:
    """Register a view as the operation of the contract: its route, its authorizer, its checks."""
    operation = OPERATIONS[operation_id]

    def register(view: View) -> View:
        @wraps(view)
        def endpoint(**_path: str) -> Response:
            return _respond(operation, view, routes.current_request)

        routes.route(
            operation.path,
            methods=[operation.method],
            name=operation.id,
            authorizer=None if operation.public else authorizer,
            # Chalice would answer 415 to a GET that says a content type; `validation` looks
            # at it where there is a body to read.
            content_types=[],
        )(endpoint)
        return view

    return register


def close_paths() -> None:
    """Answer preflights, and 405 to every method that a path does not know."""
    methods: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        methods.setdefault(operation.path, []).append(operation.method)
    for path, known in methods.items():
        _close(path, [*known, "OPTIONS"])


def _close(path: str, allowed: list[str]) -> None:
    allow = ", ".join(allowed)

    def view(call: Call) -> Answer:  # noqa: ARG001 - a view
        if routes.current_request.method == "OPTIONS":
            return Answer("", 204, {"Allow": allow, **PREFLIGHT_HEADERS})
        message = f"Allowed here: {allow}"
        raise problems.MethodNotAllowedError(message)

    def endpoint(**_path: str) -> Response:
        operation = Operation(
            id="other", method="", path=path, summary="", answers={}, public=True, any_query=True
        )
        return _respond(operation, view, routes.current_request)

    others = [method for method in METHODS if method not in allowed or method == "OPTIONS"]
    routes.route(path, methods=others, name=f"other {path}", content_types=[])(endpoint)


def _respond(operation: Operation, view: View, request: Request) -> Response:
    started, usage = time.perf_counter(), start_usage()
    event = request.to_original_event()
    request_id = str(event["requestContext"].get("requestId", ""))
    facts: dict[str, Any] = {}
    actor = _NOBODY
    try:
        actor = _NOBODY if operation.public else _authenticated(event)
        facts["actor_id"] = actor.id
        answer = view(_call(operation, actor, event, request_id))
    except StoreUsersError as error:
        if isinstance(error, StoreRefusedError):
            facts |= log.failure(error)
        answer = _problem(error, operation, event, request_id)
    except Exception as error:  # noqa: BLE001 - the last frame before API Gateway
        facts |= log.failure(error)
        answer = _problem(StoreUsersError(), operation, event, request_id)
    if actor.id and not actor.is_machine:
        reading.note(actor.id, usage.capacity_units, len(answer.people))
    facts |= _reading(answer)
    facts |= {"ms": round((time.perf_counter() - started) * 1000, 1), **asdict(usage)}
    _log(operation, event, answer, facts)
    return _response(answer, event, request_id)


def _reading(answer: Answer) -> dict[str, Any]:
    """Return the ids that the answer shows, one text with a blank around each, and their number.

    Logs Insights finds at most 200 fields in a line, so a list of 100 ids must be one.
    """
    if not answer.people:
        return {}
    return {"people": f" {' '.join(answer.people)} ", "rows_read": len(answer.people)}


def _authenticated(event: Mapping[str, Any]) -> Actor:
    context = event["requestContext"].get("authorizer")
    if not context:
        raise UnauthenticatedError
    return actor_of(context)


def _call(operation: Operation, actor: Actor, event: Mapping[str, Any], request_id: str) -> Call:
    if operation.permission:
        actor.need(operation.permission)
    parameters = validation.parameters(operation, event)
    body = validation.body(operation, event) if operation.body else {}
    named = frozenset(event.get("multiValueQueryStringParameters") or ())
    if not operation.public and not actor.is_machine:
        blocks.check(actor.id, actor.signed_in_at, at_once=operation.method != "GET")
        if operation.is_bounded:
            reading.check(actor.id)
    identity = event["requestContext"].get("identity") or {}
    return Call(actor, parameters, body, request_id, named, identity)


def _problem(
    error: StoreUsersError, operation: Operation, event: Mapping[str, Any], request_id: str
) -> Answer:
    document = problems.body(error, _instance(operation, event), request_id)
    people: tuple[str, ...] = ()
    if isinstance(error, VersionConflictError):
        document["current"] = customer_detail(error.current)
        people = (error.current.id,)
    headers = {"Content-Type": problems.MIME_TYPE}
    seconds = error.retry_after_seconds or problems.RETRY_AFTER_SECONDS.get(error.code)
    if seconds:
        headers["Retry-After"] = str(seconds)
    if error.code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, problems.MethodNotAllowedError):
        headers["Allow"] = error.detail.partition(": ")[2]
    return Answer(document, document["status"], headers, people)


def _instance(operation: Operation, event: Mapping[str, Any]) -> str:
    """The path that was asked for, as far as it is ours: without the stage in front."""
    path = operation.path
    for name, value in (event.get("pathParameters") or {}).items():
        path = path.replace(f"{{{name}}}", value[:100])
    return path


def _response(answer: Answer, event: Mapping[str, Any], request_id: str) -> Response:
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/json",
        **SECURITY_HEADERS,
        **cors(event),
        "X-Request-Id": request_id,
        **answer.headers,
    }
    if answer.status == 204:  # noqa: PLR2004
        return Response("", status_code=answer.status, headers=headers)
    text = answer.body if isinstance(answer.body, str) else _json(answer.body)
    return Response(text, status_code=answer.status, headers=headers)


def _json(value: Any) -> str:
    """The value as JSON that can be encoded: half a surrogate pair, echoed, becomes `?`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode(errors="replace").decode()


def _log(
    operation: Operation, event: Mapping[str, Any], answer: Answer, facts: Mapping[str, Any]
) -> None:
    metrics.event(
        "request",
        level="ERROR" if "error" in facts else "INFO",
        request_id=event["requestContext"].get("requestId"),
        operation=operation.id,
        route=operation.path,
        status=answer.status,
        **facts,
    )
