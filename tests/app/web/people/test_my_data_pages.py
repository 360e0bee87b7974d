"""« Mes données » and a parent's page: what is sent only by letter, and what a person under 15 reads."""

from __future__ import annotations

import io
import re
import uuid
import zipfile

import pytest
from sqlmodel import select

from app.domain.activities.check_in import Ticket
from app.domain.activities.listed_people import ListedPerson
from app.domain.people import AgeGroup, Role
from app.domain.people.consents import About, AccessEvent, wording_of
from tests.support.app import COMMAND, App, send

ZOE = "Zoélie Quévreux;zoelie.q@courriel.exemple"


@pytest.fixture
def award(app: App) -> tuple[uuid.UUID, str]:
    result = app.award(ZOE)
    assert result.lines[0].award_id
    return result.lines[0].award_id, app.private_link(result)


def letter_path(app: App, beginning: str) -> str:
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    found = re.search(rf"/{beginning}/\S+", app.letters.letters[-1].text)
    assert found
    return found[0]


def make_young(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)


def test_the_archive_leaves_by_the_persons_own_mailbox(app: App, award: tuple[uuid.UUID, str]) -> None:
    award_id, link = award
    browser = app.client()
    browser.get(link)
    asked = send(browser, f"/mes-badges/{award_id}/mes-donnees")
    assert "Consultez votre boîte mail" in asked.text
    path = letter_path(app, "archive")
    other = app.client()
    assert "Télécharger l’archive" in other.get(path).text
    taken = send(other, path)
    with zipfile.ZipFile(io.BytesIO(taken.content)) as opened:
        assert f"badges/{award_id}.json" in opened.namelist()
        assert "Quévreux" in opened.read("donnees/person.json").decode()
    assert other.get(path.replace("archive", "effacement")).status_code == 404


