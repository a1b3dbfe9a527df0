"""The local hour of the scheduled export as a UTC rule."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from infra.cron import schedule_expression

_WINTER = datetime(2026, 1, 15, tzinfo=UTC)
_SUMMER = datetime(2026, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekly", "zone", "now", "expected"),
    [
        ("MON 06:00", "America/Bogota", _WINTER, "cron(0 11 ? * MON *)"),
        ("MON 06:00", "America/Bogota", _SUMMER, "cron(0 11 ? * MON *)"),
        ("MON 06:00", "UTC", _WINTER, "cron(0 6 ? * MON *)"),
        ("MON 06:00", "Europe/Madrid", _WINTER, "cron(0 5 ? * MON *)"),
        ("MON 06:00", "Europe/Madrid", _SUMMER, "cron(0 4 ? * MON *)"),
        ("MON 00:30", "Europe/Madrid", _SUMMER, "cron(30 22 ? * SUN *)"),
        ("SUN 21:15", "America/Bogota", _WINTER, "cron(15 2 ? * MON *)"),
        ("FRI 06:00", "Asia/Kolkata", _WINTER, "cron(30 0 ? * FRI *)"),
    ],
)
def test_the_rule_fires_at_the_local_hour(
    weekly: str, zone: str, now: datetime, expected: str
) -> None:
    assert schedule_expression(weekly, ZoneInfo(zone), now) == expected


@pytest.mark.parametrize("weekly", ["", "MON", "MON 6:00", "MON 24:00", "LUN 06:00", "MON 06:00 "])
def test_what_is_no_weekday_and_time_is_refused(weekly: str) -> None:
    with pytest.raises(ValueError, match="is not a weekday and a time"):
        schedule_expression(weekly, ZoneInfo("UTC"), _WINTER)
