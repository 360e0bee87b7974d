"""Differences between two versions of a badge, said in the reader's language."""

from __future__ import annotations

import pytest

from app.domain.badges.badges import Difference, Part
from app.language import speaking
from app.web.badges.badges import shown_difference


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("fr", "« 1 h » est devenu « 2,5 h »."), ("en", "“1 h” became “2.5 h”.")],
)
def test_hours_are_written_as_the_reader_writes_them(locale: str, sentence: str):
    with speaking(locale):
        shown = shown_difference(Difference(Part.REQUIRED_HOURS, ("1",), ("2.5",)))
    assert " ".join(shown.sentence.split()) == sentence
