"""The sheets of a workbook: headings, words, widths, as many sheets as the rows need."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.exports import workbook
from chalicelib.exports.columns import Tally, layout
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
                ("Activo", "Anual", "Pago pendiente"),
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


def test_a_sheet_holds_as_many_rows_as_excel_less_the_header() -> None:
    assert workbook._ROWS_A_SHEET == 1_048_575  # noqa: SLF001 - too many to write in a test


@pytest.mark.parametrize(
    ("kind", "sheets"),
    [(Kind.LEAD, ["Leads", "Receipt"]), (Kind.CUSTOMER, ["Customers", "Receipt"])],
)
def test_a_workbook_of_nobody_has_a_header_and_a_receipt(kind: Kind, sheets: list[str]) -> None:
    read, tally = written(layout(kind, "en"), [], lambda tally: [("Rows", str(tally.rows))])
    assert tally == Tally(rows=0, cut_cells=0)
    assert read.sheets == sheets
    assert [row[0] for row in read.rows()] == ["First name"]
    assert read.rows(1) == [["Rows", "0"]]
    assert read.openpyxl().freeze_panes == "A2"
