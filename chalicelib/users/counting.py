"""Search entries and totals, brought up to what each user is now: exactly once in effect.

What a user is now is read, never taken from a record of the stream; so duplicates, replays and
records out of order change nothing. What is counted of a user is written down in one transaction
with the counters, conditioned on what was read; so nobody counts twice.

The entries of a user are too many for a transaction. Whoever writes them holds a lease on the
user, which that transaction takes; somebody else who meets it comes back later, so that no late
write spoils a newer one. A lease that has run out was left by somebody who died half-way: the
state names every document whose entries may be there, and all of it is done again.
"""

import random
import time
import uuid
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.constants import ITEM
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.dynamodb import ConditionFailedError, TransactionCanceledError
from chalicelib.errors import StoreUnavailableError
from chalicelib.settings import settings
from chalicelib.users.batches import get_all, write_all
from chalicelib.users.derived import Change, RawItem, State
from chalicelib.users.tables import store

_TRANSACTION_WRITES = 100
_USERS_AT_ONCE = 50
_ATTEMPTS = 6
_CLOCKS_APART = timedelta(seconds=2)
_STATE = "state"


@dataclass(frozen=True, slots=True)
class _Lease:
    """Who writes, and until when they may."""

    owner: str
    until: datetime

    @property
    def text(self) -> str:
        """Until when others must wait: RFC 3339."""
        return clock.instant(self.until + _CLOCKS_APART)

    def is_barred_from(self, state: State) -> bool:
        """Whether somebody else is at the user. Ours can be there after a lost answer."""
        taken = (state.lease_until or "") > clock.instant(clock.now())
        return taken and state.owner != self.owner


def bring_up(user_ids: Iterable[str], until: datetime) -> None:
    """Count and index the users as they are now; at `until` the caller will have been ended.

    Raises `StoreUnavailableError` where somebody else is at one of them, or DynamoDB fails: what
    is done is done, and the rest is for another time.
    """
    ids = list(dict.fromkeys(user_ids))
    lease = _Lease(str(uuid.uuid4()), until)
    left = [
        user_id
        for at in range(0, len(ids), _USERS_AT_ONCE)
        for user_id in _bring_up(ids[at : at + _USERS_AT_ONCE], lease)
    ]
    if left:
        message = "Somebody else is counting these store users at this moment"
        raise StoreUnavailableError(message)


def state_key(user_id: str) -> RawItem:
    """The key of a user's state in the table of totals."""
    return {"list": {"S": f"user#{user_id}"}, "bucket": {"S": _STATE}}


def _bring_up(user_ids: Sequence[str], lease: _Lease) -> list[str]:
    """The users with whom it did not come to an end."""
    barred: list[str] = []
    for attempt in range(_ATTEMPTS):
        changes = _changes(user_ids)
        barred += [one.user_id for one in changes if lease.is_barred_from(one.seen)]
        user_ids = _make([one for one in changes if one.user_id not in barred], lease)
        if not user_ids:
            break
        # Two transactions met at a counter or a user: whoever comes second tries again.
        time.sleep(random.uniform(0, 0.05) * 2**attempt)  # noqa: S311 - no secret
    return [*barred, *user_ids]


def _changes(user_ids: Sequence[str]) -> list[Change]:
    """What is needed for each user, as of now."""
    names = settings()
    states = get_all(names.totals_table, [state_key(one) for one in user_ids], consistent=True)
    keys = [{"id": {"S": user_id}} for user_id in user_ids]
    users = get_all(names.users_table, keys, consistent=True)
    known = {item["list"]["S"].removeprefix("user#"): State.from_item(item) for item in states}
    images = {item["id"]["S"]: item for item in users}
    changes = [
        Change.of(user_id, known.get(user_id, State()), images.get(user_id, {}))
        for user_id in user_ids
    ]
    return [change for change in changes if change.is_needed]


