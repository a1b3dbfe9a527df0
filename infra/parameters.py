"""What a stage is deployed with: read from infra/stages.toml, held against the template.

The file is the one place for it; the variable `STORE_USERS_STAGES` names another one. A section
holds the parameters of infra/resources.yaml by their names, over those of `[defaults]`; its table
`tags` what all resources are tagged with, and `architecture` is that of the functions.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.api.auth import PERMISSIONS
from infra.package import ARCHITECTURES, ROOT

Declared = Mapping[str, Mapping[str, Any]]
"""The `Parameters` of a template."""

_WEEKLY = "lead_export_at"
_WEEKLY_FORM = re.compile(r"(MON|TUE|WED|THU|FRI|SAT|SUN) ([01]\d|2[0-3]):([0-5]\d)")
_TAGS = "tags"
_ROLLBACK = "rollback_minutes"
_MOST_ROLLBACK_MINUTES = 180
_ARCHITECTURE, _USUAL_ARCHITECTURE = "architecture", "arm64"


class StagesError(Exception):
    """The file cannot be used for the stage; the message says why."""


class NoSectionError(StagesError):
    """The file does not name the stage."""


def stages_file() -> Path:
    """Where the stages are written down."""
    return Path(os.environ.get("STORE_USERS_STAGES") or ROOT / "infra" / "stages.toml")


def stage_parameters(stage: str) -> dict[str, str]:
    """The parameters that the file gives the stage, over its defaults.

    Raises `StagesError` where it does not name the stage, or what it says cannot be read.
    """
    chosen = _chosen(stage)
    chosen.pop(_TAGS)
    chosen.pop(_ROLLBACK, None)
    chosen.pop(_ARCHITECTURE, None)
    weekly = chosen.pop(_WEEKLY, None)
    parameters = {name: _text(name, value) for name, value in chosen.items()}
    try:
        ZoneInfo(parameters.get("TimeZone") or "UTC")
        if weekly is not None:
            parameters = {"LeadExportSchedule": _cron(str(weekly)), **parameters}
    except (ValueError, KeyError, OSError) as error:
        # An unknown zone is a KeyError with the sentence in it.
        message = f"{stages_file().name} [{stage}]: {error.args[0]}"
        raise StagesError(message) from error
    return parameters


def stage_tags(stage: str) -> dict[str, str]:
    """What the stage's resources are tagged with. Raises `StagesError`."""
    given = {name: _text(name, value) for name, value in _chosen(stage)[_TAGS].items()}
    return {**given, "application": "store-users", "stage": stage}


def stage_rollback_minutes(stage: str) -> int:
    """Return how long after an update an alarm still rolls it back. Raises `StagesError`."""
    minutes = _chosen(stage).get(_ROLLBACK, 0)
    if type(minutes) is int and 0 <= minutes <= _MOST_ROLLBACK_MINUTES:
        return minutes
    message = f"{stages_file().name}: {_ROLLBACK} = {minutes!r} is no whole number from 0 to 180"
    raise StagesError(message)


def stage_architecture(stage: str) -> str:
    """The architecture of the stage's functions. Raises `StagesError`."""
    given = _chosen(stage).get(_ARCHITECTURE, _USUAL_ARCHITECTURE)
    if given not in ARCHITECTURES:
        allowed = ", ".join(ARCHITECTURES)
        message = (
            f"{stages_file().name} [{stage}]: {_ARCHITECTURE} = {given!r} is none of {allowed}"
        )
        raise StagesError(message)
    return str(given)


def misfits(parameters: Mapping[str, str], declared: Declared) -> list[str]:
    """What the template would not take, a sentence each."""
    found: list[str] = []
    for name, value in parameters.items():
        is_known = name in declared
        found += _misfits(name, value, declared[name]) if is_known else _unknown(name, declared)
    return found


def _chosen(stage: str) -> dict[str, Any]:
    try:
        stages: dict[str, dict[str, Any]] = tomllib.loads(stages_file().read_text())
    except OSError as error:
        message = f"{stages_file()} cannot be read: {error.strerror}"
        raise StagesError(message) from error
    except tomllib.TOMLDecodeError as error:
        message = f"{stages_file().name} is not TOML: {error}"
        raise StagesError(message) from error
    if stage not in stages:
        message = f"{stages_file().name} has no section [{stage}]"
        raise NoSectionError(message)
    defaults, own = stages.get("defaults", {}), stages[stage]
    return {**defaults, **own, _TAGS: {**defaults.get(_TAGS, {}), **own.get(_TAGS, {})}}


def _cron(weekly: str) -> str:
    """The expression of EventBridge Scheduler for `weekly` ("MON 06:00"), in the same zone.

    Raises `ValueError` where `weekly` is no weekday and time.
    """
    match = _WEEKLY_FORM.fullmatch(weekly)
    if match is None:
        message = f"{weekly!r} is not a weekday and a time, such as MON 06:00"
        raise ValueError(message)
    day, hour, minute = match.groups()
    return f"cron({int(minute)} {int(hour)} ? * {day} *)"


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    message = f"{stages_file().name}: {name} is neither a text nor a number"
    raise StagesError(message)


def _unknown(name: str, declared: Declared) -> Iterator[str]:
    near = difflib.get_close_matches(name, declared, n=1)
    hint = f"; is {near[0]} meant?" if near else ""
    yield f"{name} is no parameter of infra/resources.yaml{hint}"


def _misfits(name: str, value: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    """What CloudFormation would refuse, each with what it would take."""
    allowed = [str(one) for one in parameter.get("AllowedValues", ())]
    if allowed and value not in allowed:
        yield f"{name} = {value!r} is none of {', '.join(allowed)}"
    pattern = parameter.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        said = parameter.get("ConstraintDescription", f"does not match {pattern}")
        yield f"{name} = {value!r} {said}"
    if parameter["Type"] == "Number":
        yield from _misnumbers(name, value, parameter)
    if name == "GroupRoles":
        yield from _misroles(value)


def _misroles(value: str) -> Iterator[str]:
    """The functions take no notice of a role that they do not know: nobody would have it."""
    try:
        roles = {str(role) for role in json.loads(value).values()}
    except (ValueError, AttributeError):
        yield 'GroupRoles is not a JSON object, such as {"admins": "admin"}'
        return
    known = sorted(PERMISSIONS.keys() - {"gateway"})
    if unknown := sorted(roles - {*known}):
        yield f"GroupRoles names {', '.join(unknown)}: people can be {', '.join(known)}"


def _misnumbers(name: str, value: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"-?\d+", value):
        yield f"{name} = {value!r} is not a whole number"
        return
    low, high = parameter.get("MinValue"), parameter.get("MaxValue")
    if low is not None and int(value) < low:
        yield f"{name} = {value} is less than {low}"
    if high is not None and int(value) > high:
        yield f"{name} = {value} is more than {high}"
