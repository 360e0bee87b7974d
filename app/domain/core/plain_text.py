"""What two spellings have in common when somebody looks for them: no case, no accents, no ligatures."""

from __future__ import annotations

import re
import unicodedata

LONGEST_QUERY = 100
MOST_WORDS = 8
LIGATURES = (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ı", "i"), ("ß", "ss"))
COMBINING = ("\u0300", "\u036f")
"""The accents that stand apart once letters are decomposed: the first and the last."""
_ACCENTS = re.compile(f"[{COMBINING[0]}-{COMBINING[1]}]")


def plain_text(text: str) -> str:
    """`text` as it is compared; the database does the same to what it holds."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.lower()))
    for letter, letters in LIGATURES:
        plain = plain.replace(letter, letters)
    return plain


def words_of(query: str) -> list[str]:
    """The words to find, all of them, in any order."""
    return re.findall(r"\w+", plain_text(query[:LONGEST_QUERY].replace("\x00", " ")))[:MOST_WORDS]
