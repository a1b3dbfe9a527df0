"""`stack.json`: where a running stack is and who can sign in to it, for programs."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from infra import emulator
from infra.people import Person
from infra.target import Target

STACK_FILE = emulator.FOLDER / "stack.json"


def describe(
    target: Target, outputs: Mapping[str, str], people: Sequence[Person]
) -> dict[str, Any]:
    """Return the content of the file for a deployed stack. `endpoint` is None on AWS itself."""
    names = ("users", "ecosystems", "search", "totals", "audit", "exports")
    functions = ("api", "authorizer", "stream", "watch", "worker", "schedule")
    return {
        "stage": target.stage,
        "url": outputs["PublicUrl"],
        "endpoint": target.endpoint,
        "region": target.region,
        "user_pool_id": outputs["UserPoolId"],
        "client_id": outputs["PageClientId"],
        "gateway_client_id": outputs["GatewayClientId"],
        "people": people,
        "tables": {name: outputs[f"{name.title()}Table"] for name in names},
        "bucket": outputs["ExportsBucket"],
        "queue": outputs["ExportsQueueUrl"],
        "dead_letters": outputs["ProjectionDeadLettersUrl"],
        "topic": outputs["MarketingTopicArn"],
        "functions": {name: outputs[f"{name.title()}Function"] for name in functions},
    }


def read() -> dict[str, Any]:
    """Return the file's content. Raises `LookupError` where nothing runs."""
    if not STACK_FILE.exists():
        message = "The local stack does not run. Start it: make run"
        raise LookupError(message)
    stack: dict[str, Any] = json.loads(STACK_FILE.read_text())
    return stack


def enter(stack: Mapping[str, Any]) -> Target:
    """Return the stack's target; where it is the emulator's, use the emulator's credentials."""
    if stack["endpoint"] is not None:
        os.environ.update(emulator.environment())
        os.environ.pop("AWS_PROFILE", None)
    return Target(stack["stage"], stack["region"], stack["endpoint"])


def write(path: os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write JSON for the owner's eyes alone: there are passwords in it."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
