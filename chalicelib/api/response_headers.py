"""The headers of the answers, as the OpenAPI document describes them."""

from collections.abc import Mapping
from typing import Any

from chalicelib.api.shapes import COUNT, TEXT, Schema

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
