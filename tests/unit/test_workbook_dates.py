"""What is not text in a workbook: instants, dates, numbers, states; and where it stays text."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.users.model import Encounters, Licences, StoreUser
from tests.builders import SUBSCRIPTION, customer, lead
from tests.exporting import configured
from tests.workbooks import book, book_and_tally

REGISTERED, STARTS_ON, ENDS_ON = 5, 11, 12
INCLUDED, USED, LICENCES = 13, 14, 15
BOGOTA = ZoneInfo("America/Bogota")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = int(datetime(1900, 3, 2, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with configured(monkeypatch):
        yield


def _shown(value: date) -> str:
    """A real date, as a text to compare: calamine has midnight as a date without a time."""
    assert isinstance(value, date)
    return f"{value:%Y-%m-%d %H:%M:%S}"


def _bought(**changes: Any) -> StoreUser:
    return customer(subscription=replace(SUBSCRIPTION, **changes))


@pytest.mark.parametrize(
    ("registered_at", "wall_clock"),
    [
        ("2026-03-01T15:04:05Z", "2026-03-01 10:04:05"),
        ("2026-03-01T02:30:00Z", "2026-02-28 21:30:00"),
        ("2026-03-01T15:04:05.999Z", "2026-03-01 10:04:05"),
        ("2026-03-01T15:04:05+02:00", "2026-03-01 08:04:05"),
        ("2026-03-01T10:04:05-05:00", "2026-03-01 10:04:05"),
        ("2024-02-29T05:00:00Z", "2024-02-29 00:00:00"),
        ("1970-01-01T00:00:00Z", "1969-12-31 19:00:00"),
        ("1900-03-01T05:00:00Z", "1900-03-01 00:03:44"),
        ("9999-12-31T23:59:59Z", "9999-12-31 18:59:59"),
    ],
)
def test_an_instant_is_a_real_date_on_the_wall_clock_of_bogota(
    registered_at: str, wall_clock: str
) -> None:
    read = book([lead(registered_at=registered_at)])
    assert _shown(read.rows()[1][REGISTERED]) == wall_clock
    cell = read.openpyxl()["F2"]
    assert (_shown(cell.value), cell.is_date) == (wall_clock, True)
    assert cell.number_format == "yyyy-mm-dd hh:mm:ss"


def test_the_zone_is_the_configured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Madrid changes its clocks; 01:30 UTC is the hour that comes twice there in October."""
    with configured(monkeypatch, TIME_ZONE="Europe/Madrid"):
        read = book(
            [lead(registered_at=f"2026-{day}T01:30:00Z") for day in ("01-15", "07-15", "10-25")]
        )
    assert [_shown(row[REGISTERED]) for row in read.rows()[1:]] == [
        "2026-01-15 02:30:00",
        "2026-07-15 03:30:00",
        "2026-10-25 02:30:00",
    ]


@pytest.mark.parametrize(
    "registered_at",
    [
        pytest.param("yesterday", id="no instant"),
        pytest.param("2026-13-01T00:00:00Z", id="no month"),
        pytest.param("2026-02-30T00:00:00Z", id="no day"),
        pytest.param("2026-03-01", id="no time"),
        pytest.param("2026-03-01T15:04:05", id="no offset"),
        pytest.param("1772377445", id="seconds since 1970"),
        pytest.param("1899-12-31T12:00:00Z", id="before Excel's time"),
        pytest.param("1900-03-01T04:00:00Z", id="before Excel's time in Bogota"),
        pytest.param("0001-01-01T00:00:00Z", id="the zero of Go and .NET"),
        pytest.param("0001-01-01T00:00:00+05:00", id="before all time"),
        pytest.param("9999-12-31T23:59:59-05:00", id="after all time"),
    ],
)
def test_what_is_no_instant_that_excel_knows_stays_text(registered_at: str) -> None:
    read = book([lead(registered_at=registered_at)])
    assert read.rows()[1][REGISTERED] == registered_at
    assert read.openpyxl()["F2"].value == registered_at


