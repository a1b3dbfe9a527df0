"""The file of a job: its name, its fingerprint, and the receipt that a workbook carries."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.exports.files import write_file
from chalicelib.users.model import StoreUser
from chalicelib.users.tables import ExportItem
from tests.builders import customer, lead
from tests.exporting import Clock, stop_clock
from tests.workbooks import Book, columns


@pytest.fixture(autouse=True)
def now(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs a bucket
    return stop_clock(monkeypatch, "2026-03-02T11:00:01Z")


def _job(**changes: Any) -> ExportItem:
    whole = {
        "resource": "leads",
        "format": "xlsx",
        "language": "es",
        "filters": {},
        "origin": "manual",
        "fingerprint": "0",
        "status": "running",
        "attempt": 1,
        "requested_by": "ana@example.com",
        "requested_at": "2026-03-02T04:59:59Z",
        "request_id": "req-1",
        "removed_after": 0,
    }
    return ExportItem("exp_1", **{**whole, **changes})


def _receipt(job: ExportItem, users: list[StoreUser], clock: Clock) -> list[tuple[str, str]]:
    """The receipt of a file whose reading takes eight seconds."""

    def chunks() -> Iterator[list[StoreUser]]:
        clock.goes_on(8)
        yield users

    write_file(job, chunks(), _go_on)
    return columns(Book(_object()["Body"].read()).rows(1), 0, 1)


def _go_on() -> None:
    """Nothing keeps the writer from going on."""


def _object() -> Any:
    return aws.s3().get_object(Bucket="exports-bucket", Key="exports/exp_1/1")


def test_the_receipt_says_in_spanish_what_was_asked_and_what_was_given(now: Clock) -> None:
    users = [lead(), lead(first_name="x" * 40_000, registered_at="0001-01-01T00:00:00Z")]
    filters = {"registered_from": "2026-01-01", "registered_to": "2026-03-01"}
    assert _receipt(_job(filters=filters), users, now) == [
        ("Listado", "Leads"),
        ("Filtros", "registered_from: 2026-01-01; registered_to: 2026-03-01"),
        ("Solicitado por", "ana@example.com"),
        ("Solicitado el", "2026-03-02T04:59:59Z"),
        ("Lectura desde", "2026-03-02T11:00:01Z"),
        ("Lectura hasta", "2026-03-02T11:00:09Z"),
        ("Filas", "2"),
        ("Celdas recortadas (Excel admite 32.767 caracteres)", "1"),
        ("Fechas y números escritos como texto (Excel no los admite)", "1"),
        ("Zona horaria de las fechas", "America/Bogota"),
        ("Exportación", "exp_1"),
    ]


def test_the_receipt_says_in_english_what_was_asked_and_what_was_given(now: Clock) -> None:
    job = _job(
        resource="customers",
        language="en",
        filters={"status": ["active", "past_due"], "plan": ["=1+1"], "access": "suspended"},
    )
    assert _receipt(job, [customer()], now) == [
        ("List", "Customers"),
        ("Filters", "access: suspended; plan: =1+1; status: active, past_due"),
        ("Requested by", "ana@example.com"),
        ("Requested at", "2026-03-02T04:59:59Z"),
        ("Reading from", "2026-03-02T11:00:01Z"),
        ("Reading to", "2026-03-02T11:00:09Z"),
        ("Rows", "1"),
        ("Cells cut (Excel holds 32,767 characters)", "0"),
        ("Dates and numbers written as text (Excel has none such)", "0"),
        ("Time zone of the dates", "America/Bogota"),
        ("Export", "exp_1"),
    ]


@pytest.mark.parametrize(("language", "none"), [("es", "ninguno"), ("en", "none")])
def test_the_receipt_of_a_whole_list_says_that_there_was_no_filter(
    now: Clock, language: str, none: str
) -> None:
    assert _receipt(_job(language=language), [], now)[1][1] == none


@pytest.mark.parametrize(
    ("language", "since", "line"),
    [
        ("es", None, ("Registrados en el periodo", "hasta 2026-03-02 06:00")),
        ("en", None, ("Registered in the period", "until 2026-03-02 06:00")),
        (
            "es",
            "2026-02-23T11:00:00Z",
            ("Registrados en el periodo", "2026-02-23 06:00 → 2026-03-02 06:00"),
        ),
    ],
)
def test_the_receipt_of_a_scheduled_export_says_which_period_it_covers(
    now: Clock, language: str, since: str | None, line: tuple[str, str]
) -> None:
    job = _job(
        origin="scheduled", language=language, period_from=since, period_to="2026-03-02T11:00:00Z"
    )
    assert _receipt(job, [], now)[2] == line


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        # 04:59:59 in UTC is 23:59:59 of the day before in Bogota.
        ({}, "store-users-leads-2026-03-01-235959.xlsx"),
        ({"format": "csv"}, "store-users-leads-2026-03-01-235959.csv"),
        ({"resource": "customers"}, "store-users-customers-2026-03-01-235959.xlsx"),
        (
            {"origin": "scheduled", "fingerprint": "leads-all 2026-03-02T11:00:00Z"},
            "store-users-leads-2026-03-01-235959.xlsx",
        ),
        (
            {"origin": "scheduled", "fingerprint": "leads-new 2026-03-02T11:00:00Z"},
            "store-users-leads-new-2026-03-01-235959.xlsx",
        ),
    ],
)
def test_the_name_of_a_file_speaks(changes: dict[str, Any], name: str) -> None:
    job = _job(**changes)
    write_file(job, [[lead()]], _go_on)
    assert _object()["ContentDisposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    ("format_", "mime_type"),
    [
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("csv", "text/csv; charset=utf-8"),
    ],
)
def test_size_fingerprint_and_type_are_those_of_the_file(format_: str, mime_type: str) -> None:
    file = write_file(_job(format=format_), [[lead()]], _go_on)
    stored = _object()
    written = stored["Body"].read()
    assert (file.size_bytes, stored["ContentType"]) == (len(written), mime_type)
    assert file.sha256 == hashlib.sha256(written).hexdigest()
    assert (file.tally.rows, file.tally.cut_cells) == (1, 0)
