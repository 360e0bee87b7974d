"""Badges from elsewhere on the learner's pages: refused with the checker's message, shown only as the holder chooses."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.container import Process
from app.main import create_app
from tests.support.app import App, send
from tests.support.badges.credentials import DID_URL, LIST_URL, Campus
from tests.support.badges.documents import Documents

HERE = "/mes-badges/ailleurs"


@pytest.fixture
def issuer() -> Campus:
    return Campus()


@pytest.fixture
def zoe(app: App, issuer: Campus):
    """Zoé's browser, in front of a service that can read the other issuer's documents."""
    held = {DID_URL: issuer.did_document, LIST_URL: issuer.status_list(at=app.clock())}
    process = Process(app.process.settings, clock=app.clock, beyond=Documents(held))
    result = app.award("Zoé N’Diaye; zoe@exemple.fr")
    browser = TestClient(
        create_app(process=process), base_url=process.settings.base_url, follow_redirects=False
    )
    with browser as client:
        client.headers["accept"] = "text/html"
        client.get(app.private_link(result))
        yield client
    process.engine.dispose()


def bring(client: TestClient, **given: str):
    person = re.search(r'name="personne" value="([^"]+)"', client.get(HERE).text)[1]
    return send(client, HERE, {"personne": person, **given})


def brought(client: TestClient) -> str:
    return re.search(r'action="(/mes-badges/ailleurs/[^"]+)"', client.get(HERE).text)[1]


def test_an_imported_badge_is_private_until_its_holder_shows_it_in_their_portfolio(
    app: App, zoe, issuer: Campus
):
    assert bring(zoe, texte=issuer.issue().token).status_code == 303
    shown = zoe.get(HERE).text
    assert "Délivré ailleurs" in shown
    assert "Signature valable, émetteur inconnu" in shown
    assert "Nous ne pouvons pas dire s’il a été donné à vous" in shown
    person = re.search(r'name="personne" value="([^"]+)"', zoe.get("/mes-badges/portfolio").text)[1]
    portfolio = send(zoe, "/mes-badges/portfolio", {"personne": person}).headers["location"].partition("?")[0]
    send(zoe, f"{portfolio}/visibilite", {"vue": "ouvert"}, seen_on=portfolio)
    public = portfolio.removeprefix("/mes-badges")
    stranger = app.client()
    assert "badges.example" not in stranger.get(public).text
    send(zoe, brought(zoe), {"geste": "montrer"}, seen_on=HERE)
    page = stranger.get(public).text
    assert "Signature valable, émetteur inconnu" in page
    assert "Vérifié le" in page
    inside = re.search(r'href="(/portfolio/[^"]+/ailleurs/[^"]+)"', page)[1]
    assert zoe.get(inside).status_code == 200
    send(zoe, brought(zoe), {"geste": "cacher"}, seen_on=HERE)
    assert zoe.get(inside).status_code == 404
    assert "badges.example" not in stranger.get(public).text


def test_a_changed_badge_is_refused_with_the_message_of_the_checker(zoe: TestClient, issuer: Campus):
    forged = issuer.issue().embedded.decode().replace("Robotique pour tous", "Robotique avancée")
    answer = bring(zoe, texte=forged)
    assert answer.status_code == 422
    assert "modifié après signature" in answer.text
    assert "Délivré ailleurs" not in zoe.get(HERE).text


def test_text_that_is_refused_comes_back_to_be_corrected(zoe: TestClient, issuer: Campus):
    typed = issuer.issue().token[:-4] + "AAAA"
    again = bring(zoe, texte=typed)
    assert f">{typed}</textarea>" in again.text.replace("\n", "")


def test_an_imported_badge_is_deleted_by_its_holder(zoe: TestClient, issuer: Campus):
    bring(zoe, texte=issuer.issue().token)
    answer = send(zoe, brought(zoe), {"geste": "retirer"}, seen_on=HERE)
    assert "retiré d’ici" in zoe.get(answer.headers["location"]).text
    assert "Délivré ailleurs" not in zoe.get(HERE).text


def test_another_learner_can_neither_read_nor_remove_an_imported_badge(
    app: App, zoe: TestClient, issuer: Campus
):
    bring(zoe, texte=issuer.issue().token)
    path, leo = brought(zoe), app.client()
    leo.get(app.private_link(app.award("Léo Martin; leo@exemple.fr")))
    assert leo.get(path).status_code == 401
    assert send(leo, path, {"geste": "retirer"}, seen_on=HERE).status_code == 401
    assert "Délivré ailleurs" in zoe.get(HERE).text
