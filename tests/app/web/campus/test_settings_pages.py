"""Settings of a campus and tokens of its programs, on their pages."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.integration import MOST_ATTEMPTS, Attempt, DeliveryState, WebhookState
from tests.app.api.clients import anybody
from tests.support.app import App, send
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


def test_saving_unchanged_settings_writes_no_history(app: App):
    admin = app.client(app.admin)
    assert send(admin, SETTINGS, filled(admin)).status_code == 303
    with app.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        actions = [entry.action for entry, _ in services.campuses.history.list_of("campus", campus.id)]
    assert "amend" not in actions
    assert (campus.hue, campus.time_zone, campus.contact_email) == (208, "Europe/Paris", "itip@exemple.fr")


def test_a_campus_changes_its_public_details(app: App):
    admin = app.client(app.admin)
    new = {"nom": "Industrie et Territoires", "description": "Un tiers-lieu.", "contact": " ACCUEIL@exemple.fr ", "teinte": "145", "heure": "Indian/Reunion", "langue": "en"}  # fmt: skip
    answer = send(admin, SETTINGS, filled(admin) | new)
    assert answer.status_code == 303
    assert "C’est enregistré" in admin.get(answer.headers["location"]).text
    public = app.client().get("/campus/itip").text
    assert "Industrie et Territoires" in public
    with app.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
    assert (campus.contact_email, campus.hue, campus.language) == ("accueil@exemple.fr", 145, "en")
    assert "Réglages changés" in admin.get("/gestion/itip/historique?quoi=campus").text


def test_invalid_settings_are_shown_again_with_a_reason(app: App):
    admin = app.client(app.admin)
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
    with app.unit_of_work(reading=True) as services:
        assert services.campuses.get("itip").name.startswith("Industrie Technologique")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Campus Bois", "gardez « Bois »"),
        ("Le campus des Métiers et des Qualifications d’excellence Bois", "gardez « Bois »"),
        ("<b>Bois</b>", "balise"),
        ("?!", "ni lettre ni chiffre"),
    ],
)
@pytest.mark.parametrize("field", ["nom", "nom-court"])
def test_a_name_that_cannot_be_signed_or_repeats_campus_is_shown_again(
    app: App, field: str, name: str, reason: str
):
    admin = app.client(app.admin)
    answer = send(admin, SETTINGS, filled(admin) | {field: name[:20] if field == "nom-court" else name})
    assert answer.status_code == 422
    assert f'id="{field}-erreur"' in answer.text
    if field == "nom":
        assert reason in answer.text.replace("\xa0", " ").replace("&nbsp;", " ")


def test_a_token_is_shown_once_has_its_rights_and_is_refused_once_revoked(app: App):
    admin = app.client(app.admin)
    made = send(admin, TOKENS, {"usage": "Scolarité", "droit": ["read"], "jours": "30"})
    secret = re.search(r"sceau_[\w-]+", made.text)
    assert secret
    assert secret[0] not in admin.get(TOKENS).text
    program = anybody(app)
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


def test_a_token_needs_a_name_a_right_and_an_end(app: App):
    admin = app.client(app.admin)
    for wrong in ({"usage": ""}, {"droit": []}, {"jours": "36500"}, {"droit": ["everything"]}):
        answer = send(admin, TOKENS, {"usage": "Scolarité", "droit": ["read"], "jours": "30"} | wrong)
        assert (answer.status_code, "sceau_" in answer.text) == (422, False), wrong


def test_the_number_of_a_linkedin_page_fills_in_their_form(app: App):
    admin = app.client(app.admin)
    assert send(admin, SETTINGS, filled(admin) | {"linkedin": "campus-itip"}).status_code == 422
    result = app.award("Zoé N’Diaye; zoe@exemple.fr")
    zoe = app.client()
    zoe.get(app.private_link(result))
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
def receiver(app: App) -> Receiver:
    return receiver_of(app)


def added(app: App, admin) -> tuple[str, str]:
    """Its page, and the secret shown."""
    answer = send(admin, HERE, FORM, seen_on=HERE)
    assert answer.status_code == 200
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    assert secret
    with app.unit_of_work(reading=True) as services:
        (hook,) = services.webhooks.list_of(app.campus)
    return f"{HERE}/{hook.id}", secret[0]


def test_secret_is_shown_once(app: App, receiver: Receiver):
    admin = app.client(app.admin)
    page, secret = added(app, admin)
    assert secret not in admin.get(page).text
    assert "Scolarité" in admin.get(HERE).text
    replaced = send(admin, f"{page}/secret", seen_on=page)
    newer = re.search(r"whsec_[A-Za-z0-9+/=]+", replaced.text)
    assert newer
    assert newer[0] != secret
    assert "L’ancien secret sert encore" in admin.get(page).text


def test_the_page_shows_the_result_of_a_test_message(app: App, receiver: Receiver):
    admin = app.client(app.admin)
    page, _ = added(app, admin)
    receiver.answers = [Attempt(503)]
    assert send(admin, f"{page}/essai", seen_on=page).status_code == 303
    work(app)
    shown = admin.get(page).text
    assert "Message d’essai" in shown
    assert "Le logiciel a répondu 503." in shown
    app.clock.move(minutes=1)
    work(app)
    assert "Reçu" in admin.get(page).text


def test_abandoned_messages_are_sent_again(app: App, receiver: Receiver):
    admin = app.client(app.admin)
    page, _ = added(app, admin)
    receiver.answers = [Attempt(500)] * MOST_ATTEMPTS
    send(admin, f"{page}/essai", seen_on=page)
    for _ in range(MOST_ATTEMPTS):
        work(app)
        app.clock.move(hours=12)
    admin = app.client(app.admin)  # that session is over
    assert "Abandonné" in admin.get(page).text
    assert send(admin, f"{page}/echecs", seen_on=page).status_code == 303
    work(app)
    with app.unit_of_work(reading=True) as services:
        (hook,) = services.webhooks.list_of(app.campus)
        (one,) = services.webhooks.deliveries(hook, limit=10)
    assert one.state is DeliveryState.DELIVERED
    assert send(admin, f"{page}/envois/{one.id}", seen_on=page).status_code == 303


def test_paused_resumed_and_removed(app: App, receiver: Receiver):
    admin = app.client(app.admin)
    page, _ = added(app, admin)
    send(admin, f"{page}/pause", seen_on=page)
    assert "En pause" in admin.get(page).text
    assert send(admin, f"{page}/essai", seen_on=page).status_code == 409
    send(admin, f"{page}/reprise", seen_on=page)
    with app.unit_of_work(reading=True) as services:
        assert services.webhooks.list_of(app.campus)[0].state is WebhookState.ACTIVE
    assert send(admin, f"{page}/retrait", seen_on=page).headers["location"] == HERE
    assert admin.get(page).status_code == 404
    history = admin.get("/gestion/itip/historique").text
    assert "Webhook ajouté" in history
    assert "Webhook retiré" in history


@pytest.mark.parametrize(("name", "value"), [("usage", " "), ("adresse", "si.exemple.fr"), ("sorte", "")])
def test_incomplete_form_comes_back_as_typed(app: App, receiver: Receiver, name: str, value: str):
    answer = send(app.client(app.admin), HERE, {**FORM, name: value}, seen_on=HERE)
    assert answer.status_code == 422
    assert f'aria-describedby="{name}' in answer.text or f'id="{name}' in answer.text


@pytest.mark.parametrize(
    ("path", "typed", "faults"),
    [
        (HERE, {"usage": "", "adresse": "ftp://x"}, ["usage", "adresse", "sorte"]),
        (TOKENS, {"usage": "", "jours": "30"}, ["usage", "droit"]),
        (
            "/gestion/itip/cours",
            {"nom": "x" * 121, "client": "é è", "cles": "ailleurs"},
            ["nom", "emetteur", "client", "deploiements", "cles", "jetons", "autorisation"],
        ),
    ],
)
def test_every_fault_of_a_connection_is_shown_at_once(
    app: App, path: str, typed: dict[str, str], faults: list[str]
):
    page = send(app.client(app.admin), path, typed, seen_on=path).text
    assert re.findall(r'<li><a href="#([^"]+)">', page) == faults
