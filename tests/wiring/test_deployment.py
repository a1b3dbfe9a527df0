"""What is sent to CloudFormation, and what becomes of it there."""

import copy
import json
import re
from functools import cache
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from moto import mock_aws

from infra import package
from infra.changes import failures
from infra.conform.__main__ import transformed as as_transformed
from infra.conform.rules import Template
from infra.deploy import API_PARAMETERS, upload
from infra.doctor.deployment import differing
from infra.target import Target
from tests.conftest import REGION


@cache
def _template() -> dict[str, Any]:
    package.build()
    template: dict[str, Any] = yaml.safe_load(package.TEMPLATE.read_text())
    return template


@pytest.fixture(scope="module")
def sent() -> Any:
    """The bytes that are uploaded as the template."""
    return _sent(_template())


def _sent(template: dict[str, Any], **parameters: str) -> Any:
    target = Target("prod", REGION)
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        address = upload(target, copy.deepcopy(template), package.ARCHIVE, parameters)
        bucket, key = address.split("/")[-2:]
        return target.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


@pytest.fixture(scope="module")
def transformed(sent: bytes) -> Template:
    """What SAM makes of it."""
    return as_transformed(json.loads(sent))


def _of_type(template: Template, kind: str) -> list[Any]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def test_the_template_is_sent_as_json_without_aliases(sent: bytes) -> None:
    assert isinstance(json.loads(sent), dict)
    tokens = list(yaml.scan(sent.decode()))
    assert not [one for one in tokens if isinstance(one, yaml.AliasToken | yaml.AnchorToken)]


def test_what_is_sent_is_no_larger_than_cloudformation_takes(sent: bytes) -> None:
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/
    cloudformation-limits.html"""
    assert len(sent) <= 1_000_000


def test_the_stage_is_throttled_as_the_settings_say(transformed: Template) -> None:
    (stage,) = _of_type(transformed, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "api"
    (setting,) = stage["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert setting["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert setting["MetricsEnabled"] is False


def _deployments(template: dict[str, Any], **parameters: str) -> set[str]:
    made = as_transformed(json.loads(_sent(template, **parameters)))["Resources"]
    return {name for name, one in made.items() if one["Type"] == "AWS::ApiGateway::Deployment"}


def test_a_change_of_the_api_beside_its_document_is_deployed_to_the_stage() -> None:
    """CloudFormation makes a deployment where there is another name for it, and only there."""
    named = _deployments(_template())
    assert _deployments(_template(), TimeZone="UTC") == named
    changed = copy.deepcopy(_template())
    changed["Resources"]["RestAPI"]["Properties"]["MinimumCompressionSize"] = 2048
    assert not _deployments(changed) & named
    # It closes the address of API Gateway, which is to be deployed as well.
    assert not _deployments(_template(), DomainName="store.example.com") & named


def test_what_is_sent_is_what_was_built_to_doctor() -> None:
    """Each deployment writes the address of the code and the version of the document in."""
    built = _template()["Resources"]
    sent = json.loads(_sent(_template(), DomainName="store.example.com"))["Resources"]
    assert differing(built, sent) == []
    sent["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"] = "Another"
    assert differing(built, sent) == ["RestAPI"]


def _named(value: Any, template: Template) -> set[str]:
    """The parameters on which a value of the template depends, also through conditions."""
    text = json.dumps(value)
    found = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    for name, condition in template["Conditions"].items():
        if f'"{name}"' in text:
            found |= _named(condition, template)
    return found


def test_all_parameters_that_change_the_api_beside_its_document_are_deployed() -> None:
    template = _template()
    api = dict(template["Resources"]["RestAPI"]["Properties"])
    for name in ("DefinitionBody", "GatewayResponses", "MethodSettings"):
        api.pop(name)
    # No stage changes its name.
    assert _named(api, template) - {"Stage"} == set(API_PARAMETERS)


def test_the_name_of_the_dashboard_is_that_of_one_region(transformed: Template) -> None:
    (dashboard,) = _of_type(transformed, "AWS::CloudWatch::Dashboard")
    assert "${AWS::Region}" in dashboard["DashboardName"]["Fn::Sub"]


def _event(name: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "StackId": "id",
        "EventId": f"{name}-{status}",
        "StackName": "store-users-prod",
        "Timestamp": "2026-11-27T12:00:00Z",
        "LogicalResourceId": name,
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        (
            [
                [_event(f"Table{n}", "DELETE_COMPLETE") for n in range(100)],
                [
                    _event("Worker", "CREATE_FAILED", "Resource creation cancelled"),
                    _event("UsersTable", "CREATE_FAILED", "Limit exceeded"),
                    _event("store-users-prod", "CREATE_IN_PROGRESS", "User Initiated"),
                    _event("UsersTable", "CREATE_FAILED", "That of an earlier deployment"),
                ],
            ],
            "UsersTable: Limit exceeded",
        ),
        (
            [
                [
                    _event("store-users-prod", "UPDATE_ROLLBACK_IN_PROGRESS", "An alarm rang"),
                    _event("store-users-prod", "UPDATE_IN_PROGRESS", "User Initiated"),
                ]
            ],
            "store-users-prod: An alarm rang",
        ),
        ([[]], "CloudFormation gives no reason: see the events of the stack"),
    ],
)
def test_the_reason_of_a_failure_is_told_however_long_ago(
    pages: list[list[Any]], told: str
) -> None:
    client: Any = boto3.client(
        "cloudformation",
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    with Stubber(client) as answers:
        for number, events in enumerate(pages, 1):
            token = {"NextToken": f"page {number}"} if number < len(pages) else {}
            answers.add_response("describe_stack_events", {"StackEvents": events, **token})
        assert failures(client, "store-users-prod") == told


def test_no_policy_has_an_action_that_grants_nothing() -> None:
    """ListStreams takes no resource but `*`. Source: https://docs.aws.amazon.com/
    service-authorization/latest/reference/list_amazondynamodb.html"""
    policies = json.dumps(_template()["Resources"])
    assert re.search("GetShardIterator", policies)
    assert "ListStreams" not in policies


def test_beside_a_domain_the_other_address_is_closed(transformed: Template) -> None:
    assert '"HasDomain", true, false' in json.dumps(transformed["Resources"]["RestAPI"])


@pytest.mark.parametrize(
    ("header", "reaches"),
    [
        ("Bearer abc.d-e_f.ghi", True),
        ("bearer abc.def.ghi", True),
        ("Bearer abc.def", False),
        ("Bearer abc.def.ghi, Bearer x", False),
        ("Basic YTpi", False),
        ("abc.def.ghi", False),
        ("", False),
    ],
)
def test_what_is_no_token_is_answered_without_the_authorizer(
    transformed: Template, header: str, *, reaches: bool
) -> None:
    document = transformed["Resources"]["RestAPI"]["Properties"]["Body"]
    authorizer = document["securityDefinitions"]["authorizer"]["x-amazon-apigateway-authorizer"]
    pattern = authorizer["identityValidationExpression"]
    assert bool(re.fullmatch(pattern, header)) is reaches


def test_a_refresh_token_is_good_for_one_renewal(transformed: Template) -> None:
    client = transformed["Resources"]["PageClient"]["Properties"]
    assert client["RefreshTokenRotation"]["Feature"] == "ENABLED"
    assert "ALLOW_REFRESH_TOKEN_AUTH" not in json.dumps(client)
