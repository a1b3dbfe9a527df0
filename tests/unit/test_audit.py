"""The audit of what ships: a finding fails, and an audit that asked nobody says so."""

import json
from typing import Any

import pytest

from infra import audit
from infra.audit import Audit, read, verdict


def _told(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


SOUND: dict[str, Any] = {"name": "orjson", "version": "3.11.4", "vulns": []}
BAD: dict[str, Any] = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"], "aliases": []}],
}
SKIPPED = {"name": "six", "skip_reason": "Dependency not found on PyPI"}


def test_a_known_vulnerability_is_named_with_what_mends_it() -> None:
    status, text = verdict([read(_told(SOUND, BAD), "")])
    assert status == 1
    assert text.endswith("\n  jinja2 2.4.1: PYSEC-2019-217, mended in 2.10.1")


def test_what_one_service_has_found_counts_although_it_did_not_know_all() -> None:
    assert verdict([read(_told(BAD, SKIPPED), ""), read("", "no route")])[0] == 1


def test_nothing_is_known_against_packages_that_were_all_looked_up() -> None:
    expected = (0, "1 packages looked up: nothing is known against them.")
    assert verdict([read(_told(SOUND), "")]) == expected
    assert verdict([read(_told(SKIPPED), ""), read(_told(SOUND), "")]) == expected


def test_an_audit_that_asked_nobody_is_none() -> None:
    """pip-audit itself ends well where it had to skip every package."""
    status, text = verdict([read(_told(SKIPPED, SKIPPED), ""), read("", "x\nno route to osv.dev")])
    assert status == 3
    assert text == (
        "NOT AUDITED: nobody could be asked about what ships.\n"
        "  pypi: 2 of 2 unanswered\n  osv: no route to osv.dev"
    )
    assert verdict([read(_told(), "")])[0] == 3


@pytest.mark.parametrize(("arguments", "expected"), [([], 3), (["--if-reachable"], 0)])
def test_to_be_offline_fails_the_audit_and_not_the_check(
    arguments: list[str],
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(audit, "ask", lambda _: Audit(failure="no route"))
    assert audit.main(arguments) == expected
    assert capsys.readouterr().err.startswith("NOT AUDITED")


def test_a_finding_fails_the_check_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ask", lambda _: read(_told(BAD), ""))
    assert audit.main(["--if-reachable"]) == 1
