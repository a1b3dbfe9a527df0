"""Remove a stage with all that it holds: `make destroy STAGE=staging`.

It asks first. What is protected against deletion is refused, and so is production while any of its
tables holds anything: restoring from backups is the only way back from here.

What is left of a stage is found by its name and region, whether the stack is still there or not: so
it can be begun again wherever it stopped, also after a first deployment that failed.

Exit status: 0 it is gone, 1 it stays, 2 it could not be done.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.remains import RefusedError, Remains, check, destroy, find
from infra.target import DeployError, Target


def _is_confirmed(target: Target, remains: Remains, filled: Mapping[str, bool]) -> bool:
    lines = [f"{name}{'' if has_items else ' (empty)'}" for name, has_items in filled.items()]
    lines += [*remains.buckets, *(f"user pool {pool}" for pool in remains.pools)]
    lines += [f"stack {target.stack}"] if remains.status else []
    sys.stdout.write(
        f"This removes the stage {target.stage} in {target.region} for good:\n  "
        + "\n  ".join(lines)
        + f"\nType {target.stage} to go on: "
    )
    sys.stdout.flush()
    return sys.stdin.readline().strip() == target.stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.destroy", description=__doc__)
    parser.add_argument("--stage", required=True)
    stage = parser.parse_args(arguments).stage
    region = boto3.Session().region_name
    if not region:
        sys.stderr.write("Say which region: export AWS_DEFAULT_REGION=us-east-1\n")
        return 2
    target = Target(stage, region)
    try:
        remains = find(target)
        if not remains:
            sys.stderr.write(f"There is nothing of {target.stack} in {region}\n")
            return 2
        if not _is_confirmed(target, remains, check(target, remains)):
            sys.stdout.write("Nothing was removed.\n")
            return 1
        destroy(target, remains)
    except RefusedError as error:
        sys.stderr.write(f"Refused: {error}\n")
        return 1
    except (DeployError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It stopped: {error}\n")
        return 2
    sys.stdout.write(f"The stage {stage} is gone.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
