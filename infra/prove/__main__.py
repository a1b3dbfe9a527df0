"""Prove on AWS that the system works: `make prove STAGE=trial`.

It deploys a stage that is not there yet, examines it, runs the end-to-end tests that can run on it,
signs a person in on the hosted page, lets an update fail, restores a table, and removes the stage,
also where a step fails. If all went well on AWS, it writes docs/proved-on-aws.md.

Exit status: 0 proved, and the page is written; 1 a step failed; 2 it could not begin; 3 all went
well that could be tried here, but that proves nothing of AWS: no page.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.package import ROOT
from infra.parameters import StagesError, stage_parameters
from infra.prove.page import PAGE, Run, obstacles, write
from infra.prove.steps import LAST, STEPS
from infra.prove.trial import FAILED, Result, Trial, walk
from infra.remains import find
from infra.target import Target, endpoint_of_environment

PROVED, NOT_PROVED, NOT_BEGUN, REHEARSED = 0, 1, 2, 3

_NEEDED = {
    "DeletionProtection": "false",
    "PasswordSignIn": "true",
    **dict.fromkeys(("AlarmEmail", "MarketingEmail", "TokenIssuer"), ""),
}
"""Else the stage could not be removed, a person would have to confirm mail while the doctor waits,
and the tests could not sign in."""


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        ["git", *arguments],  # noqa: S607 - whichever the person uses
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _run_of(trial: Trial) -> Run:
    try:
        commit, is_clean = _git("rev-parse", "HEAD"), not _git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        commit, is_clean = "", False
    day, target = f"{datetime.now(UTC):%Y-%m-%d}", trial.target
    return Run(day, commit, is_clean, target.region, target.stage, trial.is_on_aws)


def unfit_settings(stage: str) -> Iterator[str]:
    """Settings of the stage with which the walk would fail, a sentence each."""
    given = stage_parameters(stage)
    for name, value in _NEEDED.items():
        if given.get(name, "") != value:
            yield f'the stage {stage} needs {name} = "{value}"'


def _refusals(trial: Trial, run: Run) -> Iterator[str]:
    """Why it cannot begin."""
    yield from unfit_settings(run.stage)
    if find(trial.target):
        yield f"there is something of {trial.target.stack} already, and it would be removed"
    if run.is_on_aws and not (run.commit and run.is_clean):
        yield "the page names a commit: commit what has changed"


def _report(result: Result) -> None:
    sys.stdout.write(f"{result.state:<7} {result.name} ({result.seconds} s): {result.seen}\n")
    sys.stdout.flush()


def conclude(run: Run, results: Sequence[Result], page: Path = PAGE) -> int:
    """Write the page, or say why there is none; return the exit status."""
    if reasons := list(obstacles(run, results)):
        sys.stdout.write("Nothing is written:\n" + "".join(f"  {one}\n" for one in reasons))
        return NOT_PROVED if any(one.state == FAILED for one in results) else REHEARSED
    write(run, results, page)
    sys.stdout.write(f"{page} is written. Commit it, and take the sentence out of README.md that\n")
    sys.stdout.write("says that this was never deployed to AWS.\n")
    return PROVED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.prove",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stage", required=True)
    stage = parser.parse_args(arguments).stage
    if not (region := boto3.Session().region_name):
        sys.stderr.write("Say which region: export AWS_DEFAULT_REGION=us-east-1\n")
        return NOT_BEGUN
    with tempfile.TemporaryDirectory(prefix="store-users-") as folder:
        trial = Trial(Target(stage, region, endpoint_of_environment()), Path(folder))
        run = _run_of(trial)
        try:
            reasons = list(_refusals(trial, run))
        except (StagesError, BotoCoreError, ClientError) as error:
            reasons = [str(error)]
        if reasons:
            sys.stderr.write(f"It is not begun: {'; '.join(reasons)}\n")
            return NOT_BEGUN
        return conclude(run, walk(STEPS, LAST, trial, _report))


if __name__ == "__main__":
    sys.exit(main())
