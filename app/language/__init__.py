"""Localisation: catalogues and the current language."""

from app.language.catalogues import (
    N_,
    current_locale,
    gettext,
    in_every_language,
    locales,
    ngettext,
    speaking,
)
from app.language.typography import filled

__all__ = [
    "N_",
    "current_locale",
    "filled",
    "gettext",
    "in_every_language",
    "locales",
    "ngettext",
    "speaking",
]
