"""A form sent after the session ended is stored for its author, in their browser, and is never sent automatically."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.accounts.sessions import LIFE, LONGEST_TYPED, SetAside
from app.domain.people import Person
from tests.support.app import App, send
from tests.support.forms import form_with, forms_of

SHOWN = "/confirmer/formulaire"
TYPED = "Atelier du soir, 39 < 40 places & plus"
MARKUP = "Pour <b>40</b> personnes"
"""Names refuse markup; a description may hold it, and it is shown as text."""


def new_activity(app: App) -> tuple[TestClient, Response]:
    trainer = app.client(app.trainer)
    return trainer, trainer.get("/gestion/itip/activites/nouvelle")


def leave(app: App, client: TestClient, way: str) -> None:
    """`expired`: the browser has dropped the cookie of a session that ended by itself."""
    if way == "idle":
        app.clock.move(minutes=app.process.settings.session_idle_minutes + 1)
    elif way == "expired":
        app.clock.move(hours=app.process.settings.session_hours + 1)
        client.cookies.delete("sid")
    else:
        send(client, "/deconnexion", seen_on="/compte")


def sent_late(app: App, way: str = "signed out", title: str = TYPED, **sent) -> tuple[TestClient, Response]:
    trainer, page = new_activity(app)
    form = form_with(page, "titre").fill(titre=title, description=MARKUP)
    leave(app, trainer, way)
    return trainer, form.press(trainer, page, **sent)


def enter(app: App, client: TestClient, person: Person) -> Response:
    """Signs in from the page that asked for it, then returns."""
    client.get("/connexion", params={"suite": SHOWN})
    answer = send(client, app.sign_in_path(person))
    assert answer.headers["location"] == SHOWN
    return client.get(SHOWN)


def titles(app: App) -> str:
    return html.unescape(app.client(app.trainer).get("/gestion/itip/activites").text)


def kept(app: App) -> list[SetAside]:
    with Transaction(app.process.engine) as everything:
        return list(everything.exec(select(SetAside)).all())


@pytest.mark.parametrize("way", ["idle", "expired", "signed out"])
def test_a_saved_form_is_shown_again_to_its_author_who_sends_it(app: App, way: str):
    trainer, refused = sent_late(app, way)
    assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")
    assert "/connexion?suite=/confirmer/formulaire" in refused.text

    shown = enter(app, trainer, app.trainer)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert html.escape(TYPED, quote=False) in shown.text
    assert html.escape(MARKUP, quote=False) in shown.text
    assert "<b>40</b>" not in shown.text
    assert TYPED not in titles(app)

    form = form_with(shown, "titre")
    assert form.fields["titre"] == [TYPED]
    assert form.press(trainer, shown).status_code == 303
    assert TYPED in titles(app)
    assert kept(app) == []
    assert trainer.get(SHOWN).status_code == 404


def test_no_script_sends_the_saved_form(app: App):
    trainer, _ = sent_late(app)
    shown = enter(app, trainer, app.trainer)
    assert "data-resume" not in shown.text
    assert "resume.js" not in shown.text


def test_the_form_shown_again_needs_its_own_token(app: App):
    trainer, _ = sent_late(app)
    form = form_with(enter(app, trainer, app.trainer), "titre")
    form.fields["jeton"] = ["invented"]
    assert trainer.post(form.action, data=form.fields).status_code == 403
    assert TYPED not in titles(app)


def test_another_account_in_the_same_browser_never_sees_the_saved_form(app: App):
    trainer, _ = sent_late(app)
    other = enter(app, trainer, app.admin)
    assert (other.status_code, "Atelier du soir" in other.text) == (404, False)


def test_the_same_account_in_another_browser_never_sees_the_saved_form(app: App):
    sent_late(app)
    assert len(kept(app)) == 1
    elsewhere = app.client(app.trainer).get(SHOWN)
    assert (elsewhere.status_code, "Atelier du soir" in elsewhere.text) == (404, False)


def test_the_saved_form_is_encrypted_in_the_database_and_expires_after_two_hours(app: App):
    trainer, refused = sent_late(app)
    (row,) = kept(app)
    token = re.search(r"formulaire=([\w-]+)", refused.headers["set-cookie"])
    assert token
    assert (b"Atelier" in row.sealed, token[1].encode() in row.sealed, token[1] in refused.text) == (
        False,
    ) * 3
    assert "httponly" in refused.headers["set-cookie"].lower()
    app.clock.move(seconds=LIFE.total_seconds())
    assert enter(app, trainer, app.trainer).status_code == 404


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://exemple.fr"}])
def test_another_site_cannot_save_a_form(app: App, headers: dict[str, str]):
    _, refused = sent_late(app, headers=headers)
    assert (refused.status_code, kept(app)) == (401, [])


@pytest.mark.parametrize("seal", ["", ".", ".AAAA", ".é", "." + "A" * 60])
def test_a_form_with_a_forged_owner_is_not_saved(app: App, seal: str):
    trainer, page = new_activity(app)
    form = form_with(page, "titre").fill(titre=TYPED)
    form.fields["jeton"] = [form.fields["jeton"][0].partition(".")[0] + seal]
    leave(app, trainer, "signed out")
    assert (form.press(trainer, page).status_code, kept(app)) == (401, [])


def test_a_seal_does_not_stand_for_the_token(app: App):
    trainer, page = new_activity(app)
    form = form_with(page, "titre").fill(titre=TYPED)
    form.fields["jeton"] = ["A" * 88 + "." + form.fields["jeton"][0].partition(".")[2]]
    assert form.press(trainer, page).status_code == 403


def test_too_long_a_text_is_not_saved_and_the_page_asks_to_copy_it(app: App):
    _, refused = sent_late(app, title="é" * (LONGEST_TYPED // 2 + 1))
    assert (refused.status_code, kept(app)) == (401, [])
    assert "copiez ce que vous aviez tapé" in refused.text


def test_a_chosen_file_is_not_saved(app: App):
    trainer = app.client(app.trainer)
    award = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    page = trainer.get(award)
    form = form_with(page, "badge").fill(badge=str(app.presence.badge.id), qui="liste")
    leave(app, trainer, "signed out")
    refused = form.press(trainer, page, files={"fichier": ("liste.csv", b"MARTIN;Lise", "text/csv")})
    assert "Le fichier choisi n’est pas gardé" in refused.text
    with app.unit_of_work(reading=True) as services:
        token = trainer.cookies["formulaire"]
        waiting = services.set_aside.find(token, app.trainer.id)
    assert waiting is not None
    assert (list(waiting.files), dict(waiting.fields)["qui"]) == ([], "liste")


def test_a_form_that_waits_for_a_proof_waits_through_signing_in_too(app: App):
    admin = app.client(app.admin)
    team = admin.get("/gestion/itip/equipe")
    app.clock.move(minutes=31)
    (form,) = [each for each in forms_of(team) if each.action.endswith("/invitations")]
    asked = form.fill(adresse="camille.durand@exemple.fr").press(admin, team)
    (by_link,) = [each for each in forms_of(asked) if each.action == "/confirmer/lien"]
    leave(app, admin, "signed out")
    assert by_link.press(admin, asked).status_code == 401
    assert form_with(enter(app, admin, app.admin), "adresse").fields["adresse"] == [
        "camille.durand@exemple.fr"
    ]
