"""Competencies of a person, read by programs with their consent and a scope of its own."""

from __future__ import annotations

import uuid
from itertools import count

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup, Person
from app.domain.people.consents import About
from tests.app.api import clients
from tests.support.app import COMMAND, App, send
from tests.support.content.skills import awarded, levelled
from tests.support.forms import form_with

_number = count()


def ask(app: App, person_id: uuid.UUID, *scopes: str, campus: object = None) -> object:
    client: TestClient = clients.program(app, *(scopes or ("competency:read",)), campus=campus)  # type: ignore[arg-type]
    return client.get(f"/api/v1/people/{person_id}/competencies")


@pytest.fixture
def holder(app: App) -> tuple[Person, uuid.UUID]:
    number = next(_number)
    badge = levelled(app, framework=f"ca-{number}").badge
    award_id = awarded(app, badge, f"Zoé N’Diaye;zoe.{number}@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).person, award_id


def choose(app: App, holder: tuple[Person, uuid.UUID], *, allowed: bool) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(holder[1]).person
        services.shared_competencies.allow(person, app.campus, allowed=allowed, by=Actor(person.id))


def test_competencies_need_consent_scope_and_campus(app: App, holder: tuple[Person, uuid.UUID]) -> None:
    person = holder[0]
    assert ask(app, person.id).status_code == 403
    choose(app, holder, allowed=True)
    answer = ask(app, person.id)
    assert answer.status_code == 200, answer.text
    [competency] = answer.json()["competencies"]
    assert (competency["code"], competency["level"], competency["levels"][1]) == ("CA-3", 2, "Autonome")
    assert competency["awards"][0]["award"].endswith(str(holder[1]))
    assert answer.headers["cache-control"] == "no-store"

    assert ask(app, person.id, "read").status_code == 403
    assert ask(app, person.id, campus=app.other_campus).status_code == 404
    assert ask(app, uuid.uuid4()).status_code == 404
    choose(app, holder, allowed=False)
    assert ask(app, person.id).status_code == 403
    with app.unit_of_work(reading=True) as services:
        given = [
            each.given
            for each in services.archive.consents.of_person(person.id)
            if each.about is About.COMPETENCIES
        ]
    assert sorted(given) == [False, True], "each answer is logged"


def test_revoked_award_attests_nothing(app: App, holder: tuple[Person, uuid.UUID]) -> None:
    choose(app, holder, allowed=True)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, holder[1], "Erreur de date.", by=COMMAND)
    assert ask(app, holder[0].id).json()["competencies"] == []


def test_consent_is_given_on_the_page_of_ones_data(app: App) -> None:
    result = app.award(
        "Zoé N’Diaye;zoe.page@exemple.fr",
        badge=levelled(app, framework="ca").badge,
        evidence="Deux mesures justes.",
    )
    award_id = result.lines[0].award_id
    path = f"/mes-badges/{award_id}/mes-donnees"
    anybody = app.client()
    anybody.get(app.private_link(result))
    assert "un lien privé ne suffit pas" in anybody.get(path).text
    assert send(anybody, f"{path}/competences", {"lecture": "oui"}, seen_on=path).status_code == 401
    with app.unit_of_work(reading=True) as services:
        person = services.awards.record(award_id).person
        assert not services.shared_competencies.is_allowed(person.id, app.campus.id)
    client = app.client(person)
    page = client.get(path)
    assert "Pas accepté" in page.text
    answer = form_with(page, "lecture").press(client, page, ("lecture", "oui"))
    assert answer.status_code == 303, answer.text
    assert "Ne plus laisser lire" in client.get(path).text


def test_under_fifteen_is_never_read(app: App, holder: tuple[Person, uuid.UUID]) -> None:
    choose(app, holder, allowed=True)
    with app.unit_of_work() as services:
        person = services.awards.record(holder[1]).person
        person.age_group = AgeGroup.UNDER_15
        services.people.people.session.add(person)
    assert ask(app, holder[0].id).status_code == 403
