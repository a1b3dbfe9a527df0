"""Configuration: every variable is typed and checked, and an error names the one that is wrong."""

from zoneinfo import ZoneInfo

import pytest

from chalicelib import log
from chalicelib.settings import Settings, SettingsError, settings
from tests.conftest import ENVIRONMENT

REQUIRED = [
    "STAGE",
    "AWS_REGION",
    "USERS_TABLE",
    "ECOSYSTEMS_TABLE",
    "SEARCH_TABLE",
    "TOTALS_TABLE",
    "AUDIT_TABLE",
    "EXPORTS_TABLE",
    "EXPORTS_BUCKET",
    "EXPORTS_QUEUE_URL",
    "PROJECTION_DEAD_LETTERS_URL",
    "MARKETING_TOPIC_ARN",
    "ALARM_TOPIC_ARN",
    "SIGNING_SECRET_ID",
    "TOKEN_ISSUER",
    "TOKEN_KEYS_URL",
    "GATEWAY_SCOPE",
    "GROUP_ROLES",
]
DEFAULTS = {
    "TOKEN_AUDIENCE": "",
    "PAGE_CLIENT_ID": "",
    "TRUSTED_CLIENT_IDS": "",
    "GATEWAY_CLIENT_ID": "",
    "CLIENT_CLAIM": "client_id",
    "GROUPS_CLAIM": "cognito:groups",
    "NAME_CLAIM": "username",
    "SIGN_IN_URL": "",
    "SESSION_HOURS": "12",
    "PUBLIC_URL": "",
    "CORS_ORIGINS": "",
    "TIME_ZONE": "America/Bogota",
    "MARKETING_LANGUAGE": "es",
    "S3_ADDRESSING_STYLE": "virtual",
    "EXPORT_RETENTION_DAYS": "7",
    "EXPORT_HISTORY_DAYS": "30",
    "MAX_RUNNING_EXPORTS": "3",
    "EXPORT_LEASE_SECONDS": "60",
    "PERSON_UNITS_PER_MINUTE": "6000",
    "PERSON_ROWS_PER_MINUTE": "10000",
    "UNUSUAL_ROWS_PER_HOUR": "100000",
}


def _from(**changes: str) -> Settings:
    return Settings.from_env({**ENVIRONMENT, **changes})


def test_these_variables_are_read_and_no_others() -> None:
    assert Settings.variables() == dict.fromkeys(REQUIRED) | DEFAULTS


@pytest.mark.parametrize("name", REQUIRED)
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    rest = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(
        SettingsError, match=rf"^The environment variable {name} is not set\. A deployment sets it"
    ):
        Settings.from_env(rest)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_variable_that_is_empty_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"^The environment variable {name} is wrong: "):
        _from(**{name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GROUP_ROLES", "admin"),
        ("GROUP_ROLES", '["admin"]'),
        ("GROUP_ROLES", '{"admins":["admin"]}'),
        ("GROUP_ROLES", '{"admins":null}'),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://office.example,http://office.example"),
        ("CORS_ORIGINS", "office.example"),
        ("CORS_ORIGINS", "null"),
        ("TIME_ZONE", ""),
        ("TIME_ZONE", "Bogota"),
        ("TIME_ZONE", "America/Macondo"),
        ("TIME_ZONE", "../etc/passwd"),
        ("MARKETING_LANGUAGE", ""),
        ("MARKETING_LANGUAGE", "fr"),
        ("S3_ADDRESSING_STYLE", "flat"),
        ("EXPORT_RETENTION_DAYS", "0"),
        ("EXPORT_RETENTION_DAYS", "31"),
        ("EXPORT_RETENTION_DAYS", "a week"),
        ("EXPORT_RETENTION_DAYS", "7.5"),
        ("EXPORT_RETENTION_DAYS", ""),
        ("EXPORT_HISTORY_DAYS", "0"),
        ("EXPORT_HISTORY_DAYS", "3651"),
        ("MAX_RUNNING_EXPORTS", "0"),
        ("EXPORT_LEASE_SECONDS", "1"),
        ("EXPORT_LEASE_SECONDS", "91"),
        ("MAX_RUNNING_EXPORTS", "101"),
        ("MAX_RUNNING_EXPORTS", "-1"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_its_variable_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^The environment variable {name} is wrong: "):
        _from(**{name: value})


def test_what_is_not_set_has_its_default() -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name not in DEFAULTS}
    read = Settings.from_env(environment)
    assert (read.sign_in_url, read.public_url, read.cors_origins) == ("", "", ())
    assert (read.time_zone, read.marketing_language) == (ZoneInfo("America/Bogota"), "es")
    assert (read.export_retention_days, read.max_running_exports) == (7, 3)


def test_every_value_has_the_type_that_it_is_used_as() -> None:
    read = _from(
        CORS_ORIGINS="https://office.example/, http://localhost:8000,",
        TIME_ZONE="Europe/Madrid",
        MARKETING_LANGUAGE="en",
        EXPORT_RETENTION_DAYS="30",
        MAX_RUNNING_EXPORTS="100",
        SIGN_IN_URL="https://sign-in.example",
    )
    assert read.cors_origins == ("https://office.example", "http://localhost:8000")
    assert read.time_zone == ZoneInfo("Europe/Madrid")
    assert (read.marketing_language, read.sign_in_url) == ("en", "https://sign-in.example")
    assert (read.export_retention_days, read.max_running_exports) == (30, 100)
    assert read.group_roles == {
        "viewer": "viewer",
        "support": "support",
        "marketing": "marketing",
        "admin": "admin",
    }


def test_an_origin_of_another_host_that_begins_like_this_machine_needs_https() -> None:
    with pytest.raises(SettingsError, match=r"CORS_ORIGINS"):
        _from(CORS_ORIGINS="http://localhost.evil.example")


@pytest.mark.usefixtures("cloud")
def test_the_environment_is_read_once_and_on_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    monkeypatch.setenv("STAGE", "first")
    assert settings().stage == "first"
    monkeypatch.setenv("STAGE", "second")
    assert settings().stage == "first"


def test_the_log_names_the_variable_and_not_its_value() -> None:
    with pytest.raises(SettingsError) as caught:
        _from(MARKETING_LANGUAGE="zoraida")
    told = log.failure(caught.value)
    assert told["error"][0] == "SettingsError"
    assert told["message"].startswith("The environment variable MARKETING_LANGUAGE is wrong. ")
    assert told["message"].endswith("to run the code here: make dev")
    assert "message" not in log.failure(ValueError("zoraida"))
