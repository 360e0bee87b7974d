"""An operator opens and suspends campuses, and sees none of their data."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import LineOutcome
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from app.errors import NotAllowed
from app.services.awards.awards import AwardRequest
from tests.app.api.clients import program
from tests.support.app import COMMAND, App, listed, send

HERE = "/exploitation"
NEW = {"nom": "Forêt-Bois", "nom-court": "FB", "adresse": "foret-bois", "courriel": "ada@exemple.fr"}


@pytest.fixture
def operator(app: App) -> TestClient:
    with app.unit_of_work() as services:
        person = services.operators.add("Ada", "Opératrice", "operatrice@exemple.fr", by=COMMAND)
    return app.client(person)


def test_an_operator_signs_in_like_anybody_and_finds_the_campuses(app: App, operator: TestClient):
    send(app.client(), "/connexion", {"adresse": "operatrice@exemple.fr"})
    assert [letter.to for letter in app.letters.letters] == ["operatrice@exemple.fr"]
    empty = operator.get("/gestion").text
    assert f'href="{HERE}"' in empty
    assert "Vous ne travaillez dans aucun campus" in empty
    assert "Industrie Technologique" in operator.get(HERE).text
    for person in (app.admin, None):
        assert app.client(person).get(HERE).status_code == 404


def test_a_campus_is_opened_and_its_administrator_enters_by_the_letter(app: App, operator: TestClient):
    wrong = send(operator, f"{HERE}/campus", NEW | {"courriel": "ada"}, seen_on=HERE)
    assert (wrong.status_code, 'value="foret-bois"' in wrong.text) == (422, True)
    taken = send(operator, f"{HERE}/campus", NEW | {"adresse": "itip"}, seen_on=HERE)
    assert (taken.status_code, "déjà un campus" in taken.text) == (409, True)
    assert send(operator, f"{HERE}/campus", NEW, seen_on=HERE).status_code == 303
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    link = re.search(r"/invitation/\S+", app.letters.letters[-1].text)
    assert link
    newcomer = app.client()
    assert send(newcomer, link[0], {"prenom": "Ada", "nom": "Roux"}).status_code == 303
    assert newcomer.get("/gestion/foret-bois/equipe").status_code == 200
    assert operator.get("/gestion/foret-bois").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("nom", ""), ("nom-court", "x" * 21), ("adresse", "Forêt !"), ("adresse", "itip"), ("courriel", "ada")],
)
def test_faults_of_a_new_campus_are_shown_at_the_top_and_beside_their_fields(
    operator: TestClient, field: str, value: str
):
    page = send(operator, f"{HERE}/campus", NEW | {field: value}, seen_on=HERE).text
    assert page.index(f'<li><a href="#{field}">') < page.index("<section")
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page)


def test_an_operator_sees_nothing_that_a_campus_holds(app: App, operator: TestClient):
    result = app.award("MARTIN Zoé;zoe@exemple.fr")
    for page in ("", "/equipe", "/repertoire", "/repertoire/repertoire.csv", "/historique", "/jetons", "/attributions",
                 f"/attributions/{result.lines[0].award_id}", f"/activites/{app.activity.id}", "/reglages"):  # fmt: skip
        assert operator.get(f"/gestion/itip{page}").status_code == 404, page
    shown = operator.get(HERE).text
    assert not re.search("Martin|zoe@|Le Goff|Robotique", shown)


def test_a_suspended_campus_refuses_its_staff_and_its_badges_stay_valid(app: App, operator: TestClient):
    app.award("MARTIN Zoé;zoe@exemple.fr")
    trainer, token = app.client(app.trainer), program(app, "read")
    later = app.clock.now.replace(hour=20)
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed("PETIT Paul;paul@exemple.fr"))
    with app.unit_of_work() as services:
        batch = services.awards.give(app.campus, request, by=Actor(app.trainer.id), not_before=later)
    suspend = f"{HERE}/campus/itip/suspendre"
    assert send(operator, suspend, {}, seen_on=HERE).status_code == 422
    assert send(operator, suspend, {"certain": "oui"}, seen_on=HERE).status_code == 303
    refused = trainer.get("/gestion/itip")
    assert (refused.status_code, "est suspendu" in refused.text) == (403, True)
    assert token.get("/api/v1/campuses/itip/badges").status_code == 403
    assert app.client().get("/campus/itip").status_code == 200
    app.clock.now = later
    with app.unit_of_work() as services:
        services.bulk_awards.process_chunk(batch.id)
        [line] = services.award_batches.result(services.campuses.get("itip"), batch.id).lines
    assert line.outcome is LineOutcome.NOT_ALLOWED

    with app.unit_of_work(reading=True) as services:
        [person] = services.operators.operators.list_all()
    assert send(app.client(person), f"{HERE}/campus/itip/reprendre", seen_on=HERE).status_code == 303
    assert app.client(app.trainer).get("/gestion/itip").status_code == 200
    result = app.client(app.admin).get("/gestion/itip/historique?quoi=campus").text
    assert "Campus suspendu par l’exploitant" in result
    assert "Ada Opératrice" in result


def test_an_operator_who_works_in_a_campus_is_judged_there_by_their_role(app: App, operator: TestClient):
    with app.unit_of_work() as services:
        [person] = services.operators.operators.list_all()
        services.team.memberships.give(app.campus, person, Role.AUDITOR, by=COMMAND)
    assert operator.get("/gestion/itip/historique").status_code == 200
    assert operator.get("/gestion/itip/equipe").status_code == 403


def test_a_former_operator_gets_404_at_once(app: App, operator: TestClient):
    with app.unit_of_work() as services:
        [person] = services.operators.operators.list_all()
        services.operators.remove(person.id, by=COMMAND)
    assert operator.get(HERE).status_code == 404


def test_a_suspended_campus_refuses_its_own_people_in_the_service_too(app: App):
    with app.unit_of_work() as services:
        services.operators.suspend("itip", by=COMMAND)
        made = services.sign_in.make_link(app.trainer.id, by=COMMAND)
    client = app.client()
    send(client, f"/connexion/{made}")
    with app.unit_of_work(reading=True) as services, pytest.raises(NotAllowed, match="suspendu"):
        services.people.workplace(services.sessions.signed_in(client.cookies.get("sid")), "itip")


def test_every_fault_of_a_new_campus_is_shown_at_once(operator: TestClient):
    wrong = {"nom": "", "nom-court": "x" * 21, "adresse": "Forêt !", "courriel": "ada"}
    page = send(operator, f"{HERE}/campus", wrong, seen_on=HERE).text
    assert re.findall(r'<li><a href="#([^"]+)">', page) == ["nom", "nom-court", "adresse", "courriel"]
    for field in wrong:
        assert f'id="{field}-erreur"' in page
    assert 'value="Forêt !"' in page
    assert re.search(r'role="alert" tabindex="-1" autofocus>', page), "the focus is on the summary"
    markup = send(operator, f"{HERE}/campus", NEW | {"nom-court": "<b>x"}, seen_on=HERE).text
    assert re.findall(r'<li><a href="#([^"]+)">', markup) == ["nom-court"]


def test_fault_of_one_campus_is_shown_at_its_field(operator: TestClient):
    place = f"{HERE}/campus/itip"
    page = send(operator, f"{place}/inviter", {"courriel": "ada"}, seen_on=HERE).text
    assert re.findall(r'<li><a href="#([^"]+)">', page) == ["courriel-itip"]
    page = send(operator, f"{place}/suspendre", {}, seen_on=HERE).text
    assert re.findall(r'<li><a href="#([^"]+)">', page) == ["certain-itip"]
    assert re.search(r'id="certain-itip"[^>]*aria-invalid="true"', page)
