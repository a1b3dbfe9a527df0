"""Text as people compare it: pure functions."""

import re
import unicodedata

_ASCII_WORD = re.compile("[0-9a-z]+")


def fold(text: str) -> str:
    """`text` without case, accents and repeated blanks: "GÓMEZ  Ruiz" → "gomez ruiz".

    Decomposed by compatibility (NFKD), case folded, marks stripped, decimal digits of any script
    as 0-9 (https://www.unicode.org/reports/tr15/, https://www.unicode.org/reports/tr21/).
    """
    if text.isascii():
        return " ".join(text.casefold().split())
    # Folding the case can bring forth what decomposes once more, such as the dot of "İ".
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(map(_bare, folded)).split())


def words(text: str) -> list[str]:
    """The folded words of `text`, in order: what lies between anything but letters and digits.

    Marks that are not stripped, such as the vowel signs of Devanagari, belong to their word.
    """
    folded = fold(text)
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    return "".join(one if unicodedata.category(one)[0] in "LNM" else " " for one in folded).split()


def digits(text: str) -> str:
    """The digits of `text` alone, as 0-9: "+57 (300) 123-4567" → "573001234567"."""
    return "".join(character for character in fold(text) if "0" <= character <= "9")


def _bare(character: str) -> str:
    if unicodedata.combining(character):
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