def _make(changes: Iterable[Change], lease: _Lease) -> list[str]:
    """Make the changes; the users with whom somebody else was faster."""
    left: list[str] = []
    for together in _transactions(changes):
        try:
            _count(together, lease)
            _index([change for change in together if change.writes_entries], lease.until)
        except TransactionCanceledError:
            left += [change.user_id for change in together]
        except Exception:
            _give_back(together, lease)
            raise
    return left


def _transactions(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """As many changes together as one transaction takes, with the counters that they share."""
    together: list[Change] = []
    buckets: set[tuple[str, str]] = set()
    for change in changes:
        own = {(counter.list, counter.bucket) for counter in change.counts()}
        if together and len(together) + 1 + len(buckets | own) > _TRANSACTION_WRITES:
            yield together
            together, buckets = [], set()
        together.append(change)
        buckets |= own
    if together:
        yield together


def _count(changes: Sequence[Change], lease: _Lease) -> None:
    """Move the counters and take the leases. Raises `TransactionCanceledError`."""
    puts, deletes = [], []
    for change in changes:
        key = (settings().totals_table, f"user#{change.user_id}", _STATE)
        unchanged = _as_seen(change.seen)
        if change.writes_entries:
            state: State | None = change.under_way(lease.text, lease.owner)
        else:
            state = change.done()
        if state is None:
            deletes.append(store().get_operation_kwargs(*key, condition=unchanged))
        else:
            item = state.to_item()
            puts.append(
                store().get_operation_kwargs(*key, key=ITEM, attributes=item, condition=unchanged)
            )
    store().transact_write_items(
        condition_check_items=[],
        delete_items=deletes,
        put_items=puts,
        update_items=list(_counter_updates(changes)),
        client_request_token=str(uuid.uuid4()),
    )


def _as_seen(state: State) -> Condition:
    revision = Path("revision")
    unchanged: Condition = (
        (revision == state.revision) if state.revision else revision.does_not_exist()
    )
    return unchanged


def _counter_updates(changes: Iterable[Change]) -> Iterator[dict[str, Any]]:
    moved: dict[tuple[str, str], Tally[str]] = {}
    for change in changes:
        for counter, by in change.counts().items():
            numbers = moved.setdefault((counter.list, counter.bucket), Tally())
            numbers.update({"n": by})
            if counter.part is not None:
                numbers.update({counter.part: by})
    for (name, bucket), numbers in moved.items():
        # A path of one step each: there can be a dot in the name of a part.
        actions = [Path([part]).add(by) for part, by in numbers.items() if by]
        if actions:
            yield store().get_operation_kwargs(
                settings().totals_table, name, bucket, actions=actions
            )


def _index(changes: Sequence[Change], until: datetime) -> None:
    """Write the entries of users on whom we hold a lease, and give it back."""
    names = settings()
    puts = [entry for change in changes for entry in change.puts()]
    deletes = [key for change in changes for key in change.deletes()]
    write_all(names.search_table, "Put", puts, until=until)
    write_all(names.search_table, "Delete", deletes, until=until)
    done = [(state_key(change.user_id), change.done()) for change in changes]
    kept = [{**key, **state.to_item()} for key, state in done if state is not None]
    write_all(names.totals_table, "Put", kept, until=until)
    gone = [key for key, state in done if state is None]
    write_all(names.totals_table, "Delete", gone, until=until)


def _give_back(changes: Iterable[Change], lease: _Lease) -> None:
    """End our leases at once, so that the next attempt need not wait; what was begun stays noted.

    Where this fails, too, they run out by themselves.
    """
    over = [Path("lease_until").set(clock.instant(clock.now() - _CLOCKS_APART))]
    for change in changes:
        with suppress(ConditionFailedError, StoreUnavailableError):
            store().update_item(
                settings().totals_table,
                f"user#{change.user_id}",
                _STATE,
                actions=over,
                condition=Path("owner") == lease.owner,
            )
