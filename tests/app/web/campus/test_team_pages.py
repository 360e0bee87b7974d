"""« L'équipe » on its pages: invited by letter, joined by a link, changed, removed."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.domain.accounts.sessions import Scope
from app.domain.messages import LetterRefused, Reason
from app.domain.people import Person, Role
from tests.app.web.accounts.test_learner_account import ask_for_letter, enter
from tests.support.app import COMMAND, App, Letterbox, build_app, send

TEAM = "/gestion/itip/equipe"
TOKENS = "/gestion/itip/jetons"
ADDRESS = "camille.durand@exemple.fr"


def letter_link(app: App) -> str:
    """The link of the newest letter, once all that are due have left."""
    post = app.process.post
    for envelope in post.due():
        post.send(envelope)
    found = re.search(r"/invitation/\S+", app.letters.letters[-1].text)
    assert found
    return found[0]


def invited(app: App, client: TestClient, *roles: Role, address: str = ADDRESS) -> str:
    form = {"adresse": address, "role": [role.value for role in roles], "jours": "7"}
    answer = send(client, f"{TEAM}/invitations", form, seen_on=TEAM)
    assert answer.status_code == 303, answer.text
    return letter_link(app)


def test_an_invited_trainer_enters_and_finds_the_campus(app: App):
    admin, newcomer = app.client(app.admin), app.client()
    slip = {"adresse": "camille@gmial.com", "role": [Role.TRAINER.value], "jours": "7"}
    asked = send(admin, f"{TEAM}/invitations", slip, seen_on=TEAM)
    assert (asked.status_code, "camille@gmail.com" in asked.text) == (422, True)
    link = invited(app, admin, Role.TRAINER)
    letter = app.letters.letters[-1]
    assert (letter.to, letter.language) == (ADDRESS, "fr")
    assert "http" not in letter.html.split("<body")[1].replace(app.process.settings.base_url, "")

    shown = newcomer.get(link).text
    assert "Marc Œuvrard vous invite" in shown
    nameless = send(newcomer, link, {"prenom": "", "nom": ""})
    assert (nameless.status_code, "Il manque un nom" in nameless.text) == (422, True)
    exchanged = send(newcomer, link, {"prenom": "Durand", "nom": "Camille"})
    assert (exchanged.status_code, "bon ordre" in exchanged.text) == (422, True)
    assert send(newcomer, link, {"prenom": "Camille", "nom": "Durand"}).headers["location"] == "/gestion/itip"
    assert newcomer.get("/gestion/itip").status_code == 200
    assert newcomer.get(TEAM).status_code == 403
    assert ADDRESS in admin.get(TEAM).text
    assert "déjà servi" in app.client().get(link).text


def test_opening_the_link_accepts_no_invitation(app: App):
    link = invited(app, app.client(app.admin), Role.AUDITOR)
    for _ in range(3):
        assert app.client().get(link).status_code == 200
    assert "Invitations sans réponse" in app.client(app.admin).get(TEAM).text


def test_what_was_typed_comes_back_with_the_reason(app: App):
    admin = app.client(app.admin)
    answer = send(
        admin, f"{TEAM}/invitations", {"adresse": "camille", "role": "auditor", "jours": "30"}, seen_on=TEAM
    )
    assert answer.status_code == 422
    assert 'value="camille"' in answer.text
    assert 'value="auditor" checked' in answer.text
    assert "Cette adresse n’est pas complète" in answer.text


def test_a_person_with_an_account_signs_in_and_returns_to_the_invitation(app: App):
    link = invited(app, app.client(app.admin), Role.REVIEWER, address="darcy@exemple.fr")
    browser = app.client()
    assert "Vous avez déjà un compte" in browser.get(link).text
    browser.get("/connexion", params={"suite": link})
    answer = send(browser, app.sign_in_path(app.stranger))
    assert answer.headers["location"] == link
    assert send(browser, link).headers["location"] == "/gestion/itip"
    assert "Examen des demandes" in browser.get("/gestion").text


def test_an_invited_learner_signs_in_and_returns_to_the_invitation(app: App):
    app.award(f"Camille Durand;{ADDRESS}")
    first = app.client()
    enter(first, *ask_for_letter(app, first, ADDRESS))
    link = invited(app, app.client(app.admin), Role.REVIEWER)
    browser = app.client()
    assert "Vous avez déjà un compte" in browser.get(link).text
    asking = "/connexion?suite=" + link
    browser.get(asking)
    before = len(app.letters.letters)
    send(browser, "/connexion", {"adresse": ADDRESS}, seen_on=asking)
    (way_in,) = re.findall(r"/connexion/[\w-]+", app.letters.letters[before].text)
    assert enter(browser, way_in) == link
    assert send(browser, link).headers["location"] == "/gestion/itip"


def test_another_account_sees_the_invited_address_masked_and_may_accept(
    app: App,
):
    link = invited(app, app.client(app.admin), Role.REVIEWER)
    other = app.client(app.stranger)
    shown = other.get(link).text
    assert "c•••@exemple.fr" in shown
    assert ADDRESS not in shown
    assert send(other, link).headers["location"] == "/gestion/itip"
    assert "déjà servi" in app.client(app.trainer).get(link).text


def test_the_invited_address_gets_no_warning(app: App):
    link = invited(app, app.client(app.admin), Role.REVIEWER, address="darcy@exemple.fr")
    assert "•••" not in app.client(app.stranger).get(link).text


def test_a_new_letter_invalidates_the_old_link_with_a_notice(app: App):
    admin = app.client(app.admin)
    old = invited(app, admin, Role.TRAINER)
    again = re.search(rf'action="({TEAM}/invitations/[^"]+/renvoyer)"', admin.get(TEAM).text)
    assert again
    assert send(admin, again[1], seen_on=TEAM).status_code == 303
    new = letter_link(app)
    assert new != old
    refused = app.client().get(old)
    assert (refused.status_code, "e-mail le plus récent" in refused.text) == (404, True)
    assert app.client().get(new).status_code == 200


def test_a_withdrawn_invitation_is_no_longer_pending_and_its_letter_is_not_sent(app: App):
    admin = app.client(app.admin)
    send(admin, f"{TEAM}/invitations", {"adresse": ADDRESS, "role": "trainer", "jours": "7"}, seen_on=TEAM)
    withdraw = re.search(rf'action="({TEAM}/invitations/[^"]+/retirer)"', admin.get(TEAM).text)
    assert withdraw
    send(admin, withdraw[1], seen_on=TEAM)
    assert "Invitations sans réponse" not in admin.get(TEAM).text
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    assert app.letters.letters == []


def test_roles_are_changed_and_the_last_administrator_stays(app: App):
    admin = app.client(app.admin)
    page = f"{TEAM}/{app.trainer.id}"
    assert send(admin, page, {"role": ["trainer", "designer"]}).status_code == 303
    assert "Conception des badges et Formation" in admin.get(TEAM).text
    assert send(admin, page, {}).status_code == 422
    refused = send(admin, f"{TEAM}/{app.admin.id}", {"role": ["trainer"]})
    assert (refused.status_code, "dernière personne qui administre" in refused.text) == (409, True)


def test_a_removed_person_gets_no_further_and_removal_asks_for_a_confirmation(app: App):
    admin, trainer = app.client(app.admin), app.client(app.trainer)
    page = f"{TEAM}/{app.trainer.id}"
    unsure = send(admin, f"{page}/retirer", {}, seen_on=page)
    assert (unsure.status_code, "Cochez la case" in unsure.text) == (422, True)
    assert trainer.get("/gestion/itip").status_code == 200
    assert send(admin, f"{page}/retirer", {"certain": "oui"}, seen_on=page).status_code == 303
    assert trainer.get("/gestion/itip").status_code == 401
    assert admin.get(page).status_code == 404


def test_a_person_who_gives_up_administration_is_led_to_a_page_they_may_see(app: App):
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
        services.team.set_roles(app.campus, app.admin.id, [Role.CAMPUS_ADMIN, Role.AUDITOR], by=COMMAND)
    admin = app.client(app.admin)
    answer = send(admin, f"{TEAM}/{app.admin.id}", {"role": ["auditor"]})
    assert answer.headers["location"] == "/gestion"


def test_a_letter_that_was_refused_is_reported_on_the_page(app: App):
    class Refusing(Letterbox):
        def send(self, letter) -> None:
            raise LetterRefused(Reason.UNKNOWN_ADDRESS)

    app.process.mailer = Refusing()
    admin = app.client(app.admin)
    send(admin, f"{TEAM}/invitations", {"adresse": ADDRESS, "role": "trainer", "jours": "7"}, seen_on=TEAM)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    assert "E-mail refusé" in admin.get(TEAM).text


# --- one person at several campuses


@pytest.fixture
def everywhere(app: App) -> Person:
    """Trains at ITIP, decides on requests at AGT."""
    with app.unit_of_work() as services:
        person, given = app.trainer, services.people.people.addresses_of([app.trainer.id])
        services.people.add_staff(
            app.other_campus,
            given_name=person.given_name,
            family_name=person.family_name,
            address=given[person.id],
            role=Role.REVIEWER,
            by=COMMAND,
        )
    return app.trainer


def test_the_dashboard_links_to_the_other_campuses_and_names_the_role(app: App, everywhere: Person):
    client = app.client(everywhere)
    assert client.get("/gestion").status_code == 200
    desk = html.unescape(client.get("/gestion/itip").text)
    assert '<a href="/gestion?tous=oui">Changer de campus</a>' in desk
    assert 'href="/gestion/agt"' in client.get("/gestion?tous=oui").text
    assert "Votre rôle ici\u00a0: Formation" in desk
    assert "Votre rôle ici\u00a0: Examen des demandes" in html.unescape(client.get("/gestion/agt").text)


def test_a_browser_continues_in_the_campus_it_last_opened(app: App, everywhere: Person):
    client = app.client(everywhere)
    for slug in ("agt", "itip", "agt"):
        client.get(f"/gestion/{slug}")
        assert client.get("/gestion").headers["location"] == f"/gestion/{slug}"
    shown = client.get("/gestion?tous=oui")
    assert ('href="/gestion/itip"' in shown.text, 'href="/gestion/agt"' in shown.text) == (True, True)

    other = app.client(app.admin)
    other.cookies.set("campus", "agt", path="/gestion")
    assert other.get("/gestion").headers["location"] == "/gestion/itip"


def test_who_works_for_one_campus_is_offered_no_change(app: App):
    client = app.client(app.trainer)
    assert client.get("/gestion").headers["location"] == "/gestion/itip"
    assert "Changer de campus" not in client.get("/gestion/itip").text


def test_roles_of_one_campus_open_nothing_in_the_other(app: App, everywhere: Person):
    client = app.client(everywhere)
    assert client.get("/gestion/itip/activites/nouvelle").status_code == 200
    assert client.get("/gestion/agt/activites/nouvelle").status_code == 403
    assert client.get("/gestion/agt/demandes").status_code == 200
    assert client.get("/gestion/itip/demandes").status_code == 403


@pytest.mark.parametrize("gesture", ["removed", "demoted"])
def test_an_invitation_by_a_former_administrator_is_refused(app: App, gesture: str):
    """Otherwise they could invite another mailbox of theirs."""
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    leaving, staying = app.client(app.trainer), app.client(app.admin)
    link = invited(app, leaving, Role.CAMPUS_ADMIN, address="autre.boite@ailleurs.fr")
    own = invited(app, staying, Role.TRAINER)
    page = f"{TEAM}/{app.trainer.id}"
    assert "qui attendent encore sont retirées" in staying.get(page).text
    if gesture == "removed":
        send(staying, f"{page}/retirer", {"certain": "oui"}, seen_on=page)
    else:
        send(staying, page, {"role": ["trainer"]})
    name = {"prenom": "Camille", "nom": "Durand"}
    with app.unit_of_work(reading=True) as services:
        assert [each.invitation.address for each in services.invitations.waiting(app.campus)] == [ADDRESS]
    refused = app.client().get(link)
    assert (refused.status_code, "a retiré cette invitation" in refused.text) == (404, True)
    assert send(app.client(), link, name, seen_on=own).status_code == 404
    assert send(app.client(), own, name).status_code == 303


def test_tokens_of_an_administrator_who_left_are_named_to_the_others(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
    second, name, admin = app.trainer, app.trainer.name, app.client(app.admin)
    made = {"usage": "Scolarité", "droit": [Scope.READ.value], "jours": "30"}
    assert send(app.client(second), TOKENS, made).status_code == 200
    assert send(admin, TOKENS, made | {"usage": "Site"}).status_code == 200
    with app.unit_of_work() as services:
        services.people.create_token(
            app.campus, label="Tableur", scopes=[Scope.READ.value], life=timedelta(days=9), by=COMMAND
        )
    listed = read(admin, TOKENS)
    assert f"par {name}." in listed
    assert "par Marc Œuvrard." in listed
    assert "n'administre plus" not in listed + read(admin, TEAM)
    assert "Jetons de cette personne, encore valables : Scolarité." in read(admin, f"{TEAM}/{second.id}")

    assert (
        send(
            admin, f"{TEAM}/{second.id}/retirer", {"certain": "oui"}, seen_on=f"{TEAM}/{second.id}"
        ).status_code
        == 303
    )
    shown = read(admin, TEAM)
    assert f"{name} n'administre plus ce campus. Ses jetons valent toujours : Scolarité." in shown
    assert read(admin, TOKENS).count("Cette personne n'administre plus le campus") == 1

    with app.unit_of_work() as services:
        token = next(each for each in services.people.list_tokens(app.campus) if each.label == "Scolarité")
    send(admin, f"{TOKENS}/{token.id}/retirer", seen_on=TOKENS)
    assert "n'administre plus" not in read(admin, TEAM) + read(admin, TOKENS)
    app.close()


def read(client: TestClient, path: str) -> str:
    shown = html.unescape(client.get(path).text)
    return re.sub("[\xa0\u202f]", " ", shown).replace("’", "'")
