"""The HTTP contract: every operation, who may call it, what it takes and what it answers.

Routes are registered from here, requests are validated from here, and `/v1/openapi.json` is built
from here; so the three cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.api.parameters import (
    CUSTOMER_ID,
    EXPORT_ID,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    LIST_PAGING,
    PAGE_FILE,
    PAGE_VERSION,
    PAGING,
    SORTS_OF_LEADS,
    TOTALS,
    Parameter,
    filters_of,
    in_path,
    sort_by,
)
from chalicelib.users.listing import SORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    `permission` is needed to call it; with none, being signed in is enough, or not even that if
    it is `public`. `body` names a component schema, as `answers` does by status; "" is no JSON.
    """

    id: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, str]
    permission: str | None = None
    public: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: str | None = None
    problems: tuple[str, ...] = ()
    any_query: bool = False


_CURSOR_PROBLEMS = ("stale-cursor",)

_ALL = (
    Operation(
        id="list_customers",
        method="GET",
        path="/v1/customers",
        summary="List customers",
        permission="customers:read",
        parameters=(sort_by(*SORTS), *LIST_PAGING, *filters_of("customers")),
        answers={200: "Customers"},
        problems=_CURSOR_PROBLEMS,
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
        body="AccessWish",
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
        answers={200: "AccessHistory"},
        problems=("not-found", *_CURSOR_PROBLEMS),
    ),
    Operation(
        id="list_leads",
        method="GET",
        path="/v1/leads",
        summary="List leads",
        permission="leads:read",
        parameters=(sort_by(*SORTS_OF_LEADS), *LIST_PAGING, *filters_of("leads")),
        answers={200: "Leads"},
        problems=_CURSOR_PROBLEMS,
    ),
    Operation(
        id="get_lead",
        method="GET",
        path="/v1/leads/{lead_id}",
        summary="One lead",
        permission="leads:read",
        parameters=(in_path("lead_id", "The id of a lead."),),
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
        id="get_ecosystem_access",
        method="GET",
        path="/v1/ecosystems/{ecosystem_id}/access",
        summary="May the ecosystem be entered? Strongly consistent, for gateways",
        permission="ecosystem-access:read",
        parameters=(in_path("ecosystem_id", "The id of an ecosystem."),),
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
        body="ExportOrder",
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
        answers={200: "Exports"},
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
        summary="Remove the file and kill its links, or cancel the run",
        permission="exports:delete",
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
    Operation(
        id="get_config",
        method="GET",
        path="/v1/config",
        summary="Where to sign in, languages, limits",
        public=True,
        answers={200: "Config"},
    ),
    Operation(
        id="get_session",
        method="GET",
        path="/v1/session",
        summary="Who is calling, and what they may do",
        answers={200: "Session"},
    ),
    Operation(
        id="get_openapi",
        method="GET",
        path="/v1/openapi.json",
        summary="This document",
        public=True,
        answers={200: "OpenApi"},
    ),
    Operation(
        id="get_health",
        method="GET",
        path="/health",
        summary="Is the service up? `deep=1` also asks the tables and the bucket",
        public=True,
        parameters=(
            Parameter("deep", "query", {"type": "integer", "enum": [0, 1]}, "1: ask the stores."),
        ),
        answers={200: "Health", 503: "Health"},
    ),
    Operation(
        id="get_page",
        method="GET",
        path="/",
        summary="The page",
        public=True,
        any_query=True,
        parameters=(IF_NONE_MATCH,),
        answers={200: "", 304: ""},
    ),
    Operation(
        id="get_page_file",
        method="GET",
        path="/ui/{file}",
        summary="A file of the page",
        public=True,
        parameters=(PAGE_FILE, IF_NONE_MATCH),
        answers={200: "", 304: ""},
        problems=("not-found",),
    ),
    # API Gateway refuses two variables beside each other, `/ui/{version}` and `/ui/{file}`.
    Operation(
        id="get_page_file_of_version",
        method="GET",
        path="/ui/versions/{version}/{file}",
        summary="A file of one version of the page, which never changes",
        public=True,
        parameters=(PAGE_VERSION, PAGE_FILE, IF_NONE_MATCH),
        answers={200: "", 304: ""},
        problems=("not-found",),
    ),
)

OPERATIONS: Mapping[str, Operation] = {operation.id: operation for operation in _ALL}
