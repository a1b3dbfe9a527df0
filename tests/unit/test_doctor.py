"""What the doctor takes for a difference between what is deployed and what should be."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.doctor.deployment import differing, other_parameters, settings
from infra.parameters import stage_parameters
from infra.stage import Stage
from infra.target import Target

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


def test_the_same_api_does_not_differ_whatever_version_its_document_has() -> None:
    def api(version: str, title: str) -> dict[str, Any]:
        document = {"info": {"version": version, "title": title}, "paths": {}}
        return {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionBody": document}}

    assert differing({"A": api("1.0", "ours")}, {"A": api("5e8b0c4e7a10", "ours")}) == []
    assert differing({"A": api("1.0", "ours")}, {"A": api("1.0", "another")}) == ["A"]


def test_what_is_in_one_template_alone_or_otherwise_differs() -> None:
    wanted = {"Q": QUEUE, "F": FUNCTION, "New": QUEUE}
    deployed = {"Q": _with(QUEUE, VisibilityTimeout=30), "F": _with(FUNCTION, Timeout=3), "Old": {}}
    assert differing(wanted, {**deployed, "Old": QUEUE}) == ["F", "New", "Old", "Q"]


DECLARED: dict[str, dict[str, Any]] = {
    "Stage": {"Type": "String"},
    "TimeZone": {"Type": "String", "Default": "America/Bogota"},
    "ExportRetentionDays": {"Type": "Number", "Default": 7, "MinValue": 1},
    "PublicUrl": {"Type": "String", "Default": "https://example.invalid"},
    "MarketingLanguage": {"Type": "String", "Default": "es", "AllowedValues": ["es", "en"]},
}


def test_a_parameter_that_was_changed_by_hand_is_named() -> None:
    chosen = stage_parameters("prod")
    address = {"PublicUrl": "https://anything.example"}
    given = {"Stage": "prod", "ExportRetentionDays": "7", **chosen, **address}
    assert other_parameters(chosen, given, DECLARED) == []
    changed = {**given, "ExportRetentionDays": "30", "TimeZone": "UTC"}
    assert other_parameters(chosen, changed, DECLARED) == ["ExportRetentionDays", "TimeZone"]
    del changed["TimeZone"]
    assert "TimeZone" in other_parameters(chosen, changed, DECLARED)


def _stage(name: str, given: dict[str, str], tags: dict[str, str]) -> Stage:
    target = Target(name, "us-east-1")
    return Stage(target, resources={}, parameters=given, tags=tags, made_at=datetime.now(UTC))


def _told(stage: Stage) -> list[tuple[str, bool, str]]:
    found = settings(stage, DECLARED)
    return [(one.about, one.is_well, one.seen) for one in found]


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ours.toml"
    monkeypatch.setenv("STORE_USERS_STAGES", str(path))
    return path


def test_a_bad_value_is_named_and_so_is_what_is_not_deployed_yet(stages: Path) -> None:
    stages.write_text(
        "[prod]\nExportRetentionDays = 0\nMarketingLanguag = 'en'\ntags = { owner = 'shop' }"
    )
    given = {"ExportRetentionDays": "7", "TimeZone": "America/Bogota", "MarketingLanguage": "es"}
    unknown = "MarketingLanguag is no parameter of infra/resources.yaml"
    told = _told(_stage("prod", given, {"application": "store-users", "stage": "prod"}))
    assert told == [
        (
            "settings of prod",
            False,
            f"ExportRetentionDays = 0 is less than 1; {unknown}; is MarketingLanguage meant?",
        ),
        ("parameters and ours.toml", False, "differ in ExportRetentionDays, MarketingLanguag"),
        ("tags and ours.toml", False, "differ in owner"),
    ]


def test_settings_that_cannot_be_read_are_said_to_be_so(stages: Path) -> None:
    stages.write_text("[prod]\nTimeZone = 'Mars'")
    assert _told(_stage("prod", {}, {})) == [
        ("settings of prod", False, "ours.toml [prod]: No time zone found with key Mars")
    ]


def test_a_stage_with_settings_of_its_own_is_compared_with_nothing(stages: Path) -> None:
    stages.write_text("[prod]")
    seen = "none in ours.toml: deployed with others, from elsewhere"
    told = _told(_stage("elsewhere", {"TimeZone": "UTC"}, {}))
    assert told == [("settings of elsewhere", True, seen)]
