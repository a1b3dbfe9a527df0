"""Text as people compare it: pure functions."""

import unicodedata


def fold(text: str) -> str:
    """`text` without case, accents and repeated blanks: "GÓMEZ  Ruiz" → "gomez ruiz".

    Decomposed by compatibility (NFKD), marks stripped, case folded
    (https://www.unicode.org/reports/tr15/, https://www.unicode.org/reports/tr21/).
    """
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.casefold().split())
