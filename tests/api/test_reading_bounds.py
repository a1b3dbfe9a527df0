"""What one person reads in a minute is bounded, whichever functions answer them."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.settings import settings
from chalicelib.users import budget, reading
from tests.api.client import Client
from tests.api.conformity import Answer
from tests.api.conftest import Logs
from tests.api.pool import person_claims
from tests.builders import (
    customer,
    lead,
    operations,
    refusals,
    save,
    save_ecosystem,
    sent_requests,
)
from tests.exporting import Clock, stop_clock

VIEWER = person_claims("viewer")["sub"]

Bounds = Callable[..., None]


@pytest.fixture
def bounds(api: Client, monkeypatch: pytest.MonkeyPatch) -> Bounds:
    """Set the bounds, among a hundred leads. The signing keys are there already."""
    save(customer(), *(lead(f"led_{number}") for number in range(100)))
    save_ecosystem()

    def set_to(units: int = 6_000, rows: int = 10_000, rows_an_hour: int = 100_000) -> None:
        monkeypatch.setenv("PERSON_UNITS_PER_MINUTE", str(units))
        monkeypatch.setenv("PERSON_ROWS_PER_MINUTE", str(rows))
        monkeypatch.setenv("UNUSUAL_ROWS_PER_HOUR", str(rows_an_hour))
        settings.cache_clear()
        assert api.get("/v1/leads/led_1", "viewer").status == 200

    return set_to


@pytest.fixture
def quarter_past(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It is a quarter of a minute after a full hour."""
    return stop_clock(monkeypatch, "2026-03-02T11:00:15Z")


def _leads(api: Client, role: str = "viewer", limit: int = 100) -> Answer:
    return api.get("/v1/leads", role, limit=limit, total="none")


def _is_too_much(answer: Answer, seconds: str = "45") -> bool:
    if answer.status == 200:
        return False
    assert (answer.status, answer.problem) == (429, "too-much-read")
    assert answer.headers["retry-after"] == seconds
    assert answer.json["detail"] == f"You may go on reading in {seconds} seconds"
    return True


def test_rows_of_a_minute_are_bounded_for_each_person(
    api: Client, bounds: Bounds, quarter_past: Clock
) -> None:
    bounds(rows=500)
    assert [_is_too_much(_leads(api)) for _ in range(7)] == [*[False] * 5, True, True]
    for path in ("/v1/leads/led_1", "/v1/totals?list=leads&from=2026-03-01&to=2026-03-01"):
        assert _is_too_much(api.get(path, "viewer"))
    assert not _is_too_much(_leads(api, "admin")), "others go on"
    quarter_past.goes_on(44)
    assert _is_too_much(_leads(api), "1")
    quarter_past.goes_on(1)
    assert not _is_too_much(_leads(api))


@pytest.mark.usefixtures("quarter_past")
def test_units_of_a_minute_are_bounded_whatever_comes_of_the_requests(
    api: Client, bounds: Bounds
) -> None:
    """The emulator counts one unit a row that is found, and none for one that is not."""
    bounds(units=500)
    reading.note(VIEWER, 497.5, 0)
    read = [api.get(f"/v1/leads/{user_id}", "viewer") for user_id in ("led_404", *["led_1"] * 3)]
    assert [one.status for one in read] == [404, 200, 200, 429]


@pytest.mark.usefixtures("quarter_past")
def test_all_functions_count_together(api: Client, bounds: Bounds) -> None:
    """A new process knows nothing, and learns with the first fiftieth that it reads."""
    bounds(rows=500)
    for _ in range(5):
        assert not _is_too_much(_leads(api))
        reading.forget()
    assert not _is_too_much(_leads(api, limit=9)), "less than a fiftieth"
    assert not _is_too_much(_leads(api, limit=1))
    assert _is_too_much(_leads(api, limit=1))


