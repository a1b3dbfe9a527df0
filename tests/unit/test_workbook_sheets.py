"""The sheets of a workbook: headings, words, widths, as many sheets as the rows need."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.exports import workbook
from chalicelib.exports.columns import COLUMNS, Tally, layout
from chalicelib.users.model import Ecosystem, Kind, StoreUser
from tests.builders import SUBSCRIPTION, customer, lead
from tests.exporting import configured
from tests.workbooks import book, columns, written

ACCESS, PERIOD, STATUS = 7, 9, 10


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with configured(monkeypatch):
        yield


def _leads(count: int) -> list[StoreUser]:
    return [lead(f"led_{number}") for number in range(1, count + 1)]


def _in_state(status: str, billing_period: str = "annual", access: str = "active") -> StoreUser:
    bought = replace(SUBSCRIPTION, status=status, billing_period=billing_period)
    return customer(subscription=bought, access=access)


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        (
            "es",
            ["Nombre", "Apellido", "Correo de empresa", "Teléfono", "Empresa", "Registrado", "Id"],
        ),
        (
            "en",
            [
                *("First name", "Last name", "Company email", "Phone number", "Company name"),
                *("Registered", "Id"),
            ],
        ),
    ],
)
def test_the_headings_of_leads_are_in_the_language_asked_for(
    language: str, headings: list[str]
) -> None:
    assert book([lead()], language).rows()[0] == headings


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        (
            "es",
            [
                *("Nombre", "Apellido", "Correo de empresa", "Teléfono", "Empresa", "Registrado"),
                *("Ecosystem Name", "Acceso", "Plan", "Periodo", "Estado", "Inicio", "Fin"),
                *("Encounters incluidos", "Encounters usados", "Licencias", "Id"),
            ],
        ),
        (
            "en",
            [
                *("First name", "Last name", "Company email", "Phone number", "Company name"),
                *("Registered", "Ecosystem Name", "Access", "Plan", "Billing period", "Status"),
                *("Starts on", "Ends on", "Encounters included", "Encounters used", "Licences"),
                "Id",
            ],
        ),
    ],
)
def test_the_headings_of_customers_are_in_the_language_asked_for(
    language: str, headings: list[str]
) -> None:
    assert book([customer()], language).rows()[0] == headings


def test_the_header_is_bold_and_stays_in_sight() -> None:
    sheet = book([customer()]).openpyxl()
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    assert sheet.freeze_panes == "A2"


def test_every_column_is_as_wide_as_its_content_needs() -> None:
    sheet = book([lead()]).openpyxl()
    widths = {letter: size.width for letter, size in sheet.column_dimensions.items()}
    assert widths == {"A": 20, "B": 24, "C": 32, "D": 18, "E": 30, "F": 18, "G": 14}


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_customer_without_an_ecosystem_reads_no_complete_and_has_no_access(language: str) -> None:
    read = book([customer(ecosystem=None, access="active"), customer()], language)
    shown = {"es": "Activo", "en": "Active"}[language]
    assert columns(read.rows()[1:], 6, ACCESS) == [("No complete", ""), ("clinica-sol", shown)]


def test_an_ecosystem_whose_access_nobody_set_is_active() -> None:
    unset = customer(ecosystem=Ecosystem("eco_1", "uno", None), access=None)
    assert book([unset], "en").rows()[1][ACCESS] == "Active"


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        (
            "es",
            [
                ("Activo", "Anual", "Activo"),
                ("Suspendido", "Mensual", "Suspendido"),
                ("Activo", "Anual", "En prueba"),
                ("Activo", "Anual", "Pago vencido"),
                ("Activo", "Anual", "Cancelado"),
                ("Activo", "Anual", "Vencido"),
                ("Activo", "weekly", "=paused"),
            ],
        ),
        (
            "en",
            [
                ("Active", "Annual", "Active"),
                ("Suspended", "Monthly", "Suspended"),
                ("Active", "Annual", "Trialing"),
                ("Active", "Annual", "Past due"),
                ("Active", "Annual", "Cancelled"),
                ("Active", "Annual", "Expired"),
                ("Active", "weekly", "=paused"),
            ],
        ),
    ],
)
def test_states_are_words_of_the_language_and_unknown_ones_stay(
    language: str, rows: list[tuple[str, str, str]]
) -> None:
    users = [
        _in_state("active"),
        _in_state("suspended", "monthly", "suspended"),
        *(_in_state(status) for status in ("trialing", "past_due", "cancelled", "expired")),
        _in_state("=paused", "weekly"),
    ]
    assert columns(book(users, language).rows()[1:], ACCESS, PERIOD, STATUS) == rows


@pytest.mark.parametrize(
    ("count", "sheets"),
    [
        (1, {"Leads": ["led_1"]}),
        (2, {"Leads": ["led_1", "led_2"]}),
        (3, {"Leads": ["led_1", "led_2"], "Leads 2": ["led_3"]}),
        (4, {"Leads": ["led_1", "led_2"], "Leads 2": ["led_3", "led_4"]}),
        (
            5,
            {"Leads": ["led_1", "led_2"], "Leads 2": ["led_3", "led_4"], "Leads 3": ["led_5"]},
        ),
    ],
)
def test_rows_beyond_what_a_sheet_holds_go_to_the_next_one(
    monkeypatch: pytest.MonkeyPatch, count: int, sheets: dict[str, list[str]]
) -> None:
    monkeypatch.setattr(workbook, "_ROWS_A_SHEET", 2)
    read = book(_leads(count))
    assert read.sheets == [*sheets, "Comprobante"]
    for number, expected in enumerate(sheets.values()):
        header, *rows = read.rows(number)
        assert header[0] == "Nombre"
        assert [row[-1] for row in rows] == expected


def test_a_sheet_holds_as_many_rows_as_excel_and_the_next_one_the_rest() -> None:
    """1,048,576 rows, of which one is the header."""
    look = replace(layout(Kind.LEAD, "en"), columns=COLUMNS[Kind.LEAD][:1])
    chunk, sink = [["Ana"]] * 10_000, io.BytesIO()
    tally = workbook.write(sink, look, [chunk] * 105, lambda _tally: [])
    assert tally.rows == 1_050_000
    with zipfile.ZipFile(sink) as archive:
        sheets = [archive.read(f"xl/worksheets/sheet{number}.xml") for number in (1, 2)]
    assert [sheet.count(b"<row ") for sheet in sheets] == [1_048_576, 1_426]
    assert b'<row r="1048576">' in sheets[0]
    assert [re.findall(rb'<autoFilter ref="(.+?)"', sheet) for sheet in sheets] == [
        [b"A1:A1048576"],
        [b"A1:A1426"],
    ]


def test_a_sheet_of_too_many_bytes_for_a_zip_file_goes_on_in_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbook, "_BYTES_A_SHEET", 1_000)
    read, tally = written(layout(Kind.LEAD, "en"), [[one] for one in _leads(4)])
    assert tally.rows == 4
    assert read.sheets == ["Leads", "Leads 2", "Receipt"]
    assert [[row[-1] for row in read.rows(number)[1:]] for number in (0, 1)] == [
        ["led_1", "led_2", "led_3"],
        ["led_4"],
    ]


def test_every_column_can_be_filtered_down_to_the_last_row() -> None:
    assert book([customer()] * 3).openpyxl().auto_filter.ref == "A1:Q4"
    assert written(layout(Kind.LEAD, "en"), [])[0].openpyxl().auto_filter.ref == "A1:G1"


@pytest.mark.parametrize(
    ("kind", "sheets"),
    [(Kind.LEAD, ["Leads", "Receipt"]), (Kind.CUSTOMER, ["Customers", "Receipt"])],
)
def test_a_workbook_of_nobody_has_a_header_and_a_receipt(kind: Kind, sheets: list[str]) -> None:
    read, tally = written(layout(kind, "en"), [], lambda tally: [("Rows", str(tally.rows))])
    assert tally == Tally()
    assert read.sheets == sheets
    assert [row[0] for row in read.rows()] == ["First name"]
    assert read.rows(1) == [["Rows", "0"]]
    assert read.openpyxl().freeze_panes == "A2"
