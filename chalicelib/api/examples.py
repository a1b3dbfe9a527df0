"""Examples of what is sent and answered, by their component schema; the people are invented.

A test holds each against its schema.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.api.problems import PROBLEMS

CUSTOMER_ID = "cus_0042"
LEAD_ID = "lead_0007"
ECOSYSTEM_ID = "eco_17"
EXPORT_ID = "exp_0193c2a47d1e"
ANA_ID = "5f0c1b7e-9a52-4f0e-8f3a-6f1f5f2f9a10"
KEY = "7f6b2c1e-6f0a-4d43-9c3b-0d3a5e0f9b11"
VERSION = '"7"'

_LEAD = {
    "id": LEAD_ID,
    "first_name": "Luis",
    "last_name": "Peña",
    "company_email": "luis@norte.example",
    "phone_number": "+573001112233",
    "company_name": "Norte",
    "registered_at": "2026-03-02T09:30:00Z",
    "version": 1,
}
_SUBSCRIPTION = {
    "plan": "Premium",
    "billing_period": "annual",
    "status": "active",
    "starts_on": "2026-03-01",
    "ends_on": "2027-02-28",
}
_PERSON = {
    "id": CUSTOMER_ID,
    "first_name": "María José",
    "last_name": "Gómez Ruiz",
    "company_email": "mj@clinica-sol.example",
    "phone_number": "+573001234567",
    "company_name": "Clínica Sol",
    "registered_at": "2026-03-01T15:04:05Z",
    "ecosystem": {
        "id": ECOSYSTEM_ID,
        "name": "clinica-sol",
        "deployed_at": "2026-03-04T10:00:00Z",
    },
}
_CUSTOMER = {**_PERSON, "access": "active", "subscription": _SUBSCRIPTION, "version": 7}
_CHANGE = {
    "at": "2026-11-22T13:39:57Z",
    "by": "ana@staff.example",
    "by_id": ANA_ID,
    "reason": "Privacy incident 4711",
}
_DETAIL = {
    **_PERSON,
    "access": "suspended",
    "subscription": {
        **_SUBSCRIPTION,
        "encounters": {"included": 5_000, "used": 1_270},
        "licences": [{"status": "available", "count": 3}, {"status": "assigned", "count": 16}],
    },
    "access_change": _CHANGE,
    "version": 8,
}
_EXPORT = {
    "id": EXPORT_ID,
    "resource": "customers",
    "format": "xlsx",
    "language": "es",
    "filters": {"access": "active", "status": ["past_due"]},
    "period": None,
    "origin": "manual",
    "status": "running",
    "progress": {"done": 12_000, "total": 40_000},
    "requested_by": "ana@staff.example",
    "requested_by_id": ANA_ID,
    "requested_at": "2026-11-22T13:39:57Z",
    "finished_at": None,
    "expires_at": None,
    "rows": None,
    "size_bytes": None,
    "sha256": None,
    "file_name": None,
    "download_url": None,
    "error": None,
}


def _page(row: Mapping[str, Any]) -> dict[str, Any]:
    total = {"total": 1, "total_relation": "exact"}
    return {"data": [row], "page": {"limit": 25, "start": 0, "next": None, "prev": None, **total}}


EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "CustomerPage": {"page": _page(_CUSTOMER)},
    "CustomerDetail": {"customer": _DETAIL},
    "LeadPage": {"page": _page(_LEAD)},
    "Lead": {"lead": _LEAD},
    "AccessUpdate": {
        "suspend": {"access": "suspended", "reason": "Privacy incident 4711"},
        "activate": {"access": "active"},
    },
    "AccessHistoryPage": {
        "page": _page(
            {
                **_CHANGE,
                "from": "active",
                "to": "suspended",
                "kept_from": None,
                "ecosystem_id": None,
                "request_id": "c6af9ac6",
            }
        )
    },
    "EcosystemAccess": {
        "active": {
            "ecosystem_id": ECOSYSTEM_ID,
            "access": "active",
            "changed_at": "2026-03-04T10:00:00Z",
            "epoch": 1772618400001,
            "not_before": None,
            "version": 7,
        }
    },
    "Totals": {
        "days": {
            "list": "leads",
            "total": 4_711,
            "days": [{"on": "2026-03-01", "registered": 12}],
        }
    },
    "Facets": {
        "customers": {
            "list": "customers",
            "complete": True,
            "facets": {"plan": [{"value": "Premium", "count": 120}]},
        }
    },
    "ExportRequest": {
        "customers": {
            "resource": "customers",
            "format": "xlsx",
            "language": "es",
            "filters": {"access": "active", "status": ["past_due"]},
        },
        "leads": {"resource": "leads", "format": "csv", "filters": {"q": "clinica"}},
    },
    "Export": {"running": _EXPORT},
    "ExportPage": {"page": _page(_EXPORT)},
    "Session": {
        "viewer": {
            "id": ANA_ID,
            "username": "ana@staff.example",
            "roles": ["viewer"],
            "permissions": ["customers:read", "leads:read"],
            "expires_at": "2026-11-22T13:54:57Z",
        }
    },
    "Health": {"up": {"status": "ok"}},
    "StoresHealth": {
        "failing": {"status": "failing", "checks": {"users": "ok", "bucket": "failing"}}
    },
}
"""Component schema → a name of each example → the example."""

_MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "invalid-request": {
        "detail": "1 problem found",
        "errors": [
            {"in": "query", "name": "limit", "detail": "500 is greater than the maximum of 100"}
        ],
    },
    "forbidden": {"permission": "access:change"},
    "version-conflict": {"current": _DETAIL},
}


def problem(code: str) -> dict[str, Any]:
    """Return an example of the problem of that code."""
    status, title = PROBLEMS[code]
    return {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        **_MEMBERS.get(code, {}),
    }
