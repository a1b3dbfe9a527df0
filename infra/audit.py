"""Look what ships up among known vulnerabilities: `make audit`, and a part of `make check`.

pip-audit asks the package index about each pinned version, or OSV where the index does not know.
Where neither answers for all of them nothing is known, and that is said: an audit that asked
nobody is none.

Exit status: 0 nothing is known against them, 1 something is, 3 they could not be looked up.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.package import ROOT

SOUND, VULNERABLE, UNKNOWN = 0, 1, 3

_SERVICES = ("pypi", "osv")
_REQUIREMENTS = "requirements.txt"
_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Audit:
    """What one service told: of how many packages, of how many nothing, and what is against them.

    `failure` is set where it could not be asked at all.
    """

    asked: int = 0
    unanswered: int = 0
    found: tuple[str, ...] = ()
    failure: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether there was an answer for every package."""
        return self.asked > 0 and not self.unanswered and not self.failure


def read(told: str, complaint: str) -> Audit:
    """The audit that pip-audit's JSON tells of, or its complaint where there is none."""
    try:
        packages: list[Any] = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = complaint.strip().splitlines()[-1:] or ["it said nothing"]
        return Audit(failure=last[0][:300])
    found = [
        f"{one['name']} {one['version']}: {fault['id']}"
        + (f", mended in {', '.join(fault['fix_versions'])}" if fault.get("fix_versions") else "")
        for one in packages
        for fault in one.get("vulns", ())
    ]
    unanswered = sum("skip_reason" in one for one in packages)
    return Audit(len(packages), unanswered, tuple(found))


def ask(service: str) -> Audit:
    """Ask one service."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", _REQUIREMENTS),
        *("--disable-pip", "--require-hashes", "--format", "json"),
        *("--vulnerability-service", service, "--progress-spinner", "off"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Audit(failure=f"no answer within {_SECONDS} s")
    return read(done.stdout, done.stderr)


def verdict(audits: Sequence[Audit]) -> tuple[int, str]:
    """The exit status, and what to tell: what one service has found counts, whatever others say."""
    found = sorted({fault for audit in audits for fault in audit.found})
    if found:
        return VULNERABLE, "Known vulnerabilities in what ships:\n  " + "\n  ".join(found)
    whole = [audit for audit in audits if audit.is_whole]
    if whole:
        return SOUND, f"{whole[0].asked} packages looked up: nothing is known against them."
    reasons = "\n".join(
        f"  {service}: {audit.failure or f'{audit.unanswered} of {audit.asked} unanswered'}"
        for service, audit in zip(_SERVICES, audits, strict=False)
    )
    return UNKNOWN, f"NOT AUDITED: nobody could be asked about what ships.\n{reasons}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask one service after the other until one has answered for all; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--if-reachable", action="store_true", help="to be able to ask nobody is no failure"
    )
    tolerant: bool = parser.parse_args(arguments).if_reachable
    audits: list[Audit] = []
    for service in _SERVICES:
        audits.append(ask(service))
        if audits[-1].is_whole:
            break
    status, text = verdict(audits)
    (sys.stderr if status else sys.stdout).write(f"{text}\n")
    return SOUND if tolerant and status == UNKNOWN else status


if __name__ == "__main__":
    sys.exit(main())
