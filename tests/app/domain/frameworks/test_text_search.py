"""Search terms: folding, stems, roots, slips, and what ranks before what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.frameworks.text_search import (
    LONGEST_TERM,
    SAME_MEANING,
    SearchQuery,
    fold,
    nearest,
    other_name,
    relatives_of,
    root_of,
    score,
    similarity,
    stem_of,
    synonym_of,
    terms_of,
)

TEXT = st.text(max_size=80)


@given(TEXT)
def test_folded_terms_fold_to_themselves(text: str):
    folded = fold(text)
    assert fold(" ".join(folded)) == folded


@given(TEXT, TEXT)
def test_indexed_terms_are_free_of_the_engines_syntax(label: str, other: str):
    terms = terms_of(label, "H3203", [other])
    indexed = f"{terms.label} {terms.other}"
    assert all(part.isalnum() for part in indexed.split())
    assert all(len(part) <= LONGEST_TERM + 1 for part in indexed.split())


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20))
def test_stem_and_root_are_never_empty(term: str):
    assert stem_of(term)
    assert root_of(term)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("soudeur", "soudeuses"), ("conducteur", "conductrices"), ("menuisier", "menuisières"), ("bateau", "bateaux"),
        ("animal", "animaux"), ("mécanicien", "mécaniciennes"), ("travail", "travaux"), ("robot", "robots"),
    ],
)  # fmt: skip
def test_plural_and_feminine_have_one_stem(one: str, other: str):
    assert [stem_of(term) for term in fold(one)] == [stem_of(term) for term in fold(other)]


@pytest.mark.parametrize(
    "family",
    [
        "soudure souder soudage soudeuse", "menuisier menuiserie", "robot robotique robotisation",
        "plombier plomberie", "électricien électricité électrique", "accueil accueillir", "nettoyer nettoyage",
    ],
)  # fmt: skip
def test_derived_terms_have_one_root(family: str):
    assert len({root_of(term) for term in fold(family)}) == 1


@pytest.mark.parametrize(
    ("verb", "noun"),
    [("imprimer", "impression"), ("gérer", "gestion"), ("décrire", "description"), ("suivre", "suivi")],
)
def test_a_verb_and_the_noun_of_its_action_are_relatives(verb: str, noun: str):
    one, other = fold(verb)[0], fold(noun)[0]
    assert stem_of(other) in relatives_of(one)
    assert stem_of(one) in relatives_of(other)


def test_the_other_label_that_was_searched_for_is_named():
    query = SearchQuery.of("terrassier")
    others = ["Conducteur de pelle", "Terrassier / Terrassière"]
    assert other_name(query, "Conducteur d'engins", others) == "Terrassier / Terrassière"
    assert other_name(query, "Terrassier", others) == "", "its label says it"
    assert other_name(query, "Conducteur d'engins", ["Grutier"]) == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("soudrue", "soudure"),
        ("menuizier", "menuisier"),
        ("logistiqe", "logistique"),
        ("xylophone", "xylophone"),
    ],
)
def test_a_slip_finds_the_nearest_term(typed: str, meant: str):
    known = ["soudure", "soudeur", "menuisier", "logopedie", "logistique", "menuiserie"]
    assert nearest(typed, known) == meant


@given(st.text(alphabet="abcde", min_size=4, max_size=9), st.integers(0, 8))
def test_one_dropped_letter_is_one_slip(term: str, at: int):
    typed = term[: at % len(term)] + term[at % len(term) + 1 :]
    if len(typed) >= 4:
        assert nearest(typed, [term]) == term


def test_a_label_with_the_exact_term_ranks_before_a_prefix_and_a_derivation():
    query = SearchQuery.of("robot")

    def points(label: str) -> float:
        terms = terms_of(label, "")
        return score(query, terms.label, terms.other, terms.size)

    ranked = ["robot", "conduire un robot", "robotique", "armoire"]
    assert sorted(ranked, key=points, reverse=True) == ranked


def test_articles_and_elision_do_not_count():
    assert SearchQuery.of("l'accueil du public").terms == ("accueil", "public")


@given(TEXT)
def test_the_same_label_has_the_same_meaning(label: str):
    assert similarity(label, label) == 1.0


def test_another_trade_has_another_meaning():
    assert similarity("Ingénieur sécurité informatique", "Technicien en cybersécurité") < SAME_MEANING
    assert similarity("Soudeur / Soudeuse", "Soudeur / Soudeuse d’ouvrages") >= SAME_MEANING


@pytest.mark.parametrize(
    ("typed", "stored"), [("  prise  de parole ", "prise de parole"), ("…", ""), ("de la", "")]
)
def test_a_synonym_has_terms(typed: str, stored: str):
    assert synonym_of(typed) == stored
