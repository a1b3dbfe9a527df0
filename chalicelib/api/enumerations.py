"""The named sets of values of the contract, one a component of the OpenAPI document."""

from collections.abc import Mapping

from chalicelib.api.shapes import Schema, one_of
from chalicelib.users.listing import DEFAULT_SORT, SORTS
from chalicelib.users.model import Access, BillingPeriod, KeptFrom, SubscriptionStatus

LANGUAGES = ["es", "en"]
RESOURCES = ["customers", "leads"]

OLD_SORTS: Mapping[str, str] = {
    "name": "first_name",
    "company": "company_name",
    "ends_on": "subscription.ends_on",
}
"""Deprecated names to sort by, still accepted → the field that they stand for."""

_SORTS_OF = {
    "customers": list(SORTS),
    "leads": [name for name in SORTS if not name.startswith("subscription.")],
}


def _sort(resource: str) -> Schema:
    fields = _SORTS_OF[resource]
    names = [*fields, *(old for old, field in OLD_SORTS.items() if field in fields)]
    return one_of(
        [sign + name for name in names for sign in ("", "-")],
        default=DEFAULT_SORT,
        description="The field to sort by; `-` in front means descending. "
        + ", ".join(
            f"`{old}` is deprecated: say `{OLD_SORTS[old]}`" for old in names[len(fields) :]
        ),
        **{
            "x-enum-varnames": [
                name.replace(".", "_").upper() + way for name in names for way in ("", "_DESC")
            ]
        },
    )


ENUMERATIONS: Mapping[str, Schema] = {
    "Access": one_of(Access, description="May the users of the ecosystem enter it?"),
    "KeptFrom": one_of(
        KeptFrom,
        description="Whose suspension was kept: that of the customer, for another ecosystem of "
        "theirs; or that of an ecosystem, for a customer who took it over.",
    ),
    "BillingPeriod": one_of(BillingPeriod, description="How often a subscription is billed."),
    "SubscriptionStatus": one_of(
        SubscriptionStatus, description="The states of a subscription that a list is filtered by."
    ),
    "EcosystemFilter": one_of(["deployed", "none"], description="Has an ecosystem been deployed?"),
    "ListName": one_of(RESOURCES, description="One of the two lists of store users."),
    "CustomerSort": _sort("customers"),
    "LeadSort": _sort("leads"),
    "TotalMode": one_of(
        ["count", "none"],
        default="count",
        description="`none`: leave `page.total` out where it takes more reading; for searches as "
        "one types.",
    ),
    "TotalRelation": one_of(
        ["exact", "at_least", "unknown"],
        description="`exact`, `at_least` (there are no fewer), or `unknown` with `total: null`.",
    ),
    "ExportFormat": one_of(["xlsx", "csv"], default="xlsx", description="The kind of file."),
    "Language": one_of(LANGUAGES, default="es", description="The language of a file."),
    "ExportOrigin": one_of(
        ["manual", "scheduled"], description="Asked for by a person, or by the schedule."
    ),
    "ExportStatus": one_of(
        ["queued", "running", "succeeded", "failed", "expired"],
        description="queued → running → succeeded or failed; a file that succeeded expires later.",
    ),
    "HealthStatus": one_of(["ok", "failing"], description="Is it up?"),
}
