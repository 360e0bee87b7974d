"""A form of an earlier session is shown again at once, and one sent too soon waits: nothing typed is lost."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.adapters.accounts import limits_in
from app.domain.people import Person
from tests.app.web.accounts.test_signing_in_again import (
    SHOWN,
    TYPED,
    enter,
    kept,
    leave,
    new_activity,
    titles,
)
from tests.support.app import App, build_app, send
from tests.support.forms import form_with, forms_of


def again_elsewhere(app: App, client: TestClient, person: Person) -> None:
    """In another tab: their session ended, and another one begins."""
    leave(app, client, "signed out")
    assert send(client, app.sign_in_path(person)).status_code == 303


OURS = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "document"}


@pytest.mark.parametrize("headers", [{}, OURS])
def test_a_form_of_an_earlier_session_is_shown_again_and_not_sent_automatically(app: App, headers: dict):
    trainer, page = new_activity(app)
    form = form_with(page, "titre").fill(titre=TYPED)
    again_elsewhere(app, trainer, app.trainer)
    refused = form.press(trainer, page, headers=headers)
    assert (refused.status_code, refused.headers["cache-control"]) == (403, "no-store")
    assert "rien de ce que vous avez tapé n’est perdu" in refused.text
    assert html.escape(TYPED, quote=False) in refused.text
    assert TYPED not in titles(app)
    assert form_with(refused, "titre").press(trainer, refused, headers=headers).status_code == 303
    assert (TYPED in titles(app), kept(app)) == (True, [])


def test_the_file_of_the_form_is_retained(app: App):
    trainer = app.client(app.trainer)
    award = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    page = trainer.get(award)
    form = form_with(page, "badge").fill(badge=str(app.presence.badge.id), qui="liste")
    again_elsewhere(app, trainer, app.trainer)
    refused = form.press(
        trainer, page, files={"fichier": ("liste.csv", b"nom;prenom\nMARTIN;Lise", "text/csv")}
    )
    assert "Le fichier que vous aviez choisi part avec" in refused.text
    foreseen = form_with(refused, "badge").press(trainer, refused)
    assert (foreseen.status_code, "MARTIN" in foreseen.text) == (200, True)


def test_a_form_of_another_person_is_saved_for_them_and_not_shown(app: App):
    browser, page = new_activity(app)
    form = form_with(page, "titre").fill(titre=TYPED)
    again_elsewhere(app, browser, app.admin)
    refused = form.press(browser, page, headers=OURS)
    assert refused.status_code == 403
    assert "ouverte par quelqu’un d’autre" in refused.text
    assert "Atelier du soir" not in refused.text
    assert browser.get(SHOWN).status_code == 404
    assert form_with(enter(app, browser, app.trainer), "titre").fields["titre"] == [TYPED]


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://exemple.fr"}, {}])
def test_a_token_of_an_unrelated_account_shows_nothing_that_another_site_sent(app: App, headers: dict):
    stranger = app.client(app.stranger)
    token = form_with(stranger.get("/gestion/agt/activites/nouvelle"), "titre").fields["jeton"][0]
    trainer = app.client(app.trainer)
    sent = {"jeton": token, "titre": TYPED}
    refused = trainer.post("/gestion/itip/activites/nouvelle", data=sent, headers=headers)
    assert (refused.status_code, "Atelier du soir" in refused.text) == (403, False)


def test_an_invented_token_is_refused_and_shows_nothing(app: App):
    trainer = app.client(app.trainer)
    sent = {"jeton": "A" * 88, "titre": TYPED}
    refused = trainer.post("/gestion/itip/activites/nouvelle", data=sent)
    assert (refused.status_code, "Atelier du soir" in refused.text, kept(app)) == (403, False, [])
    assert "<h1>Cette page est restée ouverte trop longtemps</h1>" in refused.text


def test_an_automatic_save_of_an_earlier_session_is_not_stored(app: App):
    admin = app.client(app.admin)
    page = admin.get(f"/gestion/itip/badges/{app.presence.badge.id}/modifier")
    form = form_with(page, "nom").fill(nom=TYPED, geste="seul")
    again_elsewhere(app, admin, app.admin)
    answer = form.press(admin, page, headers={**OURS, "sec-fetch-dest": "empty"})
    assert (answer.status_code, kept(app)) == (403, [])
    leave(app, admin, "signed out")
    answer = form.press(admin, page, headers={**OURS, "sec-fetch-dest": "empty"})
    assert (answer.status_code, kept(app)) == (401, [])


def test_what_was_typed_before_signing_in_is_shown_again_after(app: App):
    reader = app.client()
    page = reader.get("/verifier")
    form = form_with(page, "lien").fill(lien="https://exemple.fr/badge.json")
    assert send(reader, app.sign_in_path(app.trainer)).status_code == 303
    refused = form.press(reader, page, headers=OURS)
    assert (refused.status_code, "https://exemple.fr/badge.json" in refused.text) == (403, True)
    assert form.press(reader, page).status_code == 403
    again = form_with(refused, "lien").press(reader, refused)
    assert "exemple.fr" in again.text


def test_what_was_typed_before_signing_out_is_shown_again_after(app: App):
    reader = app.client(app.trainer)
    page = reader.get("/verifier")
    form = form_with(page, "lien").fill(lien="https://exemple.fr/badge.json")
    leave(app, reader, "signed out")
    refused = form.press(reader, page, headers=OURS)
    assert (refused.status_code, "https://exemple.fr/badge.json" in refused.text) == (403, True)
    assert kept(app) == []
    assert form_with(refused, "lien").press(reader, refused).status_code != 403


def test_a_sign_in_form_of_a_signed_in_person_redirects(app: App):
    reader = app.client()
    page = reader.get("/connexion")
    (form,) = [each for each in forms_of(page) if each.action == "/connexion"]
    assert send(reader, app.sign_in_path(app.trainer)).status_code == 303
    answer = form.fill(adresse="le.goff@exemple.fr").press(reader, page, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/connexion")
    assert reader.get("/connexion").headers["location"] == "/gestion"


@pytest.mark.parametrize("again", [True, False])
def test_signing_out_works_from_a_page_of_an_earlier_session(app: App, again: bool):
    trainer = app.client(app.trainer)
    page = trainer.get("/compte")
    (form,) = [each for each in forms_of(page) if each.action == "/deconnexion"]
    again_elsewhere(app, trainer, app.trainer) if again else leave(app, trainer, "signed out")
    assert form.press(trainer, page, headers=OURS).headers["location"] == "/"
    assert trainer.get("/compte").status_code == 401


def test_a_confirmation_page_asks_again_and_retains_the_saved_form(app: App):
    admin = app.client(app.admin)
    team = admin.get("/gestion/itip/equipe")
    app.clock.move(minutes=31)
    (form,) = [each for each in forms_of(team) if each.action.endswith("/invitations")]
    asked = form.fill(adresse="camille.durand@exemple.fr").press(admin, team)
    (by_link,) = [each for each in forms_of(asked) if each.action == "/confirmer/lien"]
    again_elsewhere(app, admin, app.admin)
    app.clock.move(minutes=31)
    refused = by_link.press(admin, asked)
    assert (refused.status_code, "Confirmez que c’est vous" in refused.text) == (403, True)
    (by_link,) = [each for each in forms_of(refused) if each.action == "/confirmer/lien"]
    assert by_link.press(admin, refused).status_code == 200


# --- sent too soon


def hurried(sqlite_url: str, tmp_path: Path) -> App:
    return build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key of the tests"))


def test_a_form_sent_too_often_is_shown_with_the_time_to_wait(sqlite_url: str, tmp_path: Path):
    app = hurried(sqlite_url, tmp_path)
    trainer = app.client(app.trainer)
    for number in range(11):
        page = trainer.get("/compte/adresses")
        (form,) = [each for each in forms_of(page) if each.action == "/compte/adresses"]
        answer = form.fill(adresse=f"anais.{number}@maison.example").press(trainer, page, headers=OURS)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    assert "anais.10@maison.example" in answer.text
    assert "Réessayez dans" in answer.text
    app.close()


def test_a_person_who_asked_for_links_too_often_is_offered_the_other_ways_to_sign_in(
    sqlite_url: str, tmp_path: Path
):
    app = hurried(sqlite_url, tmp_path)
    client = app.client()
    for _ in range(4):
        answer = send(client, "/connexion", {"adresse": "le.goff@exemple.fr"})
    assert answer.status_code == 429
    assert '<a href="/connexion">Revenir à la connexion' in answer.text
    app.close()


def test_a_used_link_tells_a_signed_in_person_that_they_are_signed_in(app: App):
    link = app.sign_in_path(app.trainer)
    client = app.client()
    send(client, link)
    again = client.get(link)
    assert (again.status_code, "Votre compte est déjà ouvert dans ce navigateur" in again.text) == (401, True)
    assert "Demander un autre lien" not in again.text