def test_a_data_protection_officer_exports_a_person_s_data_and_it_is_logged(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    with app.unit_of_work() as services:
        person_id = services.awards.record(award[0]).person.id
        officer = services.people.add_staff(
            app.campus,
            given_name="Noé",
            family_name="Garde",
            address="dpo@exemple.fr",
            role=Role.DPO,
            by=COMMAND,
        )
    desk = app.client(officer)
    page = f"/gestion/itip/repertoire/{person_id}"
    taken = send(desk, f"{page}/donnees.zip", seen_on=page)
    assert taken.headers["content-type"] == "application/zip"
    admin = app.client(app.admin)
    assert "Données d’une personne, pour elle" in admin.get("/gestion/itip/historique").text


@pytest.mark.parametrize("page", ["donnees.zip", "reunir"])
def test_person_reads_who_took_their_archive_or_compared_their_record(
    app: App, award: tuple[uuid.UUID, str], page: str
) -> None:
    with app.unit_of_work() as services:
        person_id = services.awards.record(award[0]).person.id
        officer = services.people.add_staff(
            app.campus, given_name="Noé", family_name="Garde", address="dpo@exemple.fr", role=Role.DPO, by=COMMAND
        )  # fmt: skip
    desk, path = app.client(officer), f"/gestion/itip/repertoire/{person_id}/{page}"
    if page == "reunir":
        assert desk.get(path).status_code == 200
    else:
        assert send(desk, path, seen_on="/gestion/itip/donnees").status_code == 200
    with app.unit_of_work(reading=True) as services:
        looks = services.stores.session.exec(select(AccessEvent)).all()
    assert [(each.person_id, each.viewer_id, each.looked_at.value) for each in looks] == [
        (person_id, officer.id, "record")
    ]


def test_a_person_under_15_asks_a_parent_who_agrees_and_withdraws_it(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    award_id, link = award
    make_young(app, award_id)
    child, parent = app.client(), app.client()
    child.get(link)
    mine = f"/mes-badges/{award_id}"
    shown = child.get(f"{mine}/montrer").text
    assert "Pour l’ouvrir, il faut l’accord d’un parent" in shown
    assert 'value="ouvert"' not in shown
    refused = send(child, f"{mine}/parent", {"parent": "pas une"}, seen_on=mine)
    assert (refused.status_code, 'id="parent-adresse-erreur"' in refused.text) == (422, True)
    asked = send(child, f"{mine}/parent", {"parent": "parent@gmial.com"}, seen_on=mine)
    assert (asked.status_code, "parent@gmail.com" in asked.text) == (422, True)
    assert send(child, f"{mine}/parent", {"parent": "parent@exemple.fr"}, seen_on=mine).status_code == 303
    path = letter_path(app, "parent")
    page = parent.get(path).text
    assert "Ce que tout le monde verrait" in page
    assert send(parent, path, {"reponse": "oui"}).status_code == 303
    assert 'value="ouvert"' in child.get(f"{mine}/montrer").text
    assert send(child, f"{mine}/visibilite", {"vue": "ouvert"}, seen_on=mine).status_code == 303
    assert parent.get(f"/attributions/{award_id}").status_code == 200
    assert "Merci." in parent.get(f"{path}?fait=oui").text
    assert send(parent, path, {"reponse": "non"}).status_code == 303
    assert parent.get(f"/attributions/{award_id}").status_code == 403
    assert "Pendant trente jours" in parent.get(f"{path}?fait=non").text
    assert "Merci." not in parent.get(f"{path}?fait=oui").text, (
        "an earlier answer, in the history of a browser"
    )


def test_a_stale_form_cannot_open_the_badge_of_a_child_without_agreement(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    award_id, link = award
    child = app.client()
    child.get(link)
    mine = f"/mes-badges/{award_id}"
    token = re.search(r'name="jeton" value="([^"]+)"', child.get(mine).text)
    assert token
    make_young(app, award_id)
    answer = child.post(f"{mine}/visibilite", data={"jeton": token[1], "vue": "ouvert"})
    assert answer.status_code == 409
    assert "un parent qui dit oui" in answer.text


def test_the_agreement_is_shown_with_the_sentence_that_was_beside_the_button(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    award_id, link = award
    browser = app.client()
    browser.get(link)
    mine = f"/mes-badges/{award_id}"
    words = wording_of(About.PUBLICATION)[:30]
    assert words in browser.get(f"{mine}/montrer").text
    send(browser, f"{mine}/visibilite", {"vue": "ouvert"}, seen_on=mine)
    page = browser.get(f"{mine}/mes-donnees").text
    assert words in page
    assert "Accepté" in page


def test_the_campus_notes_an_age_band_and_no_date(app: App, award: tuple[uuid.UUID, str]) -> None:
    with app.unit_of_work(reading=True) as services:
        person_id = services.awards.record(award[0]).person.id
    desk = app.client(app.trainer)
    page = f"/gestion/itip/repertoire/{person_id}"
    assert send(desk, f"{page}/age", {"age": "moins"}, seen_on=page).status_code == 303
    assert "La page d’un badge ne s’ouvre qu’avec l’accord d’un parent." in desk.get(page).text


def test_an_agreement_to_an_older_sentence_is_explained_and_asked_for_again(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    award_id, link = award
    make_young(app, award_id)
    child, parent = app.client(), app.client()
    child.get(link)
    mine = f"/mes-badges/{award_id}"
    send(child, f"{mine}/parent", {"parent": "parent@exemple.fr"}, seen_on=mine)
    path = letter_path(app, "parent")
    send(parent, path, {"reponse": "oui"})
    assert "redemande à ton parent" not in child.get(f"{mine}/montrer").text
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        (result,) = (
            each for each in services.stores.consents.of_person(person.id) if each.about is About.PARENT
        )
        result.wording = 1
        portfolio = services.portfolios.start(person, [award_id])
    send(child, f"{mine}/visibilite", {"vue": "ouvert"}, seen_on=mine)
    assert "redemande à ton parent" in child.get(f"{mine}/montrer").text
    assert f'action="{mine}/recherche"' not in child.get(f"{mine}/confidentialite").text
    arranging = child.get(f"/mes-badges/portfolio/{portfolio.id}").text
    assert "quand l’accord ne parlait pas encore du portfolio" in arranging
    assert 'value="ouvert"' not in arranging.partition('id="badges"')[0]

    app.clock.move(minutes=5)
    assert send(child, f"{mine}/parent", {"encore": "oui"}, seen_on=mine).status_code == 303
    assert "Il n’y a pas encore de réponse" in child.get(f"{mine}/montrer").text
    assert letter_path(app, "parent") == path
    asked = parent.get(path).text
    assert "montrer le badge dans son portfolio" in asked
    assert "Pour en rester à votre accord d’avant, ne faites rien." in asked
    app.clock.move(minutes=5)
    assert send(parent, path, {"reponse": "oui"}).status_code == 303
    assert f'action="{mine}/recherche"' in child.get(f"{mine}/confidentialite").text
    assert "Pour en rester à votre accord" not in parent.get(path).text


def test_agreement_given_at_check_in_is_taken_back_and_phones_are_forgotten(app: App) -> None:
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=COMMAND)
        code = services.rooms.glance(app.campus, app.activity.id).code
        ticket = Ticket(services.rooms.access(code, "phone").room.id, "phone", services.clock())
        line = ListedPerson(
            1, given_name="Zoélie", family_name="Quévreux", address="zoelie.q@courriel.exemple"
        )
        door, _ = services.rooms.sign(ticket, line)
        assert door.person_id is not None
        services.rooms.remember(app.campus, door.person_id)
    result = app.award(ZOE)
    browser = app.client()
    browser.get(app.private_link(result))
    page = f"/mes-badges/{result.lines[0].award_id}/mes-donnees"
    assert "1 téléphone vous reconnaît" in browser.get(page).text.replace("\xa0", " ")

    assert send(browser, f"{page}/emargement", {"telephones": "oui"}, seen_on=page).status_code == 303
    assert "vous reconnaît à" not in browser.get(page).text
    stranger = {"campus": str(app.other_campus.id)}
    send(browser, f"{page}/emargement", stranger, seen_on=page)
    assert "Reprendre mon accord" in browser.get(page).text
    send(browser, f"{page}/emargement", {"campus": str(app.campus.id)}, seen_on=page)

    shown = browser.get(page).text
    assert "Reprendre mon accord" not in shown
    assert "Repris, ou refusé" in shown
    with app.unit_of_work(reading=True) as services:
        found = services.rooms.page(app.campus, app.activity.id)
        there = services.activities.page(app.campus, app.activity.id).participants
        award_id = result.lines[0].award_id
        assert award_id is not None
        assert services.awards.record(award_id).award.revoked_at is None
    assert (found.pulse.signed, list(there)) == (0, [])
