"""Endorsements of a badge are listed on its page; an invalid one neither breaks the page nor counts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.container import Process
from app.main import create_app
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.proofs.data_integrity import add_proof
from tests.sceau_credentials.verification.test_endorsements import (
    CAMPUS,
    COMPANY,
    ENDORSER,
    IDS,
    badge,
    endorsement,
    signed,
)
from tests.support.app import App, send
from tests.support.badges.credentials import DID_URL, LIST_URL, NOON
from tests.support.badges.documents import Documents

SAID = "Nous avons vu ce travail."


def page_of(app: App, document: dict[str, Any]) -> str:
    beyond = Documents(
        {
            DID_URL: CAMPUS.did_document,
            LIST_URL: CAMPUS.status_list(at=app.clock()),
            did_web_document_url(COMPANY): ENDORSER.did_document,
        }
    )
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    text = json.dumps(add_proof(document, signer=CAMPUS.signer, created=NOON))
    with TestClient(
        create_app(process=process), base_url="http://localhost:8000", headers={"accept": "text/html"}
    ) as client:
        page = send(client, "/verifier", {"texte": text}).text
    # The badge itself is sent back with a form: only what is shown counts.
    return re.sub(r'name="texte" value="[^"]*"', "", page)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("credential", "recommande ce badge, tel qu’il a été donné à cette personne."),
        ("achievement", "recommande ce badge, quelle que soit la personne qui le reçoit."),
        ("issuer", "recommande l’organisme qui donne ce badge."),
    ],
)
def test_a_valid_endorsement_is_shown_with_its_text(app: App, place: str, words: str) -> None:
    page = page_of(app, badge(place, signed(endorsement(IDS[place]))))
    assert "Signature valable, émetteur inconnu" in page
    assert f"entreprise.example {words}" in page
    assert SAID in page


def test_an_invalid_endorsement_neither_breaks_the_page_nor_counts(app: App) -> None:
    other = signed(endorsement(id="urn:uuid:7d1c1f2e-9d1c-4d84-9f3a-6f0e5d8b7a11"))
    forged = other | {"name": "Changé après signature"}
    page = page_of(app, badge("credential", forged, signed(endorsement())))
    assert "Signature valable, émetteur inconnu" in page
    assert page.count("Ne compte pas") == 1
    assert page.count(SAID) == 1
    assert "Changé après signature" not in page


def test_an_endorsement_of_something_else_is_named_as_that(app: App) -> None:
    page = page_of(app, badge("credential", signed(endorsement("urn:uuid:another"))))
    assert "elle parle d’autre chose que de ce badge" in page
    assert SAID not in page


def test_every_fault_of_a_request_to_an_organisation_is_shown_at_its_field(app: App) -> None:
    result = app.award("Zoé N’Diaye; zoe@exemple.fr")
    learner = app.client()
    learner.get(app.private_link(result))
    asked = {"organisation": "", "adresse": "x@", "mot": "Voir https://exemple.org"}
    for client, place, more in (
        (learner, f"/mes-badges/{result.lines[0].award_id}/recommandations", {}),
        (app.client(app.admin), "/gestion/itip/recommandations", {"sujet": "campus"}),
    ):
        answer = send(client, place, asked | more)
        assert answer.status_code == 422
        assert re.findall(r'<li><a href="#([^"]+)">', answer.text) == ["organisation", "adresse", "mot"]
        assert 'value="x@"' in answer.text
