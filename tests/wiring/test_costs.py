"""What docs/costs.md says is counted from the template as it is built."""

import copy
import json
from functools import cache
from typing import Any

import pytest
import yaml

from chalicelib import metrics
from infra import package
from infra.costs.__main__ import PAGE, main, renewed, tables, usage
from infra.costs.prices import PRICES
from infra.costs.usage import Business

_SMALL = Business(users=10_000)

_FREE = {
    *("AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::DomainName"),
    *("AWS::Cognito::UserPool", "AWS::Cognito::UserPoolDomain", "AWS::Cognito::UserPoolGroup"),
    *("AWS::Cognito::UserPoolResourceServer", "AWS::IAM::Role", "AWS::Lambda::Permission"),
    *("AWS::Route53::RecordSet", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription"),
    "AWS::SNS::TopicPolicy",
    "AWS::WAFv2::WebACLAssociation",
}
"""Kinds of resources that cost nothing: people and the web ACL are in the text of the page."""

_COUNTED = {
    *("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Cognito::UserPoolClient"),
    *("AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SNS::Topic"),
    *("AWS::SQS::Queue", "AWS::Scheduler::Schedule", "AWS::SecretsManager::Secret"),
    *("AWS::Serverless::Api", "AWS::Serverless::Function"),
}


@cache
def _template() -> Any:
    package.build()
    return yaml.safe_load(package.TEMPLATE.read_text())


def test_the_page_says_what_the_template_and_the_prices_come_to() -> None:
    """Where it does not: make costs RENEW=1."""
    assert PAGE.read_text() == renewed(PAGE.read_text(), _template())


def test_the_command_prints_the_tables_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert printed in PAGE.read_text()
    assert printed == tables(_template())


@pytest.mark.parametrize(
    ("resource", "line", "more_cents"),
    [
        ("AlarmTopic", None, 0),
        ("ApiErrorsAlarm", "alarms", 10),
        ("Dashboard", "dashboards", 300),
        ("SigningSecret", "secrets", 40),
        ("GatewayClient", "machines", 600),
        ("PageClient", None, 0),
    ],
)
def test_one_more_of_a_resource_is_on_the_bill(
    resource: str, line: str | None, more_cents: int
) -> None:
    template = copy.deepcopy(_template())
    template["Resources"]["OneMore"] = template["Resources"][resource]
    before, after = usage(_SMALL, _template()), usage(_SMALL, template)
    changed = {name for name in PRICES if after[name] != before[name]}
    assert changed == ({line} if line else set())
    more = sum(PRICES[one].cents(after[one]) - PRICES[one].cents(before[one]) for one in changed)
    assert more == more_cents
    assert (renewed(PAGE.read_text(), template) == PAGE.read_text()) is (line is None)


def test_one_more_metric_is_on_the_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    before = usage(_SMALL, _template())["metrics"]
    monkeypatch.setitem(metrics.COUNTED, "another", ("ms",))
    assert usage(_SMALL, _template())["metrics"] == before + 1


def test_one_more_encrypted_table_asks_for_more_keys() -> None:
    template = copy.deepcopy(_template())
    template["Resources"]["OneMore"] = template["Resources"]["AuditTable"]
    more = usage(_SMALL, template)["key_requests"] - usage(_SMALL, _template())["key_requests"]
    assert more == 3 * 12 * 730, "three processes, once in five minutes"


def test_tokens_go_by_the_parameter_of_the_template() -> None:
    template = copy.deepcopy(_template())
    assert usage(_SMALL, template)["tokens"] == 10 * 730
    template["Parameters"]["GatewayTokenMinutes"]["Default"] = 30
    assert usage(_SMALL, template)["tokens"] == 2 * 10 * 730


def test_every_kind_of_resource_is_counted_or_known_to_cost_nothing() -> None:
    kinds = {one["Type"] for one in _template()["Resources"].values()}
    assert kinds == _FREE | _COUNTED


def test_the_dashboard_has_no_more_metrics_than_are_free() -> None:
    body = _template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = [
        one for widget in json.loads(body)["widgets"] for one in widget["properties"]["metrics"]
    ]
    assert len(shown) <= 50


def test_a_bill_is_the_sum_of_its_lines_and_less_of_what_is_free() -> None:
    """A stranger's sum over the rows of the page."""
    for table in PAGE.read_text().split("\n## ")[1:]:
        rows = [
            line.split("|")[1:-1] for line in table.splitlines() if "$" in line and "| " in line
        ]
        if not any("together" in row[0] for row in rows):
            continue
        for column in range(2, len(rows[0])):
            cents = [round(float(row[column].strip(" $").replace(",", "")) * 100) for row in rows]
            assert sum(cents[:-1]) == cents[-1], table.splitlines()[0]
