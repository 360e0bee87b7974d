"""Typography of pages, shared with the rest of the service."""

from __future__ import annotations

from app.language.typography import NARROW, NO_BREAK, french, translated, translated_plural

__all__ = ["NARROW", "NO_BREAK", "french", "translated", "translated_plural"]
