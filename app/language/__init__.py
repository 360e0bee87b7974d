"""Localisation: catalogues, the current language, typography, days, and sentences with fields."""

from __future__ import annotations

import errno
import gettext as _gettext
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

from babel.core import Locale, UnknownLocaleError, get_global, parse_locale
from babel.dates import format_date, format_skeleton, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

SOURCE_LOCALE = "fr"
BRIDGE_LOCALE = "en"
"""What another language shows where its own catalogue has no translation yet."""
LOCALES_FOLDER = Path(__file__).parent / "locales"
DOMAIN = "sceau"
FAMILIAR = "fr-tu"
"""French as the pages address those under 15: a catalogue of the sentences that differ, the others stay as they are."""


@dataclass(eq=False)
class Reader:
    """Whom sentences address. A request has one of its own, which all its threads see."""

    locale: str
    is_child: bool = False


_NOBODY = Reader(SOURCE_LOCALE)
_reader: ContextVar[Reader] = ContextVar("reader", default=_NOBODY)


def N_(text: str) -> str:
    """Marks `text` for the catalogues; the code that shows it translates it."""
    return text


def po_file(locale: str) -> Path:
    if locale == FAMILIAR:
        return LOCALES_FOLDER / SOURCE_LOCALE / "LC_MESSAGES" / "familiar.po"
    return LOCALES_FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def known_locales() -> tuple[str, ...]:
    """Every language with a catalogue, French (the language of the sources) first."""
    found = sorted(path.parent.parent.name for path in LOCALES_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE_LOCALE, *(name for name in found if name != SOURCE_LOCALE))


@cache
def catalogue(locale: str) -> _gettext.NullTranslations:
    """The translations for `locale`; French needs none, since the sources are French."""
    found = read_catalogue(po_file(locale))
    if locale not in (SOURCE_LOCALE, FAMILIAR, BRIDGE_LOCALE):
        found.add_fallback(catalogue(BRIDGE_LOCALE))
    return found


def read_catalogue(source: Path) -> _gettext.NullTranslations:
    """The translations of one .po file; none where there is no such file."""
    if not source.is_file():
        return _gettext.NullTranslations()
    compiled = source.with_suffix(".mo")
    # A .mo older than its .po would show outdated text, so only a fresh one is used.
    if compiled.is_file() and compiled.stat().st_mtime >= source.stat().st_mtime:
        with compiled.open("rb") as file:
            return _gettext.GNUTranslations(file)
    binary = compile_po(source)
    _keep(binary, compiled)
    return _gettext.GNUTranslations(BytesIO(binary))


def _keep(binary: bytes, compiled: Path) -> None:
    """For the next process, as Python keeps what it compiles; nowhere where the folder may not be written."""
    beside = compiled.with_name(f"{compiled.name}.{os.getpid()}")
    try:
        beside.write_bytes(binary)
        beside.replace(compiled)
    except OSError:
        with suppress(OSError):
            beside.unlink()


def compile_po(source: Path) -> bytes:
    """The binary catalogue (.mo) of a .po file."""
    with source.open("rb") as file:
        messages = read_po(file, domain=DOMAIN)
    for message in list(messages):
        # Babel would fill an empty plural with the French one, and so hide that it is missing.
        if message.id and message.pluralizable and not all(message.string or ("",)):
            messages.delete(message.id, message.context)
    binary = BytesIO()
    write_mo(binary, messages)
    return binary.getvalue()


def current_locale() -> str:
    return _reader.get().locale


def current_catalogue() -> str:
    """The locale, or `FAMILIAR`: what tells one text of a page from another."""
    reader = _reader.get()
    return FAMILIAR if reader.is_child and reader.locale == SOURCE_LOCALE else reader.locale


def address_child() -> None:
    """From here on, sentences of this request use « tu »."""
    reader = _reader.get()
    if reader is not _NOBODY:
        reader.is_child = True


