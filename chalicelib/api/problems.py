"""Problem details (RFC 9457): which error is which problem, and how one is written."""

from collections.abc import Mapping
from typing import Any

from chalicelib import errors
from chalicelib.api.shapes import TEXT, Schema, array_of, record, ref

MIME_TYPE = "application/problem+json"

# code → status and title. The codes that no class of errors.py has come from the HTTP edge itself,
# or from API Gateway (infra/resources.yaml writes those; a test holds the two equal).
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "invalid-request": (400, "The request does not fit the contract"),
    "stale-cursor": (400, "The cursor does not belong to this query"),
    "page-out-of-reach": (400, "The page cannot be reached by its number"),
    "idempotency-key-required": (400, "The Idempotency-Key header is missing"),
    "unauthenticated": (401, "Sign in first"),
    "forbidden": (403, "You may not do this"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "This address does not know that method"),
    "no-ecosystem": (409, "There is no ecosystem to switch"),
    "export-not-ready": (409, "The file does not exist yet"),
    "export-gone": (410, "The file is gone"),
    "version-conflict": (412, "It was changed in the meantime"),
    "payload-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be application/json"),
    "idempotency-mismatch": (422, "The Idempotency-Key was used for something else"),
    "precondition-required": (428, "The If-Match header is missing"),
    "too-many-exports": (429, "Too many of your exports are running"),
    "too-much-read": (429, "You have read what one person may in a minute"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "Something went wrong on our side"),
    "service-misconfigured": (500, "The service is not set up correctly"),
    "store-unavailable": (503, "The data store cannot be reached"),
    "sign-in-unavailable": (503, "Sign-in cannot be checked at the moment"),
    "timeout": (504, "It took too long"),
}

_MEMBERS: Mapping[str, Schema] = {
    "type": {**TEXT, "description": "`/problems/` and a stable code. More codes may come."},
    "title": TEXT,
    "status": {"type": "integer"},
    "detail": TEXT,
    "instance": TEXT,
    "request_id": {**TEXT, "description": "The `X-Request-Id`: it is in the logs."},
}
_REQUIRED = ("type", "title", "status", "request_id")


def _schema(about: str, more: Mapping[str, Schema], *required: str) -> Schema:
    """A problem with more members; further ones may come (RFC 9457, 3.2)."""
    return {
        "type": "object",
        "description": about,
        "properties": {**_MEMBERS, **more},
        "required": [*_REQUIRED, *required],
    }


PROBLEM_SCHEMAS: Mapping[str, Schema] = {
    "RequestFault": record(
        {"in": TEXT, "name": TEXT, "detail": TEXT},
        about="One thing wrong with a request: `in` is path, query, header or body.",
    ),
    "Problem": _schema("Problem details (RFC 9457).", {}),
    "BadRequestProblem": _schema(
        "The request does not fit. An `invalid-request` lists every fault.",
        {"errors": array_of(ref("RequestFault"))},
    ),
    "ForbiddenProblem": _schema(
        "You may not do this. `permission` is the one that is missing, where that is the cause.",
        {"permission": TEXT},
    ),
    "VersionConflictProblem": _schema(
        "The customer was changed in the meantime; `current` is the customer as now.",
        {"current": ref("CustomerDetail")},
        "current",
    ),
}
SCHEMA_OF_STATUS: Mapping[int, str] = {
    400: "BadRequestProblem",
    403: "ForbiddenProblem",
    412: "VersionConflictProblem",
}
"""The component schema of the problems of a status; of any other it is `Problem`."""

RETRY_AFTER_SECONDS: Mapping[str, int] = {
    "too-many-exports": 15,
    # At the most: the answer says when the next minute begins.
    "too-much-read": 60,
    "too-many-requests": 1,
    "store-unavailable": 2,
    "sign-in-unavailable": 5,
    "timeout": 5,
}


class MethodNotAllowedError(errors.StoreUsersError):
    """The path is known, the method is not: look at `Allow`."""

    code = "method-not-allowed"


class PayloadTooLargeError(errors.StoreUsersError):
    """The body is larger than any that the contract allows: send less."""

    code = "payload-too-large"


class UnsupportedMediaTypeError(errors.StoreUsersError):
    """The body is not JSON by its own account: say application/json."""

    code = "unsupported-media-type"


def body(error: errors.StoreUsersError, instance: str, request_id: str) -> dict[str, Any]:
    """The problem document for `error` at the path `instance`."""
    status, title = PROBLEMS[error.code]
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": status,
        **({"detail": error.detail} if error.detail else {}),
        "instance": instance,
        "request_id": request_id,
        **error.members,
    }
    if isinstance(error, errors.InvalidRequestError):
        document["errors"] = [
            {"in": fault.where, "name": fault.name, "detail": fault.detail}
            for fault in error.faults
        ]
    return document
