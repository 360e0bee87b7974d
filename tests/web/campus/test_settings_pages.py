"""Settings of a campus and tokens of its programs, on their pages."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from tests.api.clients import anybody
from tests.support.house import House, send

SETTINGS, TOKENS = "/gestion/itip/reglages", "/gestion/itip/jetons"


def filled(client: TestClient) -> dict[str, str]:
    """The form as the page shows it."""
    page = client.get(SETTINGS).text
    values = dict(re.findall(r'<input id="([^"]+)" name="\1" type="(?:text|email)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="([^"]+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        assert chosen, name
        values[name] = chosen[1]
    hue = re.search(r'name="teinte" value="([^"]+)" checked', page)
    assert hue
    return {**values, "teinte": hue[1], "noms": "oui", "description": ""}


def test_what_is_kept_is_what_was_shown_and_nothing_is_written_where_nothing_changes(house: House):
    admin = house.client(house.admin)
    assert send(admin, SETTINGS, filled(admin)).status_code == 303
    with house.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        deeds = [entry.action for entry, _ in services.campuses.history.list_of("campus", campus.id)]
    assert "amend" not in deeds
    assert (campus.hue, campus.time_zone, campus.contact_email) == (208, "Europe/Paris", "itip@exemple.fr")


def test_a_campus_says_anew_who_it_is_and_the_world_reads_it(house: House):
    admin = house.client(house.admin)
    new = {"nom": "Industrie et Territoires", "description": "Un tiers-lieu.", "contact": " ACCUEIL@exemple.fr ", "teinte": "145", "heure": "Indian/Reunion", "langue": "en"}  # fmt: skip
    answer = send(admin, SETTINGS, filled(admin) | new)
    assert answer.status_code == 303
    assert "C’est enregistré" in admin.get(answer.headers["location"]).text
    public = house.client().get("/campus/itip").text
    assert "Industrie et Territoires" in public
    with house.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
    assert (campus.contact_email, campus.hue, campus.language) == ("accueil@exemple.fr", 145, "en")
    assert "Réglages changés" in admin.get("/gestion/itip/historique?quoi=campus").text


def test_what_cannot_be_kept_comes_back_with_its_reason(house: House):
    admin = house.client(house.admin)
    wrong = {
        "nom": "",
        "contact": "personne",
        "teinte": "nan",
        "heure": "Mars/Olympus",
        "langue": "tlh",
        "nom-court": "x" * 21,
    }
    answer = send(admin, SETTINGS, filled(admin) | wrong)
    assert answer.status_code == 422
    for name in ("nom", "contact", "teinte", "heure", "langue", "nom-court"):
        assert f'id="{name}-erreur"' in answer.text, name
    assert 'value="personne"' in answer.text
    with house.unit_of_work(reading=True) as services:
        assert services.campuses.get("itip").name.startswith("Industrie Technologique")


def test_a_token_is_shown_once_opens_what_it_says_and_nothing_once_revoked(house: House):
    admin = house.client(house.admin)
    made = send(admin, TOKENS, {"usage": "Scolarité", "droit": ["read"], "jours": "30"})
    secret = re.search(r"sceau_[\w-]+", made.text)
    assert secret
    assert secret[0] not in admin.get(TOKENS).text
    program = anybody(house)
    program.headers["authorization"] = f"Bearer {secret[0]}"
    badges = "/api/v1/campuses/itip/badges"
    assert program.get(badges).status_code == 200
    assert program.post(badges, json={}).status_code == 403
    revoke = re.search(rf'action="({TOKENS}/[^"]+/retirer)"', admin.get(TOKENS).text)
    assert revoke
    assert send(admin, revoke[1], seen_on=TOKENS).status_code == 303
    assert program.get(badges).status_code == 401
    told = admin.get("/gestion/itip/historique?quoi=acces").text
    assert "Jeton d’accès créé" in told
    assert "Lire tout ce que le campus contient" in told
    assert "Jeton d’accès retiré" in told


def test_a_token_needs_a_name_a_right_and_an_end(house: House):
    admin = house.client(house.admin)
    for wrong in ({"usage": ""}, {"droit": []}, {"jours": "36500"}, {"droit": ["everything"]}):
        answer = send(admin, TOKENS, {"usage": "Scolarité", "droit": ["read"], "jours": "30"} | wrong)
        assert (answer.status_code, "sceau_" in answer.text) == (422, False), wrong


def test_the_number_of_a_linkedin_page_fills_in_their_form(house: House):
    admin = house.client(house.admin)
    assert send(admin, SETTINGS, filled(admin) | {"linkedin": "campus-itip"}).status_code == 422
    result = house.award("Zoé N’Diaye; zoe@exemple.fr")
    zoe = house.client()
    zoe.get(house.private_link(result))
    page = f"/mes-badges/{result.lines[0].award_id}/partager"
    assert "organizationName=Campus+Industrie" in zoe.get(page).text
    assert send(admin, SETTINGS, filled(admin) | {"linkedin": "1234567"}).status_code == 303
    filled_in = zoe.get(page).text
    assert "organizationId=1234567" in filled_in
    assert "organizationName" not in filled_in
