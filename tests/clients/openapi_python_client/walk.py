"""The walk of tests/e2e/test_clients.py with the client that openapi-python-client generates."""

import json
import os
import time
import urllib.request
from uuid import uuid4

from store_users_client import AuthenticatedClient
from store_users_client.api.customers import change_access, get_customer, list_customers
from store_users_client.api.exports import create_export, get_export
from store_users_client.models import (
    Access,
    AccessUpdate,
    CustomerDetail,
    CustomerExportRequest,
    CustomerExportRequestResource,
    CustomerFilters,
    CustomerPage,
    CustomerSort,
    Export,
    ExportFormat,
    ExportStatus,
    ForbiddenProblem,
    VersionConflictProblem,
)
from store_users_client.types import UNSET, Unset

URL = os.environ["STORE_USERS_URL"]
admin = AuthenticatedClient(base_url=URL, token=os.environ["STORE_USERS_ADMIN"])
viewer = AuthenticatedClient(base_url=URL, token=os.environ["STORE_USERS_VIEWER"])


def listed() -> list[str]:
    """Return the ids of all active customers, page by page."""
    found: list[str] = []
    cursor: str | Unset = UNSET
    while True:
        page = list_customers.sync(
            client=admin,
            sort=CustomerSort.SUBSCRIPTION_ENDS_ON_DESC,
            limit=20,
            access=Access.ACTIVE,
            cursor=cursor,
        )
        assert isinstance(page, CustomerPage)
        found += [one.id for one in page.data]
        if page.page.next_ is None:
            return found
        cursor = page.page.next_


def switched(customer_id: str) -> int:
    """Suspend and activate, the second time with a version that is no more; return the last one."""
    seen = get_customer.sync(customer_id, client=admin)
    assert isinstance(seen, CustomerDetail)
    etag = f'"{seen.version}"'
    body = AccessUpdate(access=Access.SUSPENDED, reason="Walk of a client")
    suspended = change_access.sync(customer_id, client=admin, body=body, if_match=etag)
    assert isinstance(suspended, CustomerDetail)
    assert suspended.access is Access.SUSPENDED
    body = AccessUpdate(access=Access.ACTIVE)
    conflict = change_access.sync(customer_id, client=admin, body=body, if_match=etag)
    assert isinstance(conflict, VersionConflictProblem)
    now = f'"{conflict.current.version}"'
    active = change_access.sync(customer_id, client=admin, body=body, if_match=now)
    assert isinstance(active, CustomerDetail)
    return active.version


def missing_permission(customer_id: str) -> str:
    """Return the permission that a viewer lacks to switch."""
    body = AccessUpdate(access=Access.ACTIVE)
    refused = change_access.sync(customer_id, client=viewer, body=body, if_match='"1"')
    assert isinstance(refused, ForbiddenProblem)
    assert isinstance(refused.permission, str)
    return refused.permission


def exported() -> int:
    """Return the lines of a file of all active customers, without its heading."""
    body = CustomerExportRequest(
        resource=CustomerExportRequestResource.CUSTOMERS,
        format_=ExportFormat.CSV,
        filters=CustomerFilters(access=Access.ACTIVE),
    )
    job = create_export.sync(client=admin, body=body, idempotency_key=str(uuid4()))
    while True:
        assert isinstance(job, Export)
        if job.status is ExportStatus.SUCCEEDED:
            break
        assert job.status in {ExportStatus.QUEUED, ExportStatus.RUNNING}
        time.sleep(0.2)
        job = get_export.sync(job.id, client=admin)
    assert job.download_url
    with urllib.request.urlopen(job.download_url) as file:
        return len(file.read().decode().splitlines()) - 1


ids = listed()
print(  # noqa: T201 - what the test reads
    json.dumps(
        {
            "listed": len(ids),
            "version": switched(ids[0]),
            "permission": missing_permission(ids[0]),
            "exported": exported(),
        }
    )
)
