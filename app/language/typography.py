"""French spacing and apostrophes, so that templates can be typed on any keyboard."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
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
    # "%(name)s" after a space is a field, not a percent sign.
    (re.compile(r" (%%|[;!?])"), NARROW + r"\1"),
    (re.compile(r" ([:€])"), NO_BREAK + r"\1"),
    (re.compile(rf"\b(\d{{1,2}}|1er) (?=(?:{_MONTHS})\b)"), r"\1" + NO_BREAK),
    (re.compile(r"\b(\d{1,2}) h (\d{2})\b"), rf"\1{NO_BREAK}h{NO_BREAK}\2"),
    (re.compile(rf"(\d|%\(\w+\)s) ({_UNITS})\b"), rf"\1{NO_BREAK}\2"),
    (re.compile(r"\bn° "), "n°" + NO_BREAK),
]
_TAG = re.compile(r"(<[^<>]*>)")


@lru_cache(maxsize=4096)
def french(text: str) -> str:
    """`text` with French typography; the content of `<…>` is unchanged."""
    return "".join(part if part.startswith("<") else _set(part) for part in _TAG.split(text))


def _set(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


# h is aspirate in every other name: de Hamza, de Hassan, de Haute-Saône.
_MUTE_H = re.compile(
    r"h(?:abit|adrien|alein|allu|alogen|alter|armoni|eb(?:erg|er|reu)|ector|elen|elic|elo|emat|enri|erb|erit|ermin"
    r"|erve|eter|eure|exa|ilair|ilar|ippo|istoi|istor|iver|omm(?!el)|omo|onnet|onneur|onor|opit|orair|oriz|orl|ort"
    r"|osp|ote|ubert|ugo|ugu|uil|uissier|uma|umb|umid|umeur|yacint|ydr|ygi|yp)"
)
_MUTE_Y = re.compile(r"y(?:[^aeiouy\W\d_]|eux?\b|onne\b|erres\b)")
_ASPIRATE_VOWEL = re.compile(r"(?:onz|oui\b|ouistiti|uhlan|ulul|yaourt|yacht)")
_BEFORE_FIELD = re.compile(r"\b(de|que|jusque|lorsque|puisque|quoique) \{(\w+)\}", re.IGNORECASE)


def elided(word: str, name: object) -> str:
    """`word` with what separates it from `name`: « d’ » before Ilyès, « de » and a space before Marie."""
    return f"{word[:-1]}’" if starts_with_a_vowel_sound(str(name)) else f"{word} "


def starts_with_a_vowel_sound(name: str) -> bool:
    """Whether « de » loses its e before `name`, which may be markup."""
    text = _TAG.sub("", name).lstrip().casefold().replace("œ", "oe").replace("æ", "ae")
    letters = "".join(
        each for each in unicodedata.normalize("NFKD", text[:24]) if not unicodedata.combining(each)
    )
    match letters[:1]:
        case "a" | "e" | "i" | "o" | "u":
            return _ASPIRATE_VOWEL.match(letters) is None
        case "h":
            return _MUTE_H.match(letters) is not None
        case "y":
            return _MUTE_Y.match(letters) is not None
        case _:
            return False


def filled(text: str, values: Mapping[str, object]) -> str:
    """`text.format(**values)`; in French, « de {name} » becomes « d’Ilyès »."""
    if current_locale() == "fr" and "e {" in text:
        text = _BEFORE_FIELD.sub(
            lambda found: elided(found[1], values[found[2]]) + "{" + found[2] + "}", text
        )
    return text.format(**values)


def translated(text: str) -> str:
    """`text` in the reader's language, with its typography."""
    return french(gettext(text)) if current_locale() == "fr" else gettext(text)


def translated_plural(one: str, many: str, count: int) -> str:
    chosen = ngettext(one, many, count)
    return french(chosen) if current_locale() == "fr" else chosen


@lru_cache(maxsize=20_000)
def in_capitals(word: str) -> bool:
    letters = [c for c in word if c.isalpha()]
    return len(letters) > 1 and word.isupper() and "." not in word


_PARTICLES = frozenset(("de", "du", "des", "d", "von", "der", "den", "dos", "das", "do", "e", "y"))


def respelt(name: str) -> str:
    """Capitals of a list are not a person's spelling: « LE GOFF » becomes « Le Goff »."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    letters = [c for c in name if c.isalpha()]
    if len(letters) < 2 or not (name.isupper() or name.islower()):
        marked = any(in_capitals(word) and len(word) > 2 for word in name.split(" "))
        return " ".join(_spelt(word) if marked and in_capitals(word) else word for word in name.split(" "))
    words = [_spelt(word) for word in name.split(" ")]
    return " ".join(
        word.lower() if word.casefold() in _PARTICLES and index < len(words) - 1 else word
        for index, word in enumerate(words)
    )


def _spelt(word: str) -> str:
    return re.sub(
        r"[^\W\d_][^\W\d_\u0300-\u036f]*",
        lambda part: part.group()[0].upper() + part.group()[1:].lower(),
        word,
    )
