"""The text of a workbook: what went in comes out, and none of it is ever run."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.exports.cells import escape
from chalicelib.users.model import StoreUser
from tests.builders import lead
from tests.exporting import configured
from tests.workbooks import Book, as_calamine_reads, book, book_and_tally, columns, unescaped

NASTY = [
    # What a spreadsheet would calculate, or take for something else.
    *("=1+1", '=HYPERLINK("https://evil.example","x")', "=", "==", "-1", "@x", "+1", "-"),
    *("+573001234567", "+57 300 123 4567", "007", "1E5", "1e400", "1/2", "0x10", "1,5", "50%"),
    *("#N/A", "#DIV/0!", "#REF!", "TRUE", "false", "None", "NaN", "2026-03-01", "'quoted"),
    # What XML forbids, changes, or means something by.
    *("\x00", "a\x01b\x1fc", "\x0b\x0c\x0e", "a\rb", "a\nb", "a\r\nb\r\n", "\x7f\x80\x85\x9f"),
    *("\ufffe", "\uffff", "a\ufffeb\uffffc", "\ufeffBOM", "\u2028\u2029", "\U0001fffe\U0010ffff"),
    *("<b>&amp;\"'</b>", "]]>", "<![CDATA[x]]>", "<!-- x -->", "&#65;", "&lt;"),
    # The escape itself.
    *("_x0041_", "_x005F_x0041_", "_x0041_x0042_", "__x0041__", "_x000D_", "_xabcd_", "_xFFFF_"),
    *("_X0041_", "_x00_", "_x0041", "x0041_", "_x00G1_", "\x01x0041_", "_\x01", "_x0041_\x01"),
    # Blanks.
    *("  leading", "trailing  ", "\ttab\t", "a\tb", " \r\n\t both \t\r\n ", "a  b", "\xa0a\xa0"),
    # Scripts.
    *(
        "😀",
        "👩‍⚕️ María José",
        "e\u0301 and é",
        "مرحبا",
        "\u202eabc\u202c",
        "שלום, world",
        "漢字仮名",
    ),
]
FRAGMENTS = st.sampled_from(
    ["_", "x", "0041", "_x0041_", "_x005F_", "\x00", "\x1f", "\r", "\n", " ", "="]
)


def _texts(*excluded: str) -> st.SearchStrategy[str]:
    """All of Unicode but surrogates, which are no characters, and `excluded`."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters=excluded)
    return st.text(characters) | st.lists(FRAGMENTS | characters).map("".join)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with configured(monkeypatch):
        yield


def _with_text(text: str) -> StoreUser:
    return lead(
        first_name=text,
        last_name=text,
        company_email=text,
        phone_number=text,
        company_name=text,
        registered_at=text,
    )


def _runs_nothing(read: Book) -> bool:
    """No formula, no error, no truth value; numbers are dates alone here: none."""
    types = set(re.findall(r'<c [^>]*?t="(\w+)"', read.xml()))
    return types == {"inlineStr"} and not re.search(r"<f\b", read.xml())


@pytest.mark.parametrize("text", NASTY)
def test_a_nasty_text_reads_the_same_in_calamine_and_in_openpyxl(text: str) -> None:
    read = book([_with_text(text)])
    assert read.rows()[1] == [*[as_calamine_reads(text)] * 6, "led_0007"]
    assert read.openpyxl_rows()[1] == [*[text] * 6, "led_0007"]
    assert _runs_nothing(read)


@pytest.mark.parametrize("text", [" ", "   ", "\t", "\n", " \n ", "\xa0", "\u3000"])
def test_a_text_of_nothing_but_blanks_stays(text: str) -> None:
    read = book([lead(first_name=text)])
    assert read.rows()[1][0] == text
    assert read.openpyxl_rows()[1][0] == text


@pytest.mark.parametrize("text", ["_x0041\x01", "_x0041\r\n", "_x0041\ufffe", "_x0041_x0042\x00"])
def test_an_escaped_character_does_not_complete_an_escape_that_the_text_began(text: str) -> None:
    read = book([lead(first_name=text)])
    assert read.rows()[1][0] == as_calamine_reads(text)
    assert read.openpyxl_rows()[1][0] == text


@given(st.lists(st.tuples(*[_texts("\ufffe", "\uffff")] * 3), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_whatever_went_in_comes_out(texts: list[tuple[str, str, str]]) -> None:
    """All but what calamine cannot read: see `as_calamine_reads`."""
    read = book(
        [lead(first_name=one, last_name=two, phone_number=three) for one, two, three in texts]
    )
    assert columns(read.rows()[1:], 0, 1, 3) == texts
    assert columns(read.openpyxl_rows()[1:], 0, 1, 3) == [
        tuple(text or None for text in row) for row in texts
    ]
    assert not re.search(r'<f\b|t="e"|t="b"', read.xml())


@given(_texts())
@settings(max_examples=500, deadline=None)
def test_the_escapes_of_any_text_undo_to_the_text_and_are_xml(text: str) -> None:
    escaped = escape(text)
    assert unescaped(escaped) == text
    assert re.fullmatch("[\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", escaped)


def test_a_text_is_marked_as_text_so_that_editing_it_does_not_run_it() -> None:
    """Excel turns `=1+1` into a formula at the next edit unless the format of the cell is text."""
    cell = book([lead(first_name="=1+1")]).openpyxl()["A2"]
    assert (cell.value, cell.data_type, cell.number_format) == ("=1+1", "s", "@")


def test_an_empty_text_is_an_empty_cell() -> None:
    read = book([lead(company_name="")])
    assert read.openpyxl()["E2"].value is None
    assert 'r="E2"' not in read.xml()


@pytest.mark.parametrize(
    ("text", "kept", "cut_cells"),
    [
        pytest.param("x" * 32_767, "x" * 32_767, 0, id="as much as fits"),
        pytest.param("x" * 32_768, "x" * 32_767, 1, id="one too many"),
        pytest.param("x" * 40_000, "x" * 32_767, 1, id="40,000 characters"),
        pytest.param("😀" * 16_383 + "x", "😀" * 16_383 + "x", 0, id="pairs that just fit"),
        pytest.param("😀" * 16_384, "😀" * 16_383, 1, id="half a pair would fit"),
        pytest.param("x" * 32_766 + "😀", "x" * 32_766, 1, id="a pair at the cut"),
        pytest.param("x" * 32_765 + "😀", "x" * 32_765 + "😀", 0, id="a pair before the cut"),
    ],
)
def test_a_text_is_cut_at_what_excel_holds_and_the_cut_is_counted(
    text: str, kept: str, cut_cells: int
) -> None:
    """Excel holds 32,767 UTF-16 code units."""
    read, tally = book_and_tally([lead(first_name=text)])
    assert read.rows()[1][0] == kept
    assert (tally.rows, tally.cut_cells) == (1, cut_cells)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("line\r\n" * 5_000, id="lines of Windows"),
        pytest.param("\x01" * 32_767, id="nothing but control characters"),
        pytest.param("_x0041_" * 4_000, id="nothing but escapes"),
    ],
)
def test_escapes_do_not_count_towards_the_limit(text: str) -> None:
    """`_x000D_` is seven characters in the file and one in the cell."""
    read, tally = book_and_tally([lead(first_name=text)])
    assert read.rows()[1][0] == text
    assert tally.cut_cells == 0


def test_every_cell_that_is_cut_is_counted_once() -> None:
    long = "x" * 40_000
    users = [lead(first_name=long, last_name=long), lead(company_name=long), lead()]
    _, tally = book_and_tally(users)
    assert (tally.rows, tally.cut_cells) == (3, 3)
