"""Differences between two versions of a badge, written in the reader's language."""

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


def test_texts_of_the_campus_have_a_language_mark_and_ours_do_not():
    claims = claims_of(french_badge(criteria="**Comment c’est jugé.** Devant un jury."))
    with speaking("en"):
        pieces = pieces_of(claims, is_ours=True)
    assert pieces.marked_kind == 'Badge, level: <span lang="fr">autonome</span>'
    assert (pieces.kind, pieces.assessed, pieces.assessed_language) == (
        "Badge, level: autonome", "Devant un jury.", "fr",
    )  # fmt: skip
    [competency] = pieces.competencies
    assert competency.beside == (
        'Level: <span lang="fr">autonome</span>. <span lang="fr">Atelier &amp; forge</span>'
    )


def test_a_level_is_reported_with_its_rank_and_hours_by_a_name_of_ours_in_the_readers_language():
    document = french_badge(criteria="Souder deux pièces.")
    subject, target = document["credentialSubject"], "https://exemple.fr/competences/1/v1"
    achievement = subject["achievement"]
    achievement["alignment"][0]["targetUrl"] = target
    achievement["resultDescription"] = [
        {
            "id": "urn:uuid:1", "name": "Souder", "resultType": "RubricCriterionLevel",
            "alignment": [{"targetUrl": target}], "requiredLevel": "urn:uuid:1b",
            "rubricCriterionLevel": [{"id": "urn:uuid:1a"}, {"id": "urn:uuid:1b"}, {"id": "urn:uuid:1c"}],
        },
        {"id": "urn:uuid:2", "name": "Heures dans l’activité", "resultType": "ext:Hours"},
        {"id": "urn:uuid:3", "name": "Mention", "resultType": "Status"},
    ]  # fmt: skip
    subject["result"] = [
        {"resultDescription": "urn:uuid:2", "value": "36"}, {"resultDescription": "urn:uuid:3", "value": "bien"}
    ]  # fmt: skip
    with speaking("en"):
        ours = pieces_of(claims_of(document), is_ours=True)
        theirs = pieces_of(claims_of(document), is_ours=False)
    assert ours.marked_kind == 'Badge, level 2 of 3: <span lang="fr">autonome</span>'
    assert ours.competencies[0].beside.startswith('Level 2 of 3: <span lang="fr">autonome</span>.')
    assert ours.results == [
        ("Hours in the activity", "36"),
        ('<span lang="fr">Mention</span>', '<span lang="fr">bien</span>'),
    ]
    assert theirs.results[0] == ('<span lang="fr">Heures dans l’activité</span>', "36")


def test_a_reader_of_the_same_language_gets_no_mark_and_default_texts_have_none():
    claims = claims_of(french_badge(criteria="Souder deux pièces."))
    pieces = pieces_of(claims, is_ours=True)
    assert "<" not in pieces.marked_kind
    assert "<" not in pieces.competencies[0].beside
    assert (pieces.assessed, pieces.assessed_language) == (
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
