"""How a person is called, or was: what finds searches for them, and reasons that mention them."""

from dataclasses import dataclass
from typing import Self

from chalicelib.users.entries import Search
from chalicelib.users.text import digits, words

_SHORTEST_NAME = 3
"""Letters: shorter words of a name ("de", "y") stand in every second reason."""

_NUMBER_DIGITS = 7
"""The last digits of a phone number: people write them with and without what stands before."""


@dataclass(frozen=True, slots=True)
class Names:
    """Present and former names together.

    `words` are the folded words that searches find. `terms`, one or more folded words with blanks
    between, and `numbers`, the last digits of phones, tell in a text that it may be about them.
    """

    words: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    def __or__(self, other: Self) -> "Names":
        """Return both."""
        return Names(
            self.words | other.words, self.terms | other.terms, self.numbers | other.numbers
        )

    @classmethod
    def of_fields(cls, first: str, last: str, email: str, phone: str, company: str) -> "Names":
        """Return the names in the five fields that are searched."""
        told = {word for text in (first, last, email, company) for word in words(text)}
        name_words = {one for one in words(f"{first} {last}") if len(one) >= _SHORTEST_NAME}
        phrases = {phrase(email), phrase(company)}
        return cls(
            frozenset(told | {digits(phone)}) - {""},
            frozenset(name_words | phrases) - {""},
            _numbers(phone),
        )

    @classmethod
    def of_text(cls, text: str) -> "Names":
        """Return what a person said they were called: names, e-mails and phones between commas."""
        parts = [one for part in text.replace(";", ",").split(",") if (one := part.strip())]
        found = cls()
        for part in parts:
            is_phone = not any(character.isalpha() for character in part)
            email, phone = (part if "@" in part else ""), (part if is_phone else "")
            found |= cls.of_fields("", "" if email or phone else part, email, phone, "")
        return found

    def answer(self, q: str) -> bool:
        """Return True if the search finds them, and perhaps others."""
        search = Search.of(q)
        return bool(self.words and search.words) and search.matches(" ".join(sorted(self.words)))

    def are_in(self, text: str) -> bool:
        """Return True if the text may be about them."""
        padded, told = f" {phrase(text)} ", digits(text)
        is_named = any(f" {term} " in padded for term in self.terms)
        return is_named or any(number in told for number in self.numbers)


def phrase(text: str) -> str:
    """Return the folded words of the text, in order, with a blank between."""
    return " ".join(words(text))


def _numbers(phone: str) -> frozenset[str]:
    number = digits(phone)
    return frozenset({number[-_NUMBER_DIGITS:]} if len(number) >= _NUMBER_DIGITS else ())
