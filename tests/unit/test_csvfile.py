"""CSV: every reader of RFC 4180 reads what went in, and no spreadsheet runs it."""

import re
from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.users.model import StoreUser
from tests.builders import customer, lead
from tests.exporting import configured
from tests.workbooks import columns, csv_bytes, csv_rows

WOULD_RUN = re.compile("(^|[;\t\r\n])[=+@\uff1d\uff0b\uff0d\uff20-]|^[\t\r\n]")
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from(['"', ",", "\r", "\n", "\t", ";", " ", "'", "=", "-", "a"])).map(
        "".join
    ),
)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with configured(monkeypatch):
        yield


def _shown(text: str, *, phone: bool = False) -> str:
    """A text, or a phone number, as a reader of the file gets it."""
    user = lead(phone_number=text) if phone else lead(first_name=text)
    return csv_rows(csv_bytes([user]))[1][3 if phone else 0]


def test_a_file_is_utf_8_with_a_byte_order_mark_and_lines_of_windows() -> None:
    """Without the mark Excel takes the file for Latin-1."""
    assert csv_bytes([lead(company_name="Clínica, Sol")]) == (
        b"\xef\xbb\xbf"
        b"Nombre,Apellido,Correo de empresa,Tel\xc3\xa9fono,Empresa,Registrado,Id\r\n"
        b'Juan,P\xc3\xa9rez,juan@example.com,3001112233,"Cl\xc3\xadnica, Sol",'
        b"2026-02-01T08:00:00Z,led_0007\r\n"
    )


def test_the_mark_comes_once_and_a_text_may_begin_with_one_of_its_own() -> None:
    assert csv_rows(csv_bytes([lead(first_name="\ufeffJuan")]))[1][0] == "\ufeffJuan"


def test_customers_have_their_columns_and_words_in_the_language_asked_for() -> None:
    rows = csv_rows(csv_bytes([customer(), customer(ecosystem=None, subscription=None)], "en"))
    assert rows == [
        [
            *("First name", "Last name", "Company email", "Phone number", "Company name"),
            *("Registered", "Ecosystem Name", "Access", "Plan", "Billing period", "Status"),
            *("Starts on", "Ends on", "Encounters included", "Encounters used", "Licences", "Id"),
        ],
        [
            *("María José", "Gómez Ruiz", "mj@clinica-sol.co", "+573001234567", "Clínica Sol"),
            *("2026-03-01T15:04:05Z", "clinica-sol", "Active", "Premium", "Annual", "Active"),
            *("2026-03-01", "2027-02-28", "5000", "1270", "20", "cus_0042"),
        ],
        [
            *("María José", "Gómez Ruiz", "mj@clinica-sol.co", "+573001234567", "Clínica Sol"),
            *("2026-03-01T15:04:05Z", "No complete", "", "", "", ""),
            *("", "", "", "", "", "cus_0042"),
        ],
    ]


@pytest.mark.parametrize(
    "text",
    [
        *('say "hola"', '"', '""', "a,b", "a;b", "a\nb", "a\r\nb", "a\rb", " blanks ", "\x00"),
        *("007", "1E5", "TRUE", "#N/A", "'quoted", "😀", "مرحبا", "\\", "a\tb", "e\u0301", "\x85"),
        "x" * 40_000,
    ],
)
def test_a_text_that_nothing_would_run_reads_back_as_it_is(text: str) -> None:
    assert _shown(text) == text


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_went_in_comes_out_but_for_apostrophes_and_nothing_would_run(
    texts: list[tuple[str, str]],
) -> None:
    users: list[StoreUser] = [lead(first_name=one, company_name=two) for one, two in texts]
    read = columns(csv_rows(csv_bytes(users))[1:], 0, 4)
    for text, shown in zip(chain(*texts), chain(*read), strict=True):
        assert shown.replace("'", "") == text.replace("'", "")
        assert not WOULD_RUN.search(shown)
        assert shown == text or WOULD_RUN.search(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *[(text, f"'{text}") for text in ("=1+1", "=", "@SUM(1)", "+1+1", "-1", "-2+3", "-", "+")],
        *[(text, f"'{text}") for text in ("+573001234567", "=cmd|'/C calc'!A0", "\uff1d1+1")],
        ('=HYPERLINK("https://evil.example","x")', '\'=HYPERLINK("https://evil.example","x")'),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\ttab", "'\ttab"),
        # A spreadsheet that separates by semicolons or tabs begins a cell in the middle of ours.
        ("a;=1+1", "a;'=1+1"),
        ("a\t@x\n-1", "a\t'@x\n'-1"),
    ],
)
def test_a_text_that_a_spreadsheet_would_calculate_gets_an_apostrophe(
    text: str, shown: str
) -> None:
    assert _shown(text) == shown


@pytest.mark.parametrize("text", ["a=1", "1+1", "1-1", "x@example.com", " =1", "'=1"])
def test_a_sign_that_does_not_come_first_is_left_alone(text: str) -> None:
    assert _shown(text) == text


@pytest.mark.parametrize(
    "phone",
    [
        *("+573001234567", "+57 300 123 4567", "+57 (300) 123-4567", "+57.300.123.4567"),
        *("3001234567", "(300) 123 4567", "007", "", "sin teléfono"),
    ],
)
def test_a_phone_number_that_looks_like_one_stays_as_it_is(phone: str) -> None:
    assert _shown(phone, phone=True) == phone


@pytest.mark.parametrize(
    "phone",
    [
        *("=1+1", "=57300", "@57300", "-57300", "+cmd|'/C calc'!A0", "+1+1", "+57*2", "+57=1"),
        *("+A1", "+57-300-123", "+", "+57300\t", "++57300"),
    ],
)
def test_a_phone_number_that_looks_like_none_gets_an_apostrophe(phone: str) -> None:
    assert _shown(phone, phone=True) == f"'{phone}"


@pytest.mark.parametrize(
    ("phone", "shown"), [("\t+57300", "'\t'+57300"), ("+57300\n=1", "'+57300\n'=1")]
)
def test_no_part_of_a_phone_number_runs(phone: str, shown: str) -> None:
    assert _shown(phone, phone=True) == shown


def test_a_state_that_the_shop_invents_cannot_run_either() -> None:
    odd = customer(access="=1+1")
    assert csv_rows(csv_bytes([odd]))[1][7] == "'=1+1"
