"""Every sentence that code and templates ask to translate: read once, since all sources are parsed for it."""

from __future__ import annotations

from functools import cache

from babel.messages.catalog import Catalog

from app.language.build import extract


@cache
def source_catalogue() -> Catalog:
    return extract()
