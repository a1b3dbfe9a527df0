"""Who is shut out: a record for each, by the subject of their tokens. Gateways are not asked for.

API Gateway keeps the authorizer's answer, and a token lives on for up to an hour: so the API asks
here. The records lie in the table of exports, as the slots of a person do, on no shelf.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.errors import UnauthenticatedError
from chalicelib.settings import settings
from chalicelib.users.tables import store

REMEMBERED_SECONDS = 5
"""How long a process may answer reads from memory."""

_REMEMBERED_SUBJECTS = 1_000


@dataclass(frozen=True, slots=True)
class Block:
    """Refuses every token while `is_shut`, and else those of sign-ins up to `not_before`."""

    is_shut: bool
    not_before: str


_memory: dict[str, tuple[datetime, Block | None]] = {}


def check(subject: str, signed_in_at: int, *, at_once: bool) -> None:
    """Let a token pass that is of a sign-in at `signed_in_at`, in seconds since 1970.

    One consistent read, 1 RRU. Without `at_once` it may be as old as `REMEMBERED_SECONDS`. Raises
    `UnauthenticatedError`, `StoreUnavailableError`.
    """
    block = find(subject) if at_once else _remembered(subject)
    if block is None:
        return
    if block.is_shut:
        message = "This account is blocked"
        raise UnauthenticatedError(message)
    if signed_in_at <= clock.parse_instant(block.not_before).timestamp():
        message = "Your session is over; sign in again"
        raise UnauthenticatedError(message)


def find(subject: str) -> Block | None:
    """Return the record as of now. Raises `StoreUnavailableError`."""
    answer = store().get_item(settings().exports_table, _id(subject), consistent_read=True)
    item = answer.get("Item")
    block = Block(item["is_shut"]["BOOL"], item["not_before"]["S"]) if item else None
    if len(_memory) >= _REMEMBERED_SUBJECTS:
        _memory.clear()
    _memory[subject] = (clock.now(), block)
    return block


def write(subject: str, *, is_shut: bool) -> None:
    """Shut the subject out, or let new sign-ins of theirs in. Raises `StoreUnavailableError`."""
    actions = [
        Path("is_shut").set(is_shut),
        Path("not_before").set(clock.instant(clock.now())),
        Path("blocked_subject").set(subject),
    ]
    store().update_item(settings().exports_table, _id(subject), actions=actions)


def forget() -> None:
    """Forget what was read, as a new process has."""
    _memory.clear()


def _remembered(subject: str) -> Block | None:
    read_at, block = _memory.get(subject, (None, None))
    if read_at is None:
        return find(subject)
    # By the clock: that of a frozen function's process goes on. It may also be set back.
    age = (clock.now() - read_at).total_seconds()
    return block if 0 <= age < REMEMBERED_SECONDS else find(subject)


def _id(subject: str) -> str:
    """Return the key; a digest, since a subject of another issuer may be long."""
    return "block-" + hashlib.sha256(subject.encode()).hexdigest()
