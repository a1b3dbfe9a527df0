"""An export in slices: whatever the counters say, the very rows of the list, in its order."""

from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.exports import rows
from chalicelib.users import listing, pace, ranges, slices
from chalicelib.users.filters import Filters
from chalicelib.users.listing import DEFAULT_SORT
from chalicelib.users.model import Kind, StoreUser
from tests.builders import (
    customer,
    empty_users,
    hooked,
    lead,
    operations,
    save,
    save_item,
    sent_requests,
)
from tests.feed import Feed
from tests.following import empty, follow

SECONDS_TO_MEET = 5

instants = st.builds(
    "2026-0{}-0{}T{:02}:00:00Z".format, st.integers(1, 3), st.integers(1, 3), st.integers(0, 23)
)
odd_times = st.sampled_from(
    [
        "0",
        "2026",
        "2026-02",
        "2026-02\U0010ffff",
        "2026-02-02",
        "2026-02-02\U0010ffff\0",
        "2026-02-02\U0010ffff\U0010ffff",
        "2026-02-02T",
        "2026-02-02T10\0",
        "mañana",
        "\U0010ffff\U0010ffff",
    ]
)
months = st.builds("2026-0{}".format, st.integers(1, 3))
odd_months = st.sampled_from(["0", "2026", "mañana", "\U0010ffff"])
days = st.builds("{}-0{}".format, months, st.integers(1, 3))
hours = st.dictionaries(st.builds("hT{:02}".format, st.integers(0, 23)), st.integers(-1, 9))
filters = st.builds(
    Filters, registered_from=st.none() | days, registered_to=st.none() | days
) | st.builds(Filters, registered_since=instants, registered_before=instants)


@pytest.fixture
def feed(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Feed:  # noqa: ARG001 - the tables
    monkeypatch.setattr(slices, "_ROWS", 3)
    return Feed()


def _leads(*times: str) -> list[StoreUser]:
    return [lead(f"led_{number:03}", registered_at=at) for number, at in enumerate(times)]


def _exported(kind: Kind, wanted: Filters) -> list[str]:
    return [user.id for users in rows.everyone(kind, wanted) for user in users]


def _walked(kind: Kind, wanted: Filters) -> list[str]:
    """The ids on the pages of the list."""
    found: list[str] = []
    token = None
    while True:
        page = listing.page(kind, wanted, DEFAULT_SORT, token, 2)
        found += [user.id for user in page.users]
        if (token := page.next) is None:
            return found


def _save_counter(bucket: str, numbers: dict[str, int]) -> None:
    counted: dict[str, Any] = {name: {"N": str(number)} for name, number in numbers.items()}
    save_item({"list": {"S": "lead"}, "bucket": {"S": bucket}, **counted}, "totals")


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(instants | odd_times, min_size=1, max_size=12),
    st.dictionaries(months | odd_months, st.integers(-1, 9)),
    st.dictionaries(days, st.tuples(st.integers(-1, 9), hours)),
    filters,
)
@example(
    ["2026-02-02T00:00:00Z", "2026-02\U0010ffff", "2026-03-01T00:00:00Z"],
    {"2026-03": 2, "2026-02": 2},
    {},
    Filters(),
)
@example(["2026", "2026-02-02"], {"2026-02": 2, "2026-01": 2, "2026": 2}, {}, Filters())
def test_nobody_is_lost_or_doubled_whatever_the_counters_and_the_times_are(
    feed: Feed,  # noqa: ARG001 - the tables
    times: list[str],
    of_months: dict[str, int],
    of_days: dict[str, tuple[int, dict[str, int]]],
    wanted: Filters,
) -> None:
    empty_users()
    empty("totals")
    save(*_leads(*times))
    for month, number in of_months.items():
        _save_counter(f"month#{month}", {"n": number})
    for day, (number, parts) in of_days.items():
        _save_counter(f"day#{day}", {"n": number, **parts})
    assert _exported(Kind.LEAD, wanted) == _walked(Kind.LEAD, wanted)


def test_a_slice_holds_about_as_many_rows_as_it_should_by_month_day_and_hour(feed: Feed) -> None:
    january = ["2026-01-05T00:00:00Z"]
    february = [f"2026-02-0{day}T00:00:00Z" for day in (1, 2, 3, 4)]
    first_of_march = [f"2026-03-01T{hour:02}:00:00Z" for hour in (1, 1, 2, 2, 3)]
    save(*_leads(*january, *february, *first_of_march))
    follow(feed)
    found = [len(users) for users in rows.everyone(Kind.LEAD, Filters())]
    assert found == [3, 3, 3, 1]


def test_who_came_within_one_hour_is_not_told_apart(feed: Feed) -> None:
    save(*_leads("2026-01-05T00:00:00Z", *["2026-03-01T01:00:00Z"] * 5))
    follow(feed)
    assert [len(users) for users in rows.everyone(Kind.LEAD, Filters())] == [5, 1]


def test_the_bounds_of_a_period_are_those_of_its_slices(feed: Feed) -> None:
    save(
        *_leads(*(f"2026-0{month}-0{day}T00:00:00Z" for month in (1, 2, 3) for day in range(1, 7)))
    )
    follow(feed)
    with sent_requests() as sent:
        found = _exported(
            Kind.LEAD, Filters(registered_from="2026-02-02", registered_to="2026-02-28")
        )
    assert found == ["led_011", "led_010", "led_009", "led_008", "led_007"]
    asked = [one.body["TableName"] for one in sent]
    assert (asked.count("totals"), asked.count("users")) == (2, 2), "months, days; two slices"


def test_slices_are_read_at_the_same_time(feed: Feed) -> None:
    save(*_leads(*(f"2026-02-0{day}T00:00:00Z" for day in range(1, 7))))
    follow(feed)
    both = Barrier(2)

    def meet(request: AWSPreparedRequest) -> None:
        if b'"users"' in (request.body or b""):
            both.wait(SECONDS_TO_MEET)

    with hooked("Query", meet):
        assert len(_exported(Kind.LEAD, Filters())) == 6


def test_an_export_reads_no_faster_than_half_of_what_a_partition_gives(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(*_leads(*(f"2026-02-0{day}T00:00:00Z" for day in range(1, 10))))
    follow(feed)
    now, pauses = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    monkeypatch.setattr(slices, "_ROWS", 1_000)
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    assert len(_exported(Kind.LEAD, Filters())) == 9
    # Five requests of a unit each, as moto counts them; the last one delays nobody.
    assert now[0] == pytest.approx(4 / 1_500)
    assert len(pauses) == 4


def test_the_counters_tell_how_many_an_export_has_before_it(feed: Feed) -> None:
    save(*_leads("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"), customer())
    follow(feed)
    with sent_requests() as sent:
        assert rows.count(Kind.LEAD, Filters()) == 2
        assert rows.count(Kind.LEAD, Filters(registered_to="2026-02-28")) == 1
        assert rows.count(Kind.CUSTOMER, Filters(plan=("Premium",))) == 1
        assert rows.count(Kind.CUSTOMER, Filters(plan=("Lite",))) == 0
    of_users = [one.body for one in sent if one.body["TableName"] == "users"]
    assert [one["Select"] for one in of_users] == ["COUNT"], "nobody: that is made sure of"
    assert set(operations(sent)) == {"Query"}
