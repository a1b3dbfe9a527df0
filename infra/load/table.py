"""Which table is meant, the local stack's or a deployed stage's, and the client to it."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.emulator import FOLDER

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STACK_FILE = FOLDER / "stack.json"
"""What `make run` writes: where the local stack is, and the names of its tables."""

_OUTPUT = "UsersTable"
_NOT_RUNNING = "the local stack is not running: make run"


class TableError(Exception):
    """There is no table to load into; the message is one clause for a person."""


@dataclass(frozen=True, slots=True)
class Table:
    """A `users` table, and how boto3 gets there."""

    name: str
    access: dict[str, Any]

    def client(self, attempts: int = 10) -> "DynamoDBClient":
        """A client that asks up to `attempts` times. Raises `TableError`."""
        config = Config(
            connect_timeout=5,
            read_timeout=20,
            retries={"mode": "standard", "total_max_attempts": attempts},
        )
        try:
            return boto3.client("dynamodb", config=config, **self.access)
        except (BotoCoreError, ValueError) as error:
            raise TableError(str(error)) from error


def find_table(stage: str) -> Table:
    """The table of the stage, or of the local stack where `stage` is empty.

    Raises `TableError`.
    """
    return _of_stage(stage) if stage else _of_local_stack()


def _of_local_stack() -> Table:
    try:
        stack = json.loads(STACK_FILE.read_text(encoding="utf-8"))
        access = {"endpoint_url": stack["endpoint"], "region_name": stack["region"]}
        name = stack["tables"]["users"]
    except FileNotFoundError as error:
        raise TableError(_NOT_RUNNING) from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        message = f"{STACK_FILE} does not tell where the local stack is: make run"
        raise TableError(message) from error
    return Table(name, access | {"aws_access_key_id": "test", "aws_secret_access_key": "test"})


def _of_stage(stage: str) -> Table:
    stack = f"store-users-{stage}"
    try:
        client = boto3.client("cloudformation")
        outputs = client.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    except (BotoCoreError, ClientError) as error:
        message = f"the stack {stack} cannot be found: {error}"
        raise TableError(message) from error
    names = [one["OutputValue"] for one in outputs if one["OutputKey"] == _OUTPUT]
    if not names:
        message = f"the stack {stack} has no output {_OUTPUT}: deploy it again"
        raise TableError(message)
    return Table(names[0], {})
