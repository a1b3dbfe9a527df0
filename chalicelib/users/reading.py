"""How much each person reads in a minute and in an hour, of all processes together.

A process adds up what its requests have read, and writes it to the one record of the person's hour
once it is a fiftieth of a bound; the answer to that write tells what all of them have read. So N
processes let at the most N fiftieths more pass, and what their requests under way read. Where the
record cannot be written, each process bounds what it reads itself. The records lie in the table of
exports, on no shelf, and end by themselves.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pynamodb.constants import UPDATED_NEW
from pynamodb.expressions.operand import Path

from chalicelib import clock, log, metrics
from chalicelib.dynamodb import Item
from chalicelib.errors import StoreError, TooMuchReadError
from chalicelib.settings import settings
from chalicelib.users.tables import store

_PARTS = 50
_KEPT = timedelta(hours=2)
_REMEMBERED_PEOPLE = 1_000


@dataclass(slots=True)
class _Read:
    """Read capacity units, and rows of store users."""

    units: float = 0.0
    rows: int = 0

    def __add__(self, other: "_Read") -> "_Read":
        return _Read(self.units + other.units, self.rows + other.rows)

    def reaches(self, parts: int = 1) -> bool:
        """Return True if one of the two is that part of what a person may read in a minute."""
        return (
            self.units * parts >= settings().person_units_per_minute
            or self.rows * parts >= settings().person_rows_per_minute
        )


@dataclass(slots=True)
class _Tally:
    """What this process knows: read by all in `minute`, and read here and not yet written."""

    minute: str = ""
    known: _Read = field(default_factory=_Read)
    pending: _Read = field(default_factory=_Read)


_tallies: dict[str, _Tally] = {}


def check(subject: str) -> None:
    """Raise `TooMuchReadError` where the person has read what they may in this minute."""
    now = clock.now()
    tally = _tally(subject, now)
    if (tally.known + tally.pending).reaches():
        raise TooMuchReadError(60 - now.second)


def note(subject: str, units: float, rows: int) -> None:
    """Count what a request has read; one write of 1 WRU for each fiftieth of a bound."""
    now = clock.now()
    tally = _tally(subject, now)
    tally.pending += _Read(units, rows)
    if tally.pending.reaches(_PARTS):
        written, tally.pending = tally.pending, _Read()
        tally.known = _share(subject, tally.known, written, now)


def forget() -> None:
    """Forget what was read, as a new process has."""
    _tallies.clear()


def _tally(subject: str, now: datetime) -> _Tally:
    """Return the tally of this minute. What was not written yet goes on into it."""
    if subject not in _tallies and len(_tallies) >= _REMEMBERED_PEOPLE:
        _tallies.clear()
    tally = _tallies.setdefault(subject, _Tally())
    minute = f"{now:%Y%m%d%H%M}"
    if tally.minute != minute:
        tally.minute, tally.known = minute, _Read()
    return tally


def _share(subject: str, known: _Read, read: _Read, now: datetime) -> _Read:
    """Return what all have read in this minute; where that cannot be had, what is known here.

    Then it is tried again with the next fiftieth, not by each request: each would wait for it.
    """
    try:
        counted = _write(subject, read, now)
    except StoreError as error:
        log.event("reading.not_counted", level="WARNING", actor_id=subject, **log.failure(error))
        return known + read
    minute = _Read(float(counted[f"u{now:%M}"]["N"]), int(counted[f"r{now:%M}"]["N"]))
    _tell_if_unusual(subject, read, minute, int(counted["rows"]["N"]))
    return minute


def _write(subject: str, read: _Read, now: datetime) -> Item:
    """Add to the record of the hour, and return what of it was changed."""
    digest = hashlib.sha256(subject.encode()).hexdigest()
    actions = [
        Path("rows").add(read.rows),
        Path(f"r{now:%M}").add(read.rows),
        Path(f"u{now:%M}").add(round(read.units, 1)),
        Path("removed_after").set(int((now + _KEPT).timestamp())),
    ]
    answer = store().update_item(
        settings().exports_table,
        f"reading-{digest}-{now:%Y%m%d%H}",
        actions=actions,
        return_values=UPDATED_NEW,
    )
    changed: Item = answer["Attributes"]
    return changed


def _tell_if_unusual(subject: str, written: _Read, minute: _Read, hour_rows: int) -> None:
    """Log it once, by the process whose write reached a bound, for the alarm."""
    before = _Read(minute.units - written.units, minute.rows - written.rows)
    most = settings().unusual_rows_per_hour
    reached = {
        "minute": minute.reaches() and not before.reaches(),
        "hour": hour_rows - written.rows < most <= hour_rows,
    }
    for bound in [name for name, holds in reached.items() if holds]:
        metrics.event(
            "reading.unusual",
            level="WARNING",
            actor_id=subject,
            bound=bound,
            rows_read=hour_rows,
            unusual=1,
        )
