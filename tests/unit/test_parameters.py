"""What a stage is deployed with: the file, and what of it the template would refuse."""

from pathlib import Path

import pytest

from infra.parameters import (
    Declared,
    StagesError,
    misfits,
    stage_architecture,
    stage_parameters,
    stage_rollback_minutes,
    stage_tags,
)

UNKNOWN = "is no parameter of infra/resources.yaml"
DECLARED: Declared = {
    "RequestsPerSecond": {"Type": "Number", "MinValue": 1, "MaxValue": 10000},
    "MarketingLanguage": {"Type": "String", "AllowedValues": ["es", "en"]},
    "Stage": {"Type": "String", "AllowedPattern": "[a-z][a-z0-9-]{0,19}"},
}


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a team's own, as `STORE_USERS_STAGES` names it."""
    path = tmp_path / "stages.toml"
    monkeypatch.setenv("STORE_USERS_STAGES", str(path))
    return path


def test_a_stage_has_the_defaults_and_its_own_parameters() -> None:
    assert stage_parameters("local") == {
        "LeadExportSchedule": "cron(0 6 ? * MON *)",
        "TimeZone": "America/Bogota",
        "MarketingLanguage": "es",
        "AccessTokenMinutes": "60",
        "CorsOrigins": "http://localhost:5173",
        "CallbackUrls": "http://localhost:5173/auth-callback",
        "LogoutUrls": "http://localhost:5173/login",
        "DeletionProtection": "false",
        "PasswordSignIn": "true",
    }


def test_production_is_protected_and_takes_no_passwords_from_programs() -> None:
    given = stage_parameters("prod")
    assert given["DeletionProtection"] == "true"
    assert "PasswordSignIn" not in given


@pytest.mark.parametrize(
    ("weekly", "expression"),
    [
        ("MON 06:00", "cron(0 6 ? * MON *)"),
        ("SUN 00:05", "cron(5 0 ? * SUN *)"),
        ("FRI 23:59", "cron(59 23 ? * FRI *)"),
    ],
)
def test_a_weekday_and_hour_are_an_expression_in_the_same_zone(
    stages: Path, weekly: str, expression: str
) -> None:
    stages.write_text(f'[prod]\nlead_export_at = "{weekly}"\nTimeZone = "Europe/Madrid"')
    given = stage_parameters("prod")
    assert given == {"LeadExportSchedule": expression, "TimeZone": "Europe/Madrid"}


@pytest.mark.parametrize("weekly", ["LUN 06:00", "MON 6:00", "MON 24:00", "MON 06:60", "06:00", ""])
def test_what_is_no_weekday_and_hour_is_refused(stages: Path, weekly: str) -> None:
    stages.write_text(f'[prod]\nlead_export_at = "{weekly}"')
    with pytest.raises(StagesError, match="is not a weekday and a time, such as MON 06:00"):
        stage_parameters("prod")


def test_functions_run_on_arm64_unless_the_stage_says_otherwise(stages: Path) -> None:
    stages.write_text(
        '[defaults]\narchitecture = "x86_64"\n[prod]\n[other]\narchitecture = "arm64"'
    )
    assert (stage_architecture("prod"), stage_architecture("other")) == ("x86_64", "arm64")
    assert stage_parameters("prod") == {}, "it is no parameter of the template"
    stages.write_text("[prod]")
    assert stage_architecture("prod") == "arm64"


def test_an_architecture_that_lambda_does_not_have_is_refused(stages: Path) -> None:
    stages.write_text('[prod]\narchitecture = "aarch64"')
    with pytest.raises(StagesError) as raised:
        stage_architecture("prod")
    assert str(raised.value) == (
        "stages.toml [prod]: architecture = 'aarch64' is none of arm64, x86_64"
    )


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(StagesError, match=r"has no section \[nowhere\]"):
        stage_parameters("nowhere")


