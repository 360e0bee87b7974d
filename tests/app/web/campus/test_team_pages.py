"""« L'équipe » on its pages: invited by letter, joined by a link, changed, removed."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient

from app.domain.messages import LetterRefused, Reason
from app.domain.people import Person, Role
from tests.support.house import COMMAND, House, Letterbox, send

TEAM = "/gestion/itip/equipe"
ADDRESS = "camille.durand@exemple.fr"


def letter_link(house: House) -> str:
    """The link of the newest letter, once all that are due have left."""
    post = house.process.post
    for envelope in post.due():
        post.send(envelope)
    found = re.search(r"/invitation/\S+", house.letters.letters[-1].text)
    assert found
    return found[0]


def invited(house: House, client: TestClient, *roles: Role, address: str = ADDRESS) -> str:
    form = {"adresse": address, "role": [role.value for role in roles], "jours": "7"}
    answer = send(client, f"{TEAM}/invitations", form, seen_on=TEAM)
    assert answer.status_code == 303, answer.text
    return letter_link(house)


def test_an_invited_trainer_enters_and_finds_the_campus(house: House):
    admin, newcomer = house.client(house.admin), house.client()
    link = invited(house, admin, Role.TRAINER)
    letter = house.letters.letters[-1]
    assert (letter.to, letter.language) == (ADDRESS, "fr")
    assert "http" not in letter.html.split("<body")[1].replace(house.process.settings.base_url, "")

    shown = newcomer.get(link).text
    assert "Marc Œuvrard vous invite" in shown
    nameless = send(newcomer, link, {"prenom": "", "nom": ""})
    assert (nameless.status_code, "Il manque un nom" in nameless.text) == (422, True)
    assert send(newcomer, link, {"prenom": "Camille", "nom": "Durand"}).headers["location"] == "/gestion/itip"
    assert newcomer.get("/gestion/itip").status_code == 200
    assert newcomer.get(TEAM).status_code == 403
    assert ADDRESS in admin.get(TEAM).text
    assert "déjà servi" in house.client().get(link).text


def test_looking_at_the_link_accepts_for_nobody(house: House):
    link = invited(house, house.client(house.admin), Role.AUDITOR)
    for _ in range(3):
        assert house.client().get(link).status_code == 200
    assert "Invitations sans réponse" in house.client(house.admin).get(TEAM).text


def test_what_was_typed_comes_back_with_the_reason(house: House):
    admin = house.client(house.admin)
    answer = send(
        admin, f"{TEAM}/invitations", {"adresse": "camille", "role": "auditor", "jours": "30"}, seen_on=TEAM
    )
    assert answer.status_code == 422
    assert 'value="camille"' in answer.text
    assert 'value="auditor" checked' in answer.text
    assert "Cette adresse n’est pas complète" in answer.text


def test_somebody_with_an_account_signs_in_and_comes_back(house: House):
    link = invited(house, house.client(house.admin), Role.REVIEWER, address="darcy@exemple.fr")
    browser = house.client()
    assert "Vous avez déjà un compte" in browser.get(link).text
    browser.get("/connexion", params={"suite": link})
    answer = send(browser, house.sign_in_path(house.stranger))
    assert answer.headers["location"] == link
    assert send(browser, link).headers["location"] == "/gestion/itip"
    assert "Examen des demandes" in browser.get("/gestion").text


def test_somebody_signed_in_under_another_address_reads_where_the_letter_went_and_not_all_of_it(
    house: House,
):
    link = invited(house, house.client(house.admin), Role.REVIEWER)
    other = house.client(house.stranger)
    shown = other.get(link).text
    assert "c•••@exemple.fr" in shown
    assert ADDRESS not in shown
    assert send(other, link).headers["location"] == "/gestion/itip"
    assert "déjà servi" in house.client(house.trainer).get(link).text


def test_whoever_the_letter_was_for_reads_no_warning(house: House):
    link = invited(house, house.client(house.admin), Role.REVIEWER, address="darcy@exemple.fr")
    assert "•••" not in house.client(house.stranger).get(link).text


def test_a_new_letter_makes_the_old_link_say_so(house: House):
    admin = house.client(house.admin)
    old = invited(house, admin, Role.TRAINER)
    again = re.search(rf'action="({TEAM}/invitations/[^"]+/renvoyer)"', admin.get(TEAM).text)
    assert again
    assert send(admin, again[1], seen_on=TEAM).status_code == 303
    new = letter_link(house)
    assert new != old
    refused = house.client().get(old)
    assert (refused.status_code, "e-mail le plus récent" in refused.text) == (404, True)
    assert house.client().get(new).status_code == 200


def test_a_withdrawn_invitation_waits_no_more_and_its_letter_stays_here(house: House):
    admin = house.client(house.admin)
    send(admin, f"{TEAM}/invitations", {"adresse": ADDRESS, "role": "trainer", "jours": "7"}, seen_on=TEAM)
    withdraw = re.search(rf'action="({TEAM}/invitations/[^"]+/retirer)"', admin.get(TEAM).text)
    assert withdraw
    send(admin, withdraw[1], seen_on=TEAM)
    assert "Invitations sans réponse" not in admin.get(TEAM).text
    for envelope in house.process.post.due():
        house.process.post.send(envelope)
    assert house.letters.letters == []


def test_roles_are_changed_and_the_last_administrator_stays(house: House):
    admin = house.client(house.admin)
    page = f"{TEAM}/{house.trainer.id}"
    assert send(admin, page, {"role": ["trainer", "designer"]}).status_code == 303
    assert "Conception des badges et Formation" in admin.get(TEAM).text
    assert send(admin, page, {}).status_code == 422
    refused = send(admin, f"{TEAM}/{house.admin.id}", {"role": ["trainer"]})
    assert (refused.status_code, "dernière personne qui administre" in refused.text) == (409, True)


def test_who_is_removed_gets_no_further_and_a_box_guards_the_button(house: House):
    admin, trainer = house.client(house.admin), house.client(house.trainer)
    page = f"{TEAM}/{house.trainer.id}"
    unsure = send(admin, f"{page}/retirer", {}, seen_on=page)
    assert (unsure.status_code, "Cochez la case" in unsure.text) == (422, True)
    assert trainer.get("/gestion/itip").status_code == 200
    assert send(admin, f"{page}/retirer", {"certain": "oui"}, seen_on=page).status_code == 303
    assert trainer.get("/gestion/itip").status_code == 401
    assert admin.get(page).status_code == 404


def test_who_gives_their_own_administration_away_is_led_to_a_page_they_may_see(house: House):
    with house.unit_of_work() as services:
        services.team.set_roles(house.campus, house.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
        services.team.set_roles(house.campus, house.admin.id, [Role.CAMPUS_ADMIN, Role.AUDITOR], by=COMMAND)
    admin = house.client(house.admin)
    answer = send(admin, f"{TEAM}/{house.admin.id}", {"role": ["auditor"]})
    assert answer.headers["location"] == "/gestion"


def test_a_letter_that_was_refused_is_told_on_the_page(house: House):
    class Refusing(Letterbox):
        def send(self, letter) -> None:
            raise LetterRefused(Reason.UNKNOWN_ADDRESS)

    house.process.mailer = Refusing()
    admin = house.client(house.admin)
    send(admin, f"{TEAM}/invitations", {"adresse": ADDRESS, "role": "trainer", "jours": "7"}, seen_on=TEAM)
    for envelope in house.process.post.due():
        house.process.post.send(envelope)
    assert "E-mail refusé" in admin.get(TEAM).text


# --- one person at several campuses


@pytest.fixture
def everywhere(house: House) -> Person:
    """Trains at ITIP, decides on requests at AGT."""
    with house.unit_of_work() as services:
        person, given = house.trainer, services.people.people.addresses_of([house.trainer.id])
        services.people.add_staff(
            house.other_campus,
            given_name=person.given_name,
            family_name=person.family_name,
            address=given[person.id],
            role=Role.REVIEWER,
            by=COMMAND,
        )
    return house.trainer


def test_the_desk_leads_to_the_other_campuses_and_says_what_one_is_here(house: House, everywhere: Person):
    client = house.client(everywhere)
    assert client.get("/gestion").status_code == 200
    desk = html.unescape(client.get("/gestion/itip").text)
    assert '<a href="/gestion?tous=oui">Changer de campus</a>' in desk
    assert 'href="/gestion/agt"' in client.get("/gestion?tous=oui").text
    assert "Votre rôle ici\u00a0: Formation" in desk
    assert "Votre rôle ici\u00a0: Examen des demandes" in html.unescape(client.get("/gestion/agt").text)


def test_a_browser_goes_on_in_the_campus_it_was_in_last(house: House, everywhere: Person):
    client = house.client(everywhere)
    for slug in ("agt", "itip", "agt"):
        client.get(f"/gestion/{slug}")
        assert client.get("/gestion").headers["location"] == f"/gestion/{slug}"
    shown = client.get("/gestion?tous=oui")
    assert ('href="/gestion/itip"' in shown.text, 'href="/gestion/agt"' in shown.text) == (True, True)

    other = house.client(house.admin)
    other.cookies.set("campus", "agt", path="/gestion")
    assert other.get("/gestion").headers["location"] == "/gestion/itip"


def test_who_works_for_one_campus_is_offered_no_change(house: House):
    client = house.client(house.trainer)
    assert client.get("/gestion").headers["location"] == "/gestion/itip"
    assert "Changer de campus" not in client.get("/gestion/itip").text


def test_roles_of_one_campus_open_nothing_in_the_other(house: House, everywhere: Person):
    client = house.client(everywhere)
    assert client.get("/gestion/itip/activites/nouvelle").status_code == 200
    assert client.get("/gestion/agt/activites/nouvelle").status_code == 403
    assert client.get("/gestion/agt/demandes").status_code == 200
    assert client.get("/gestion/itip/demandes").status_code == 403


@pytest.mark.parametrize("gesture", ["removed", "demoted"])
def test_invitation_by_a_former_administrator_lets_nobody_in(house: House, gesture: str):
    """It could be to another mailbox of theirs."""
    with house.unit_of_work() as services:
        services.team.set_roles(house.campus, house.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
    for envelope in house.process.post.due():
        house.process.post.send(envelope)
    leaving, staying = house.client(house.trainer), house.client(house.admin)
    link = invited(house, leaving, Role.CAMPUS_ADMIN, address="autre.boite@ailleurs.fr")
    own = invited(house, staying, Role.TRAINER)
    page = f"{TEAM}/{house.trainer.id}"
    assert "qui attendent encore, sont retirées" in staying.get(page).text
    if gesture == "removed":
        send(staying, f"{page}/retirer", {"certain": "oui"}, seen_on=page)
    else:
        send(staying, page, {"role": ["trainer"]})
    name = {"prenom": "Autre", "nom": "Nom"}
    with house.unit_of_work(reading=True) as services:
        assert [each.invitation.address for each in services.invitations.waiting(house.campus)] == [ADDRESS]
    refused = house.client().get(link)
    assert (refused.status_code, "a retiré cette invitation" in refused.text) == (404, True)
    assert send(house.client(), link, name, seen_on=own).status_code == 404
    assert send(house.client(), own, name).status_code == 303
