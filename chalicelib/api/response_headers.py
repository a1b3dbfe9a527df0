"""The headers of the answers, and how the OpenAPI document describes them."""

from collections.abc import Mapping
from typing import Any

from chalicelib.api.shapes import COUNT, TEXT, Schema
from chalicelib.settings import settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Without `Access-Control-Allow-Credentials`: there are no cookies, only bearer tokens.
EXPOSED_HEADERS = {
    "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After, X-Total-Count, "
    "X-Request-Id, Idempotency-Replayed",
}
PREFLIGHT_HEADERS = {
    # The last four are added by tracing libraries; browsers refuse a request with one unlisted.
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, Idempotency-Key, "
    "traceparent, tracestate, X-Amzn-Trace-Id, X-Request-Id",
    "Access-Control-Max-Age": "600",
}

_REQUEST_ID = {"X-Request-Id": "The name of this request in our logs."}
_LINK = {"Link": "The pages beside this one (RFC 8288)."}
_LIST = {**_LINK, "X-Total-Count": "`page.total`, where it is exact."}
_FILE = {"ETag": "The validator of the file."}
_ROW = {"ETag": "The version, in quotes: the `If-Match` to change it with."}
_OF: Mapping[str, Mapping[str, str]] = {
    "list_customers": _LIST,
    "list_leads": _LIST,
    "list_access_history": _LINK,
    "list_exports": _LINK,
    "get_page": _FILE,
    "get_page_file": _FILE,
    "get_page_file_of_version": _FILE,
    "get_reference": _FILE,
    "get_reference_file": _FILE,
    "get_customer": _ROW,
    "get_lead": _ROW,
    "change_access": {"ETag": "The new version."},
    "create_export": {
        "Location": "The path of the job.",
        "Retry-After": "Seconds after which to look at the job.",
        "Idempotency-Replayed": "`true` where the job was there before.",
    },
    "open_export_file": {"Location": "A presigned link of five minutes."},
}
_OF_ERRORS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "`Bearer`; API Gateway may call it `x-amzn-remapped-…`."},
    **{status: {"Retry-After": "Seconds to wait before the next try."} for status in (429, 503)},
}
_SCHEMAS: Mapping[str, Schema] = {"X-Total-Count": COUNT, "Retry-After": COUNT}


def cors(event: Mapping[str, Any]) -> dict[str, str]:
    """Return what lets scripts of the configured origins read the answer, and no other scripts."""
    given: Mapping[str, str] = event.get("headers") or {}
    origin = next((value for name, value in given.items() if name.lower() == "origin"), None)
    if origin is None or origin not in settings().cors_origins:
        return {"Vary": "Origin"}
    methods = ", ".join(METHODS)
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": methods,
        **EXPOSED_HEADERS,
    }


def of_answer(operation_id: str) -> dict[str, Any]:
    """Return the headers of what the operation answers where nothing failed."""
    return _described(_OF.get(operation_id, {}))


def of_problem(status: int) -> dict[str, Any]:
    """Return the headers of a problem of that status."""
    return _described(_OF_ERRORS.get(status, {}))


def _described(own: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"description": text, "schema": _SCHEMAS.get(name, TEXT)}
        for name, text in {**_REQUEST_ID, **own}.items()
    }
