"""The shapes of what is sent and answered, one a component of the OpenAPI document."""

from collections.abc import Mapping

from chalicelib.api.shapes import DATE, INSTANT, TEXT, Schema, nullable, page_of, record, ref
from chalicelib.users.model import Access, BillingPeriod, SubscriptionStatus

LANGUAGES = ["es", "en"]
FORMATS = ["xlsx", "csv"]
RESOURCES = ["customers", "leads"]
MAX_BODY_BYTES = 16_384

# A reason of these alone would be none: nothing of it would be seen. Unicode's Default_Ignorable_
# Code_Point (DerivedCoreProperties.txt), which counts in what it has yet to assign, and White_Space
# (PropList.txt); format characters of annotations, shorthand, music and hieroglyphs; and three that
# are drawn as nothing: the empty pattern of Braille, a notehead, the filler of Khitan. Those beyond
# U+FFFF stand as they are: Python has another escape for them than ECMAScript with its flag u, as
# which the document's patterns are read.
_UNSEEN = (
    r" \t\n\r\u00a0\u00ad\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200d\u202f\u205f-\u2065\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# What would let the history show something else than what was written: control characters, breaks
# of lines of Unicode's own, marks, embeddings and overrides of direction (Unicode TR 36, section
# 2.5), and the deprecated ones that mirror signs and exchange digits. And API Gateway puts U+FFFD
# where a body is not UTF-8.
_DECEIVING = (
    r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f"
    r"\u2028-\u202e\u2066-\u206f\ufffd"
)
_REASON = f"^[{_UNSEEN}]*[^{_UNSEEN}{_DECEIVING}][^{_DECEIVING}]*$"

_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "integer"}

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
_CUSTOMER: Mapping[str, Schema] = {
    **_PERSON,
    "ecosystem": nullable(ref("Ecosystem")),
    "access": {"enum": [*Access, None]},
}
_SUBSCRIPTION: Mapping[str, Schema] = {
    "plan": nullable(TEXT),
    "billing_period": nullable(TEXT),
    "status": {**nullable(TEXT), "examples": list(SubscriptionStatus)},
    "starts_on": nullable(TEXT),
    "ends_on": nullable(TEXT),
}

# API Gateway puts U+FFFD where a query is not UTF-8.
_SEARCH: Schema = {"type": "string", "minLength": 2, "maxLength": 100, "pattern": "^[^\ufffd]*$"}
_FILTERS_COMMON: Mapping[str, Schema] = {
    "q": _SEARCH,
    "registered_from": DATE,
    "registered_to": DATE,
}
_PLAN: Schema = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^\ufffd]*$"}
FILTERS: Mapping[str, Mapping[str, Schema]] = {
    "leads": _FILTERS_COMMON,
    "customers": {
        **_FILTERS_COMMON,
        "access": {"type": "string", "enum": list(Access)},
        "ecosystem": {"type": "string", "enum": ["deployed", "none"]},
        "billing_period": {"type": "string", "enum": list(BillingPeriod)},
        "status": {
            "type": "array",
            "items": {"type": "string", "enum": list(SubscriptionStatus)},
            "minItems": 1,
            "maxItems": 10,
        },
        "plan": {"type": "array", "items": _PLAN, "minItems": 1, "maxItems": 10},
    },
}
"""What each list can be filtered by: the query of the list and the body of an export alike."""


def _order_of(resource: str) -> Schema:
    filters = FILTERS[resource]
    return record(
        {
            "resource": {"type": "string", "const": resource},
            "format": {"type": "string", "enum": FORMATS, "default": "xlsx"},
            "language": {"type": "string", "enum": LANGUAGES, "default": "es"},
            "filters": record(filters, optional=tuple(filters)),
        },
        optional=("format", "language", "filters"),
    )


