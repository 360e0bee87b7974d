"""A third language from its catalogue alone: the pages of the public, of a learner and of an employer, and a message."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from tests.app.web.publishing.test_award_page import award
from tests.support.app import App, send
from tests.support.letters import awarded, office, post, send_all

__all__ = ["office", "post"]


@pytest.fixture
def reader(app: App) -> TestClient:
    client = app.client()
    client.headers["accept-language"] = "es-ES, fr;q=0.5"
    return client


def test_public_pages_are_in_spanish_and_lead_to_the_other_languages(reader: TestClient) -> None:
    for address, words in (
        ("/", "Lo que usted sabe hacer, acreditado por su campus"),
        ("/verifier", "Suba una insignia, venga de donde venga."),
        ("/connexion", "Su dirección de correo profesional"),
        ("/aide/formation", "Guía"),
    ):
        page = reader.get(address)
        assert page.headers["content-language"] == "es"
        assert '<html lang="es"' in page.text
        assert words in page.text
        assert [f'href="/langue/{code}' in page.text for code in ("fr", "en", "es")] == [True, True, False]


def test_employer_reads_our_words_in_spanish_and_the_campus_s_in_french(app: App, reader: TestClient) -> None:
    page = reader.get(f"/attributions/{award(app)}").text
    assert "Auténtica y en vigor" in page
    assert '<span lang="fr">«Robotique pour tous»</span>' in page
    assert '<meta property="og:locale" content="es_ES">' in page


def test_verifier_answers_in_spanish(app: App, reader: TestClient) -> None:
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award(app))
        signed = services.publication.award_file(record, "json").body
    changed = json.loads(signed) | {"name": "Autre titre"}
    answer = send(reader, "/verifier", data={"texte": json.dumps(changed)})
    assert "No auténtica: modificada después de la firma" in answer.text


def test_learner_opens_a_badge_in_spanish(app: App, reader: TestClient) -> None:
    result = app.award("Zoé N’Diaye; zoe@exemple.fr")
    page = reader.get(app.private_link(result), follow_redirects=True).text
    assert "Zoé, esta insignia es suya" in page
    assert "Visible solo para usted" in page


def test_message_is_in_the_language_of_its_reader(app: App, office, post) -> None:
    (award_id,) = awarded(app, "Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        person.language = "es"
        services.people.people.save(person)
    send_all(post)
    (received,) = office.received
    assert received["Content-Language"] == "es"
    assert received["Subject"] == "Su insignia «Robotique pour tous»"
    assert "Buenos días, Zoé:" in received.get_body(("plain",)).get_content()
