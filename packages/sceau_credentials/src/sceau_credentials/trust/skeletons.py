"""What a name looks like to a hurried eye: two names with one skeleton are easily taken for each other (UTS #39)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

_LONGEST: Final = 400
# Beyond the standard's single characters: what hands and small screens confuse within the Latin letters themselves.
_ALIKE: Final = str.maketrans({"i": "l", "j": "l", "1": "l", "|": "l", "0": "o", "5": "s"})
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


@lru_cache(maxsize=16_384)
def skeleton(text: str) -> str:
    """Letters and digits only: without accents, case, hyphens or spaces, and each sign as the one it resembles."""
    looks = _prototypes()
    shown: list[str] = []
    for sign in unicodedata.normalize("NFKD", text[:_LONGEST]):
        if unicodedata.category(sign)[0] == "M":
            continue
        # A small Cyrillic letter may have no twin of its own where its capital has one.
        like = looks.get(sign) or looks.get(sign.upper()) or _in_another_shape(sign)
        shown.extend(each for each in like.casefold() if each.isalnum())
    bare = "".join(shown)
    for pair, one in _PAIRS:
        bare = bare.replace(pair, one)
    return bare.translate(_ALIKE)


def without_unseen(text: str) -> str:
    """The text up to the longest that is compared, without marks and signs that show nothing of their own."""
    return "".join(sign for sign in text if unicodedata.category(sign)[0] not in "MC")[:_LONGEST]


def _in_another_shape(sign: str) -> str:
    """The plain letter of a small capital, or of one in a dark disc or square, which NFKD leaves as they are."""
    if sign.isascii():
        return sign
    found = _SHAPED.search(unicodedata.name(sign, ""))
    return found[1] if found else sign


_SHAPED: Final = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|(?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER) ([A-Z])$"
)


@cache
def _prototypes() -> Mapping[str, str]:
    table = (files("sceau_credentials.trust") / "confusables.tsv").read_text("utf-8")
    looks = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            like, _, sources = line.partition("\t")
            looks.update({chr(int(code, 16)): like for code in sources.split()})
    return looks
