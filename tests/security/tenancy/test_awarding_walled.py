"""Drafts, undone lists and corrections with PostgreSQL row-level security do not read or change other campuses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.activities import Activity
from app.domain.campus.audit_log import Actor
from app.domain.people import Person
from tests.app.api.clients import V1, program
from tests.app.web.awards.awarding_steps import give, preview
from tests.support.app import App, build_app, listed
from tests.support.databases.engines import temporary_walled
from tests.support.forms import form_with

pytestmark = pytest.mark.postgres


@pytest.fixture
def app(migrated_postgres: str, postgres_server: str, tmp_path: Path) -> Iterator[App]:
    with temporary_walled(postgres_server, migrated_postgres) as url:
        built = build_app(url, tmp_path)
        yield built
        built.close()


def names(app: App) -> set[str]:
    with Transaction(app.owner) as everything:
        return {person.name for person in everything.exec(select(Person))}


def record_elsewhere(app: App, *people: str) -> None:
    with app.unit_of_work() as services:
        elsewhere = Activity(
            kind=app.activity.kind,
            title="Ailleurs",
            starts_on=app.activity.starts_on,
            ends_on=app.activity.ends_on,
            created_at=app.clock(),
        )
        services.activities.create(elsewhere, [app.other_campus], by=Actor(app.stranger.id))
        services.activities.record(app.other_campus, elsewhere.id, listed(*people), by=Actor(app.stranger.id))


def test_undoing_a_list_keeps_people_known_to_another_campus(app: App) -> None:
    trainer = app.client(app.trainer)
    award = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    place = give(app, trainer, award, "MARTIN Chloé; chloe@exemple.fr\nBERNARD Lucas".encode())
    record_elsewhere(app, "MARTIN Chloé; chloe@exemple.fr")

    shown = trainer.get(place)
    assert "1 personne, 2 présences" in shown.text.replace("\u00a0", " ")
    assert form_with(shown, "aussi").press(trainer, shown).status_code == 303

    assert "Chloé Martin" in names(app)
    assert "Lucas Bernard" not in names(app)


def test_draft_of_one_campus_is_not_found_from_another(app: App) -> None:
    trainer, stranger = app.client(app.trainer), app.client(app.stranger)
    award = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé")
    assert page.status_code == 200
    path = page.url.path
    assert stranger.get(path).status_code == 404
    assert stranger.get(path.replace("/itip/", "/agt/")).status_code == 404


def test_a_person_known_to_two_campuses_cannot_be_corrected(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    record_elsewhere(app, "MARTIN Chloé; chloe@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        person_id = services.activities.page(app.campus, app.activity.id).participants[0][1].id
    place = f"/gestion/itip/repertoire/participants/{app.activity.id}/{person_id}"

    page = app.client(app.trainer).get(place)

    assert "ou un autre campus la connaît aussi" in page.text


def test_address_is_corrected_with_row_level_security(app: App) -> None:
    app.award("MARTIN Chloé; chloe@gmial.com", tells=True)
    with app.unit_of_work(reading=True) as services:
        person_id = services.activities.page(app.campus, app.activity.id).participants[0][1].id
    place = f"/gestion/itip/repertoire/participants/{app.activity.id}/{person_id}"
    trainer = app.client(app.trainer)
    page = trainer.get(place)

    assert form_with(page, "adresse").fill(adresse="chloe@gmail.com").press(trainer, page).status_code == 303
    assert "chloe@gmail.com" in trainer.get(place).text


def test_concurrent_requests_with_one_idempotency_key_have_one_effect(app: App) -> None:
    body = {"kind": "workshop", "title": "Soudure", "starts_on": "2026-11-24", "ends_on": "2026-11-24"}
    ours, other = program(app), program(app)

    def made(asking: TestClient) -> str:
        answer = asking.post(f"{V1}/activities", json=body, headers={"idempotency-key": "k-1"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(2) as both:
        assert len(set(both.map(made, [ours, ours]))) == 1
    assert made(other) != made(ours)
    with Transaction(app.owner) as everything:
        titles = everything.exec(select(Activity.title)).all()
    assert titles.count("Soudure") == 2


def test_badge_is_claimed_by_link_and_by_slip_with_row_level_security(app: App) -> None:
    lines = app.award("MARTIN Chloé", "BERNARD Lucas").lines
    by_link, by_slip = (uuid.UUID(str(line.award_id)) for line in lines)
    with app.unit_of_work(reading=True) as services:
        token = services.people.private_link_token(by_link, 0)
    with app.unit_of_work() as services:
        services.enter(app.campus.id)
        code = services.delivery.codes_for([services.awards.record(by_slip)])[by_slip].code

    learner, other = app.client(), app.client()
    assert (
        learner.get(f"/recevoir/{token}", follow_redirects=False).headers["location"]
        == f"/mes-badges/{by_link}"
    )
    page = other.get("/recuperer")
    answer = form_with(page, "code").fill(code=code).press(other, page)
    assert answer.headers["location"] == f"/mes-badges/{by_slip}?fait=recu"
