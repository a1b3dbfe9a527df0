"""The walk of tests/e2e/test_clients.py with the Python client of OpenAPI Generator."""

import json
import os
import time
import urllib.request
from uuid import uuid4

from openapi_client import (
    Access,
    AccessUpdate,
    ApiClient,
    ApiException,
    Configuration,
    CustomerExportRequest,
    CustomerFilters,
    CustomersApi,
    CustomerSort,
    ExportFormat,
    ExportRequest,
    ExportsApi,
    ExportStatus,
    ForbiddenProblem,
    VersionConflictProblem,
)

URL = os.environ["STORE_USERS_URL"]


def client(role: str) -> ApiClient:
    """Return a client with the token of that role."""
    token = os.environ[f"STORE_USERS_{role.upper()}"]
    return ApiClient(Configuration(host=URL, access_token=token))


customers = CustomersApi(client("admin"))
exports = ExportsApi(client("admin"))


def listed() -> list[str]:
    """Return the ids of all active customers, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        page = customers.list_customers(
            sort=CustomerSort.SUBSCRIPTION_ENDS_ON_DESC,
            limit=20,
            access=Access.ACTIVE,
            cursor=cursor,
        )
        found += [one.id for one in page.data]
        cursor = page.page.next
        if cursor is None:
            return found


def refused(api: CustomersApi, customer_id: str, etag: str) -> tuple[int, object]:
    """Activate, and return the status and the body of the refusal."""
    try:
        api.change_access(customer_id, etag, AccessUpdate(access=Access.ACTIVE))
    except ApiException as error:
        return error.status or 0, error.data
    raise AssertionError


def switched(customer_id: str) -> int:
    """Suspend and activate, the second time with a version that is no more; return the last one."""
    etag = f'"{customers.get_customer(customer_id).version}"'
    body = AccessUpdate(access=Access.SUSPENDED, reason="Walk of a client")
    assert customers.change_access(customer_id, etag, body).access is Access.SUSPENDED
    status, conflict = refused(customers, customer_id, etag)
    assert status == 412
    assert isinstance(conflict, VersionConflictProblem)
    now = f'"{conflict.current.version}"'
    return customers.change_access(customer_id, now, AccessUpdate(access=Access.ACTIVE)).version


def missing_permission(customer_id: str) -> str:
    """Return the permission that a viewer lacks to switch."""
    status, problem = refused(CustomersApi(client("viewer")), customer_id, '"1"')
    assert status == 403
    assert isinstance(problem, ForbiddenProblem)
    return str(problem.permission)


def exported() -> int:
    """Return the lines of a file of all active customers, without its heading."""
    body = ExportRequest(
        CustomerExportRequest(
            resource="customers",
            format=ExportFormat.CSV,
            filters=CustomerFilters(access=Access.ACTIVE),
        )
    )
    job = exports.create_export(str(uuid4()), body)
    while job.status is not ExportStatus.SUCCEEDED:
        assert job.status in {ExportStatus.QUEUED, ExportStatus.RUNNING}
        time.sleep(0.2)
        job = exports.get_export(job.id)
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
