"""« Montrer une partie seulement »: fields chosen by label, previewed before the download, verified as a part."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import CampusSettings
from tests.support.app import COMMAND, App, send

BY = Actor(label="holder")


@pytest.fixture
def result(app: App):
    return app.award("Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr")


@pytest.fixture
def zoe(app: App, result) -> TestClient:
    client = app.client()
    client.get(app.private_link(result, 0))
    return client


def place(result, position: int = 0) -> str:
    return f"/mes-badges/{result.lines[position].award_id}/partager/partie"


def offered(app: App, result) -> None:
    with app.unit_of_work() as services:
        campus = services.campuses.get("itip")
        wanted = replace(CampusSettings.of(campus), selective_disclosure=True)
        services.campuses.change_settings("itip", wanted, by=COMMAND)
        services.awards.set_visibility(result.lines[0].award_id, Visibility.OPEN, by=BY)


def plain_text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_learner_of_a_campus_that_offers_no_parts_finds_no_way_there(zoe: TestClient, result) -> None:
    assert place(result) not in zoe.get(place(result).rpartition("/")[0]).text
    assert zoe.get(place(result)).status_code == 404


def test_campus_switches_it_on_in_its_settings(app: App, result, zoe: TestClient) -> None:
    admin = app.client(app.admin)
    page = admin.get("/gestion/itip/reglages").text
    assert '<input type="checkbox" name="partie" value="oui">' in page
    values = dict(re.findall(r'<input[^>]* name="([a-z-]+)"[^>]* value="([^"]*)"', page))
    with app.unit_of_work(reading=True) as services:
        now = CampusSettings.of(services.campuses.get("itip"))
    values |= {"nom": now.name, "nom-court": now.short_name, "langue": now.language, "heure": now.time_zone}
    values |= {"teinte": f"{now.hue:g}", "vivacite": f"{now.liveliness:g}", "partie": "oui"}
    values.pop("jeton", None)
    assert send(admin, "/gestion/itip/reglages", values).status_code == 303
    assert "Clé des badges montrés en partie" in admin.get("/gestion/itip/reglages").text
    assert place(result) in zoe.get(place(result).rpartition("/")[0]).text


def test_the_page_shows_the_content_of_the_badge_and_of_the_file(app: App, zoe: TestClient, result) -> None:
    offered(app, result)
    page = plain_text(zoe.get(place(result)).text)
    assert "Le nom de la personne Zoé N’Diaye pas montré" in page
    assert "Heures dans l’activité : 3 pas montré" in page
    assert "Une fin ne se cache pas." in page
    chosen = zoe.get(f"{place(result)}?montre=nom&montre=date&montre=<script>").text
    assert "Le nom de la personne Zoé N’Diaye Zoé N’Diaye" in plain_text(chosen)
    assert chosen.count('type="hidden" name="montre"') == 2
    assert "<script>" not in chosen.partition("<main")[2]


def test_downloaded_part_is_verified_as_a_part_on_the_page_and_by_programs(
    app: App, zoe: TestClient, result
) -> None:
    offered(app, result)
    answer = send(zoe, place(result), {"montre": ["nom"]})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith('robotique-pour-tous-partie.json"')
    assert "no-store" in answer.headers["cache-control"]
    part = json.loads(answer.text)
    assert "evidence" not in part
    assert part["credentialSubject"]["identifier"][0]["identityHash"] == "Zoé N’Diaye"
    files = {"fichier": ("badge.json", answer.content, "application/json")}
    page = plain_text(send(app.client(), "/verifier", {}, files=files, follow_redirects=True).text)
    assert "Authentique, en cours de validité" in page
    assert "La personne a choisi de n’en montrer qu’une partie." in page
    assert "Ce qui manque ici n’est pas pour autant faux ou retiré." in page
    assert "La fin de ce fichier, qui ne montre qu’une partie du badge" in page
    assert "Au journal du campus" not in page, "the learner did not show the evidence"
    report = app.client().post("/api/v1/verify", content=answer.content).json()
    assert report["verdict"] == "valid"
    assert [each["code"] for each in report["warnings"]] == ["part_shown"]


def test_the_verifier_does_not_claim_that_a_part_without_a_name_is_of_a_nameless_badge(
    app: App, zoe: TestClient, result
) -> None:
    offered(app, result)
    part = send(zoe, place(result), {}).content
    files = {"fichier": ("badge.json", part, "application/json")}
    page = plain_text(send(app.client(), "/verifier", {}, files=files, follow_redirects=True).text)
    assert "La personne ne montre pas de nom ici" in page
    assert "Le badge ne contient pas de nom" not in page
    assert "Zoé" not in page


def test_only_the_holder_makes_a_partial_file_of_the_badge(app: App, zoe: TestClient, result) -> None:
    offered(app, result)
    leo = app.client()
    leo.get(app.private_link(result, 1))
    assert leo.get(place(result)).status_code == 401
    token = re.search(
        r'name="jeton" value="([^"]+)"', leo.get(place(result, 1).rpartition("/partager")[0]).text
    )
    assert token is not None
    assert leo.post(place(result), data={"jeton": token[1]}).status_code == 401
    for stranger in (app.client(), app.client(app.trainer), app.client(app.admin)):
        assert stranger.get(place(result)).status_code == 401


def test_holder_finds_on_the_page_what_was_shown(app: App, zoe: TestClient, result) -> None:
    offered(app, result)
    assert "Fichiers déjà préparés" not in plain_text(zoe.get(place(result)).text)
    send(zoe, place(result), {"montre": ["nom", "preuves"]})
    assert re.search(
        r"Fichiers déjà préparés .* : le nom de la personne, les preuves",
        plain_text(zoe.get(place(result)).text),
    )


def test_closed_badge_is_not_shown_in_part(app: App, zoe: TestClient, result) -> None:
    offered(app, result)
    with app.unit_of_work() as services:
        services.awards.set_visibility(result.lines[0].award_id, Visibility.CLOSED, by=BY)
    page = zoe.get(place(result)).text
    assert "La page de ce badge est fermée" in page
    assert "Télécharger le fichier" not in page
    assert send(zoe, place(result), {}, seen_on=place(result).rpartition("/partager")[0]).status_code == 409
