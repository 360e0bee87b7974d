"""Participations sent by programs: each line answered and recorded once, corrections and withdrawals in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.imports.xapi import ATTENDED, CONTRIBUTED, VOIDED
from tests.app.api import clients
from tests.app.api.clients import V1
from tests.app.domain.imports.test_xapi import statement
from tests.support.app import App, build_app

ACTIVITY = {"external_id": "ROB-1", "title": "Robotique", "starts_on": "2026-11-25", "hours": 3}
ZOE = {
    "external_id": "P-1",
    "activity": ACTIVITY,
    "given_name": "Zoé",
    "family_name": "Martin",
    "address": "zoe@exemple.fr",
    "hours": 2,
}
ERIC = {
    **ZOE,
    "external_id": "P-2",
    "given_name": "Éric",
    "family_name": "Hérault",
    "address": "eric@exemple,fr",
}


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def program(app: App) -> TestClient:
    return clients.program(app)


def post(program: TestClient, *lines: dict[str, Any], query: str = "") -> dict[str, Any]:
    answer = program.post(
        f"{V1}/participations{query}", json={"source": "Scolarité", "participations": lines}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(program: TestClient, *statements: dict[str, Any], query: str = "") -> list[str]:
    answer = program.post(f"{V1}/xapi/statements{query}", json=statements)
    assert answer.status_code == 200, answer.text
    return [line["outcome"] for line in answer.json()["lines"]]


def recorded(program: TestClient, title: str = "Robotique") -> list[dict[str, Any]]:
    found = [one for one in program.get(f"{V1}/activities").json()["items"] if one["title"] == title]
    return [
        person
        for one in found
        for person in program.get(f"{V1}/activities/{one['id']}/participations").json()["items"]
    ]


def test_each_line_has_its_answer_and_a_refusal_gives_its_reason(program: TestClient) -> None:
    answer = post(program, ZOE, ERIC)
    assert (answer["created"], answer["refused"]) == (1, 1)
    assert [line["outcome"] for line in answer["lines"]] == ["created", "refused"]
    assert answer["lines"][1]["problem"]["detail"] == "Cette adresse e-mail n’est pas valable."
    assert answer["report"]


def test_a_dry_run_gives_the_same_answer_and_writes_nothing(program: TestClient) -> None:
    answer = post(program, ZOE, ERIC, query="?dry_run=true")
    assert [line["outcome"] for line in answer["lines"]] == ["created", "refused"]
    assert answer["report"] is None
    assert recorded(program) == []
    assert post(program, ZOE)["created"] == 1


def test_a_dry_run_adds_nothing_to_the_recovery_journal(app: App, program: TestClient) -> None:
    post(program, ZOE)
    post(program, {**ZOE, "external_id": "P-9", "family_name": "Durand"}, query="?dry_run=true")
    with app.unit_of_work(reading=True) as services:
        log = services.stores.activity_log.find(app.campus.id)
    covered = app.process.journal.covered(app.campus.id, log.origin)
    assert max(stop for _, stop in covered) == log.size


def test_a_repeated_statement_changes_nothing_and_other_content_is_a_correction(program: TestClient) -> None:
    post(program, ZOE)
    assert post(program, ZOE)["same"] == 1
    answer = post(program, {**ZOE, "hours": 2.5})
    assert answer["lines"][0]["changes"] == ["hours"]
    assert [person["hours"] for person in recorded(program)] == [2.5]


def test_statements_about_one_person_hold_until_they_are_voided(program: TestClient) -> None:
    first = statement(verb={"id": ATTENDED}, result={"duration": "PT1H"})
    second_id = "87654321-1234-5678-1234-567812345678"
    second = statement(
        id=second_id, verb={"id": CONTRIBUTED}, result={"duration": "PT4H", "response": "Le guide."}
    )
    assert say(program, first, second, query="?dry_run=true") == ["created", "changed"]
    assert say(program, first, second) == ["created", "changed"]
    assert say(program, first, second) == ["same", "same"]
    (person,) = recorded(program, "Fabrication additive")
    assert (person["hours"], person["part"], person["contribution"]) == (4, "ressource", "Le guide.")
    void = statement(
        id="00000000-1234-5678-1234-567812345678",
        verb={"id": VOIDED},
        object={"objectType": "StatementRef", "id": second_id},
    )
    assert say(program, void) == ["changed"]
    assert say(program, void) == ["same"]
    (person,) = recorded(program, "Fabrication additive")
    assert (person["hours"], person["part"], person["contribution"]) == (1, "apprenant", "")
    assert say(program, {**void, "object": {"objectType": "StatementRef", "id": first["id"]}}) == ["changed"]
    assert recorded(program, "Fabrication additive") == []


def test_a_known_person_is_asked_about_and_the_answer_holds(app: App, program: TestClient) -> None:
    app.record("Zoé Martin zoe@exemple.fr", "Paul Durand paul@exemple.fr")
    elsewhere = {**ZOE, "address": "zoe@exemple.org"}
    renamed = {**ZOE, "external_id": "P-3", "given_name": "Paola", "address": "paul@exemple.fr"}
    lines = post(program, elsewhere, renamed)["lines"]
    assert [line["outcome"] for line in lines] == ["refused", "refused"]
    assert "la même personne" in lines[0]["problem"]["detail"]
    lines = post(program, elsewhere | {"same_person": True}, renamed | {"same_person": False})["lines"]
    assert [line["outcome"] for line in lines] == ["created", "created"]

    there = f"{V1}/activities/{app.activity.id}/participations"
    person = {"given_name": "Paul", "family_name": "Durand", "address": "paul@exemple.net"}
    refused = program.post(there, json=[person]).json()
    assert (refused["refused"], refused["lines"][0]["problem"]["kind"]) == (1, "several_of_name")
    assert program.post(there, json=[person | {"same_person": True}]).json()["same"] == 1
    assert program.post(there, json=[person | {"same_person": False}]).json()["created"] == 1


def test_a_statement_about_a_known_name_at_another_address_is_refused_without_an_answer(
    program: TestClient,
) -> None:
    post(program, {**ZOE, "given_name": "Anne-Gaëlle", "family_name": "Le Bœuf", "address": "ag@exemple.org"})
    first = statement(verb={"id": ATTENDED})
    assert say(program, first) == ["refused"]
    assert say(program, first, query="?same_person=true") == ["created"]
    (person,) = recorded(program, "Fabrication additive")
    (known,) = recorded(program)
    assert person["person"] == known["person"]


def test_a_statement_may_be_about_another_person_of_a_known_name(program: TestClient) -> None:
    post(program, {**ZOE, "given_name": "Anne-Gaëlle", "family_name": "Le Bœuf", "address": "ag@exemple.org"})
    assert say(program, statement(verb={"id": ATTENDED}), query="?same_person=false") == ["created"]
    (person,) = recorded(program, "Fabrication additive")
    (known,) = recorded(program)
    assert person["person"] != known["person"]
