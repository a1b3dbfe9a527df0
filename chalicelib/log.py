"""Structured logs: one JSON object a line on standard output, where Lambda picks it up.

Never a name, an e-mail address of a store user, a phone number, a search word or a token: whoever
calls `event` passes identifiers and counts only.
"""

import json
import sys
import traceback
from typing import Any

_CHAIN = 10
"""Causes told at the most: an error can be its own cause."""


def event(name: str, *, level: str = "INFO", **fields: Any) -> None:
    """Write the event `name` with its `fields` (JSON values; others as text)."""
    record = {"level": level, "event": name, **fields}
    sys.stdout.write(json.dumps(record, default=str, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def failure(error: BaseException) -> dict[str, Any]:
    """The fields that describe an unexpected error: its types and frames, never its message.

    Messages of libraries quote the values that they choke on, which can be a person's data.
    """
    chain: list[str] = []
    link: BaseException | None = error
    while link is not None and len(chain) < _CHAIN:
        chain.append(type(link).__name__)
        link = link.__cause__ or link.__context__
    frames = [
        f"{frame.filename.rsplit('/', 3)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {"error": chain, "traceback": frames}
