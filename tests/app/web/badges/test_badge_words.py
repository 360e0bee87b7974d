"""Differences between two versions of a badge, said in the reader's language."""

from __future__ import annotations

import pytest

from app.domain.badges import Difference, Part
from app.language import speaking
from app.services.verification.verdicts import claims_of
from app.web.badges import shown_difference
from app.web.badges.rules import pieces_of
from tests.support.badges.credentials import badge_document


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("fr", "« 1 h » est devenu « 2,5 h »."), ("en", "“1 h” became “2.5 h”.")],
)
def test_hours_are_written_as_the_reader_writes_them(locale: str, sentence: str):
    with speaking(locale):
        shown = shown_difference(Difference(Part.REQUIRED_HOURS, ("1",), ("2.5",)))
    assert " ".join(shown.sentence.split()) == sentence


def french_badge(*, criteria: str) -> dict:
    document = badge_document()
    achievement = document["credentialSubject"]["achievement"]
    achievement["criteria"]["narrative"] = criteria
    achievement["alignment"] = [
        {"targetName": "Souder", "targetFramework": "Atelier & forge", "targetDescription": "autonome"}
    ]
    return document


def test_words_of_the_campus_name_their_language_and_ours_do_not():
    claims = claims_of(french_badge(criteria="**Comment c’est jugé.** Devant un jury."))
    with speaking("en"):
        pieces = pieces_of(claims, is_ours=True)
    assert pieces.marked_kind == 'Badge, level: <span lang="fr">autonome</span>'
    assert (pieces.kind, pieces.judged, pieces.judged_language) == (
        "Badge, level: autonome", "Devant un jury.", "fr",
    )  # fmt: skip
    [competency] = pieces.competencies
    assert competency.beside == (
        'Level: <span lang="fr">autonome</span>. <span lang="fr">Atelier &amp; forge</span>'
    )


def test_reader_of_the_same_language_gets_no_mark_and_default_words_have_none():
    claims = claims_of(french_badge(criteria="Souder deux pièces."))
    pieces = pieces_of(claims, is_ours=True)
    assert "<" not in pieces.marked_kind
    assert "<" not in pieces.competencies[0].beside
    assert (pieces.judged, pieces.judged_language) == (
        "Sur les critères publiés, par une personne du campus", "",
    )  # fmt: skip


@pytest.mark.parametrize(("locale", "shown"), [("fr", "3,5"), ("en", "3.5")])
def test_a_number_of_a_badge_is_written_as_the_reader_writes_it(locale: str, shown: str):
    document = french_badge(criteria="Souder deux pièces.")
    subject = document["credentialSubject"]
    subject["achievement"]["resultDescription"] = [
        {"id": "urn:uuid:1", "type": ["ResultDescription"], "name": "Heures", "resultType": "RawScore"}
    ]
    subject["result"] = [{"type": ["Result"], "resultDescription": "urn:uuid:1", "value": "3.5"}]
    with speaking(locale):
        [(_, value)] = pieces_of(claims_of(document), is_ours=True).results
    assert value == shown
