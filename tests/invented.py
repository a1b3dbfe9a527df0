"""Invented texts for the people of property tests."""

from hypothesis import strategies as st

from chalicelib.users.text import words
from tests.privacy import SHORTEST_WORD


def invented_text(*, max_size: int) -> st.SearchStrategy[str]:
    """Any text without a word that a line of the log can hold of itself.

    Hypothesis also draws words of this code base, such as `unit`, which every metric names: the
    watch of `tests.privacy` would take them for a person's. Words of logs are ASCII.
    """
    return st.text(max_size=max_size).filter(is_strange_to_logs)


def is_strange_to_logs(text: str) -> bool:
    """Return True if no word of the text can stand in a line of the log by itself."""
    return all(len(word) < SHORTEST_WORD or not word.isascii() for word in words(text))
