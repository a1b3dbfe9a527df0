"""Periods of registration: to the fraction of a second, as key condition and as filter."""

import pytest

from chalicelib.users import listing
from chalicelib.users.filters import Filters
from chalicelib.users.model import Kind
from tests.builders import customer, save, sent_requests

pytestmark = pytest.mark.usefixtures("cloud", "moments")

MOMENTS = [
    "2026-02-28T23:59:59Z",
    "2026-02-28T23:59:59.999999Z",
    "2026-03-01T00:00:00Z",
    "2026-03-01T00:00:00.000Z",
    "2026-03-01T12:00:00Z",
    "2026-03-01T12:59:59.9Z",
    "2026-03-01T13:00:00Z",
    "2026-03-01T23:59:59Z",
    "2026-03-01T23:59:59.999Z",
    "2026-03-02T00:00:00Z",
]


@pytest.fixture
def moments(cloud: None) -> None:  # noqa: ARG001 - needs the tables
    save(*(customer(f"at_{moment}", registered_at=moment) for moment in MOMENTS))


def _moments(filters: Filters) -> list[str]:
    """The moments that pass, the same whether the period is a key condition or a filter."""
    by_date, by_name = (
        [user.id for user in listing.page(Kind.CUSTOMER, filters, sort, None, 100).users]
        for sort in ("registered_at", "first_name")
    )
    assert sorted(by_date) == sorted(by_name)
    return [moment for moment in MOMENTS if f"at_{moment}" in by_date]


def test_days_are_inclusive_to_their_last_fraction_of_a_second() -> None:
    day = "2026-03-01"
    assert _moments(Filters(registered_from=day, registered_to=day)) == MOMENTS[2:9]
    assert _moments(Filters(registered_from=day)) == MOMENTS[2:]
    assert _moments(Filters(registered_to=day)) == MOMENTS[:9]
    assert _moments(Filters(registered_to="2026-02-28")) == MOMENTS[:2]
    assert _moments(Filters(registered_from="2026-03-02")) == MOMENTS[9:]


def test_a_period_holds_its_begin_and_not_its_end() -> None:
    noon, one = "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"
    assert _moments(Filters(registered_since=noon, registered_before=one)) == MOMENTS[4:6]
    assert _moments(Filters(registered_before=noon)) == MOMENTS[:4]
    assert _moments(Filters(registered_since=one)) == MOMENTS[6:]
    assert _moments(Filters(registered_since="2026-03-01T08:00:00-05:00")) == MOMENTS[6:]
    midnight = "2026-03-01T00:00:00Z"
    assert _moments(Filters(registered_before=midnight)) == MOMENTS[:2]
    within = Filters(registered_since=one, registered_to="2026-03-01")
    assert _moments(within) == MOMENTS[6:9]
    overlap = Filters(registered_from="2026-03-01", registered_before=noon)
    assert _moments(overlap) == MOMENTS[2:4]


def test_a_period_that_ends_before_it_begins_is_empty_and_no_error() -> None:
    one = "2026-03-01T13:00:00Z"
    for filters in (
        Filters(registered_from="2026-03-02", registered_to="2026-03-01"),
        Filters(registered_since=one, registered_before=one),
        Filters(registered_from="2026-03-02", registered_before="2026-03-01T00:00:00Z"),
    ):
        with sent_requests() as sent:
            assert _moments(filters) == []
        # DynamoDB, unlike moto, refuses a BETWEEN whose bounds are the wrong way round.
        values = [value["S"] for value in sent[0].body["ExpressionAttributeValues"].values()]
        lower, upper = (value for value in values if value.startswith("2026"))
        assert lower <= upper


def test_periods_that_adjoin_hold_each_moment_once() -> None:
    bounds = [f"2026-03-01T{time}Z" for time in ("00:00:00", "12:00:00", "12:59:59.5", "13:00:00")]
    periods = [
        Filters(registered_since=since, registered_before=before)
        for since, before in zip([None, *bounds], [*bounds, None], strict=True)
    ]
    assert [moment for period in periods for moment in _moments(period)] == MOMENTS