def addressing(language: str, *, is_child: bool) -> str:
    """For `speaking`, in a message: `FAMILIAR` instead of French to recipients under 15."""
    return FAMILIAR if is_child and language == SOURCE_LOCALE else language


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Sets the current locale inside the block, or `FAMILIAR`."""
    known = Reader(locale if locale in known_locales() else SOURCE_LOCALE, locale == FAMILIAR)
    token = _reader.set(known)
    try:
        yield
    finally:
        _reader.reset(token)


@cache
def in_every_language(text: str) -> tuple[str, ...]:
    """`text` and its translations, to recognise what may have been written in any of them."""
    return tuple(dict.fromkeys(catalogue(locale).gettext(text) for locale in known_locales()))


def gettext(text: str) -> str:
    return catalogue(current_catalogue()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    if current_locale() == SOURCE_LOCALE:
        # French counts 0 as singular; the null catalogue would count as English does.
        one, many = (catalogue(current_catalogue()).ngettext(one, many, each) for each in (1, 2))
        return one if count < 2 else many
    return catalogue(current_locale()).ngettext(one, many, count)


# --- French typography, so that templates can be typed on any keyboard

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


_AMOUNTS = frozenset(
    {"most", "least", "length", "min_length", "max_length", "several", "count", "gt", "ge", "le"}
)
"""Fields of sentences with a number that is read as an amount: 4 000, and not as a year or a code."""


def filled(text: str, values: Mapping[str, object]) -> str:
    """`text.format(**values)`, with amounts in groups of thousands; in French, « de {name} » becomes « d’Ilyès »."""
    values = {
        name: number(value) if name in _AMOUNTS and isinstance(value, int | float) else value
        for name, value in values.items()
    }
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


def labelled(label: object, value: object) -> str:
    """« Ligne 3 : sans nom », “Line 3: no name”."""
    return translated("{label} : {value}").format(label=label, value=value)


def quoted(text: object) -> str:
    """« Découpe laser », “Laser cutting”."""
    return translated("« {said} »").format(said=text)


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


# --- days and times

DEFAULT_ZONE = "Europe/Paris"
# English here is European: day before month, 24-hour clock.
_BABEL_LOCALE = {"en": "en_GB"}
_MOMENT = N_("{day} à {time}")


def number(value: int | float) -> str:
    """61 904 with a narrow space; 61,904."""
    return _decimal(value, babel_locale())


@lru_cache(maxsize=4096)
def _decimal(value: int | float, locale: str) -> str:
    return format_decimal(value, locale=locale)


def babel_locale() -> str:
    return _BABEL_LOCALE.get(current_locale(), current_locale())


def regional_locale() -> str:
    """fr_FR; en_GB: the current language, with its main region."""
    likely = get_global("likely_subtags").get(babel_locale(), babel_locale())
    language, region, *_ = parse_locale(likely)
    return f"{language}_{region}" if region else language


def language_in_words(code: str) -> str:
    """anglais; English: the name of a language, in the current one."""
    try:
        return Locale.parse(code, sep="-").get_language_name(current_locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def local(value: datetime, zone: str = DEFAULT_ZONE) -> datetime:
    """`value`, a timezone-aware datetime, in `zone`."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown: keep times aware and in UTC")
    try:
        return value.astimezone(ZoneInfo(zone))
    except OverflowError:  # the first and last hours of the calendar do not exist in every zone
        return value


def day(value: datetime | date, zone: str = DEFAULT_ZONE) -> str:
    """9 octobre 2026; 9 October 2026."""
    that_day = local(value, zone).date() if isinstance(value, datetime) else value
    return _long_day(that_day, current_locale())


def plain_day(value: date) -> str:
    """As `day`, with ordinary spaces: for texts that are signed, or typeset later."""
    return day(value).replace(NO_BREAK, " ")


@lru_cache(maxsize=1024)
def _long_day(that_day: date, locale: str) -> str:
    words = format_date(that_day, "long", locale=_BABEL_LOCALE.get(locale, locale))
    return _ordinal(that_day, words).replace(" ", NO_BREAK, 1) if locale == "fr" else words


