"""One invocation of a Lambda function, in a process of its own: `python -m tests.faults.function`.

The invocation comes as JSON on standard input: the name of the handler, its event, how many
seconds the function may run, and how many seconds the clock of this machine is ahead. The last is
how a lease of a minute and a half, or a week, goes by without anybody waiting for it.
"""

import importlib
import json
import sys
import time
from typing import Any


class Context:
    """As much of Lambda's context as the functions look at."""

    def __init__(self, seconds: float) -> None:
        """Begin to run now."""
        self._ends_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still run."""
        return int((self._ends_at - time.monotonic()) * 1000)


def _put_clock_ahead(seconds: float) -> None:
    real = time.time
    time.time = lambda: real() + seconds


def main() -> None:
    """Invoke the handler; an error of it is the exit status 1, with a traceback."""
    invocation: dict[str, Any] = json.load(sys.stdin)
    _put_clock_ahead(invocation["ahead_seconds"])
    module = importlib.import_module(f"chalicelib.triggers.{invocation['handler']}")
    handler = getattr(module, invocation["handler"])
    handler(invocation["event"], Context(invocation["limit_seconds"]))


if __name__ == "__main__":
    main()
