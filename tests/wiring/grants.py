"""What calls to AWS need of a policy, and what the policies of the functions grant."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.client import BaseClient

from infra.package import ROOT

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
_TOPICS = {"marketing": "MarketingTopic", "alarms": "AlarmTopic"}
_ACTIONS_OF_S3 = {
    **dict.fromkeys(
        ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"), "PutObject"
    ),
    "HeadObject": "GetObject",
}
# What Lambda itself does in the function's name, beside what the function does.
BY_LAMBDA = {
    "api": set[Grant](),
    "authorizer": set[Grant](),
    "schedule": {("sqs:SendMessage", "ScheduleDeadLetters")},
    "stream": {
        ("dynamodb:DescribeStream", "UsersTable"),
        ("dynamodb:GetRecords", "UsersTable"),
        ("dynamodb:GetShardIterator", "UsersTable"),
    },
    "watch": {
        ("dynamodb:DescribeStream", "AuditTable"),
        ("dynamodb:GetRecords", "AuditTable"),
        ("dynamodb:GetShardIterator", "AuditTable"),
    },
    "worker": {
        ("sqs:DeleteMessage", "ExportsQueue"),
        ("sqs:GetQueueAttributes", "ExportsQueue"),
        ("sqs:ReceiveMessage", "ExportsQueue"),
    },
}
_WRITES = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
}


def record_grants(monkeypatch: pytest.MonkeyPatch) -> list[Grant]:
    """The grants that the calls to AWS need which are made from now on."""
    grants: list[Grant] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

    def make_api_call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = self.meta.service_model.service_name
        grants.extend(_needed(service, operation, parameters))
        return call(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", make_api_call)
    return grants


@contextmanager
def without_notes(made: list[Grant]) -> Iterator[None]:
    """What somebody else than the function does."""
    length = len(made)
    yield
    del made[length:]


def _needed(service: str, operation: str, parameters: dict[str, Any]) -> Iterator[Grant]:
    """What a policy has to grant for a call: actions, and resources by their logical ids."""
    if operation == "TransactWriteItems":
        for write in parameters["TransactItems"]:
            ((kind, inner),) = write.items()
            yield f"dynamodb:{_WRITES[kind]}", _table(inner)
    elif "RequestItems" in parameters:
        for table in parameters["RequestItems"]:
            yield f"dynamodb:{operation}", _RESOURCES[table]
    elif service == "dynamodb":
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield f"dynamodb:{operation}", _table(parameters) + index
    elif service == "s3":
        yield _needed_in_bucket(operation, parameters)
    elif service == "sqs":
        yield f"sqs:{operation}", _QUEUES[parameters["QueueUrl"].rpartition("/")[2]]
    elif service == "sns":
        yield f"sns:{operation}", _TOPICS[parameters["TopicArn"].rpartition(":")[2]]
    else:
        yield f"secretsmanager:{operation}", _RESOURCES[parameters["SecretId"]]


def _table(parameters: dict[str, Any]) -> str:
    """The table of a call; of the audit, with the subject that it is about."""
    name = _RESOURCES[parameters["TableName"]]
    if name != "AuditTable":
        return name
    whole = parameters.get("Item") or parameters.get("Key")
    subject = whole["subject"] if whole else parameters["ExpressionAttributeValues"][":0"]
    return f"{name} {subject['S']}"


def _needed_in_bucket(operation: str, parameters: dict[str, Any]) -> Grant:
    bucket = _RESOURCES[parameters["Bucket"]]
    if operation in {"HeadBucket", "ListObjectsV2"}:
        return "s3:ListBucket", bucket
    if operation == "ListMultipartUploads":
        return "s3:ListBucketMultipartUploads", bucket
    action = _ACTIONS_OF_S3.get(operation, operation)
    return f"s3:{action}", f"{bucket}/{parameters['Key']}"


def granted(function: str) -> list[Grant]:
    """What the policy of the function grants."""
    policy = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    return [
        (action, " ".join([_logical_id(resource), *subject]))
        for statement in policy["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        for subject in _subjects(statement)
    ]


def _subjects(statement: dict[str, Any]) -> list[list[str]]:
    """The patterns of partition keys that a statement is bound to; nothing for one that is not."""
    conditions = statement.get("Condition", {}).values()
    bound = [keys for one in conditions for keys in one.get("dynamodb:LeadingKeys", [])]
    return [[pattern] for pattern in bound] or [[]]


def _unused(function: str, made: list[Grant]) -> set[Grant]:
    """What the policy grants and nothing has asked for."""
    return {
        (action, resource)
        for action, resource in granted(function)
        if not any(action == one and fnmatchcase(what, resource) for one, what in made)
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _logical_id(resource: Any) -> str:
    """`{"Fn::Sub": "${UsersTable.Arn}/index/*"}` → `UsersTable/index/*`, and so on."""
    (value,) = resource.values()
    text: str = value[0] if isinstance(value, list) else value
    return text.replace("${", "").replace(".Arn}", "")


def _missing(function: str, made: list[Grant]) -> set[Grant]:
    grants = granted(function)
    return {
        (action, resource)
        for action, resource in made
        if not any(action == one and fnmatchcase(resource, what) for one, what in grants)
    }


def assert_fits(function: str, made: list[Grant]) -> None:
    """The policy grants what the function has asked for, and nothing else."""
    assert _missing(function, made) == set()
    group = f"{function.title()}Logs"
    logging = {("logs:CreateLogStream", group), ("logs:PutLogEvents", group)}
    assert _unused(function, made) == logging | BY_LAMBDA[function]