def test_one_odd_instant_does_not_take_the_other_rows_down() -> None:
    users = [lead(), lead(registered_at="0001-01-01T00:00:00Z"), lead()]
    assert len(book(users).rows()) == 4


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2024-02-29", date(2024, 2, 29)),
        ("1900-03-01", date(1900, 3, 1)),
        ("9999-12-31", date(9999, 12, 31)),
    ],
)
def test_a_date_is_a_real_date(text: str, day: date) -> None:
    read = book([_bought(starts_on=text, ends_on=text)])
    assert (read.rows()[1][STARTS_ON], read.rows()[1][ENDS_ON]) == (day, day)
    cell = read.openpyxl()["L2"]
    assert (_shown(cell.value), cell.is_date) == (f"{text} 00:00:00", True)
    assert cell.number_format == "yyyy-mm-dd"


@pytest.mark.parametrize(
    "text",
    ["1900-02-28", "0001-01-01", "2026-02-30", "2025-02-29", "0000-00-00", "mañana", "01/03/2026"],
)
def test_what_is_no_date_that_excel_knows_stays_text(text: str) -> None:
    read = book([_bought(starts_on=text)])
    assert read.rows()[1][STARTS_ON] == text
    assert read.openpyxl()["L2"].data_type == "s"


@given(st.lists(st.integers(_FIRST, _LAST), max_size=20))
@settings(max_examples=30, deadline=None)
def test_every_second_of_excel_s_time_reads_back_as_itself(seconds: list[int]) -> None:
    """Excel counts days in binary fractions: none may come back a second off."""
    instants = [EPOCH + timedelta(seconds=number) for number in seconds]
    read = book([lead(), *(lead(registered_at=instant.isoformat()) for instant in instants)])
    expected = [_shown(instant.astimezone(BOGOTA)) for instant in instants]
    assert [_shown(row[REGISTERED]) for row in read.rows()[2:]] == expected
    assert [_shown(row[REGISTERED]) for row in read.openpyxl_rows()[2:]] == expected


def test_a_number_is_a_number_and_nought_is_not_nothing() -> None:
    licences = (Licences("available", 3), Licences("assigned", 16), Licences("odd", 0))
    read = book(
        [
            _bought(encounters=Encounters(5000, 0), licences=licences),
            _bought(encounters=Encounters(-1, None), licences=()),
            _bought(encounters=None),
            customer(subscription=None),
        ]
    )
    assert [row[INCLUDED : LICENCES + 1] for row in read.rows()[1:]] == [
        [5000.0, 0.0, 19.0],
        [-1.0, "", 0.0],
        ["", "", 20.0],
        ["", "", ""],
    ]
    cell = read.openpyxl()["N2"]
    assert (cell.value, cell.data_type, cell.number_format) == (5000, "n", "0")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (10**15 - 1, 999_999_999_999_999.0),
        (10**15, "1000000000000000"),
        (12_345_678_901_234_567, "12345678901234567"),
        (-(10**15), "-1000000000000000"),
    ],
)
def test_a_number_of_more_digits_than_excel_keeps_is_text(number: int, shown: object) -> None:
    """Excel keeps fifteen digits and puts noughts in the place of the others."""
    assert book([_bought(encounters=Encounters(number, 1))]).rows()[1][INCLUDED] == shown


_DAYS = st.dates(date(1899, 1, 1), date(9999, 12, 31)) | st.dates(
    date(1899, 12, 1), date(1900, 4, 1)
)
_NUMBERS = st.integers(-(10**20), 10**20) | st.integers(10**15 - 2, 10**15 + 2)


@given(st.lists(st.tuples(_DAYS, _DAYS, _NUMBERS), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_day_or_number_went_in_comes_out_and_what_had_to_be_text_is_counted(
    rows: list[tuple[date, date, int]],
) -> None:
    """Excel's dates begin on 1900-03-01, for it takes 1900 for a leap year."""
    users = [
        _bought(starts_on=f"{one}", ends_on=f"{two}", encounters=Encounters(number, 0))
        for one, two, number in rows
    ]
    read, tally = book_and_tally(users)
    expected = [
        [
            one if one >= date(1900, 3, 1) else f"{one}",
            two if two >= date(1900, 3, 1) else f"{two}",
            float(number) if -(10**15) < number < 10**15 else f"{number}",
        ]
        for one, two, number in rows
    ]
    assert [row[STARTS_ON : INCLUDED + 1] for row in read.rows()[1:]] == expected
    texts = [value for row in expected for value in row if isinstance(value, str)]
    assert tally.kept_as_text == len(texts)


def test_what_is_missing_was_not_kept_as_text() -> None:
    _, tally = book_and_tally([customer(subscription=None), _bought(encounters=None)])
    assert tally.kept_as_text == 0
