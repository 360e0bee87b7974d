"""What was presented, where it is not the badge itself: what it leads to, and whose name its page shows."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_FEWEST_LETTERS: Final = 20
"""A page with less text than that is a picture of a page."""
_NAMED: Final = re.compile(
    r"(?:atteste que|attests that)\s+(?P<name>\S.{0,200}?)\s+(?:a reçu le badge|received the badge|received the \w+ badge)",
    re.IGNORECASE | re.DOTALL,
)
"""Where our certificates name their holder, in each language."""
_LIGATURES: Final = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})


class LeadKind(StrEnum):
    """How the document leads to the badge."""

    CODE = "code"
    LINK = "link"
    ATTACHED = "attached"


class NameMatch(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNREAD = "unread"
    """The document has no text that can be read, or the badge names no holder."""


@dataclass(frozen=True)
class Lead:
    """A document that was not verified, and how it leads to the badge that was.

    `written` is the name on the document where it is known; `address` is empty for an attached badge.
    """

    kind: LeadKind
    address: str
    name: NameMatch
    written: str = ""


def compare_name(text: str, holder: str) -> tuple[NameMatch, str]:
    """Whether the visible text of a document names the holder; and whom it names, as far as its layout is ours."""
    words, wanted = _words(text), _words(holder)
    if not wanted or sum(map(len, words)) < _FEWEST_LETTERS:
        return NameMatch.UNREAD, ""
    named = [each["name"].strip() for each in _NAMED.finditer(" ".join(text.split()))]
    if named:
        other = next((each for each in named if "".join(_words(each)) != "".join(wanted)), "")
        return (NameMatch.DIFFERENT, other) if other else (NameMatch.SAME, "")
    is_there = set(wanted) <= set(words) or "".join(wanted) in "".join(words)
    return NameMatch.SAME if is_there else NameMatch.DIFFERENT, ""


def compare_pages(text: str, holder: str) -> tuple[NameMatch, str]:
    """The same of a document that carries the badge: each of its pages, parted by form feeds, must name the holder.

    A page that shows something else would else be covered by a genuine one behind it.
    """
    pages = [compare_name(page, holder) for page in text.split("\f")]
    if NameMatch.SAME not in (match for match, _ in pages):
        return compare_name(text, holder)
    other = next((written for _, written in pages if written), "")
    if other:
        return NameMatch.DIFFERENT, other
    is_same = all(match is NameMatch.SAME for match, _ in pages)
    return NameMatch.SAME if is_same else NameMatch.UNREAD, ""


def _words(text: str) -> list[str]:
    # Without marks first: putting a long run of them in order takes a time with the square of its length.
    bare = "".join(sign for sign in text if not unicodedata.combining(sign))
    plain = unicodedata.normalize("NFKD", bare.translate(_LIGATURES).casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.findall(r"\w+", letters)
