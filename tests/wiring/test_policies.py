"""Every function may do what it does: the calls that it makes are held against its policy.

No emulator of AWS here looks at policies, so a missing line would show on AWS alone.
"""

import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.client import BaseClient

from chalicelib.errors import StoreUnavailableError
from chalicelib.triggers.stream import stream
from infra.package import ROOT
from tests.api.client import Client
from tests.api.exports import KEYS, link_to, order_export, run_exports
from tests.builders import ECOSYSTEM, client, customer, lead, refusals, save, stored
from tests.exporting import deliver, queued
from tests.feed import Feed, record
from tests.scheduled import fire

Grant = tuple[str, str]

# The names in the tests → the logical ids in the template.
_RESOURCES = {
    "users": "UsersTable",
    "ecosystems": "EcosystemsTable",
    "search": "SearchTable",
    "totals": "TotalsTable",
    "audit": "AuditTable",
    "exports": "ExportsTable",
    "exports-bucket": "ExportsBucket",
    "signing": "SigningSecret",
}
_QUEUES = {"exports": "ExportsQueue", "projection-dead-letters": "ProjectionDeadLetters"}
DAYS = {"list": "customers", "from": "2026-03-01", "to": "2026-03-31"}
SORTS = ("registered_at", "-name", "company", "-ends_on")
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Grant]:
    """The grants that the calls to AWS need which are made from now on."""
    grants: list[Grant] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

    def make_api_call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = self.meta.service_model.service_name
        grants.extend(_needed(service, operation, parameters))
        return call(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", make_api_call)
    return grants


def _needed(service: str, operation: str, parameters: dict[str, Any]) -> Iterator[Grant]:
    """What a policy has to grant for a call: actions, and resources by their logical ids."""
    if operation == "TransactWriteItems":
        for write in parameters["TransactItems"]:
            ((kind, inner),) = write.items()
            yield f"dynamodb:{_WRITES[kind]}", _RESOURCES[inner["TableName"]]
    elif "RequestItems" in parameters:
        for table in parameters["RequestItems"]:
            yield f"dynamodb:{operation}", _RESOURCES[table]
    elif service == "dynamodb":
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield f"dynamodb:{operation}", _RESOURCES[parameters["TableName"]] + index
    elif service == "s3":
        yield _needed_in_bucket(operation, parameters)
    elif service == "sqs":
        yield f"sqs:{operation}", _QUEUES[parameters["QueueUrl"].rpartition("/")[2]]
    elif service == "sns":
        yield f"sns:{operation}", "MarketingTopic"
    else:
        yield f"secretsmanager:{operation}", _RESOURCES[parameters["SecretId"]]


def _needed_in_bucket(operation: str, parameters: dict[str, Any]) -> Grant:
    bucket = _RESOURCES[parameters["Bucket"]]
    if operation in {"HeadBucket", "ListObjectsV2"}:
        return "s3:ListBucket", bucket
    if operation == "ListMultipartUploads":
        return "s3:ListBucketMultipartUploads", bucket
    return f"s3:{operation}", f"{bucket}/{parameters['Key']}"


def _granted(function: str) -> list[Grant]:
    """What the policy of the function grants."""
    policy = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    return [
        (action, _logical_id(resource))
        for statement in policy["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _logical_id(resource: Any) -> str:
    """`{"Fn::Sub": "${UsersTable.Arn}/index/*"}` → `UsersTable/index/*`, and so on."""
    (value,) = resource.values()
    text: str = value[0] if isinstance(value, list) else value
    return text.replace("${", "").replace(".Arn}", "")


def _missing(function: str, made: list[Grant]) -> set[Grant]:
    granted = _granted(function)
    return {
        (action, resource)
        for action, resource in made
        if not any(action == one and fnmatchcase(resource, what) for one, what in granted)
    }


def test_the_api_may_do_what_its_operations_do(api: Client, made: list[Grant]) -> None:
    feed = Feed()
    # So many in one hour that the page of a number is looked for among the minutes.
    same_hour = [lead(f"led_{number}") for number in range(20)]
    others = [customer(f"cus_{number}", access="suspended") for number in range(40)]
    save(customer(), lead(), *same_hour, *others)
    stream({"Records": feed.records()}, None)
    finished = order_export(api)
    run_exports()
    made.clear()
    off = {"access": "suspended", "reason": "Privacy incident 4711"}
    calls: list[Callable[[], Any]] = [
        *(lambda sort=sort: api.get("/v1/customers", sort=sort, limit=1) for sort in SORTS),
        lambda: api.get("/v1/customers/cus_0042"),
        lambda: api.get("/v1/leads", limit=1),
        lambda: api.get("/v1/leads/led_0007"),
        lambda: api.get("/v1/customers", q="gomez"),
        lambda: api.get("/v1/customers", q="maria gomez", access="active"),
        lambda: api.get("/v1/leads", q="p."),
        lambda: api.get("/v1/leads", page=2, limit=15),
        lambda: api.get("/v1/customers", access="active", limit=1),
        lambda: api.get("/v1/customers", access="active", registered_to="2026-03-31"),
        lambda: api.get("/v1/customers", registered_from="2026-03-01", limit=1),
        lambda: api.call("GET", "/v1/totals", query=DAYS),
        lambda: api.switch(off),
        lambda: api.switch({"access": "active"}, if_match='"8"'),
        lambda: api.get("/v1/customers/cus_0042/access/history"),
        lambda: api.get("/v1/ecosystems/eco_17/access", "gateway"),
        lambda: api.order(KEYS[1], {"resource": "customers"}),
        lambda: api.get("/v1/exports"),
        lambda: api.get(f"/v1/exports/{finished}"),
        lambda: api.get(link_to(finished), None),
        lambda: api.call("DELETE", f"/v1/exports/{finished}"),
        lambda: api.get("/health?deep=1", None),
    ]
    assert {call().status for call in calls} == {200, 202, 204, 302}
    assert len(set(made)) > 20
    assert set(made) >= {
        ("dynamodb:BatchGetItem", "UsersTable"),
        ("dynamodb:Query", "UsersTable/index/by_segment"),
        ("dynamodb:Query", "SearchTable"),
        ("dynamodb:Query", "TotalsTable"),
        ("dynamodb:GetItem", "TotalsTable"),
    }
    # A presigned link may do what its signer may.
    made.append(("s3:GetObject", "ExportsBucket/exports/exp_1/1"))
    assert _missing("api", made) == set()


@pytest.mark.usefixtures("api", "no_waiting")
def test_the_worker_may_do_what_exports_take(made: list[Grant]) -> None:
    save(lead())
    fire("2026-03-02T11:00:00Z")
    first, second = queued()
    made.clear()
    deliver(first)
    with refusals("Query", "ThrottlingException"), pytest.raises(StoreUnavailableError):
        deliver(second)
    deliver(second)
    needed = {action for action, _ in made}
    assert needed >= {"s3:PutObject", "sns:Publish", "sqs:ChangeMessageVisibility"}
    assert _missing("worker", made) == set()


@pytest.mark.usefixtures("api")
def test_the_schedule_may_do_what_ordering_takes(made: list[Grant]) -> None:
    fire("2026-03-02T11:00:00Z")
    assert ("sqs:SendMessage", "ExportsQueue") in made
    assert _missing("schedule", made) == set()


@pytest.mark.usefixtures("api")
def test_the_stream_may_do_what_the_projection_takes(made: list[Grant]) -> None:
    feed = Feed()
    save(customer(version=0, access=None))
    save(customer("cus_2", ecosystem=ECOSYSTEM))
    nameless = dict.fromkeys(("first_name", "last_name", "company_email", "phone_number"), "")
    save(lead("led_1"), lead("led_2"), lead("led_3", **nameless))
    stream({"Records": feed.records()}, None)
    before = stored("cus_0042")
    save(customer(ecosystem=None), lead("led_1", first_name="Ana"))
    for gone in ("led_2", "led_3"):
        client().delete_item(TableName="users", Key={"id": {"S": gone}})
    records = [
        *feed.records(),
        record(before, stored("cus_0042")),
        {"dynamodb": {"NewImage": {"kind": {"S": "nonsense"}}}},
    ]
    made.clear()
    stream({"Records": records}, None)
    needed = {action for action, _ in made}
    assert needed >= {"dynamodb:DeleteItem", "dynamodb:UpdateItem", "sqs:SendMessage"}
    assert set(made) >= {
        ("dynamodb:BatchGetItem", "TotalsTable"),
        ("dynamodb:BatchGetItem", "UsersTable"),
        ("dynamodb:BatchWriteItem", "SearchTable"),
        ("dynamodb:BatchWriteItem", "TotalsTable"),
        ("dynamodb:DeleteItem", "TotalsTable"),
        ("dynamodb:PutItem", "TotalsTable"),
        ("dynamodb:UpdateItem", "TotalsTable"),
    }
    assert _missing("stream", made) == set()
