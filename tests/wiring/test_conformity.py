"""The template after the transform, and that each rule of `make conform` finds what it is for."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import yaml

from infra import package
from infra.conform import rules
from infra.conform.__main__ import breaches, changes, main, resources, transformed
from infra.conform.rules import Rule

Break = Callable[[dict[str, Any]], None]


@cache
def _made() -> Any:
    package.build()
    return transformed(yaml.safe_load(package.TEMPLATE.read_text()))


def _properties(resources: dict[str, Any], name: str) -> Any:
    return resources[name]["Properties"]


def test_the_template_breaks_no_rule() -> None:
    assert list(breaches(_made())) == []


def test_the_resources_are_those_that_are_written_down() -> None:
    """Where a change is meant: `make conform RENEW=1`."""
    assert list(changes(_made())) == []


def test_a_resource_that_comes_and_one_that_goes_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = copy.deepcopy(_made())
    template["Resources"]["Another"] = template["Resources"].pop("AlarmTopic")
    monkeypatch.setattr("infra.conform.__main__.transformed", lambda _: template)
    monkeypatch.setattr("infra.conform.__main__._lint", lambda _: ())
    assert main([]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "+ Another AWS::SNS::Topic",
        "- AlarmTopic AWS::SNS::Topic",
        "If that is meant: make conform RENEW=1",
    ]


def test_the_name_of_a_deployment_stands_without_its_hash() -> None:
    (deployment,) = [one for one in resources(_made()) if "::Deployment" in one]
    assert deployment == "RestAPIDeployment<hash> AWS::ApiGateway::Deployment"


def _second_stage(made: dict[str, Any]) -> None:
    made["Stage"] = copy.deepcopy(made["RestAPIapiStage"])


def _unthrottled(made: dict[str, Any]) -> None:
    del _properties(made, "RestAPIapiStage")["MethodSettings"][0]["ThrottlingRateLimit"]


def _tables_at_once(made: dict[str, Any]) -> None:
    for name in ("UsersTable", "ExportsTable"):
        made[name].pop("DependsOn", None)


def _open_permission(made: dict[str, Any]) -> None:
    del _properties(made, "APIHandlerInvokePermission")["SourceArn"]


def _open_role(made: dict[str, Any]) -> None:
    role = _properties(made, "WeeklyLeadExportRole")
    del role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def _open_bucket(made: dict[str, Any]) -> None:
    policy = _properties(made, "ExportsBucketPolicy")["PolicyDocument"]
    policy["Statement"][0]["Effect"] = "Allow"


def _open_bucket_to_accounts(made: dict[str, Any]) -> None:
    _open_bucket(made)
    policy = _properties(made, "ExportsBucketPolicy")["PolicyDocument"]
    policy["Statement"][0]["Principal"] = {"AWS": ["*"]}


def _logs_of_lambda(made: dict[str, Any]) -> None:
    del _properties(made, "Worker")["LoggingConfig"]


def _endless_logs(made: dict[str, Any]) -> None:
    del _properties(made, "WorkerLogs")["RetentionInDays"]


def _lost_logs(made: dict[str, Any]) -> None:
    made["WorkerLogs"]["UpdateReplacePolicy"] = "Delete"


def _seen_too_early(made: dict[str, Any]) -> None:
    _properties(made, "ExportsQueue")["VisibilityTimeout"] = 30


def _far_back(made: dict[str, Any]) -> None:
    _properties(made, "ScheduleMissedAlarm")["EvaluationPeriods"] = 8


def _far_back_in_minutes(made: dict[str, Any]) -> None:
    _properties(made, "ApiErrorsAlarm")["EvaluationPeriods"] = 289


def _unheard(made: dict[str, Any]) -> None:
    _properties(made, "AlarmTopic")["KmsMasterKeyId"] = "alias/aws/sns"


def _unnamed_plan(made: dict[str, Any]) -> None:
    del _properties(made, "UserPool")["UserPoolTier"]


def _too_many(made: dict[str, Any]) -> None:
    for number in range(501):
        made[f"Topic{number}"] = copy.deepcopy(made["AlarmTopic"])


def _too_large(made: dict[str, Any]) -> None:
    _properties(made, "AlarmTopic")["DisplayName"] = "x" * 1_000_000


@pytest.mark.parametrize(
    ("rule", "break_it"),
    [
        (rules.within_limits, _too_many),
        (rules.within_limits, _too_large),
        (rules.one_throttled_stage, _second_stage),
        (rules.one_throttled_stage, _unthrottled),
        (rules.indexed_tables_in_a_chain, _tables_at_once),
        (rules.permissions_with_a_source, _open_permission),
        (rules.trust_with_a_source, _open_role),
        (rules.nothing_public, _open_bucket),
        (rules.nothing_public, _open_bucket_to_accounts),
        (rules.kept_logs, _logs_of_lambda),
        (rules.kept_logs, _endless_logs),
        (rules.kept_logs, _lost_logs),
        (rules.messages_hidden_while_they_are_worked_on, _seen_too_early),
        (rules.alarms_that_can_look_back, _far_back),
        (rules.alarms_that_can_look_back, _far_back_in_minutes),
        (rules.alarms_that_are_heard, _unheard),
        (rules.rotation_in_a_pool_that_has_it, _unnamed_plan),
    ],
)
def test_a_rule_finds_what_it_is_for_and_no_other_does(rule: Rule, break_it: Break) -> None:
    template = copy.deepcopy(_made())
    break_it(template["Resources"])
    assert {one for one in rules.RULES if list(one(template))} == {rule}


def test_every_rule_names_the_page_that_documents_it() -> None:
    assert all(source.startswith("https://") for source in rules.RULES.values())
