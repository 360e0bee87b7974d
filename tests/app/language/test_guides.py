"""Guides name the buttons and pages that exist, in each language that has them, in the same order."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from app.language import BRIDGE_LOCALE, SOURCE_LOCALE
from app.web.campus.guides import GUIDES, LANGUAGES, source_of
from tests.app.language.test_language import pairs

QUOTED = re.compile(r"«\s*([^»]+?)\s*»|“([^”]+)”")
_MARKS = str.maketrans({"’": "'", "\xa0": " ", "\u202f": " ", "\n": " "})


def plain(text: str) -> str:
    return " ".join(text.translate(_MARKS).split())


@pytest.fixture(scope="module")
def sentences() -> dict[str, set[str]]:
    catalogues = {language: pairs(language) for language in LANGUAGES if language != SOURCE_LOCALE}
    found = {language: {plain(other[0]) for _, other in known} for language, known in catalogues.items()}
    return found | {SOURCE_LOCALE: {plain(french[0]) for french, _ in catalogues[BRIDGE_LOCALE]}}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GUIDES)
def test_quoted_button_stands_on_a_page(name: str, language: str, sentences: dict[str, set[str]]) -> None:
    quoted = ["".join(each) for each in QUOTED.findall(plain(source_of(name, language)))]
    assert len(quoted) > 8
    assert [each for each in quoted if each not in sentences[language]] == []


@pytest.mark.parametrize("name", GUIDES)
def test_all_languages_have_the_same_parts(name: str) -> None:
    shapes = [re.findall(r"^(#+|\d+\.|-|\|)", source_of(name, language), re.M) for language in LANGUAGES]
    assert all(one == other for one, other in pairwise(shapes))


@pytest.mark.parametrize("name", GUIDES)
def test_sentences_of_french_guides_are_short(name: str) -> None:
    prose = re.sub(r"[#*]|^\d+\.", " ", source_of(name, "fr"), flags=re.M)
    sentences = re.split(r"(?<=[.?!:])\s+|\n\n|\n *- |\n *\d|\|", prose)
    long = [each for each in sentences if len(re.findall(r"\w+", each)) > 24]
    assert long == []
