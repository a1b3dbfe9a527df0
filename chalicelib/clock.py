"""Time and new identifiers: the one place each comes from, so that a test can hold them still."""

import secrets
import time
from datetime import UTC, datetime, tzinfo

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), tz=UTC)


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC to the second: `2026-03-01T15:04:05Z`. Sorts as text in order of time."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_instant(text: str) -> datetime:
    """The instant that `text` (RFC 3339, any offset) names.

    Raises `ValueError` where it is none, or where it says no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text!r} has no offset from UTC"
        raise ValueError(message)
    return in_zone(moment, UTC)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The instant as the clocks of `zone` show it. Raises `ValueError` outside of all years."""
    try:
        return moment.astimezone(zone)
    except OverflowError as error:
        message = "lies outside of the years 1 to 9999"
        raise ValueError(message) from error


def ulid(moment: datetime) -> str:
    """A ULID (https://github.com/ulid/spec): 26 characters that sort in order of `moment`."""
    value = int(moment.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))
