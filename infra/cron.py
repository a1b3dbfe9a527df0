"""The local hour of the scheduled export → the UTC expression that an EventBridge rule takes."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_FORM = re.compile(rf"({'|'.join(_DAYS)}) ([01]\d|2[0-3]):([0-5]\d)")


def schedule_expression(weekly: str, zone: ZoneInfo, now: datetime) -> str:
    """The expression for `weekly` ("MON 06:00") in `zone`, by the zone's offset at `now`.

    Rules know UTC alone: in a zone with daylight saving time the export comes an hour off for
    half the year, until the next deployment. Raises `ValueError` where `weekly` is none.
    """
    match = _FORM.fullmatch(weekly)
    if match is None:
        message = f"{weekly!r} is not a weekday and a time, such as MON 06:00"
        raise ValueError(message)
    day, hour, minute = _DAYS.index(match[1]), int(match[2]), int(match[3])
    offset = now.astimezone(zone).utcoffset() or timedelta()
    total = timedelta(days=day, hours=hour, minutes=minute) - offset
    minutes = int(total.total_seconds() // 60) % (7 * 24 * 60)
    return f"cron({minutes % 60} {minutes // 60 % 24} ? * {_DAYS[minutes // 1440]} *)"
