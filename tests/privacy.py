"""Whether a log tells anything of a person: looked at in every test, and on the running system."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TextIO

import pytest

from chalicelib import log
from chalicelib.users.model import StoreUser
from chalicelib.users.text import digits, words

SHORTEST_WORD, _SHORTEST_NUMBER = 4, 6
"""Shorter ones stand in logs by chance: in names of functions, in counts."""

VOCABULARY = frozenset(
    {
        *("customer", "example", "export", "false", "health", "lead", "leads"),
        *("null", "status", "true"),
    }
)
"""Words of our logs, and of JSON, that invented people and companies are called by, too."""

_NUMBER = re.compile(r"[+(]?[0-9][0-9() .\-]{5,}")
"""A number as people write phones."""

_SECRETS = ("eyJ", "token=", "Bearer ", "X-Amz-Signature")
"""How tokens and signed links begin."""

MOST_PEOPLE = 2_000
"""Tests with more of them are about numbers, and have invented them by a rule."""


def words_of(user: StoreUser) -> set[str]:
    """The words and the number by which a person would be known."""
    fields = (user.first_name, user.last_name, user.company_email, user.company_name)
    found = {word for field in fields for word in words(field) if len(word) >= SHORTEST_WORD}
    number = digits(user.phone_number)
    numbers = {number, number[-10:]} if len(number) >= _SHORTEST_NUMBER else set()
    return (found | numbers) - VOCABULARY


def told(line: str, known: set[str]) -> set[str]:
    """What a line of a log tells of the people with these words, and the secrets in it."""
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False)
    except ValueError:
        text = line
    runs = [digits(run) for run in _NUMBER.findall(text)]
    numbers = {one for one in known if one.isdecimal() and any(one in run for run in runs)}
    return (known & set(words(text))) | numbers | {secret for secret in _SECRETS if secret in text}


class Watch:
    """The people of a test, and what was logged meanwhile."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.lines: list[str] = []
        self._people = 0

    def meet(self, user: StoreUser) -> None:
        """Remember a person."""
        self._people += 1
        if self._people <= MOST_PEOPLE:
            self.known |= words_of(user)

    def leaks(self) -> list[tuple[set[str], str]]:
        """The lines that tell of somebody, with what they tell."""
        return [(found, line) for line in self.lines if (found := told(line, self.known))]


class _Tee:
    """Standard output as the log sees it."""

    def __init__(self, lines: list[str], stream: Callable[[], TextIO]) -> None:
        self._lines = lines
        self._stream = stream

    def write(self, text: str) -> None:
        self._lines += text.splitlines()
        self._stream().write(text)

    def flush(self) -> None:
        self._stream().flush()


@contextmanager
def watching() -> Iterator[Watch]:
    """Note every line that is logged, and every person that comes to be, in this process."""
    watch = Watch()
    make = StoreUser.__init__

    def make_known(self: StoreUser, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        watch.meet(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "sys", SimpleNamespace(stdout=_Tee(watch.lines, lambda: sys.stdout)))
        patch.setattr(StoreUser, "__init__", make_known)
        yield watch
