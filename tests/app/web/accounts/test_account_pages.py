"""« Mon compte »: passkeys, password and sessions, each changed by their owner."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pwdlib.hashers.argon2 import Argon2Hasher

from app.adapters.secrets import PasswordHashes
from app.domain.people import Person
from tests.support.app import BASE_URL, App, send
from tests.support.forms import forms_of
from tests.support.servers.authenticator import Authenticator

GOOD, BETTER = "canard violet sous la pluie", "quatre tortues jouent du tuba"
TRAINER = "le.goff@exemple.fr"


@pytest.fixture(autouse=True)
def quick_hashes(app: App) -> None:
    app.process.passwords = PasswordHashes(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))


def press(client: TestClient, page: Response, action: str, **typed: str) -> Response:
    """The form of the page that goes to `action`."""
    (form,) = [form for form in forms_of(page) if form.action == action]
    return form.fill(**typed).press(client, page)


def answered(client: TestClient, page: Response, action: str, key: Authenticator, **typed: str) -> Response:
    """As the script of the page does it: the question, the key, the form."""
    (form,) = [form for form in forms_of(page) if form.action == action]
    asked = client.post(f"{action}/question", data={"jeton": form.fields["jeton"][0]})
    assert asked.status_code == 200, asked.text
    key.count += 1
    options = asked.json()
    response = key.create(options) if "user" in options else key.get(options)
    return form.fill(reponse=response, **typed).press(client, page)


def keeper(app: App, person: Person, name: str = "Téléphone") -> tuple[TestClient, Authenticator]:
    client, key = app.client(person), Authenticator(BASE_URL)
    answer = answered(client, client.get("/compte"), "/compte/cles", key, nom=name)
    assert answer.headers["location"] == "/compte?fait=cle", answer.text
    return client, key


def is_in(client: TestClient) -> bool:
    return client.get("/compte").status_code == 200


def enter_by_password(app: App, typed: str) -> int:
    fields = {"adresse": TRAINER, "mot-de-passe": typed}
    return send(app.client(), "/connexion/mot-de-passe", fields, seen_on="/connexion").status_code


def test_a_passkey_is_added_listed_renamed_used_and_removed(app: App):
    client, key = keeper(app, app.trainer)
    shown = client.get("/compte?fait=cle")
    assert "La clé d’accès est enregistrée" in shown.text
    assert "Une seule clé" in shown.text
    (rename,) = [form for form in forms_of(shown) if form.action.endswith("/nom")]
    refused = rename.fill(nom="Clé du bureau " * 20).press(client, shown)
    assert (refused.status_code, 'id="nom-1-erreur"' in refused.text) == (422, True)
    assert "Clé du bureau " * 19 in refused.text, "retained at the key that was renamed"
    assert re.search(r'id="nom-nouveau"[^>]* value=""', refused.text), "and not in the form of another key"
    assert rename.fill(nom="Clé du bureau").press(client, shown).status_code == 303
    assert "Clé du bureau" in client.get("/compte").text

    elsewhere = app.client()
    page = elsewhere.get("/connexion")
    assert answered(elsewhere, page, "/connexion/cle", key).headers["location"] == "/gestion"
    assert "par clé d’accès" in elsewhere.get("/compte").text
    shown = elsewhere.get("/compte")
    (remove,) = [form for form in forms_of(shown) if re.fullmatch(r"/compte/cles/[^/]+/retirer", form.action)]
    assert remove.press(elsewhere, shown).status_code == 303

    late = app.client()
    refused = answered(late, late.get("/connexion"), "/connexion/cle", key)
    assert (refused.status_code, "n’est pas enregistrée ici" in refused.text) == (401, True)


def test_a_key_without_a_name_is_asked_for_again(app: App):
    client = app.client(app.trainer)
    answer = answered(client, client.get("/compte"), "/compte/cles", Authenticator(BASE_URL), nom=" ")
    assert answer.status_code == 422
    assert answer.text.count("Donnez à cette clé un nom") == 2, "at the field, and what leads to it"
    assert 'id="nom-nouveau-erreur"' in answer.text
    assert 'href="#nom-nouveau"' in answer.text


def test_a_password_is_set_changed_and_removed_and_other_sessions_end(app: App):
    here, elsewhere = app.client(app.trainer), app.client(app.trainer)
    short = send(here, "/compte/mot-de-passe", {"mot-de-passe": "court-et-"})
    assert (short.status_code, "trop court" in short.text, "court-et-" in short.text) == (422, True, False)
    assert send(here, "/compte/mot-de-passe", {"mot-de-passe": GOOD}).status_code == 303
    assert (is_in(here), is_in(elsewhere), enter_by_password(app, GOOD)) == (True, False, 303)

    assert send(here, "/compte/mot-de-passe", {"mot-de-passe": BETTER}).status_code == 303
    assert (enter_by_password(app, GOOD), enter_by_password(app, BETTER)) == (401, 303)

    assert press(here, here.get("/compte"), "/compte/mot-de-passe/retirer").status_code == 303
    assert enter_by_password(app, BETTER) == 401


def test_signing_out_elsewhere_and_everywhere(app: App):
    here, phone, office = (app.client(app.trainer) for _ in range(3))
    stranger = app.client(app.admin)
    shown = here.get("/compte")
    one, two = [
        form for form in forms_of(shown) if re.fullmatch(r"/compte/sessions/[^/]{36}/fermer", form.action)
    ]
    assert one.press(here, shown).status_code == 303
    assert [is_in(phone), is_in(office)].count(True) == 1
    token = forms_of(stranger.get("/compte"))[-1].fields["jeton"][0]
    assert stranger.post(two.action, data={"jeton": token}).status_code == 404

    assert press(here, here.get("/compte"), "/compte/sessions/fermer-les-autres").status_code == 303
    assert (is_in(here), is_in(phone), is_in(office)) == (True, False, False)
    again = app.client(app.trainer)
    answer = press(here, here.get("/compte"), "/compte/sessions/fermer-partout")
    assert answer.headers["location"] == "/"
    assert (is_in(here), is_in(again), is_in(stranger)) == (False, False, True)


def test_an_administrator_removes_lost_passkeys_and_the_history_lists_it(app: App):
    trainer, _ = keeper(app, app.trainer)
    admin, path = app.client(app.admin), f"/gestion/itip/equipe/{app.trainer.id}"
    shown = admin.get(path)
    assert press(admin, shown, f"{path}/cles/retirer").headers["location"] == "/gestion/itip/equipe?fait=cles"
    assert not is_in(trainer)
    again = app.client(app.trainer)
    assert again.get(f"/gestion/itip/activites/{app.activity.id}/attribuer").status_code == 200
    assert "Clés d’accès retirées par l’administration" in admin.get("/gestion/itip/historique").text
    assert f"{path}/cles/retirer" not in admin.get(path).text
