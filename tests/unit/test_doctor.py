"""What the doctor takes for a difference between what is deployed and what should be."""

from datetime import UTC, datetime
from typing import Any

from infra.doctor.deployment import differing, other_parameters
from infra.parameters import stage_parameters

QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 900}}
FUNCTION: dict[str, Any] = {
    "Type": "AWS::Serverless::Function",
    "Properties": {"CodeUri": "./deployment.zip", "Timeout": 29},
}


def _with(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **properties}}


def test_the_same_resources_do_not_differ_wherever_the_code_lies() -> None:
    deployed = _with(FUNCTION, CodeUri="s3://store-users-artifacts-1-us-east-1/ab.zip")
    assert differing({"Q": QUEUE, "F": FUNCTION}, {"F": deployed, "Q": QUEUE}) == []


def test_what_is_in_one_template_alone_or_otherwise_differs() -> None:
    wanted = {"Q": QUEUE, "F": FUNCTION, "New": QUEUE}
    deployed = {"Q": _with(QUEUE, VisibilityTimeout=30), "F": _with(FUNCTION, Timeout=3), "Old": {}}
    assert differing(wanted, {**deployed, "Old": QUEUE}) == ["F", "New", "Old", "Q"]


DECLARED: dict[str, dict[str, Any]] = {
    "Stage": {},
    "TimeZone": {"Default": "America/Bogota"},
    "ExportRetentionDays": {"Default": 7},
    "PublicUrl": {"Default": "https://example.invalid"},
}


def test_a_parameter_that_was_changed_by_hand_is_named() -> None:
    chosen = stage_parameters("prod", datetime.now(UTC))
    address = {"PublicUrl": "https://anything.example"}
    given = {"Stage": "prod", "ExportRetentionDays": "7", **chosen, **address}
    assert other_parameters("prod", given, DECLARED) == []
    changed = {**given, "ExportRetentionDays": "30", "TimeZone": "UTC"}
    assert other_parameters("prod", changed, DECLARED) == ["ExportRetentionDays", "TimeZone"]
    del changed["TimeZone"]
    assert "TimeZone" in other_parameters("prod", changed, DECLARED)


def test_a_stage_with_settings_of_its_own_is_compared_with_nothing() -> None:
    assert other_parameters("not-in-the-file", {"TimeZone": "UTC"}, DECLARED) == []
