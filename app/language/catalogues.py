"""Gettext catalogues, and the current locale of each request, command or job."""

from __future__ import annotations

import gettext as _gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LOCALE = "fr"
BRIDGE_LOCALE = "en"
"""What another language shows where its own catalogue has no translation yet."""
LOCALES_FOLDER = Path(__file__).parent / "locales"
DOMAIN = "sceau"
_locale: ContextVar[str] = ContextVar("locale", default=SOURCE_LOCALE)


def N_(text: str) -> str:
    """Marks `text` for the catalogues; the code that shows it translates it."""
    return text


def po_file(locale: str) -> Path:
    return LOCALES_FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def locales() -> tuple[str, ...]:
    """Every language with a catalogue, French (the language of the sources) first."""
    found = sorted(path.parent.parent.name for path in LOCALES_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE_LOCALE, *(name for name in found if name != SOURCE_LOCALE))


@cache
def catalogue(locale: str) -> _gettext.NullTranslations:
    """The translations for `locale`; French needs none, since the sources are French."""
    found = read_catalogue(po_file(locale))
    if locale not in (SOURCE_LOCALE, BRIDGE_LOCALE):
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
    return _locale.get()


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Sets the current locale inside the block."""
    token = _locale.set(locale if locale in locales() else SOURCE_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


@cache
def in_every_language(text: str) -> tuple[str, ...]:
    """`text` and its translations, to recognise what may have been written in any of them."""
    return tuple(dict.fromkeys(catalogue(locale).gettext(text) for locale in locales()))


def gettext(text: str) -> str:
    return catalogue(current_locale()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    if current_locale() == SOURCE_LOCALE:
        # French counts 0 as singular; the null catalogue would count as English does.
        return one if count < 2 else many
    return catalogue(current_locale()).ngettext(one, many, count)
