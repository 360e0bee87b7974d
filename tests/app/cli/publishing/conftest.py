"""Editions of a campus in French and English."""

from __future__ import annotations

import pytest

from app.http.pages import render
from app.web.publishing import static_export


@pytest.fixture(autouse=True)
def two_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edition has its pages in every language; two are enough to test it."""
    for module in (static_export, render):
        monkeypatch.setattr(module, "known_locales", lambda: ("fr", "en"))
