"""Shapes of store users, their lists, and the access to their ecosystems."""

from collections.abc import Mapping

from chalicelib.api import reasons
from chalicelib.api.shapes import (
    AUTHOR_ID,
    COUNT,
    DATE,
    INSTANT,
    NUMBER,
    TEXT,
    Schema,
    array_of,
    nullable,
    page_of,
    record,
    ref,
)
from chalicelib.users.model import Access, BillingPeriod, SubscriptionStatus

# What the shop wrote is shown as it is, also where it does not keep to the item contract.
_PERSON: Mapping[str, Schema] = {
    "id": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "company_email": TEXT,
    "phone_number": TEXT,
    "company_name": TEXT,
    "registered_at": TEXT,
}
_VERSION: Schema = {
    "type": "integer",
    "description": "Rises with each change. In quotes it is the `ETag`: send it as `If-Match`.",
}
_CUSTOMER: Mapping[str, Schema] = {
    **_PERSON,
    "ecosystem": nullable(ref("Ecosystem")),
    "access": nullable(ref("Access")),
}
_SUBSCRIPTION: Mapping[str, Schema] = {
    "plan": nullable(TEXT),
    "billing_period": {**nullable(TEXT), "examples": list(BillingPeriod)},
    "status": {**nullable(TEXT), "examples": list(SubscriptionStatus)},
    "starts_on": nullable(TEXT),
    "ends_on": nullable(TEXT),
}

USERS: Mapping[str, Schema] = {
    "Ecosystem": record(
        {"id": TEXT, "name": TEXT, "deployed_at": nullable(TEXT)},
        about="The environment that a customer has deployed.",
    ),
    "Encounters": record(
        {"included": nullable(NUMBER), "used": nullable(NUMBER)},
        about="Encounters that the plan includes, and those that were used.",
    ),
    "Licences": record({"status": TEXT, "count": NUMBER}, about="How many licences are so."),
    "Subscription": record(_SUBSCRIPTION, about="What the customer bought, as a list shows it."),
    "SubscriptionDetail": record(
        {
            **_SUBSCRIPTION,
            "encounters": nullable(ref("Encounters")),
            "licences": array_of(ref("Licences")),
        },
        about="What the customer bought, in detail.",
    ),
    "AccessChange": record(
        {"at": TEXT, "by": TEXT, "by_id": AUTHOR_ID, "reason": nullable(TEXT)},
        about="The last change of the access: when, by which member of staff, and why.",
    ),
    "Lead": record({**_PERSON, "version": _VERSION}, about="Registered, and bought nothing yet."),
    "Customer": record(
        {**_CUSTOMER, "subscription": nullable(ref("Subscription")), "version": _VERSION},
        about="Bought a subscription. `ecosystem` is null until one is deployed.",
    ),
    "CustomerDetail": record(
        {
            **_CUSTOMER,
            "subscription": nullable(ref("SubscriptionDetail")),
            "access_change": nullable(ref("AccessChange")),
            "version": _VERSION,
        },
        about="A customer with the subscription in detail and the last change of the access.",
    ),
    "Page": record(
        {
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "start": {**COUNT, "description": "The number of rows before this page."},
            "next": {**nullable(TEXT), "description": "The `cursor` of the next page, if any."},
            "prev": {**nullable(TEXT), "description": "The `cursor` of the page before, if any."},
            "total": nullable(COUNT),
            "total_relation": ref("TotalRelation"),
        },
        about="Where a page is within its list.",
    ),
    "CustomerPage": page_of("Customer", "A page of the customers."),
    "LeadPage": page_of("Lead", "A page of the leads."),
    "DayTotal": record({"on": DATE, "registered": COUNT}, about="How many registered on a day."),
    "Totals": record(
        {"list": ref("ListName"), "total": COUNT, "days": array_of(ref("DayTotal"))},
        about="How many a list has as of now, and how many registered on each day.",
    ),
    "FacetValue": record({"value": TEXT, "count": COUNT}, about="A value, and its rows."),
    "Facets": record(
        {
            "list": ref("ListName"),
            "complete": {"type": "boolean"},
            "facets": {"type": "object", "additionalProperties": array_of(ref("FacetValue"))},
        },
        about="The values that each filter of a list finds.",
    ),
    "AccessUpdate": {
        **record(
            {
                "access": ref("Access"),
                "reason": {
                    "type": "string",
                    "format": reasons.FORMAT,
                    "minLength": 3,
                    "maxLength": 500,
                    "pattern": reasons.PATTERN,
                    "description": "Needed to suspend. Something of it must be seen, and no "
                    "character may make it read as something else: the server looks at more than "
                    "`pattern` says.",
                },
            },
            optional=("reason",),
            about="The access that the ecosystem shall have, and why.",
        ),
        "if": {"properties": {"access": {"const": Access.SUSPENDED}}, "required": ["access"]},
        "then": {"required": ["reason"]},
    },
    "AccessEvent": record(
        {
            "at": INSTANT,
            "by": TEXT,
            "by_id": AUTHOR_ID,
            "from": TEXT,
            "to": TEXT,
            "reason": nullable(TEXT),
            "kept_from": nullable(ref("KeptFrom")),
            "ecosystem_id": nullable(TEXT),
            "request_id": TEXT,
        },
        about="One change of the access. Where a suspension was kept, `kept_from` says whose, and "
        "`ecosystem_id` for which ecosystem; both are null where the switch was used.",
    ),
    "AccessHistoryPage": page_of("AccessEvent", "A page of the history of one access."),
    "EcosystemAccess": record(
        {
            "ecosystem_id": TEXT,
            "access": ref("Access"),
            "changed_at": INSTANT,
            "version": NUMBER,
            "epoch": COUNT,
            "not_before": nullable(INSTANT),
        },
        about="The access to one ecosystem as of now. Refuse entry unless it is `active`. `epoch` "
        "grows with each change. Refuse every session and token issued before `not_before`, the "
        "instant of the last suspension, also once the access is `active` again.",
    ),
}
