"""Which leads marketing was sent: none twice, none never.

Time alone does not tell. The shop may write a lead late, and an index shows it later still: so a
run reads again what registered during some days before the end of the last one, and leaves out
whom it remembers. What was sent, and to whom, moves on when marketing has been told, not before.
See docs/decisions/0007-the-schedule.md.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import aws, clock, log
from chalicelib.aws_errors import calling
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.errors import StoreError, StoreUnavailableError
from chalicelib.exports import lease
from chalicelib.settings import settings
from chalicelib.users.filters import Filters
from chalicelib.users.model import StoreUser
from chalicelib.users.tables import ExportItem, store

MEMORY_PREFIX = "schedule/"
"""Where the ids of the leads lie that were delivered last; see ExportsBucket's lifecycle."""

_STATE_ID = "schedule-leads"
"""The item of the exports table that keeps until when the new leads were delivered."""

_OVERLAP = timedelta(days=7)
"""How late the shop may write a lead, and how long one that was sent is remembered."""

_TELLING = timedelta(minutes=2)
"""How long one run keeps others from being told of: longer than a message takes to be sent."""


class Claim(Enum):
    """Whether marketing is to be told of a run, was told of it, or of another one meanwhile."""

    OURS = auto()
    DELIVERED = auto()
    SUPERSEDED = auto()


@dataclass(frozen=True, slots=True)
class Delivered:
    """Until when the new leads were delivered, and where it is kept who was among the last."""

    until: str | None
    memory_key: str | None


@dataclass(slots=True)
class NewLeads:
    """What a run has to deliver. `known` are the ids of those whom earlier runs did."""

    filters: Filters
    known: frozenset[str]
    _job: ExportItem
    _before: Delivered
    _recent: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, job: ExportItem) -> "NewLeads":
        """Settle the period of the job: from the end of the last one delivered until now.

        Raises `LostError`, `StoreUnavailableError`.
        """
        before = delivered()
        job.period_from, job.period_to = before.until, clock.instant(clock.now())
        lease.update(
            job,
            [
                Path("period_to").set(job.period_to),
                *([Path("period_from").set(before.until)] if before.until else []),
            ],
        )
        filters = Filters(
            registered_since=_overlapping(before.until), registered_before=job.period_to
        )
        return cls(filters, _remembered(before), job, before)

    def pick(self, chunks: Iterable[Sequence[StoreUser]]) -> Iterator[Sequence[StoreUser]]:
        """Those of the users who were not delivered yet."""
        horizon = _overlapping(self._job.period_to) or ""
        for users in chunks:
            self._recent += [user.id for user in users if user.registered_at >= horizon]
            yield [user for user in users if user.id not in self.known]

    def keep(self) -> None:
        """Note with the job what `commit` will need.

        Raises `LostError`; `StoreUnavailableError` where another run has delivered meanwhile,
        so that this one has to begin anew.
        """
        if delivered() != self._before:
            message = "Another run of the schedule was faster"
            raise StoreUnavailableError(message)
        key = f"{MEMORY_PREFIX}{self._job.id}-{int(self._job.attempt)}.json"
        with calling("s3"):
            aws.s3().put_object(
                Bucket=settings().exports_bucket,
                Key=key,
                Body=json.dumps(self._recent).encode(),
                ServerSideEncryption="AES256",
            )
        actions: list[Action] = [Path("memory_key").set(key)]
        if self._before.memory_key:
            actions.append(Path("follows").set(self._before.memory_key))
        lease.update(self._job, actions)


def delivered() -> Delivered:
    """How far marketing has been served. Raises `StoreUnavailableError`."""
    answer = store().get_item(settings().exports_table, _STATE_ID, consistent_read=True)
    item = answer.get("Item", {})
    return Delivered(*(item.get(name, {}).get("S") for name in ("period_to", "memory_key")))


def claim(job: ExportItem) -> Claim:
    """Whether to tell marketing of the job: no other run was told of since it began.

    The leads of the job may be among those of the other. Whoever tells of one keeps others from it
    until `commit`, or for two minutes. Raises `StoreUnavailableError` while another one is told of.
    """
    now, teller = clock.now(), Path("telling")
    free: Condition = teller.does_not_exist() | (teller == job.id)
    free |= Path("telling_until") < clock.instant(now)
    until = clock.instant(now + _TELLING)
    try:
        store().update_item(
            settings().exports_table,
            _STATE_ID,
            actions=[teller.set(job.id), Path("telling_until").set(until)],
            condition=_nobody_has_delivered_since(job) & free,
        )
    except ConditionFailedError:
        return _refused(job)
    return Claim.OURS


def _refused(job: ExportItem) -> Claim:
    last = delivered().memory_key
    if last == job.memory_key:
        return Claim.DELIVERED
    if last == job.follows:
        message = "Marketing is being told of another run"
        raise StoreUnavailableError(message)
    return Claim.SUPERSEDED


def commit(job: ExportItem) -> None:
    """Remember that the new leads of the job are delivered. A repetition changes nothing."""
    actions: list[Action] = [
        Path("period_to").set(job.period_to),
        Path("memory_key").set(job.memory_key),
        Path("telling").remove(),
        Path("telling_until").remove(),
    ]
    condition = _nobody_has_delivered_since(job)
    try:
        store().update_item(
            settings().exports_table, _STATE_ID, actions=actions, condition=condition
        )
    except ConditionFailedError:
        return
    if job.follows:
        # Should it stay, the bucket's lifecycle removes it; marketing is not told again for it.
        with suppress(StoreError), calling("s3"):
            aws.s3().delete_object(Bucket=settings().exports_bucket, Key=job.follows)


def _nobody_has_delivered_since(job: ExportItem) -> Condition:
    last = Path("memory_key")
    condition: Condition = (last == job.follows) if job.follows else last.does_not_exist()
    return condition


def _overlapping(until: str | None) -> str | None:
    return clock.instant(clock.parse_instant(until) - _OVERLAP) if until else None


def _remembered(before: Delivered) -> frozenset[str]:
    if before.memory_key is None:
        return frozenset()
    with calling("s3"):
        try:
            answer = aws.s3().get_object(Bucket=settings().exports_bucket, Key=before.memory_key)
        except aws.s3().exceptions.NoSuchKey:
            # Twice rather than never.
            log.event("schedule.memory_lost", level="ERROR", memory_key=before.memory_key)
            return frozenset()
        return frozenset(json.loads(answer["Body"].read()))
