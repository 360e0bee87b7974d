"""A sentence with named places, said late: in the language of whoever reads it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from string import Formatter

from babel.dates import format_date

from app.language import current_locale, filled, gettext
from app.language.dates import local

_BABEL_LOCALE = {"en": "en_GB"}
_LONGEST_VALUE = 160


@dataclass(frozen=True)
class Sentence:
    """`words` is French and stands in the catalogues; `values` fill its places: text, moments, or sentences."""

    words: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """The sentence in the language of the moment; faces with finer typography say it themselves."""
        words = gettext(self.words)
        return filled(words, {name: _in_words(self.values[name]) for name in fields_of(words)})


@lru_cache(maxsize=2048)
def fields_of(words: str) -> frozenset[str]:
    """The values that a sentence needs: it may be given more, and each may be a sentence itself."""
    return frozenset(name for _, name, _, _ in Formatter().parse(words) if name is not None)


def _in_words(value: object) -> str:
    match value:
        case Sentence():
            return value.text()
        case datetime():
            return _day(local(value).date())
        case date():
            return _day(value)
        case _:
            return str(value)


def _day(day: date) -> str:
    locale = _BABEL_LOCALE.get(current_locale(), current_locale())
    return format_date(day, "long", locale=locale)


# Signs that turn the direction of what follows, and signs that take no room: both can make a text lie.
_TURNING_OR_INVISIBLE = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff\u200b\u2060"
)


def plain(text: object, longest: int = _LONGEST_VALUE, *, keep_indent: bool = False) -> str:
    """Words out of somebody's file, on one line: nothing invisible, nothing that turns the reading order, not endless."""
    kept = str(text)[: 4 * longest]
    # What Python calls printable has no sign that `_shown` replaces; these two are spaces, which it does not call so.
    if not kept.replace("\u00a0", "").replace("\u202f", "").isprintable():
        kept = "".join(map(_shown, kept))
    kept = kept.rstrip() if keep_indent else " ".join(kept.split(" ")).strip()
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def _shown(sign: str) -> str:
    if sign in "\t\n\r\u2028\u2029":
        return " "
    hidden = sign in _TURNING_OR_INVISIBLE or unicodedata.category(sign) in ("Cc", "Cs", "Co", "Cn")
    return "" if hidden else sign
