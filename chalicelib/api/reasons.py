"""The text of a reason: a portable pattern for clients, and the exact one that the server uses."""

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which counts in what it has
# yet to assign, and White_Space (PropList.txt); format characters of annotations, shorthand, music
# and hieroglyphs; and three that are drawn as nothing: the empty pattern of Braille, a notehead,
# the filler of Khitan.
_UNSEEN = (
    r" \t\n\r\u00a0\u00ad\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200d\u202f\u205f-\u2065\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
# What would let the history show something else than what was written: control characters, breaks
# of lines of Unicode's own, marks, embeddings and overrides of direction (Unicode TR 36, section
# 2.5), and the deprecated ones that mirror signs and exchange digits. And API Gateway puts U+FFFD
# where a body is not UTF-8.
_DECEIVING = (
    r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f"
    r"\u2028-\u202e\u2066-\u206f\ufffd"
)
FORMAT = "visible-text"
"""The name of this format in the document: no pattern that every flavour reads can say it all."""

PATTERN = r"^[\t\n\r \xa0\xad]*[^\x00-\x20\x7f-\xa0\xad][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""The part of it that every flavour of regular expressions reads alike."""

EXACT_PATTERN = f"^[{_UNSEEN}]*[^{_UNSEEN}{_DECEIVING}][^{_DECEIVING}]*$"
"""All of it, for Python: something of it is seen, and nothing makes it read as something else."""
