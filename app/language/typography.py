"""French spacing and apostrophes, so that templates can be typed on any keyboard."""

from __future__ import annotations

import re
from functools import lru_cache

from app.language.catalogues import current_locale, gettext, ngettext

NO_BREAK = "\u00a0"
NARROW = "\u202f"

_MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
_UNITS = "h|min|kB|ko|Mo|m²|mm|cm|km|kg|ans?|jours?|points?|badges?|personnes?|lignes?|entrées?"
_RULES = [
    (re.compile(r"(?<=\w)'(?=\w|%\(|\{|«|$)"), "’"),
    (re.compile(rf"«[ {NO_BREAK}]?"), "«" + NO_BREAK),
    (re.compile(rf"[ {NO_BREAK}]?»"), NO_BREAK + "»"),
    # "%(name)s" after a space is a place for a value, not a percent sign.
    (re.compile(r" (%%|[;!?])"), NARROW + r"\1"),
    (re.compile(r" ([:€])"), NO_BREAK + r"\1"),
    (re.compile(rf"\b(\d{{1,2}}|1er) (?=(?:{_MONTHS})\b)"), r"\1" + NO_BREAK),
    (re.compile(r"\b(\d{1,2}) h (\d{2})\b"), rf"\1{NO_BREAK}h{NO_BREAK}\2"),
    (re.compile(rf"(\d|%\(\w+\)s) ({_UNITS})\b"), rf"\1{NO_BREAK}\2"),
    (re.compile(r"\bn° "), "n°" + NO_BREAK),
]
_TAG = re.compile(r"(<[^>]*>)")


@lru_cache(maxsize=4096)
def french(text: str) -> str:
    """`text` as a French printer would set it; what stands inside `<…>` is left alone."""
    return "".join(part if part.startswith("<") else _set(part) for part in _TAG.split(text))


def _set(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def translated(text: str) -> str:
    """`text` in the reader's language, well set."""
    return french(gettext(text)) if current_locale() == "fr" else gettext(text)


def translated_plural(one: str, many: str, count: int) -> str:
    chosen = ngettext(one, many, count)
    return french(chosen) if current_locale() == "fr" else chosen
