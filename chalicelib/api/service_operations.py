"""The operations around signing in, the contract, health, and the files of the pages for people."""

from chalicelib.api.operation import Operation
from chalicelib.api.parameters import IF_NONE_MATCH, PAGE_FILE, PAGE_VERSION

_FILE_TYPES = ("application/json", "text/css", "text/html", "text/javascript")

SERVICE_OPERATIONS = (
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
        answers={200: "OpenApiDocument"},
    ),
    Operation(
        id="get_health",
        method="GET",
        path="/health",
        summary="Is the service up?",
        public=True,
        answers={200: "Health"},
    ),
    Operation(
        id="get_health_of_stores",
        method="GET",
        path="/v1/health",
        summary="Do the tables and the bucket answer?",
        answers={200: "StoresHealth", 503: "StoresHealth"},
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
        media=("text/html",),
    ),
    Operation(
        id="get_page_file",
        method="GET",
        path="/ui/{file}",
        summary="A file of the page",
        public=True,
        parameters=(PAGE_FILE, IF_NONE_MATCH),
        answers={200: "", 304: ""},
        media=_FILE_TYPES,
        problems=("not-found",),
    ),
    Operation(
        id="get_reference",
        method="GET",
        path="/docs",
        summary="This documentation as a page, to read and to try",
        public=True,
        any_query=True,
        parameters=(IF_NONE_MATCH,),
        answers={200: "", 304: ""},
        media=("text/html",),
    ),
    Operation(
        id="get_reference_file",
        method="GET",
        path="/docs/{file}",
        summary="A file of the documentation's page",
        public=True,
        parameters=(PAGE_FILE, IF_NONE_MATCH),
        answers={200: "", 304: ""},
        media=("text/css", "text/javascript", "text/plain"),
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
        media=_FILE_TYPES,
        problems=("not-found",),
    ),
)
