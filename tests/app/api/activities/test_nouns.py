"""Competencies, badges, activities and participations: written by a program, read back the same."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient

from tests.app.api.clients import V1
from tests.support.app import App
from tests.support.running.every import for_each

COMPETENCY = {
    "framework": "controle-acces",
    "framework_name": "Contrôle d’accès",
    "code": "CA-3",
    "statement": "Mesurer, analyser et caractériser",
    "levels": ["Accompagné", "Autonome"],
}
BADGE = {
    "slug": "mesure",
    "kind": "competence",
    "name": "Mesurer",
    "description": "Mesurer, analyser et caractériser une installation.",
    "criteria": "La personne a mesuré une installation, seule, devant la formatrice.",
    "tags": ["mesure"],
}
ACTIVITY = {
    "kind": "course",
    "title": "Contrôle d’accès, module 3",
    "starts_on": "2026-11-20",
    "ends_on": "2026-11-24",
    "hours": 14.5,
}


def test_a_competency_is_written_once_and_read_back(program: TestClient):
    made = program.post(f"{V1}/competencies", json=COMPETENCY | {"code": "CA-1"})
    assert made.status_code == 201
    assert made.json() == COMPETENCY | {"code": "CA-1", "rubric": [], "id": made.json()["id"]}
    assert program.get(f"{V1}/competencies/{made.json()['id']}").json() == made.json()
    assert made.json() in program.get(f"{V1}/competencies").json()["items"]
    again = program.post(f"{V1}/competencies", json=COMPETENCY | {"code": "CA-1"})
    assert again.status_code == 409


def test_a_badge_names_its_competencies_and_gets_a_next_version(program: TestClient):
    competency = program.post(f"{V1}/competencies", json=COMPETENCY).json()["id"]
    attested = [{"id": competency, "level": 2}]
    made = program.post(f"{V1}/badges", json=BADGE | {"competencies": attested})
    assert made.status_code == 201, made.text
    badge = made.json()
    assert badge["competencies"] == attested
    assert badge["versions"] == [
        {"number": 1, "address": f"{badge['address']}/v1", "frozen_at": None},
    ]
    wording = {name: value for name, value in BADGE.items() if name != "slug"}
    next_one = program.post(
        f"{V1}/badges/{badge['id']}/versions",
        json=wording | {"name": "Mesurer et dire", "competencies": attested},
    )
    assert (next_one.status_code, next_one.json()["version"]) == (201, 2)
    assert program.get(f"{V1}/badges/{badge['id']}").json() == next_one.json()
    assert next_one.json() in program.get(f"{V1}/badges").json()["items"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"competencies": [{"id": str(uuid.uuid4()), "level": 1}]}, 404),
        ({"competencies": []}, 422),
        ({"criteria": "Trop court."}, 422),
        ({"slug": "Pas une adresse"}, 422),
        ({"slug": "robotique", "kind": "participation"}, 409),
        ({"kind": "diplome"}, 422),
    ],
)
def test_a_badge_that_breaks_a_rule_is_refused_and_not_stored(program: TestClient, change: dict, status: int):
    before = program.get(f"{V1}/badges").json()
    answer = program.post(f"{V1}/badges", json=BADGE | {"slug": "autre"} | change)
    assert answer.status_code == status, answer.text
    assert program.get(f"{V1}/badges").json() == before


def test_an_activity_and_who_took_part_are_recorded_once(program: TestClient):
    activity = program.post(f"{V1}/activities", json=ACTIVITY)
    assert activity.status_code == 201, activity.text
    address = f"{V1}/activities/{activity.json()['id']}"
    people = [
        {"given_name": "Anne-Gaëlle", "family_name": "Le Bœuf", "address": "ag@exemple.fr", "hours": 3},
        {"given_name": "Nolwenn", "family_name": "Jaouen", "address": "nolwenn@exemple,fr"},
        {"given_name": "Paul", "family_name": "Durand", "part": "ressource", "contribution": "Guide."},
    ]
    recorded = program.post(f"{address}/participations", json=people).json()
    assert [line["outcome"] for line in recorded["lines"]] == ["created", "refused", "created"]
    assert recorded["lines"][1]["problem"]["kind"] == "invalid_address"
    again = program.post(f"{address}/participations", json=people).json()
    assert (again["created"], again["same"], again["refused"]) == (0, 2, 1)
    assert again["lines"][0]["participation"] == recorded["lines"][0]["participation"]
    listed = program.get(f"{address}/participations").json()["items"]
    assert {(one["family_name"], one["part"], one["hours"]) for one in listed} == {
        ("Le Bœuf", "apprenant", 3),
        ("Durand", "ressource", None),
    }
    assert program.get(address).json() == activity.json() | {"people": 2}


def test_an_activity_that_ends_before_it_starts_is_refused(program: TestClient):
    answer = program.post(f"{V1}/activities", json=ACTIVITY | {"ends_on": "2026-11-19"})
    assert answer.status_code == 422


@for_each(
    ("path", "body"),
    [
        ("competencies", COMPETENCY),
        ("badges", BADGE),
        ("activities", ACTIVITY),
        ("awards", {"badge": str(uuid.uuid4())}),
    ],
)
@for_each("field", ["id", "campus_id", "frozen_at", "state", "once_key", "created_at"])
def test_an_unknown_field_is_refused(program: TestClient, path: str, body: dict, field: str):
    """Never silently assigned (T03)."""
    answer = program.post(f"{V1}/{path}", json=body | {field: "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


def test_a_line_with_an_unknown_field_is_refused(program: TestClient, app: App):
    address = f"{V1}/activities/{app.activity.id}/participations"
    answer = program.post(address, json=[{"family_name": "Martin", "person_id": str(app.admin.id)}])
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/0/person_id", "reason": "Ce champ n’existe pas."}]


def test_the_age_band_is_reported_by_a_program_and_read_back(app: App, program: TestClient):
    people = f"{V1}/activities/{app.activity.id}/participations"
    zoe = {"given_name": "Zoé", "family_name": "Martin", "address": "zoe@exemple.fr"}
    for result, kept in ((True, True), (None, True), (False, False)):
        body = [zoe if result is None else {**zoe, "under_15": result}]
        assert program.post(people, json=body).status_code == 200
        [found] = [one for one in program.get(people).json()["items"] if one["family_name"] == "Martin"]
        assert found["under_15"] is kept
    assert program.post(people, json=[{**zoe, "birth_date": "2012-01-01"}]).status_code == 422


def test_a_program_marks_a_person_absent_and_present_again(app: App, program: TestClient):
    people = f"{V1}/activities/{app.activity.id}/participations"
    program.post(people, json=[{"given_name": "Zoé", "family_name": "Martin"}])
    [zoe] = [one for one in program.get(people).json()["items"] if one["family_name"] == "Martin"]
    for present in (False, True):
        assert program.put(f"{people}/{zoe['id']}/presence", json={"present": present}).status_code == 200
        names = {one["id"] for one in program.get(people).json()["items"]}
        listed = program.get(f"{people}?with_absent=true").json()["items"]
        everybody = {one["id"]: one["present"] for one in listed}
        assert (zoe["id"] in names, everybody[zoe["id"]]) == (present, present)