def test_tags_of_the_stage_stand_over_the_defaults_and_ours_over_both(stages: Path) -> None:
    stages.write_text(
        'defaults.tags = { owner = "shop", cost = 17 }\n'
        'prod.tags = { owner = "clinics", stage = "x" }'
    )
    assert stage_tags("prod") == {
        "owner": "clinics",
        "cost": "17",
        "application": "store-users",
        "stage": "prod",
    }
    assert "tags" not in stage_parameters("prod")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prod = ", "stages.toml is not TOML: Invalid value (at end of document)"),
        (
            '[prod]\nTimeZone = "America/Bogotta"',
            "stages.toml [prod]: No time zone found with key America/Bogotta",
        ),
        (
            '[prod]\nlead_export_at = "LUN 06:00"',
            "stages.toml [prod]: 'LUN 06:00' is not a weekday and a time, such as MON 06:00",
        ),
        (
            "[prod]\nAlarmEmail = []",
            "stages.toml: AlarmEmail is neither a text nor a number",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(stages: Path, text: str, said: str) -> None:
    stages.write_text(text)
    with pytest.raises(StagesError) as raised:
        stage_parameters("prod")
    assert str(raised.value) == said


def test_a_file_that_is_not_there_is_named(stages: Path) -> None:
    with pytest.raises(StagesError, match=r"stages\.toml cannot be read: No such file"):
        stage_parameters("prod")
    assert not stages.exists()


def test_what_is_written_as_true_or_as_a_number_is_meant_as_the_template_has_it(
    stages: Path,
) -> None:
    stages.write_text("[prod]\nDeletionProtection = true\nRequestsPerSecond = 50")
    given = stage_parameters("prod")
    assert given == {"DeletionProtection": "true", "RequestsPerSecond": "50"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "RequestPerSecond",
            "5",
            f"{UNKNOWN}; is RequestsPerSecond meant?",
        ),
        ("Colour", "red", UNKNOWN),
        ("RequestsPerSecond", "many", "= 'many' is not a whole number"),
        ("RequestsPerSecond", "1.5", "= '1.5' is not a whole number"),
        ("RequestsPerSecond", "0", "= 0 is less than 1"),
        ("RequestsPerSecond", "10001", "= 10001 is more than 10000"),
        ("MarketingLanguage", "fr", "= 'fr' is none of es, en"),
        ("Stage", "Prod", "= 'Prod' does not match [a-z][a-z0-9-]{0,19}"),
    ],
)
def test_a_value_that_the_template_would_refuse_is_named(name: str, value: str, said: str) -> None:
    assert [one.removeprefix(name).strip() for one in misfits({name: value}, DECLARED)] == [said]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"staff":"viewer","boss":"admin"}', []),
        ("{staff}", ['GroupRoles is not a JSON object, such as {"admins": "admin"}']),
        (
            '{"staff":"gateway","boss":"root"}',
            ["GroupRoles names gateway, root: people can be admin, marketing, support, viewer"],
        ),
    ],
)
def test_a_role_that_nobody_can_have_is_named(value: str, said: list[str]) -> None:
    assert misfits({"GroupRoles": value}, {"GroupRoles": {"Type": "String"}}) == said


def test_every_fault_is_named_at_once_and_what_fits_is_none() -> None:
    given = {"RequestsPerSecond": "0", "MarketingLanguage": "fr", "Stage": "prod"}
    assert len(misfits(given, DECLARED)) == 2
    assert misfits({"RequestsPerSecond": "1", "MarketingLanguage": "en"}, DECLARED) == []


def test_minutes_of_rollback_are_a_setting_of_the_stage_and_no_parameter(
    stages: Path,
) -> None:
    stages.write_text(
        "[defaults]\nrollback_minutes = 5\n[prod]\nrollback_minutes = 180\n[staging]\n"
    )
    assert (stage_rollback_minutes("prod"), stage_rollback_minutes("staging")) == (180, 5)
    assert "rollback_minutes" not in stage_parameters("prod")
    stages.write_text("[prod]\n")
    assert stage_rollback_minutes("prod") == 0


@pytest.mark.parametrize("wrong", ["181", "-1", '"5"', "true", "2.5"])
def test_wrong_minutes_of_rollback_are_told(stages: Path, wrong: str) -> None:
    stages.write_text(f"[prod]\nrollback_minutes = {wrong}\n")
    with pytest.raises(StagesError, match=r"rollback_minutes = .* no whole number from 0 to 180"):
        stage_rollback_minutes("prod")
