"""A sentence with named fields, translated late, in the reader's language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from string import Formatter

from babel.dates import format_date

from app.language import filled, gettext
from app.language.dates import babel_locale, local

_LONGEST_VALUE = 160


@dataclass(frozen=True)
class Sentence:
    """`words` is a French msgid; `values` fill its fields: text, datetimes, or sentences."""

    words: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """The sentence in the current language; pages with finer typography render it themselves."""
        words = gettext(self.words)
        return filled(words, {name: _in_words(self.values[name]) for name in fields_of(words)})


@lru_cache(maxsize=2048)
def fields_of(words: str) -> frozenset[str]:
    """Names of the values that a sentence needs; extra values are ignored, and a value may be a sentence
    itself."""
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
    return format_date(day, "long", locale=babel_locale())


# Bidirectional controls and zero-width characters: both can make a text misleading.
_TURNING_OR_INVISIBLE = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff\u200b\u2060"
)


def plain(text: object, longest: int = _LONGEST_VALUE, *, keep_indent: bool = False) -> str:
    """Untrusted text on one line: no invisible characters, no bidirectional controls, limited length."""
    kept = str(text)[: 4 * longest]
    # Python's printable characters include none that `_shown` replaces; these two are spaces, which it
    # excludes.
    if not kept.replace("\u00a0", "").replace("\u202f", "").isprintable():
        kept = "".join(map(_shown, kept))
    kept = kept.rstrip() if keep_indent else " ".join(kept.split(" ")).strip()
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def _shown(sign: str) -> str:
    if sign in "\t\n\r\u2028\u2029":
        return " "
    hidden = sign in _TURNING_OR_INVISIBLE or unicodedata.category(sign) in ("Cc", "Cs", "Co", "Cn")
    return "" if hidden else sign
