"""Configuration: every environment variable that the project reads, typed and range-checked."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, Self, TypeAlias, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

AddressingStyle: TypeAlias = Literal["virtual", "path"]


_REMEDY = "A deployment sets it from infra/resources.yaml; to run the code here: make dev"


class SettingsError(ValueError):
    """A variable is missing or does not fit; the message names it, and says what to do.

    `loggable` is the message without the value.
    """

    def __init__(self, variable: str, fault: str, detail: str = "") -> None:
        """Name the variable and its fault; `detail` may hold its value."""
        self.loggable = f"The environment variable {variable} {fault}. {_REMEDY}"
        super().__init__(f"The environment variable {variable} {fault}{detail}. {_REMEDY}")


def _text(value: str) -> str:
    if not value:
        message = "is empty"
        raise ValueError(message)
    return value


def _optional(value: str) -> str:
    return value


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            message = f"is not between {low} and {high}"
            raise ValueError(message)
        return number

    return parse


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())
    for origin in origins:
        parts = urlsplit(origin)
        local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1"}
        if not (local or (parts.scheme == "https" and parts.hostname)) or parts.path:
            message = f"names {origin!r}: an origin is https://host or one of this machine"
            raise ValueError(message)
    return origins


def _ids(value: str) -> frozenset[str]:
    return frozenset(one.strip() for one in value.split(",") if one.strip())


def _group_roles(value: str) -> Mapping[str, str]:
    roles = json.loads(value)
    if not isinstance(roles, dict) or not all(isinstance(role, str) for role in roles.values()):
        message = 'is not a JSON object of group names and roles, such as {"admins": "admin"}'
        raise ValueError(message)
    return roles


def _zone(value: str) -> ZoneInfo:
    return ZoneInfo(value)


def _language(value: str) -> str:
    if value not in {"es", "en"}:
        message = "is neither es nor en"
        raise ValueError(message)
    return value


def _addressing_style(value: str) -> AddressingStyle:
    if value not in {"virtual", "path"}:
        message = "is neither virtual nor path"
        raise ValueError(message)
    return cast("AddressingStyle", value)


def _variable(name: str, parse: Callable[[str], Any], default: str | None = None) -> Any:
    return field(metadata={"name": name, "parse": parse, "default": default})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs between deployments. Read it with `settings()`."""

    stage: str = _variable("STAGE", _text)
    region: str = _variable("AWS_REGION", _text)
    users_table: str = _variable("USERS_TABLE", _text)
    ecosystems_table: str = _variable("ECOSYSTEMS_TABLE", _text)
    search_table: str = _variable("SEARCH_TABLE", _text)
    totals_table: str = _variable("TOTALS_TABLE", _text)
    audit_table: str = _variable("AUDIT_TABLE", _text)
    exports_table: str = _variable("EXPORTS_TABLE", _text)
    exports_bucket: str = _variable("EXPORTS_BUCKET", _text)
    s3_addressing_style: AddressingStyle = _variable(  # noqa: RUF009 - as all the others
        "S3_ADDRESSING_STYLE", _addressing_style, "virtual"
    )
    exports_queue_url: str = _variable("EXPORTS_QUEUE_URL", _text)
    projection_dead_letters_url: str = _variable("PROJECTION_DEAD_LETTERS_URL", _text)
    marketing_topic_arn: str = _variable("MARKETING_TOPIC_ARN", _text)
    alarm_topic_arn: str = _variable("ALARM_TOPIC_ARN", _text)
    signing_secret_id: str = _variable("SIGNING_SECRET_ID", _text)
    token_issuer: str = _variable("TOKEN_ISSUER", _text)
    token_keys_url: str = _variable("TOKEN_KEYS_URL", _text)
    token_audience: str = _variable("TOKEN_AUDIENCE", _optional, "")
    page_client_id: str = _variable("PAGE_CLIENT_ID", _optional, "")
    trusted_client_ids: frozenset[str] = _variable("TRUSTED_CLIENT_IDS", _ids, "")
    gateway_client_id: str = _variable("GATEWAY_CLIENT_ID", _optional, "")
    gateway_scope: str = _variable("GATEWAY_SCOPE", _text)
    client_claim: str = _variable("CLIENT_CLAIM", _text, "client_id")
    groups_claim: str = _variable("GROUPS_CLAIM", _text, "cognito:groups")
    name_claim: str = _variable("NAME_CLAIM", _text, "username")
    group_roles: Mapping[str, str] = _variable("GROUP_ROLES", _group_roles)
    sign_in_url: str = _variable("SIGN_IN_URL", _optional, "")
    session_hours: int = _variable("SESSION_HOURS", _between(1, 720), "12")
    public_url: str = _variable("PUBLIC_URL", _optional, "")
    cors_origins: tuple[str, ...] = _variable("CORS_ORIGINS", _origins, "")
    time_zone: ZoneInfo = _variable(  # noqa: RUF009 - as all the others
        "TIME_ZONE", _zone, "America/Bogota"
    )
    marketing_language: str = _variable("MARKETING_LANGUAGE", _language, "es")
    export_retention_days: int = _variable("EXPORT_RETENTION_DAYS", _between(1, 30), "7")
    export_history_days: int = _variable("EXPORT_HISTORY_DAYS", _between(1, 3650), "30")
    max_running_exports: int = _variable("MAX_RUNNING_EXPORTS", _between(1, 100), "3")
    export_lease_seconds: int = _variable("EXPORT_LEASE_SECONDS", _between(2, 90), "60")
    person_units_per_minute: int = _variable(
        "PERSON_UNITS_PER_MINUTE", _between(500, 1_000_000), "6000"
    )
    person_rows_per_minute: int = _variable(
        "PERSON_ROWS_PER_MINUTE", _between(500, 1_000_000), "10000"
    )
    unusual_rows_per_hour: int = _variable(
        "UNUSUAL_ROWS_PER_HOUR", _between(500, 100_000_000), "100000"
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings that `environ` holds.

        Raises `SettingsError`, naming the variable, where one is missing or does not fit.
        """
        return cls(**{spec.name: _read(environ, **spec.metadata) for spec in fields(cls)})

    @classmethod
    def variables(cls) -> dict[str, str | None]:
        """The name of each variable and its default; None where it must be set."""
        return {spec.metadata["name"]: spec.metadata["default"] for spec in fields(cls)}


def _read(
    environ: Mapping[str, str], name: str, parse: Callable[[str], Any], default: str | None
) -> Any:
    value = environ.get(name, default)
    if value is None:
        raise SettingsError(name, "is not set")
    try:
        return parse(value)
    except (ValueError, OSError, KeyError) as error:
        raise SettingsError(name, "is wrong", f": {error}") from error


@cache
def settings() -> Settings:
    """The settings of this process, read on first use: importing must not need them."""
    return Settings.from_env(os.environ)


def origin(url: str) -> str:
    """Scheme and host of an address: what a browser compares, and a content policy names."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
