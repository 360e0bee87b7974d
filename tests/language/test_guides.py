"""Guides name the buttons and pages that exist, in both languages, in the same order."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from babel.messages.pofile import read_po

from app.language.catalogues import DOMAIN, po_file
from app.web.campus.guides import GUIDES, LANGUAGES, source_of

QUOTED = {"fr": re.compile(r"«\s*([^»]+?)\s*»"), "en": re.compile(r"“([^”]+)”")}
_MARKS = str.maketrans({"’": "'", "\xa0": " ", "\u202f": " ", "\n": " "})


def plain(text: str) -> str:
    return " ".join(text.translate(_MARKS).split())


@pytest.fixture(scope="module")
def sentences() -> dict[str, set[str]]:
    with po_file("en").open("rb") as file:
        catalogue = [each for each in read_po(file, locale="en", domain=DOMAIN) if each.id]
    return {
        "fr": {plain(each.id) for each in catalogue if isinstance(each.id, str)},
        "en": {plain(each.string) for each in catalogue if isinstance(each.string, str)},
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GUIDES)
def test_quoted_button_stands_on_a_page(name: str, language: str, sentences: dict[str, set[str]]) -> None:
    quoted = QUOTED[language].findall(plain(source_of(name, language)))
    assert len(quoted) > 8
    assert [each for each in quoted if each not in sentences[language]] == []


@pytest.mark.parametrize("name", GUIDES)
def test_both_languages_have_the_same_parts(name: str) -> None:
    shapes = [re.findall(r"^(#+|\d+\.|-|\|)", source_of(name, language), re.M) for language in LANGUAGES]
    assert all(one == other for one, other in pairwise(shapes))


@pytest.mark.parametrize("name", GUIDES)
def test_sentences_of_french_guides_are_short(name: str) -> None:
    prose = re.sub(r"[#*]|^\d+\.", " ", source_of(name, "fr"), flags=re.M)
    sentences = re.split(r"(?<=[.?!:])\s+|\n\n|\n *- |\n *\d|\|", prose)
    long = [each for each in sentences if len(re.findall(r"\w+", each)) > 24]
    assert long == []
