"""Folding: text as people compare it."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.users.text import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("   ", ""),
        ("GÓMEZ  Ruiz", "gomez ruiz"),
        (" \tMaría\n José\u00a0", "maria jose"),
        ("Muñoz Peña", "munoz pena"),
        ("François Müller", "francois muller"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ﬁnca", "finca"),
        ("\uff23l\u00ednica", "clinica"),
        ("№ 5²", "no 52"),
        ("İstanbul", "istanbul"),
        ("Ευρυδίκη", "ευρυδικη"),
        ("ΟΔΟΣ", "οδοσ"),
        ("Йорк", "иорк"),
        ("梅 艷芳", "梅 艷芳"),
        ("O'Neill-Pérez", "o'neill-perez"),
        ("🌻 Sol", "🌻 sol"),
        ("+57 (300) 123-4567", "+57 (300) 123-4567"),
    ],
)
def test_text_is_folded_as_people_compare_it(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_composed_and_decomposed_accents_are_the_same_text() -> None:
    assert fold("Jose\u0301") == fold("Jos\u00e9") == "jose"


def test_a_text_of_marks_alone_folds_to_nothing() -> None:
    assert fold("\u0301 \u0308") == ""


@settings(deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(st.text())
def test_what_is_folded_has_neither_accents_nor_repeated_blanks(text: str) -> None:
    folded = fold(text)
    assert not any(unicodedata.combining(character) for character in folded)
    assert folded == " ".join(folded.split())


@settings(deadline=None)
@given(st.text(st.characters(codec="latin-1")))
def test_case_does_not_matter(text: str) -> None:
    assert fold(text.upper()) == fold(text.lower()) == fold(text)
