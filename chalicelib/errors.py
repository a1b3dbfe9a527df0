"""What can go wrong, told apart by what the caller can do about it. Nothing here knows of HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: where it was, its name there, and what is wrong."""

    where: str
    name: str
    detail: str


class StoreUsersError(Exception):
    """The root of every error that this project raises on purpose; `code` is stable."""

    code = "internal"
    retry_after_seconds: int | None = None

    def __init__(self, detail: str = "", **members: Any) -> None:
        """Keep `detail`, one sentence for a person, and `members`, facts for a program."""
        super().__init__(detail)
        self.detail = detail
        self.members: Mapping[str, Any] = members


class InvalidRequestError(StoreUsersError):
    """What was sent does not fit the contract: correct it, and send it again."""

    code = "invalid-request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep every fault found, so that all can be mended at once."""
        count = len(faults)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} found")
        self.faults = tuple(faults)


class OutOfReachError(StoreUsersError):
    """A page of that number cannot be found at a bounded cost: walk there by cursors."""

    code = "page-out-of-reach"


class StaleCursorError(StoreUsersError):
    """The cursor is forged, damaged or made for another query: begin again at the first page."""

    code = "stale-cursor"


class IdempotencyKeyRequiredError(StoreUsersError):
    """The request needs an idempotency key: make one, and send it with every retry."""

    code = "idempotency-key-required"


class UnauthenticatedError(StoreUsersError):
    """Nobody known is asking: sign in."""

    code = "unauthenticated"


class ForbiddenError(StoreUsersError):
    """The one who asks may not: somebody else has to."""

    code = "forbidden"

    def __init__(self, permission: str) -> None:
        """Name the permission that is missing."""
        super().__init__(f"This needs the permission {permission}", permission=permission)


class NotFoundError(StoreUsersError):
    """There is no such thing."""

    code = "not-found"


class NoEcosystemError(StoreUsersError):
    """The customer has no ecosystem to switch off or on."""

    code = "no-ecosystem"


class SenselessChangeError(ValueError):
    """What the shop wrote of a store user makes no sense, and will not the next time either.

    `loggable` is what is wrong with it, without a word of the shop's.
    """

    def __init__(self, user_id: str, loggable: str) -> None:
        """Keep what is wrong, and the id of the user."""
        super().__init__(f"{user_id}: {loggable}")
        self.loggable = loggable


class ExportNotReadyError(StoreUsersError):
    """The file does not exist yet: ask for the job until it has succeeded."""

    code = "export-not-ready"


class ExportGoneError(StoreUsersError):
    """The file has expired or was deleted: ask for a new export."""

    code = "export-gone"


class VersionConflictError(StoreUsersError):
    """Somebody else was faster: look at the row as it is now, and decide again."""

    code = "version-conflict"

    def __init__(self, current: Any) -> None:
        """Keep `current`, the row as it is now."""
        super().__init__("It was changed since it was read; `current` is how it is now")
        self.current = current


class IdempotencyMismatchError(StoreUsersError):
    """The idempotency key was used before, with another body: use a new one."""

    code = "idempotency-mismatch"


class PreconditionRequiredError(StoreUsersError):
    """The request must say which version it changes."""

    code = "precondition-required"


class TooManyExportsError(StoreUsersError):
    """Too many exports of this person are running: wait for one to end."""

    code = "too-many-exports"


class TooMuchReadError(StoreUsersError):
    """The person has read what one may read in a minute: go on in the next one."""

    code = "too-much-read"

    def __init__(self, seconds: int) -> None:
        """Say after how many seconds the next minute begins."""
        super().__init__(f"You may go on reading in {seconds} seconds")
        self.retry_after_seconds = seconds


class StoreError(StoreUsersError):
    """DynamoDB, S3, SQS, SNS or Secrets Manager did not do what it was asked to."""


class StoreUnavailableError(StoreError):
    """It throttled, failed or was not reached, after the retries: try again in a while."""

    code = "store-unavailable"


class StoreRefusedError(StoreError):
    """A permission, a resource or a key is missing: the deployment is to be corrected first."""

    code = "service-misconfigured"

    def __init__(self, detail: str, aws_code: str) -> None:
        """Keep `aws_code`, by which AWS says what is wrong."""
        super().__init__(detail)
        self.aws_code = aws_code
