"""The entries of the search index: what a user has, which of them counts, what a search means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.users.entries import (
    LONGEST,
    SEARCHABLE,
    Document,
    Search,
    age,
    is_canonical,
    user_id_of,
)
from chalicelib.users.text import digits, words
from tests.builders import customer, lead


def test_the_document_of_a_user_has_the_words_of_five_fields_once() -> None:
    document = Document.of(customer())
    assert document.kind == "customer"
    assert document.words == "573001234567 clinica co gomez jose maria mj ruiz sol"


def test_every_suffix_of_two_characters_and_more_has_an_entry() -> None:
    bare = {"last_name": "", "company_email": "", "phone_number": "", "company_name": ""}
    document = Document.of(lead("led_7", first_name="Ana José", **bare))
    at = age("2026-02-01T08:00:00Z")
    assert document.entries("led_7") == {
        ("lead#an", f"ana#{at}#led_7"),
        ("lead#na", f"na#{at}#led_7"),
        ("lead#jo", f"jose#{at}#led_7"),
        ("lead#os", f"ose#{at}#led_7"),
        ("lead#se", f"se#{at}#led_7"),
    }


def test_sixteen_characters_of_a_suffix_are_kept() -> None:
    bare = {"last_name": "", "company_email": "", "phone_number": "", "company_name": ""}
    document = Document.of(lead(first_name="abcdefghijklmnopqrst", **bare))
    suffixes = {entry.partition("#")[0] for _, entry in document.entries("led_7")}
    assert max(map(len, suffixes)) == LONGEST == 16
    assert {"abcdefghijklmnop", "efghijklmnopqrst", "st"} <= suffixes


def test_what_lies_beyond_256_characters_of_a_field_is_not_searched() -> None:
    document = Document.of(lead(first_name="x" * SEARCHABLE + "beyond"))
    assert "beyond" not in document.words


def test_the_newest_come_first_and_what_is_no_time_last() -> None:
    times = ["2026-03-01T15:04:05Z", "2026-03-01T15:04:04.9Z", "2025-12-31", "0001-01-01", "soon"]
    ages = [age(one) for one in times]
    assert ages == sorted(ages)
    assert len({len(one) for one in ages}) == 1


def test_a_user_id_is_read_from_an_entry() -> None:
    assert user_id_of("ana#7ab4zv0t#cus_0042") == "cus_0042"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("maria gomez", True),
        ("GÓMEZ, María", True),
        ("driguez", False),
        ("cli ni ca sol", True),
        ("mj@clinica-sol.co", True),
        ("300 123", True),
        ("(300)123-4567", True),
        ("4567", True),
        ("+57 300 123 4567", True),
        ("0057 300 123 4567", True),
        ("+58 300 123 4567", False),
        ("+57 300 123 4568", False),
        ("maria garcia", False),
    ],
)
def test_every_word_occurs_somewhere(*, text: str, found: bool) -> None:
    assert Search.of(text).matches(Document.of(customer()).words) is found


def test_a_number_with_its_country_finds_one_that_was_stored_without() -> None:
    stored = Document.of(customer(phone_number="(300) 123-4567")).words
    assert Search.of("+57 300 123 4567").matches(stored)
    assert not Search.of("+57 301 123 4567").matches(stored)


@pytest.mark.parametrize("text", ["", "  ", "!!", "🌻🌻", "--", "@."])
def test_a_search_without_a_letter_or_digit_has_no_words(text: str) -> None:
    assert Search.of(text).words == ()


def test_words_within_others_add_nothing() -> None:
    assert Search.of("ana anabel an bel").words == ("anabel",)


letters = st.text("abA1é ", max_size=30)


@settings(deadline=None)
@given(first=letters, last=letters, wanted=st.text("ab1é", min_size=2, max_size=20))
def test_of_the_entries_that_a_word_finds_exactly_one_counts(
    first: str, last: str, wanted: str
) -> None:
    document = Document.of(lead(first_name=first, last_name=last))
    (word,) = words(wanted)
    head = word[:LONGEST]
    met = [entry for _, entry in document.entries("led_7") if entry.startswith(head)]
    counted = [entry for entry in met if is_canonical(entry, document.words, head)]
    occurs = any(head in one for one in document.words.split())
    assert len(counted) == occurs
    assert counted == sorted(met)[:1]


@settings(deadline=None)
@given(st.text())
def test_words_are_words_of_themselves(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert all(" " not in one and "#" not in one for one in found)


def test_digits_of_any_script_are_digits() -> None:
    assert digits("+57 (300) ١٢٣-\uff14\uff15\uff16\uff17") == "573001234567"
