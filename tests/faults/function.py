"""One invocation of a Lambda function, in a process of its own.

The processes are forked from one that has imported everything (multiprocessing's `forkserver`):
they begin as quickly as a function that is warm, and know of no client, setting or connection.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3  # noqa: F401 - what the functions import when they need it is to be there already

from chalicelib.api.auth import authorizer
from chalicelib.triggers.schedule import schedule
from chalicelib.triggers.stream import stream
from chalicelib.triggers.watch import watch
from chalicelib.triggers.worker import worker

HANDLERS = {
    "authorizer": authorizer,
    "schedule": schedule,
    "stream": stream,
    "watch": watch,
    "worker": worker,
}


class Context:
    """As much of Lambda's context as the functions look at."""

    def __init__(self, seconds: float) -> None:
        """Begin to run now."""
        self._ends_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still run."""
        return int((self._ends_at - time.monotonic()) * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What Lambda hands to a function, where it writes to, and what time it is there.

    A clock that is `ahead_seconds` is how a lease of a minute, or a week, goes by
    without anybody waiting for it.
    """

    handler: str
    event: Mapping[str, Any]
    environment: Mapping[str, str]
    log: Path
    limit_seconds: float
    ahead_seconds: float


def invoke(invocation: Invocation) -> None:
    """Run the handler; an error of it is exit status 1, and a traceback in the log."""
    with invocation.log.open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.clear()
    os.environ.update(invocation.environment)
    _put_clock_ahead(invocation.ahead_seconds)
    HANDLERS[invocation.handler](invocation.event, Context(invocation.limit_seconds))


def _put_clock_ahead(seconds: float) -> None:
    real = time.time
    time.time = lambda: real() + seconds