SCHEMAS: Mapping[str, Schema] = {
    "Ecosystem": record({"id": TEXT, "name": TEXT, "deployed_at": nullable(TEXT)}),
    "Encounters": record({"included": nullable(_NUMBER), "used": nullable(_NUMBER)}),
    "Licences": record({"status": TEXT, "count": _NUMBER}),
    "Subscription": record(_SUBSCRIPTION),
    "SubscriptionDetail": record(
        {
            **_SUBSCRIPTION,
            "encounters": nullable(ref("Encounters")),
            "licences": {"type": "array", "items": ref("Licences")},
        }
    ),
    "AccessChange": record({"at": TEXT, "by": TEXT, "reason": nullable(TEXT)}),
    "Lead": record({**_PERSON, "version": _NUMBER}),
    "Customer": record(
        {
            **_CUSTOMER,
            "subscription": nullable(ref("Subscription")),
            "version": _NUMBER,
        }
    ),
    "CustomerDetail": record(
        {
            **_CUSTOMER,
            "subscription": nullable(ref("SubscriptionDetail")),
            "access_change": nullable(ref("AccessChange")),
            "version": _NUMBER,
        }
    ),
    "Page": record(
        {
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "start": _COUNT,
            "next": nullable(TEXT),
            "prev": nullable(TEXT),
            "total": nullable(_COUNT),
            "total_relation": {"enum": ["exact", "at_least", "unknown"]},
        }
    ),
    "Customers": page_of("Customer"),
    "Leads": page_of("Lead"),
    "Totals": record(
        {
            "list": {"enum": RESOURCES},
            "total": _COUNT,
            "days": {"type": "array", "items": record({"on": DATE, "registered": _COUNT})},
        }
    ),
    "FacetValue": record({"value": TEXT, "count": _COUNT}),
    "Facets": record(
        {
            "list": {"type": "string", "enum": RESOURCES},
            "complete": {"type": "boolean"},
            "facets": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": ref("FacetValue")},
            },
        }
    ),
    "AccessWish": {
        **record(
            {
                "access": {"type": "string", "enum": list(Access)},
                "reason": {
                    "type": "string",
                    "minLength": 3,
                    "maxLength": 500,
                    "pattern": _REASON,
                },
            },
            optional=("reason",),
        ),
        "if": {"properties": {"access": {"const": "suspended"}}, "required": ["access"]},
        "then": {"required": ["reason"]},
    },
    "AccessEvent": record(
        {
            "at": INSTANT,
            "by": TEXT,
            "from": TEXT,
            "to": TEXT,
            "reason": nullable(TEXT),
            "request_id": TEXT,
        }
    ),
    "AccessHistory": page_of("AccessEvent"),
    "EcosystemAccess": record(
        {
            "ecosystem_id": TEXT,
            "access": {"enum": list(Access)},
            "changed_at": INSTANT,
            "version": _NUMBER,
        }
    ),
    "ExportOrder": {
        "type": "object",
        "discriminator": {"propertyName": "resource"},
        "oneOf": [_order_of(resource) for resource in RESOURCES],
    },
    "Export": record(
        {
            "id": TEXT,
            "resource": {"enum": RESOURCES},
            "format": {"enum": FORMATS},
            "language": {"enum": LANGUAGES},
            "filters": {"type": "object"},
            "period": nullable(record({"from": nullable(INSTANT), "to": INSTANT})),
            "origin": {"enum": ["manual", "scheduled"]},
            "status": {"enum": ["queued", "running", "succeeded", "failed", "expired"]},
            "progress": record({"done": _COUNT, "total": nullable(_COUNT)}),
            "requested_by": TEXT,
            "requested_at": INSTANT,
            "finished_at": nullable(INSTANT),
            "expires_at": nullable(INSTANT),
            "rows": nullable(_COUNT),
            "size_bytes": nullable(_COUNT),
            "sha256": nullable(TEXT),
            "file_name": nullable(TEXT),
            "download_url": nullable(TEXT),
            "error": nullable(TEXT),
        }
    ),
    "Exports": page_of("Export"),
    "Config": record(
        {
            "stage": TEXT,
            "languages": {"type": "array", "items": TEXT},
            "time_zone": TEXT,
            "sign_in": record(
                {
                    "url": TEXT,
                    "pool_url": TEXT,
                    "client_id": TEXT,
                    "scopes": TEXT,
                    "session_seconds": _COUNT,
                }
            ),
            "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    ),
    "Session": record(
        {
            "username": TEXT,
            "roles": {"type": "array", "items": TEXT},
            "permissions": {"type": "array", "items": TEXT},
            "expires_at": INSTANT,
        }
    ),
    "Health": record(
        {
            "status": {"enum": ["ok", "failing"]},
            "checks": {"type": "object", "additionalProperties": {"enum": ["ok", "failing"]}},
        },
        optional=("checks",),
    ),
    "Problem": {
        "type": "object",
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "instance": TEXT,
            "request_id": TEXT,
            "errors": {
                "type": "array",
                "items": record({"in": TEXT, "name": TEXT, "detail": TEXT}),
            },
        },
        "required": ["type", "title", "status", "request_id"],
    },
}
