"""« de », « que » and the like lose their e before a vowel sound, in the names of people and organisations too."""

from __future__ import annotations

import pytest

from app.language import N_, Sentence, elided, filled, speaking
from app.language.build import load
from tests.app.language.test_language import forms

ELIDED = (
    "Ilyès", "Inès", "Éloïse", "Ève", "Œuvre", "Aïcha", "ÂGE", "Yves", "Yvonne", "Yssingeaux", "Yonne", "Hélène",
    "Henri", "Hubert", "Héloïse", "Hortense", "hôpital", "Emballages du Morvan", "ITIP", "UTBM", "oublier", "île",
    "E\u0301loi\u0308se", "<b>Ilyès</b>",
)  # fmt: skip
WHOLE = (
    "Marie", "Zoé", "Yasmine", "Youssef", "Yann", "Hamza", "Hassan", "Haute-Saône", "Huisselets", "handball", "hub",
    "Hommel", "Çelik", "Ñu", "onze", "oui", "« Atelier »", "11 personnes", "", "-", "<b>Marie</b>",
)  # fmt: skip


@pytest.mark.parametrize("name", ELIDED)
def test_de_is_elided_before_a_vowel_sound(name: str) -> None:
    assert elided("de", name) == "d’"


@pytest.mark.parametrize("name", WHOLE)
def test_de_is_whole_before_a_consonant_sound(name: str) -> None:
    assert elided("de", name) == "de "


def test_other_words_are_elided_as_de_is() -> None:
    assert [elided(word, "Ilyès") for word in ("que", "le", "la", "lorsque", "De")] == [
        "qu’", "l’", "l’", "lorsqu’", "D’",
    ]  # fmt: skip


def test_filled_sentence_elides_in_french_only() -> None:
    text = "Les badges de {name}, tels que {who} les publie"
    values = {"name": "Ilyès", "who": "Emballages"}
    assert filled(text, values) == "Les badges d’Ilyès, tels qu’Emballages les publie"
    assert filled(text, {"name": "Marie", "who": "Bois"}) == "Les badges de Marie, tels que Bois les publie"
    with speaking("en"):
        assert filled("de {name}", values) == "de Ilyès"


def test_amounts_have_groups_of_thousands_and_years_have_none() -> None:
    text = "{most} signes au plus en {year}"
    assert filled(text, {"most": 4000, "year": 2026}) == "4\u202f000 signes au plus en 2026"
    with speaking("en"):
        assert filled(text, {"most": 4000, "year": 2026}) == "4,000 signes au plus en 2026"


def test_a_sentence_elides_before_its_values() -> None:
    sentence = Sentence(N_("Une recommandation de {who} ne compte pas encore."), {"who": "Emballages"})
    assert sentence.text() == "Une recommandation d’Emballages ne compte pas encore."


def test_no_plural_has_de_before_a_value() -> None:
    """Plurals are filled in where no elision is made."""
    plurals = [forms(message.id) for message in load("en") if message.id and message.pluralizable]
    found = [each for forms_ in plurals for each in forms_ if " de %(" in each or " que %(" in each]
    assert found == []
