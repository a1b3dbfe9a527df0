"""Shapes of exports, and of the filters that they share with the lists."""

from collections.abc import Mapping

from chalicelib.api.shapes import (
    AUTHOR_ID,
    COUNT,
    DATE,
    INSTANT,
    TEXT,
    Schema,
    array_of,
    nullable,
    one_of,
    page_of,
    record,
    ref,
    union,
)

# API Gateway puts U+FFFD where a query is not UTF-8.
_UTF_8 = "^[^\ufffd]*$"
_SEARCH: Schema = {"type": "string", "minLength": 2, "maxLength": 100, "pattern": _UTF_8}
_PLAN: Schema = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": _UTF_8}
_FILTERS_COMMON: Mapping[str, Schema] = {
    "q": _SEARCH,
    "registered_from": DATE,
    "registered_to": DATE,
}
FILTERS: Mapping[str, Mapping[str, Schema]] = {
    "leads": _FILTERS_COMMON,
    "customers": {
        **_FILTERS_COMMON,
        "access": ref("Access"),
        "ecosystem": ref("EcosystemFilter"),
        "billing_period": ref("BillingPeriod"),
        "status": array_of(ref("SubscriptionStatus"), minItems=1, maxItems=10),
        "plan": array_of(_PLAN, minItems=1, maxItems=10),
    },
}
"""What each list can be filtered by: the query of the list and the body of an export alike."""


def _filters(resource: str) -> Schema:
    filters = FILTERS[resource]
    about = f"Which {resource} the file has: the filters and the search of their list."
    return record(filters, optional=tuple(filters), about=about)


def _export_request(resource: str, filters: str) -> Schema:
    return record(
        {
            "resource": one_of([resource]),
            "format": ref("ExportFormat"),
            "language": ref("Language"),
            "filters": ref(filters),
        },
        optional=("format", "language", "filters"),
        about=f"An export of {resource}.",
    )


EXPORTS: Mapping[str, Schema] = {
    "CustomerFilters": _filters("customers"),
    "LeadFilters": _filters("leads"),
    "CustomerExportRequest": _export_request("customers", "CustomerFilters"),
    "LeadExportRequest": _export_request("leads", "LeadFilters"),
    "ExportRequest": union(
        "resource",
        {"customers": "CustomerExportRequest", "leads": "LeadExportRequest"},
        "A list as a file: which list, and which of its rows.",
    ),
    "ExportPeriod": record(
        {"from": nullable(INSTANT), "to": INSTANT},
        about="The instants of registration that the file covers, half-open.",
    ),
    "ExportProgress": record(
        {"done": COUNT, "total": nullable(COUNT)}, about="Rows written, and rows to write."
    ),
    "Export": record(
        {
            "id": TEXT,
            "resource": ref("ListName"),
            "format": ref("ExportFormat"),
            "language": ref("Language"),
            "filters": {"type": "object", "additionalProperties": True},
            "period": nullable(ref("ExportPeriod")),
            "origin": ref("ExportOrigin"),
            "status": ref("ExportStatus"),
            "progress": ref("ExportProgress"),
            "requested_by": TEXT,
            "requested_by_id": AUTHOR_ID,
            "requested_at": INSTANT,
            "finished_at": nullable(INSTANT),
            "expires_at": nullable(INSTANT),
            "rows": nullable(COUNT),
            "size_bytes": nullable(COUNT),
            "sha256": nullable(TEXT),
            "file_name": nullable(TEXT),
            "download_url": {
                **nullable(TEXT),
                "description": "A link of five minutes, made at each read of one export.",
            },
            "error": nullable(TEXT),
        },
        about="The job that writes a file.",
    ),
    "ExportPage": page_of("Export", "A page of the exports."),
}
