"""Instants and ULIDs."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import clock

MOMENT = datetime(2026, 3, 1, 15, 4, 5, 999_999, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis takes naive bounds


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_an_instant_is_written_to_the_second_in_utc() -> None:
    assert clock.instant(MOMENT) == "2026-03-01T15:04:05Z"
    bogota = timezone(timedelta(hours=-5))
    assert clock.instant(datetime(2026, 2, 28, 23, 30, tzinfo=bogota)) == "2026-03-01T04:30:00Z"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T15:04:05Z", "2026-03-01T15:04:05Z"),
        ("2026-03-01T15:04:05.123456Z", "2026-03-01T15:04:05Z"),
        ("2026-03-01T10:04:05-05:00", "2026-03-01T15:04:05Z"),
        ("2026-03-02T00:00:00+13:45", "2026-03-01T10:15:00Z"),
        ("2026-03-01 15:04:05+00:00", "2026-03-01T15:04:05Z"),
    ],
)
def test_an_instant_of_any_offset_is_read(text: str, instant: str) -> None:
    assert clock.instant(clock.parse_instant(text)) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T15:04:05",
        "2026-02-30T00:00:00Z",
        "2026-03-01T24:00:01Z",
        "2026-03-01T15:04:05+25:00",
        "20260301150405Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
    ],
)
def test_what_names_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.parse_instant(text)


@settings(deadline=None)
@given(moments)
def test_an_instant_is_read_as_it_was_written(moment: datetime) -> None:
    assert clock.parse_instant(clock.instant(moment)) == moment.replace(microsecond=0)


@settings(deadline=None)
@given(moments, moments)
def test_instants_sort_as_text_in_order_of_time(one: datetime, other: datetime) -> None:
    earlier, later = sorted([one, other])
    assert clock.instant(earlier) <= clock.instant(later)


def test_a_ulid_is_26_characters_of_crockfords_alphabet() -> None:
    assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", clock.ulid(MOMENT))


def test_a_ulid_begins_with_its_millisecond() -> None:
    """The example of https://github.com/ulid/spec: 01ARZ3NDEK is 1469922850259."""
    moment = datetime.fromtimestamp(1469922850.259, tz=UTC)
    assert clock.ulid(moment)[:10] == "01ARZ3NDEK"


@settings(deadline=None)
@given(moments, st.timedeltas(timedelta(milliseconds=2), timedelta(days=1)))
def test_a_later_ulid_sorts_behind_an_earlier_one(moment: datetime, later: timedelta) -> None:
    assert clock.ulid(moment) < clock.ulid(moment + later)


def test_ulids_of_one_moment_differ() -> None:
    assert len({clock.ulid(MOMENT) for _ in range(1_000)}) == 1_000
