"""The parameters of the operations: names, places, schemas."""

from dataclasses import dataclass

from chalicelib.api import examples
from chalicelib.api.export_schemas import FILTERS
from chalicelib.api.shapes import DATE, ID, Schema, ref
from chalicelib.users.cursor import MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: `where` is query, path or header. An array may be repeated."""

    name: str
    where: str
    schema: Schema
    description: str
    required: bool = False
    example: str = ""


def in_path(name: str, what: str, example: str) -> Parameter:
    """An id in the path."""
    return Parameter(name, "path", ID, what, required=True, example=example)


def sort_by(schema: str) -> Parameter:
    """The order of a list: one of the values of the component schema of that name."""
    return Parameter("sort", "query", ref(schema), "The order; `-` in front means descending.")


_LIMIT = Parameter(
    "limit",
    "query",
    {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
    "Rows a page at the most.",
)
_CURSOR = Parameter(
    "cursor",
    "query",
    {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS},
    "`page.next` or `page.prev` of an earlier page of the same query; opaque.",
)
PAGING = (_LIMIT, _CURSOR)
LIST_PAGING = (
    *PAGING,
    Parameter(
        "page",
        "query",
        {"type": "integer", "minimum": 1, "maximum": 10_000_000},
        "The number of a page, from 1, instead of a cursor: of lists by `registered_at` without "
        "search and filters.",
    ),
    Parameter(
        "total",
        "query",
        ref("TotalMode"),
        "`none`: leave `page.total` out where it takes more reading; for searches as one types.",
    ),
)

_FILTER_TEXTS = {
    "q": "A search: every word of it occurs in a name, the e-mail, the phone or the company, in "
    "any order. Not together with `sort`: the best match comes first.",
    "registered_from": "The first day of registration, in UTC.",
    "registered_to": "The last day of registration, in UTC.",
    "access": "`active`: an ecosystem is deployed and its users may enter; `suspended`: staff has "
    "shut it.",
    "ecosystem": "Has an ecosystem been deployed?",
    "billing_period": "How often the subscription is billed.",
    "status": "A state of the subscription; repeat it for any of several.",
    "plan": "A plan; repeat it for any of several.",
}


def filters_of(resource: str) -> tuple[Parameter, ...]:
    """What the list of that name can be filtered by."""
    return tuple(
        Parameter(name, "query", schema, _FILTER_TEXTS[name])
        for name, schema in FILTERS[resource].items()
    )


_HEX = "[0-9A-Fa-f]"
# openapi-python-client cannot send a header of `format: uuid`; the pattern says the same.
_UUID = f"^{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}$"
IF_MATCH = Parameter(
    "If-Match",
    "header",
    {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,14})"$'},
    "The `ETag` of the customer as it was seen.",
    required=True,
    example=examples.VERSION,
)
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    "header",
    {"type": "string", "default": ""},
    "`ETag`s of what the caller has: 304 where one of them is that of the answer.",
)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": _UUID},
    "A UUID of the caller's: a repetition with the same key is the same export.",
    required=True,
    example=examples.KEY,
)
CUSTOMER_ID = in_path("customer_id", "The id of a customer.", examples.CUSTOMER_ID)
EXPORT_ID = in_path("export_id", "The id of an export.", examples.EXPORT_ID)
PAGE_FILE = Parameter(
    "file",
    "path",
    {"type": "string", "pattern": r"^[A-Za-z0-9_\-]{1,60}\.[a-z0-9]{1,8}$"},
    "The name of a file.",
    required=True,
)
PAGE_VERSION = Parameter(
    "version",
    "path",
    {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    "The version that the page itself names.",
    required=True,
)
TOTALS = (
    Parameter(
        "list",
        "query",
        ref("ListName"),
        "The list that is counted; it needs the permission to read it.",
        required=True,
    ),
    Parameter("from", "query", DATE, "The first day, in UTC.", required=True),
    Parameter("to", "query", DATE, "The last day, in UTC: 400 days at the most.", required=True),
)