def _ordinal(that_day: date, words: str) -> str:
    """French has « 1er » and « 2 »."""
    return re.sub(r"\b1\b", "1er", words, count=1) if that_day.day == 1 else words


def days(first: date, last: date) -> str:
    """24 novembre 2026; 2–24 novembre 2026; 30 novembre 2026 – 4 décembre 2026."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{_number(first)}–{day(last)}"
    return f"{day(first)} – {day(last)}"


def short_day(value: datetime | date, zone: str = DEFAULT_ZONE) -> str:
    """09/10/2026, for narrow table columns."""
    that_day = local(value, zone).date() if isinstance(value, datetime) else value
    return format_date(that_day, "dd/MM/yyyy", locale=babel_locale())


def clock(value: datetime, zone: str = DEFAULT_ZONE) -> str:
    """14 h 32; 14:32."""
    here = local(value, zone)
    if current_locale() == "fr":
        return f"{here.hour}{NO_BREAK}h{NO_BREAK}{here.minute:02d}"
    return format_time(here, "HH:mm", locale=babel_locale())


def time_of_day(value: time) -> str:
    """13 h 30; 13:30. Without a zone: as it is on the clocks of the campus."""
    if current_locale() == "fr":
        return f"{value.hour}{NO_BREAK}h{NO_BREAK}{value.minute:02d}"
    return f"{value:%H:%M}"


def weekday(value: date) -> str:
    """mardi 24 novembre; Tuesday 24 November; martes 24 de noviembre."""
    name = format_date(value, "EEEE", locale=babel_locale())
    words = format_skeleton("MMMMd", value, locale=babel_locale())
    return f"{name} {_ordinal(value, words) if current_locale() == 'fr' else words}"


def weekday_short(value: date) -> str:
    """mardi 24; Tuesday 24."""
    return f"{format_date(value, 'EEEE', locale=babel_locale())} {_number(value)}"


def _number(value: date) -> str:
    return "1er" if value.day == 1 and current_locale() == "fr" else str(value.day)


def moment(value: datetime, zone: str = DEFAULT_ZONE) -> str:
    """24 novembre 2026 à 14 h 32; 24 November 2026 at 14:32."""
    return gettext(_MOMENT).format(day=day(value, zone), time=clock(value, zone))


def month(value: datetime | date) -> str:
    """novembre 2026; November 2026."""
    return format_skeleton("yMMMM", value, locale=babel_locale())


def short_month(value: datetime | date) -> str:
    """nov.; Nov."""
    return format_date(value, "MMM", locale=babel_locale())


# --- sentences with fields, and untrusted text

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
            return plain_day(local(value).date())
        case date():
            return plain_day(value)
        case _:
            return str(value)


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


def system_cause(error: OSError) -> str:
    """Why the system refused, in the reader's language: part of a sentence."""
    sentence = _CAUSES.get(error.errno or 0)
    return gettext(sentence) if sentence else error.strerror or str(error)


_CAUSES = {
    errno.ENOENT: N_("ce chemin n’existe pas"),
    errno.EACCES: N_("accès refusé"),
    errno.EPERM: N_("accès refusé"),
    errno.EISDIR: N_("c’est un dossier"),
    errno.ENOTDIR: N_("une partie de ce chemin n’est pas un dossier"),
    errno.EEXIST: N_("ce chemin existe déjà"),
    errno.ENOSPC: N_("le disque est plein"),
    errno.EDQUOT: N_("le quota de disque est atteint"),
    errno.EROFS: N_("ce disque est en lecture seule"),
    errno.EIO: N_("erreur du disque"),
    errno.ENAMETOOLONG: N_("ce nom est trop long"),
    errno.ELOOP: N_("ce lien mène à lui-même"),
    errno.EADDRNOTAVAIL: N_("cette machine n’a pas cette adresse"),
}
