"""Localisation: catalogues and the current language."""

from app.language.catalogues import N_, current_locale, gettext, locales, ngettext, speaking
from app.language.typography import filled

__all__ = ["N_", "current_locale", "filled", "gettext", "locales", "ngettext", "speaking"]
