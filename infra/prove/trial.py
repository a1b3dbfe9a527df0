"""The stage on which the proof is made, and what a step of the proof is."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra.emulator import EmulatorError
from infra.package import ROOT
from infra.target import DeployError, Target, stack_outputs

OK, FAILED, SKIPPED = "ok", "failed", "skipped"


class FailedError(Exception):
    """A step of the proof failed; the message says what was seen."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A stage that is there for the proof alone; `folder` holds what commands and tests read."""

    target: Target
    folder: Path

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        return stack_outputs(self.target)

    @property
    def is_on_aws(self) -> bool:
        """True if CloudFormation is asked at AWS, False at an emulator."""
        address = self.target.client("cloudformation").meta.endpoint_url
        return f".{urlsplit(address).hostname}".endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def run(self, *arguments: str, typed: str = "") -> list[str]:
        """Run one of our commands, show and return its lines. Raises `FailedError`."""
        folder = str(self.folder)
        environment = os.environ | {"STORE_USERS_LOCAL": folder, "STORE_USERS_DEPLOYED": folder}
        with subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            # Both are there: they are pipes.
            process.stdin.write(typed)  # type: ignore[union-attr]
            process.stdin.close()  # type: ignore[union-attr]
            lines = []
            for line in process.stdout:  # type: ignore[union-attr]
                lines.append(line.rstrip())
                sys.stdout.write(f"      {line}")
                sys.stdout.flush()
        if process.returncode:
            last = lines[-1] if lines else "without a word"
            message = f"{' '.join(arguments)} ended with {process.returncode}: {last}"
            raise FailedError(message)
        return lines


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the proof. `act` returns what was seen, and raises where it is not as it must be.

    `only_on_aws`: why the step shows nothing on an emulator, where it is left out; else empty.
    """

    name: str
    act: Callable[[Trial], str]
    only_on_aws: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a step, with what was seen, or why it failed or was skipped."""

    name: str
    state: str
    seconds: int
    seen: str


def take(step: Step, trial: Trial) -> Result:
    """Take a step. One that has seen nothing has failed."""
    if step.only_on_aws and not trial.is_on_aws:
        return Result(step.name, SKIPPED, 0, step.only_on_aws)
    begun = time.monotonic()
    try:
        seen = step.act(trial)
    except (BotoCoreError, ClientError, WaiterError, DeployError, EmulatorError) as error:
        state, seen = FAILED, f"{type(error).__name__} {error}"
    except (FailedError, OSError, KeyError, ValueError) as error:
        state, seen = FAILED, f"{type(error).__name__} {error}"
    else:
        state = OK if seen else FAILED
    return Result(step.name, state, round(time.monotonic() - begun), seen or "nothing was seen")


def walk(
    steps: Sequence[Step], last: Step, trial: Trial, report: Callable[[Result], None]
) -> list[Result]:
    """Take the steps until one fails; then, in any case, the last, which removes the stage."""
    results: list[Result] = []

    def go(step: Step) -> Result:
        results.append(take(step, trial))
        report(results[-1])
        return results[-1]

    try:
        for step in steps:
            if go(step).state == FAILED:
                break
    finally:
        go(last)
    return results
