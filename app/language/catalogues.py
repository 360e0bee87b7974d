"""Gettext catalogues, and the one language each request, command or job speaks."""

from __future__ import annotations

import gettext as _gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

SOURCE_LOCALE = "fr"
_FOLDER = Path(__file__).parent / "locales"
_locale: ContextVar[str] = ContextVar("locale", default=SOURCE_LOCALE)


def N_(text: str) -> str:
    """Mark `text` for the catalogues; whoever shows it translates it."""
    return text


@cache
def locales() -> tuple[str, ...]:
    """Every language with a catalogue, French (the language of the sources) first."""
    found = sorted(path.name for path in _FOLDER.iterdir() if path.is_dir()) if _FOLDER.is_dir() else []
    return (SOURCE_LOCALE, *(name for name in found if name != SOURCE_LOCALE))


@cache
def catalogue(locale: str) -> _gettext.NullTranslations:
    """The translations for `locale`; French needs none, since the sources are French."""
    return _gettext.translation("sceau", _FOLDER, languages=[locale], fallback=True)


def current_locale() -> str:
    return _locale.get()


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Everything said inside is said in `locale`."""
    token = _locale.set(locale if locale in locales() else SOURCE_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(text: str) -> str:
    return catalogue(current_locale()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    if current_locale() == SOURCE_LOCALE:
        # French counts 0 as singular; the null catalogue would count as English does.
        return one if count < 2 else many
    return catalogue(current_locale()).ngettext(one, many, count)
