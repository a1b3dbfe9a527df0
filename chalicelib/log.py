"""Structured logs: one JSON object a line on standard output, where Lambda picks it up.

Never a name, an e-mail address of a store user, a phone number, a search word or a token: whoever
calls `event` passes identifiers and counts only.
"""

import json
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_CHAIN = 10
"""Causes told at the most: an error can be its own cause."""

_Given = ParamSpec("_Given")
_Out = TypeVar("_Out")


def event(name: str, *, level: str = "INFO", **fields: Any) -> None:
    """Write the event `name` with its `fields` (JSON values; others as text)."""
    record = {"level": level, "event": name, **fields}
    sys.stdout.write(json.dumps(record, default=str, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def failure(error: BaseException) -> dict[str, Any]:
    """The fields that describe an unexpected error: its types and frames, never its message.

    Messages of libraries quote the values that they choke on, which can be a person's data. An
    error of ours that is about none has a message for the log in its attribute `loggable`.
    """
    chain: list[str] = []
    told: dict[str, str] = {}
    link: BaseException | None = error
    while link is not None and len(chain) < _CHAIN:
        chain.append(type(link).__name__)
        if message := getattr(link, "loggable", ""):
            told.setdefault("message", message)
        link = link.__cause__ or link.__context__
    frames = [
        f"{frame.filename.rsplit('/', 3)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {"error": chain, **told, "traceback": frames}


def without_messages(
    *passing: type[Exception],
) -> Callable[[Callable[_Given, _Out]], Callable[_Given, _Out]]:
    """Decorate the entry of a function so that no error leaves it with its message.

    The Lambda runtime prints the message of what a handler raises, and its causes. So the error is
    logged by types and frames, and an empty one of the same class is raised in its place, without
    a cause. Errors of the `passing` classes, whose messages are fixed, leave as they are.
    """

    def decorate(handler: Callable[_Given, _Out]) -> Callable[_Given, _Out]:
        @wraps(handler)
        def entry(*given: _Given.args, **named: _Given.kwargs) -> _Out:
            try:
                return handler(*given, **named)
            except passing:
                raise
            except Exception as error:  # noqa: BLE001 - the last frame before the runtime
                event("invocation.failed", level="ERROR", **failure(error))
                empty = _emptied(error)
            raise empty

        return entry

    return decorate


def _emptied(error: Exception) -> Exception:
    """An error of the same class whose constructor was not called: it holds nothing to print."""
    kind = type(error)
    try:
        empty = kind.__new__(kind)
    except TypeError:  # A class that cannot be without members, such as ExceptionGroup.
        return RuntimeError(kind.__name__)
    empty.args = ()  # `__new__` of some classes fills them in.
    return empty
