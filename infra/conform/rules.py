"""Rules that AWS documents, cfn-lint does not know, and the local stack does not enforce.

A rule takes the template as it is after the transform, and yields a sentence for each breach.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]
Rule = Callable[[Template], Iterator[str]]

_MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200}
_MOST_BYTES = 1_000_000
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800


def within_limits(template: Template) -> Iterator[str]:
    """The template is no larger than CloudFormation takes."""
    size = len(json.dumps(template, ensure_ascii=False, separators=(",", ":")).encode())
    if size > _MOST_BYTES:
        yield f"it has {size} bytes, more than {_MOST_BYTES}"
    for part, most in _MOST.items():
        if (count := len(template.get(part, ()))) > most:
            yield f"it has {count} {part}, more than {most}"


def one_throttled_stage(template: Template) -> Iterator[str]:
    """The API has one stage, and all its methods are throttled."""
    stages = list(_of_type(template, "AWS::ApiGateway::Stage"))
    for name, deployment in _of_type(template, "AWS::ApiGateway::Deployment"):
        if "StageName" in deployment:
            stages.append((name, deployment))
    if len(stages) != 1:
        yield f"there are {len(stages)} stages: {', '.join(name for name, _ in stages)}"
    for name, stage in stages:
        if not any(_throttles_all(one) for one in stage.get("MethodSettings", ())):
            yield f"{name} does not throttle /* for every method"


def indexed_tables_in_a_chain(template: Template) -> Iterator[str]:
    """Tables with indexes are made one after the other."""
    indexed = [
        name
        for name, table in _of_type(template, "AWS::DynamoDB::Table")
        if table.keys() & {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}
    ]
    before = {name: _made_before(template, name) for name in indexed}
    for at, one in enumerate(indexed):
        for other in indexed[at + 1 :]:
            if one not in before[other] and other not in before[one]:
                yield f"{one} and {other} are made at the same time: one needs DependsOn"


def permissions_with_a_source(template: Template) -> Iterator[str]:
    """A service may invoke a function for one resource or account, not for any caller."""
    for name, permission in _of_type(template, "AWS::Lambda::Permission"):
        if not permission.keys() & {"SourceArn", "SourceAccount", "PrincipalOrgID"}:
            yield f"{name} lets {permission['Principal']} invoke the function for any account"


def trust_with_a_source(template: Template) -> Iterator[str]:
    """A service may take a role for this account alone; Lambda takes it where it is attached."""
    for name, role in _of_type(template, "AWS::IAM::Role"):
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"].get("Service")
            if service in ("lambda.amazonaws.com", ["lambda.amazonaws.com"]):
                continue
            if "aws:SourceAccount" not in json.dumps(statement.get("Condition", {})):
                yield f"{name} can be taken by {service} for any account"


def nothing_public(template: Template) -> Iterator[str]:
    """No statement that allows something has a wildcard as principal."""
    for name, resource in template["Resources"].items():
        for found in _objects(resource):
            principal = found.get("Principal")
            named = principal.values() if isinstance(principal, Mapping) else [principal]
            if found.get("Effect") == "Allow" and any("*" in _listed(one) for one in named):
                yield f"{name} allows something to everyone"


def kept_logs(template: Template) -> Iterator[str]:
    """Functions log to groups of the template, which forget, and outlive a replacement."""
    groups = dict(_of_type(template, "AWS::Logs::LogGroup"))
    for name, function in _of_type(template, "AWS::Lambda::Function"):
        group = function.get("LoggingConfig", {}).get("LogGroup", {})
        if not isinstance(group, Mapping) or group.get("Ref") not in groups:
            yield f"{name} logs to a group that Lambda makes, which keeps lines for ever"
    for name, properties in groups.items():
        if "RetentionInDays" not in properties:
            yield f"{name} keeps lines for ever"
        if template["Resources"][name].get("UpdateReplacePolicy") != "Retain":
            yield f"{name} loses its lines when it is replaced"


def messages_hidden_while_they_are_worked_on(template: Template) -> Iterator[str]:
    """A queue hides a message for as long as the function that reads it may run."""
    queues = dict(_of_type(template, "AWS::SQS::Queue"))
    functions = dict(_of_type(template, "AWS::Lambda::Function"))
    for name, mapping in _of_type(template, "AWS::Lambda::EventSourceMapping"):
        queue = mapping["EventSourceArn"].get("Fn::GetAtt", [""])[0]
        if queue in queues:
            hidden = _number(template, queues[queue].get("VisibilityTimeout", 30))
            function = functions[mapping["FunctionName"]["Ref"]]
            if hidden < _number(template, function.get("Timeout", 3)):
                yield f"{name}: {queue} shows a message again while it is worked on"


def alarms_that_can_look_back(template: Template) -> Iterator[str]:
    """An alarm looks back a day, or a week in periods of an hour or more."""
    for name, alarm in _of_type(template, "AWS::CloudWatch::Alarm"):
        period = _number(template, alarm["Period"])
        if period * alarm["EvaluationPeriods"] > (_WEEK if period >= _HOUR else _DAY):
            yield f"{name} looks back too far"


def alarms_that_are_heard(template: Template) -> Iterator[str]:
    """CloudWatch can publish to the topics of alarms: not with the key that AWS manages."""
    topics = dict(_of_type(template, "AWS::SNS::Topic"))
    for name, alarm in _of_type(template, "AWS::CloudWatch::Alarm"):
        for action in alarm.get("AlarmActions", ()):
            topic = topics.get(action.get("Ref"), {})
            if topic.get("KmsMasterKeyId") == "alias/aws/sns":
                yield f"{name} rings at {action['Ref']}, with whose key CloudWatch cannot publish"


def rotation_in_a_pool_that_has_it(template: Template) -> Iterator[str]:
    """A client rotates refresh tokens only in a pool of the plan Essentials or Plus."""
    pools = dict(_of_type(template, "AWS::Cognito::UserPool"))
    for name, client in _of_type(template, "AWS::Cognito::UserPoolClient"):
        rotates = client.get("RefreshTokenRotation", {}).get("Feature") == "ENABLED"
        pool = client["UserPoolId"]["Ref"]
        if rotates and pools[pool].get("UserPoolTier") not in {"ESSENTIALS", "PLUS"}:
            yield f"{name} rotates refresh tokens, which needs UserPoolTier of {pool}"


_AWS = "https://docs.aws.amazon.com"
RULES: Mapping[Rule, str] = {
    within_limits: f"{_AWS}/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
    one_throttled_stage: "https://github.com/aws/serverless-application-model/issues/191",
    indexed_tables_in_a_chain: (
        f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html"
    ),
    permissions_with_a_source: f"{_AWS}/lambda/latest/dg/permissions-function-services.html",
    trust_with_a_source: f"{_AWS}/IAM/latest/UserGuide/confused-deputy.html",
    nothing_public: (f"{_AWS}/IAM/latest/UserGuide/reference_policies_elements_principal.html"),
    kept_logs: f"{_AWS}/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    messages_hidden_while_they_are_worked_on: (
        f"{_AWS}/lambda/latest/dg/services-sqs-configure.html"
    ),
    alarms_that_can_look_back: (
        f"{_AWS}/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
    ),
    alarms_that_are_heard: f"{_AWS}/sns/latest/dg/sns-key-management.html",
    rotation_in_a_pool_that_has_it: (
        f"{_AWS}/cognito/latest/developerguide/cognito-sign-in-feature-plans.html"
    ),
}
"""Each rule with the page that documents it."""


def _of_type(template: Template, kind: str) -> Iterator[tuple[str, Any]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource.get("Properties", {})


def _throttles_all(setting: Mapping[str, Any]) -> bool:
    everything = (setting.get("ResourcePath"), setting.get("HttpMethod")) == ("/*", "*")
    return everything and setting.keys() >= {"ThrottlingRateLimit", "ThrottlingBurstLimit"}


def _made_before(template: Template, name: str) -> set[str]:
    """The resources that `DependsOn` names, and those that they name in turn."""
    found: set[str] = set()
    left = [name]
    while left:
        for one in _listed(template["Resources"][left.pop()].get("DependsOn", [])):
            if one not in found:
                found.add(one)
                left.append(one)
    return found


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in the value, itself included."""
    if isinstance(value, Mapping):
        yield value
    for one in value.values() if isinstance(value, Mapping) else _listed(value):
        if isinstance(one, Mapping | list):
            yield from _objects(one)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(template: Template, value: Any) -> int:
    """The number, or the default of the parameter that is referred to."""
    return int(template["Parameters"][value["Ref"]]["Default"] if "Ref" in _keys(value) else value)


def _keys(value: Any) -> Any:
    return value.keys() if isinstance(value, Mapping) else ()
