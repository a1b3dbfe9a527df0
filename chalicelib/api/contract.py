"""The HTTP contract: every operation, who may call it, what it takes and what it answers.

Routes are registered from here, requests are validated from here, and `/v1/openapi.json` is built
from here; so the three cannot differ.
"""

from collections.abc import Mapping

from chalicelib.api import examples
from chalicelib.api.operation import Operation
from chalicelib.api.parameters import (
    CUSTOMER_ID,
    EXPORT_ID,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    LIST_PAGING,
    PAGING,
    TOTALS,
    Parameter,
    filters_of,
    in_path,
    sort_by,
)
from chalicelib.api.service_operations import SERVICE_OPERATIONS

_CURSOR_PROBLEMS = ("stale-cursor",)
_LIST_PROBLEMS = (*_CURSOR_PROBLEMS, "page-out-of-reach")

_STORE_USERS = (
    Operation(
        id="list_customers",
        method="GET",
        path="/v1/customers",
        summary="List customers",
        permission="customers:read",
        parameters=(sort_by("CustomerSort"), *LIST_PAGING, *filters_of("customers")),
        answers={200: "CustomerPage"},
        problems=_LIST_PROBLEMS,
    ),
    Operation(
        id="get_customer",
        method="GET",
        path="/v1/customers/{customer_id}",
        summary="One customer, with the subscription in detail",
        permission="customers:read",
        parameters=(CUSTOMER_ID,),
        answers={200: "CustomerDetail"},
        problems=("not-found",),
    ),
    Operation(
        id="change_access",
        method="PUT",
        path="/v1/customers/{customer_id}/access",
        summary="Switch the access to the customer's ecosystem off or on, at once",
        permission="access:change",
        parameters=(CUSTOMER_ID, IF_MATCH),
        body="AccessUpdate",
        answers={200: "CustomerDetail"},
        problems=("not-found", "no-ecosystem", "version-conflict", "precondition-required"),
    ),
    Operation(
        id="list_access_history",
        method="GET",
        path="/v1/customers/{customer_id}/access/history",
        summary="Who switched the access, when and why, newest first",
        permission="audit:read",
        parameters=(CUSTOMER_ID, *PAGING),
        answers={200: "AccessHistoryPage"},
        problems=("not-found", *_CURSOR_PROBLEMS),
    ),
    Operation(
        id="list_leads",
        method="GET",
        path="/v1/leads",
        summary="List leads",
        permission="leads:read",
        parameters=(sort_by("LeadSort"), *LIST_PAGING, *filters_of("leads")),
        answers={200: "LeadPage"},
        problems=_LIST_PROBLEMS,
    ),
    Operation(
        id="get_lead",
        method="GET",
        path="/v1/leads/{lead_id}",
        summary="One lead",
        permission="leads:read",
        parameters=(in_path("lead_id", "The id of a lead.", examples.LEAD_ID),),
        answers={200: "Lead"},
        problems=("not-found",),
    ),
    Operation(
        id="get_totals",
        method="GET",
        path="/v1/totals",
        summary="How many are in a list, and how many registered on each day",
        parameters=TOTALS,
        answers={200: "Totals"},
    ),
    Operation(
        id="get_facets",
        method="GET",
        path="/v1/facets",
        summary="The values that each filter of a list finds, and how many rows have each",
        parameters=TOTALS[:1],
        answers={200: "Facets"},
    ),
    Operation(
        id="get_ecosystem_access",
        method="GET",
        path="/v1/ecosystems/{ecosystem_id}/access",
        summary="May the ecosystem be entered? Strongly consistent, for gateways",
        permission="ecosystem-access:read",
        parameters=(in_path("ecosystem_id", "The id of an ecosystem.", examples.ECOSYSTEM_ID),),
        answers={200: "EcosystemAccess"},
        problems=("not-found",),
    ),
    Operation(
        id="create_export",
        method="POST",
        path="/v1/exports",
        summary="Ask for a list as a file",
        permission="exports:create",
        parameters=(IDEMPOTENCY_KEY,),
        body="ExportRequest",
        answers={202: "Export"},
        problems=(
            "idempotency-key-required",
            "idempotency-mismatch",
            "too-many-exports",
            "export-gone",
        ),
    ),
    Operation(
        id="list_exports",
        method="GET",
        path="/v1/exports",
        summary="The exports that the caller may see, newest first",
        permission="exports:read",
        parameters=PAGING,
        answers={200: "ExportPage"},
        problems=_CURSOR_PROBLEMS,
    ),
    Operation(
        id="get_export",
        method="GET",
        path="/v1/exports/{export_id}",
        summary="One export: how far it is, and a link to its file",
        permission="exports:read",
        parameters=(EXPORT_ID,),
        answers={200: "Export"},
        problems=("not-found",),
    ),
    Operation(
        id="delete_export",
        method="DELETE",
        path="/v1/exports/{export_id}",
        summary="Cancel an export or remove its file: one's own, or any with exports:delete",
        permission="exports:create",
        parameters=(EXPORT_ID,),
        answers={204: ""},
        problems=("not-found",),
    ),
    Operation(
        id="open_export_file",
        method="GET",
        path="/v1/exports/{export_id}/file",
        summary="The link that marketing gets: redirects to the file",
        public=True,
        parameters=(
            EXPORT_ID,
            Parameter(
                "token",
                "query",
                {"type": "string", "minLength": 1, "maxLength": 200},
                "What makes the link: signed, bound to the export, with its own expiry.",
                required=True,
            ),
        ),
        answers={302: ""},
        problems=("unauthenticated", "export-not-ready", "export-gone"),
    ),
)

OPERATIONS: Mapping[str, Operation] = {
    operation.id: operation for operation in (*_STORE_USERS, *SERVICE_OPERATIONS)
}
