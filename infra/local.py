"""The whole system on this machine: `make run`, `make stop`, `make token`.

Starts the emulator, deploys the real template to it, puts demo people and demo data in, and says
where it all is, for people on standard output and for programs in `.local/stack.json`.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from infra import emulator, package, stack_file
from infra.demo import demo_users
from infra.demo_store import add_missing
from infra.deploy import deploy
from infra.local_check import check
from infra.parameters import StagesError, stage_parameters, stage_tags
from infra.people import add_people, gateway_token, person_token
from infra.stack_file import STACK_FILE
from infra.target import DeployError, Target
from infra.welcome import welcome

_PEOPLE_FILE = emulator.FOLDER / "people.json"
_REGION = "us-east-1"


def run(port: int, demo_count: int, *, detach: bool, reset: bool) -> int:
    """Bring the stack up; stay until Ctrl-C unless detached. The exit status."""
    emulator.FOLDER.mkdir(exist_ok=True)
    with emulator.lock() as is_ours:
        if not is_ours:
            _say("Another `make run` is just starting here. Wait for it, or end it: make stop")
            return 1
        if emulator.running() and not reset and emulator.port() != port:
            _say(f"It already runs, on port {emulator.port()}. End it first: make stop")
            return 1
        status = _start(port, demo_count, reset=reset)
    return status if status or detach else _stay()


def _start(port: int, demo_count: int, *, reset: bool) -> int:
    if reset:
        with contextlib.suppress(emulator.EmulatorError):
            stop()
        emulator.remove_state()
    try:
        _bring_up(port, demo_count)
    except (emulator.EmulatorError, package.PackageError, StagesError, DeployError) as error:
        _say(f"\n{error}")
    except (BotoCoreError, ClientError) as error:
        _say(f"\n{error}\nSee {emulator.log_path()}")
    except BaseException as error:
        _end()
        if isinstance(error, KeyboardInterrupt):
            return 130
        raise
    else:
        return 0
    _end()
    return 1


def _end() -> bool:
    """End everything; True if all data was kept, else say what was not."""
    try:
        stop()
    except emulator.EmulatorError as error:
        _say(f"\n{error}")
        return False
    return True


def stop() -> bool:
    """End everything that `run` started; True if there was something.

    The data stays for the next run. Raises `EmulatorError` if not all of it could be kept.
    """
    STACK_FILE.unlink(missing_ok=True)
    return emulator.stop()


def token(role: str) -> str:
    """An access token for the role. Raises `LookupError` where there is none such."""
    stack = stack_file.read()
    target = stack_file.enter(stack)
    if role == "gateway":
        return gateway_token(target, stack["user_pool_id"], stack["gateway_client_id"])
    for person in stack["people"]:
        if person["roles"] == ([role] if role != "none" else []):
            return person_token(target, stack["client_id"], person)
    known = sorted({name for person in stack["people"] for name in person["roles"]})
    message = f"There is no role {role}; there are {', '.join(known)}, gateway and none"
    raise LookupError(message)


def _bring_up(port: int, demo_count: int) -> None:
    started = time.monotonic()
    _say("1/6  Packaging the functions")
    package.build()
    _say(f"2/6  Starting the AWS emulator on 127.0.0.1:{port}")
    if not emulator.running():
        emulator.start(port)
    target = Target("local", _REGION, f"http://localhost:{port}")
    _say("3/6  Deploying the template")
    parameters = stage_parameters("local")
    outputs = deploy(target, parameters, stage_tags("local"))
    _say("4/6  Adding the demo people")
    people = add_people(target, outputs, _known_passwords())
    _say(f"5/6  Loading {demo_count} demo store users")
    added = load_demo(target, outputs, demo_count)
    _say(f"     {added} were not there yet")
    stack = stack_file.describe(target, outputs, people)
    _say("6/6  Calling the API")
    check(target, stack)
    _say(f"     it answers; up in {time.monotonic() - started:.0f} s")
    stack_file.write(_PEOPLE_FILE, {person["username"]: person["password"] for person in people})
    stack_file.write(STACK_FILE, stack)
    _say(welcome(stack))


def load_demo(target: Target, outputs: Mapping[str, str], count: int) -> int:
    """Add the demo store users that are not there yet; return how many they were."""
    users = demo_users(count, today=datetime.now(UTC).date())
    return add_missing(target.client("dynamodb"), outputs["UsersTable"], users)


def _known_passwords() -> dict[str, str]:
    if not _PEOPLE_FILE.exists():
        return {}
    known: dict[str, str] = json.loads(_PEOPLE_FILE.read_text())
    return known


def _stay() -> int:
    """Wait for Ctrl-C, for `make stop`, or for the emulator's own end; the exit status."""
    _say("Ctrl-C ends it; the data stays for the next run (make run RESET=1 begins anew).")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        while emulator.running():
            time.sleep(0.5)
    except (KeyboardInterrupt, SystemExit):
        _say("\nEnding: saving the data…")
        return 0 if _end() else 1
    if STACK_FILE.exists():  # `make stop` removes it before it ends anything
        _say(f"\nThe emulator ended unexpectedly; see {emulator.log_path()}")
        _end()
        return 1
    return 0


def between(low: int, high: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            message = f"{text!r} is not a whole number from {low} to {high}"
            raise argparse.ArgumentTypeError(message)
        return int(text)

    return parse


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("run")
    starting.add_argument("--port", type=between(1, 65_535), default=4566)
    starting.add_argument("--demo-users", type=between(0, 100_000), default=300)
    starting.add_argument("--detach", action="store_true")
    starting.add_argument("--reset", action="store_true")
    commands.add_parser("stop")
    commands.add_parser("token").add_argument("role")
    given = parser.parse_args()
    if given.command == "run":
        os.environ.update(emulator.environment())
        os.environ.pop("AWS_PROFILE", None)
        return run(given.port, given.demo_users, detach=given.detach, reset=given.reset)
    try:
        if given.command == "stop":
            _say("Ended." if stop() else "Nothing was running.")
        else:
            _say(token(given.role))
    except (emulator.EmulatorError, LookupError, BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
