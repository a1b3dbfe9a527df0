"""Permissions, resources and keys that are missing: told as what they are, to caller and staff."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from chalicelib import aws, aws_errors
from chalicelib.errors import StoreError, StoreRefusedError, StoreUnavailableError
from tests.api.client import Client
from tests.api.conformity import Answer
from tests.api.conftest import Logs
from tests.builders import customer, save
from tests.exporting import before

MESSAGE = "role store-users-api on behalf of Zoraida"
KEY = "0b8f2a64-1111-4222-8333-444455556660"


def _error(operation: str, code: str, status: int = 400) -> ClientError:
    told = {"Code": code, "Message": MESSAGE}
    answer: Any = {"Error": told, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


def _order(api: Client) -> Answer:
    return api.order(KEY, {"resource": "leads"})


def _page(api: Client) -> Answer:
    """A page with another behind it: the cursor is encrypted with the signing keys."""
    return api.get("/v1/customers", limit=1)


def _delete(api: Client) -> Answer:
    """The deletion of an export, whose files lie in the bucket."""
    return api.call("DELETE", _order(api).headers["location"])


@pytest.mark.parametrize(
    ("called", "code", "call"),
    [
        ("sqs.SendMessage", "AccessDenied", _order),
        ("sqs.SendMessage", "AWS.SimpleQueueService.NonExistentQueue", _order),
        ("sqs.SendMessage", "QueueDoesNotExist", _order),
        ("sqs.SendMessage", "KMS.DisabledException", _order),
        ("secretsmanager.GetSecretValue", "AccessDeniedException", _page),
        ("secretsmanager.GetSecretValue", "ResourceNotFoundException", _page),
        ("secretsmanager.GetSecretValue", "DecryptionFailure", _page),
        ("s3.ListMultipartUploads", "AccessDenied", _delete),
        ("s3.ListMultipartUploads", "NoSuchBucket", _delete),
    ],
)
def test_a_service_that_refuses_is_no_store_that_is_busy(
    api: Client,
    logs: Logs,
    called: str,
    code: str,
    call: Callable[[Client], Answer],
) -> None:
    save(customer(), customer("cus_2"))
    service, _, operation = called.partition(".")
    name = {"secretsmanager": "secrets-manager"}.get(service, service)
    client = {"secretsmanager": aws.secrets_manager, "s3": aws.s3, "sqs": aws.sqs}[service]()

    def refuse() -> None:
        raise _error(operation, code)

    with before(client, f"{name}.{operation}", refuse):
        answer = call(api)
    assert (answer.status, answer.problem) == (500, "service-misconfigured")
    assert "retry-after" not in answer.headers
    lines = logs()
    cause = next(line for line in lines if line["event"] == "aws.refused")
    assert (cause["level"], cause["refused"]) == ("ERROR", 1)
    assert (cause["service"], cause["operation"], cause["code"]) == (service, operation, code)
    assert cause["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "refused", "Unit": "Count"}
    ]
    assert (lines[-1]["level"], lines[-1]["status"]) == ("ERROR", 500)
    assert "Zoraida" not in str(lines) + answer.body


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_error("Publish", "AuthorizationError", 403), StoreRefusedError),
        (_error("Publish", "NotFound", 404), StoreRefusedError),
        (_error("Publish", "KMSAccessDenied"), StoreRefusedError),
        (_error("Publish", "KMSThrottling"), StoreUnavailableError),
        (_error("HeadBucket", "403", 403), StoreRefusedError),
        (_error("PutObject", "SlowDown", 503), StoreUnavailableError),
        (_error("PutObject", "NeverHeardOf", 502), StoreUnavailableError),
        (_error("PutObject", "ExpiredToken"), StoreUnavailableError),
        (_error("PutObject", "MalformedXML"), None),
        (NoCredentialsError(), StoreRefusedError),
        (EndpointConnectionError(endpoint_url=MESSAGE), StoreUnavailableError),
    ],
)
def test_an_error_is_what_its_code_says(
    error: Any, kind: type[StoreError] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    translated = aws_errors.translate("s3", error)
    assert (type(translated) if translated else None) is kind
    printed = capsys.readouterr().out
    assert "Zoraida" not in printed
    assert ("aws.refused" in printed) == (kind is StoreRefusedError)