@pytest.mark.usefixtures("quarter_past")
def test_many_functions_at_once_let_a_fiftieth_and_a_request_more_pass_each(
    api: Client, bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each function knows what it has written and what it was answered then, as on Lambda."""
    bounds(rows=500)
    functions: list[dict[str, Any]] = [{} for _ in range(8)]
    monkeypatch.setattr(reading, "_tallies", functions[0])
    reading.note(VIEWER, 0, 400)
    read, refusing = 400, set[int]()
    for turn in range(60):
        number = turn % len(functions)
        monkeypatch.setattr(reading, "_tallies", functions[number])
        answer = _leads(api, limit=8)
        if _is_too_much(answer):
            refusing.add(number)
        else:
            read += len(answer.json["data"])
    assert len(refusing) == len(functions)
    assert 500 <= read <= 500 + len(functions) * (10 + 8)


@pytest.mark.usefixtures("quarter_past")
def test_what_a_refused_change_shows_is_counted_and_changes_go_on(
    api: Client, bounds: Bounds
) -> None:
    """A 412 shows the customer as now: who asks for many of them reads, too."""
    bounds(rows=500)
    off = {"access": "suspended", "reason": "Privacy incident 4711"}
    subject = person_claims("support")["sub"]
    reading.note(subject, 0, 497)
    statuses = [api.switch(off, if_match='"1"').status for _ in range(4)]
    assert statuses == [412] * 4
    assert _is_too_much(_leads(api, "support"))
    assert api.switch(off).status == 200


def test_typing_fast_in_the_search_is_far_from_the_bound(api: Client, bounds: Bounds) -> None:
    """A search a letter, in a minute; and fifty of the dearest pages that there are."""
    bounds()
    typed = "perez garcia bogota"
    for end in range(2, len(typed) + 1):
        assert api.get("/v1/leads", "viewer", q=typed[:end]).status == 200
    assert settings().person_units_per_minute >= 50 * budget.MAX_UNITS


@pytest.mark.usefixtures("quarter_past")
def test_exports_are_ordered_by_who_has_read_what_one_may(api: Client, bounds: Bounds) -> None:
    bounds(rows=500)
    reading.note(person_claims("admin")["sub"], 0, 500)
    assert _is_too_much(_leads(api, "admin"))
    body = {"resource": "leads", "format": "csv"}
    assert api.order("00000000-0000-4000-8000-000000000001", body).status == 202


@pytest.mark.usefixtures("quarter_past")
def test_gateways_and_changes_are_not_bounded(api: Client, bounds: Bounds) -> None:
    bounds(rows=500, units=500)
    for subject in ("gateway-client", person_claims("support")["sub"]):
        reading.note(subject, 500.0, 500)
    with sent_requests() as sent:
        for _ in range(3):
            assert api.get("/v1/ecosystems/eco_17/access", "gateway").status == 200
    assert operations(sent) == ["GetItem"] * 3
    assert _is_too_much(_leads(api, "support"))
    off = {"access": "suspended", "reason": "Privacy incident 4711"}
    assert api.switch(off, role="support").status == 200


@pytest.mark.usefixtures("quarter_past")
def test_the_counter_costs_one_write_for_eight_pages_of_25(api: Client, bounds: Bounds) -> None:
    bounds()
    with sent_requests() as sent:
        for _ in range(8):
            assert _leads(api, limit=25).status == 200
    asked = operations(sent)
    assert (asked.count("UpdateItem"), asked.count("Query"), len(asked)) == (1, 8, 9)


def test_unusual_reading_is_told_once_for_the_alarm(
    api: Client, bounds: Bounds, quarter_past: Clock, logs: Logs
) -> None:
    bounds(rows=500, rows_an_hour=700)
    logs()
    for _ in range(3):
        reading.note(VIEWER, 0, 400)
        assert [_is_too_much(_leads(api)) for _ in range(2)] == [False, True]
        quarter_past.goes_on(60)
    told = [line for line in logs() if line["event"] == "reading.unusual"]
    assert [(one["bound"], one["rows_read"]) for one in told] == [
        ("minute", 501),
        ("hour", 901),
        ("minute", 1_001),
        ("minute", 1_501),
    ]
    for one in told:
        assert (one["level"], one["actor_id"], one["unusual"]) == ("WARNING", VIEWER, 1)
        (directive,) = one["_aws"]["CloudWatchMetrics"]
        assert (directive["Dimensions"], one["event"]) == ([["event"]], "reading.unusual")
        assert {"Name": "unusual", "Unit": "Count"} in directive["Metrics"]


@pytest.mark.usefixtures("quarter_past", "no_waiting")
def test_where_it_cannot_be_counted_reading_goes_on_and_each_function_bounds_its_own(
    api: Client, bounds: Bounds, logs: Logs
) -> None:
    bounds(rows=500)
    logs()
    with refusals("UpdateItem", "ThrottlingException"):
        reading.note(VIEWER, 0, 400)
        assert [_is_too_much(_leads(api)) for _ in range(2)] == [False, True]
        assert [line["event"] for line in logs()].count("reading.not_counted") == 2
        reading.forget()
        assert not _is_too_much(_leads(api)), "another function"
    assert not _is_too_much(_leads(api)), "counted by all again"


@pytest.mark.usefixtures("quarter_past", "no_waiting")
def test_a_counter_that_fails_is_not_waited_for_by_every_request(
    api: Client, bounds: Bounds, logs: Logs
) -> None:
    """With a fiftieth of 200 rows, two of eight pages of 50 try it, and six do not."""
    bounds()
    logs()
    with refusals("UpdateItem", "ThrottlingException"):
        for _ in range(8):
            assert _leads(api, limit=50).status == 200
    assert [line["event"] for line in logs()].count("reading.not_counted") == 2
