"""Settings of a campus and tokens of its programs, on their pages."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.integration import MOST_ATTEMPTS, Attempt, DeliveryState, WebhookState
from tests.app.api.clients import anybody
from tests.support.house import House, send
from tests.support.servers.webhooks import Receiver, receiver_of, work

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
        actions = [entry.action for entry, _ in services.campuses.history.list_of("campus", campus.id)]
    assert "amend" not in actions
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
    result = admin.get("/gestion/itip/historique?quoi=acces").text
    assert "Jeton d’accès créé" in result
    assert "Lire tout ce que le campus contient" in result
    assert "Jeton d’accès retiré" in result


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


# --- webhooks

HERE = "/gestion/itip/webhooks"
FORM = {"usage": "Scolarité", "adresse": "https://si.exemple.fr/badges", "sorte": "award"}


@pytest.fixture
def receiver(house: House) -> Receiver:
    return receiver_of(house)


def added(house: House, admin) -> tuple[str, str]:
    """Its page, and the secret shown."""
    answer = send(admin, HERE, FORM, seen_on=HERE)
    assert answer.status_code == 200
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    assert secret
    with house.unit_of_work(reading=True) as services:
        (hook,) = services.webhooks.list_of(house.campus)
    return f"{HERE}/{hook.id}", secret[0]


def test_secret_is_shown_once(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, secret = added(house, admin)
    assert secret not in admin.get(page).text
    assert "Scolarité" in admin.get(HERE).text
    replaced = send(admin, f"{page}/secret", seen_on=page)
    newer = re.search(r"whsec_[A-Za-z0-9+/=]+", replaced.text)
    assert newer
    assert newer[0] != secret
    assert "L’ancien secret sert encore" in admin.get(page).text


def test_test_message_and_what_became_of_it(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, _ = added(house, admin)
    receiver.answers = [Attempt(503)]
    assert send(admin, f"{page}/essai", seen_on=page).status_code == 303
    work(house)
    shown = admin.get(page).text
    assert "Message d’essai" in shown
    assert "Le logiciel a répondu 503." in shown
    house.clock.move(minutes=1)
    work(house)
    assert "Reçu" in admin.get(page).text


def test_abandoned_messages_are_sent_again(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, _ = added(house, admin)
    receiver.answers = [Attempt(500)] * MOST_ATTEMPTS
    send(admin, f"{page}/essai", seen_on=page)
    for _ in range(MOST_ATTEMPTS):
        work(house)
        house.clock.move(hours=12)
    admin = house.client(house.admin)  # that session is over
    assert "Abandonné" in admin.get(page).text
    assert send(admin, f"{page}/echecs", seen_on=page).status_code == 303
    work(house)
    with house.unit_of_work(reading=True) as services:
        (hook,) = services.webhooks.list_of(house.campus)
        (one,) = services.webhooks.deliveries(hook, limit=10)
    assert one.state is DeliveryState.DELIVERED
    assert send(admin, f"{page}/envois/{one.id}", seen_on=page).status_code == 303


def test_paused_resumed_and_removed(house: House, receiver: Receiver):
    admin = house.client(house.admin)
    page, _ = added(house, admin)
    send(admin, f"{page}/pause", seen_on=page)
    assert "En pause" in admin.get(page).text
    assert send(admin, f"{page}/essai", seen_on=page).status_code == 409
    send(admin, f"{page}/reprise", seen_on=page)
    with house.unit_of_work(reading=True) as services:
        assert services.webhooks.list_of(house.campus)[0].state is WebhookState.ACTIVE
    assert send(admin, f"{page}/retrait", seen_on=page).headers["location"] == HERE
    assert admin.get(page).status_code == 404
    history = admin.get("/gestion/itip/historique").text
    assert "Webhook ajouté" in history
    assert "Webhook retiré" in history


@pytest.mark.parametrize(("name", "value"), [("usage", " "), ("adresse", "si.exemple.fr"), ("sorte", "")])
def test_incomplete_form_comes_back_as_typed(house: House, receiver: Receiver, name: str, value: str):
    answer = send(house.client(house.admin), HERE, {**FORM, name: value}, seen_on=HERE)
    assert answer.status_code == 422
    assert f'aria-describedby="{name}' in answer.text or f'id="{name}' in answer.text
