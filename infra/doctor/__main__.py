"""Look whether a stage is well: `make doctor STAGE=prod`, the local stack without STAGE.

It reads, and changes nothing. Each line is one thing looked at; where it is not well, what to do
follows.

Exit status: 0 all is well, 1 something is not, 2 it could not be looked at all.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import StoreUsersError
from infra import stage as stages
from infra.doctor import auditing, deployment, running, signing_in, telling
from infra.doctor.finding import Finding, Look
from infra.package import PackageError

WELL, ILL, UNKNOWN = 0, 1, 2

_LOOKS: Sequence[Look] = (
    deployment.configuration,
    deployment.tables,
    deployment.bucket,
    running.health,
    signing_in.sign_in,
    running.sources,
    running.letters,
    running.schedule,
    telling.subscriptions,
    running.derived,
    auditing.chains,
    deployment.template,
)


def examine(stage: stages.Stage) -> Iterator[Finding]:
    """Everything there is to look at; what cannot be looked at is not well."""
    for look in _LOOKS:
        try:
            yield from look(stage)
        except (BotoCoreError, ClientError, StoreUsersError, PackageError, KeyError) as error:
            seen = f"cannot be looked at: {type(error).__name__} {error}"
            yield Finding(look.__name__, is_well=False, seen=seen, remedy="may you read it?")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    try:
        stage = stages.find(parser.parse_args(arguments).stage)
        stage.enter()
    except (stages.StageError, BotoCoreError, ClientError, KeyError) as error:
        sys.stderr.write(f"It cannot be looked at: {error}\n")
        return UNKNOWN
    ill = 0
    for finding in examine(stage):
        ill += not finding.is_well
        _tell(finding)
    verdict = f"{ill} thing{'' if ill == 1 else 's'} to see to" if ill else "OK"
    sys.stdout.write(f"{stage.target.stack}: {verdict}\n")
    return ILL if ill else WELL


def _tell(finding: Finding) -> None:
    mark = "ok " if finding.is_well else "ILL"
    sys.stdout.write(f"{mark}  {finding.about}: {finding.seen}\n")
    if not finding.is_well and finding.remedy:
        sys.stdout.write(f"     → {finding.remedy}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
