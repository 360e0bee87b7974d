"""Drafts, undone lists and corrections behind PostgreSQL's walls: another campus is neither read nor harmed."""

from __future__ import annotations

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
from tests.support.databases.engines import temporary_walled
from tests.support.forms import form_with
from tests.support.house import House, build_house, listed

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(migrated_postgres: str, postgres_server: str, tmp_path: Path) -> Iterator[House]:
    with temporary_walled(postgres_server, migrated_postgres) as url:
        built = build_house(url, tmp_path)
        yield built
        built.close()


def names(house: House) -> set[str]:
    with Transaction(house.owner) as everything:
        return {person.name for person in everything.exec(select(Person))}


def record_elsewhere(house: House, *people: str) -> None:
    with house.unit_of_work() as services:
        elsewhere = Activity(
            kind=house.activity.kind,
            title="Ailleurs",
            starts_on=house.activity.starts_on,
            ends_on=house.activity.ends_on,
            created_at=house.clock(),
        )
        services.activities.create(elsewhere, [house.other_campus], by=Actor(house.stranger.id))
        services.activities.record(
            house.other_campus, elsewhere.id, listed(*people), by=Actor(house.stranger.id)
        )


def test_undone_list_leaves_a_person_whom_another_campus_knows(house: House) -> None:
    trainer = house.client(house.trainer)
    award = f"/gestion/itip/activites/{house.activity.id}/attribuer"
    place = give(house, trainer, award, "MARTIN Chloé; chloe@exemple.fr\nBERNARD Lucas".encode())
    record_elsewhere(house, "MARTIN Chloé; chloe@exemple.fr")

    shown = trainer.get(place)
    assert "1 personne, 2 présences" in shown.text.replace("\u00a0", " ")
    assert form_with(shown, "aussi").press(trainer, shown).status_code == 303

    assert "Chloé Martin" in names(house)
    assert "Lucas Bernard" not in names(house)


def test_draft_of_one_campus_is_not_found_from_another(house: House) -> None:
    trainer, stranger = house.client(house.trainer), house.client(house.stranger)
    award = f"/gestion/itip/activites/{house.activity.id}/attribuer"
    page = preview(trainer, award, house.presence, liste="MARTIN Chloé")
    assert page.status_code == 200
    path = page.url.path
    assert stranger.get(path).status_code == 404
    assert stranger.get(path.replace("/itip/", "/agt/")).status_code == 404


def test_person_whom_another_campus_knows_is_corrected_by_neither(house: House) -> None:
    house.record("MARTIN Chloé; chloe@exemple.fr")
    record_elsewhere(house, "MARTIN Chloé; chloe@exemple.fr")
    with house.unit_of_work(reading=True) as services:
        person_id = services.activities.page(house.campus, house.activity.id).participants[0][1].id
    place = f"/gestion/itip/repertoire/participants/{house.activity.id}/{person_id}"

    page = house.client(house.trainer).get(place)

    assert "ou un autre campus la connaît aussi" in page.text


def test_address_is_corrected_behind_the_walls(house: House) -> None:
    house.award("MARTIN Chloé; chloe@gmial.com", tells=True)
    with house.unit_of_work(reading=True) as services:
        person_id = services.activities.page(house.campus, house.activity.id).participants[0][1].id
    place = f"/gestion/itip/repertoire/participants/{house.activity.id}/{person_id}"
    trainer = house.client(house.trainer)
    page = trainer.get(place)

    assert form_with(page, "adresse").fill(adresse="chloe@gmail.com").press(trainer, page).status_code == 303
    assert "chloe@gmail.com" in trainer.get(place).text


def test_two_requests_at_once_under_one_key_have_one_effect(house: House) -> None:
    body = {"kind": "workshop", "title": "Soudure", "starts_on": "2026-11-24", "ends_on": "2026-11-24"}
    ours, other = program(house), program(house)

    def made(asking: TestClient) -> str:
        answer = asking.post(f"{V1}/activities", json=body, headers={"idempotency-key": "k-1"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(2) as both:
        assert len(set(both.map(made, [ours, ours]))) == 1
    assert made(other) != made(ours)
    with Transaction(house.owner) as everything:
        titles = everything.exec(select(Activity.title)).all()
    assert titles.count("Soudure") == 2
