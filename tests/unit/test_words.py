"""The words of a state: the same on the page and in a file."""

import json

import pytest

from chalicelib.exports.columns import WORDS
from infra.package import ROOT


@pytest.mark.parametrize("language", ["es", "en"])
def test_past_due_has_one_word_a_language(language: str) -> None:
    page = json.loads((ROOT / "chalicelib" / "ui" / f"{language}.json").read_text())
    assert page["status.past_due"] == WORDS[language]["past_due"]
