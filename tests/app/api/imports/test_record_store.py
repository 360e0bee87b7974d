"""Ordinary xAPI clients: a learning platform sends statements as to any learning record store."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.imports.imports import ImportLineOutcome
from tests.app.api.clients import V1, anybody, token
from tests.app.domain.imports.test_xapi import statement
from tests.support.app import App

STORE = f"{V1}/lrs"
VERSION = {"x-experience-api-version": "1.0.3"}


def titles(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return [one.title for one, _ in services.activities.list_in(app.campus)]


def one(name: str, **changes: Any) -> dict[str, Any]:
    result = statement(**changes)
    result["object"] = {"id": f"https://plateforme.exemple.fr/{name}", "definition": {"name": {"fr": name}}}
    result["id"] = str(uuid.uuid4())
    return result


def test_one_statement_or_several_are_answered_by_their_ids(program: TestClient, app: App):
    single, several = one("Cours A"), [one("Cours B"), one("Cours C")]
    answer = program.post(f"{STORE}/statements", json=single, headers=VERSION)
    assert (answer.status_code, answer.json()) == (200, [single["id"]])
    assert answer.headers["x-experience-api-version"] == "1.0.3"
    answer = program.post(f"{STORE}/statements", json=several, headers=VERSION)
    assert answer.json() == [each["id"] for each in several]
    assert {"Cours A", "Cours B", "Cours C"} <= set(titles(app))
    assert program.post(f"{STORE}/statements", json=[]).json() == []


def test_put_stores_under_the_id_of_its_query(program: TestClient, app: App):
    result = one("Cours D")
    here = f"{STORE}/statements?statementId={result['id']}"
    assert program.put(here, json=result).status_code == 204
    del result["id"]
    again = program.put(here, json=result, headers={"idempotency-key": "put"})
    repeated = program.put(here, json=result, headers={"idempotency-key": "put"})
    assert (again.status_code, repeated.status_code, repeated.content) == (204, 204, b"")
    assert titles(app).count("Cours D") == 1
    assert program.put(here, json=result | {"id": str(uuid.uuid4())}).status_code == 422


def test_statement_without_an_id_counts_once(program: TestClient, app: App):
    result = one("Cours E")
    del result["id"]
    first, again = (program.post(f"{STORE}/statements", json=result).json() for _ in range(2))
    assert first == again
    assert titles(app).count("Cours E") == 1


def hours(app: App) -> dict[str, tuple[float | None, bool]]:
    with app.unit_of_work(reading=True) as services:
        pages = [
            services.activities.page(app.campus, one.id) for one, _ in services.activities.list_in(app.campus)
        ]
        return {
            page.activity.title: (part.hours, part.is_present)
            for page in pages
            for part, _ in (*page.participants, *page.absent)
        }


def test_known_id_with_other_content_is_a_conflict_that_changes_nothing(program: TestClient, app: App):
    known, fresh = one("Cours G", result={"duration": "PT2H"}), one("Cours H")
    assert program.post(f"{STORE}/statements", json=known).status_code == 200
    other = known | {"result": {"duration": "PT5H"}}
    answers = [
        program.post(f"{STORE}/statements", json=other),
        program.post(f"{STORE}/statements", json=[fresh, other]),
        program.post(f"{STORE}/statements", json=[fresh, fresh | {"result": {"duration": "PT9H"}}]),
        program.put(f"{STORE}/statements?statementId={known['id']}", json=other),
    ]
    assert [each.status_code for each in answers] == [409] * 4
    assert hours(app)["Cours G"] == (2.0, True)
    assert "Cours H" not in titles(app)
    stored = known | {"stored": "2026-12-01T10:00:00Z", "version": "1.0.0"}
    assert program.post(f"{STORE}/statements", json=[stored, fresh]).status_code == 200
    assert hours(app)["Cours G"] == (2.0, True)
    assert "Cours H" in titles(app)


def test_known_id_of_another_person_is_a_conflict(program: TestClient, app: App):
    """It used to move the participation: the first person became absent, the other one present."""
    known = one("Cours P")
    assert program.post(f"{STORE}/statements", json=known).status_code == 200
    other = known | {"actor": {"name": "Karim Benali", "mbox": "mailto:karim.benali@exemple.fr"}}
    before = hours(app)
    assert program.post(f"{STORE}/statements", json=other).status_code == 409
    assert hours(app) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "1970-01-01T00:00:00Z"},
        {"object": {"id": "https://x.exemple.fr", "definition": {"name": {"fr": "<b>x</b>"}}}},
    ],
)
def test_statement_of_an_impossible_activity_leaves_the_others(
    program: TestClient, app: App, changes: dict[str, Any]
):
    sent = [one("Cours Q"), one("Cours R") | changes]
    assert program.post(f"{STORE}/statements", json=sent).status_code == 200
    assert "Cours Q" in titles(app)
    assert not {"Cours R", "<b>x</b>"} & {*titles(app)}


def test_a_statement_without_a_timestamp_has_the_time_of_its_arrival(program: TestClient, app: App):
    sent = one("Cours S")
    del sent["timestamp"]
    assert program.post(f"{STORE}/statements", json=sent).status_code == 200
    with app.unit_of_work(reading=True) as services:
        (found,) = [each for each, _ in services.activities.list_in(app.campus) if each.title == "Cours S"]
    assert found.starts_on == app.campus.day_of(app.clock.now)


def test_a_voided_statement_stays_voided_when_it_is_sent_again(program: TestClient, app: App):
    result = one("Cours I", result={"duration": "PT2H"})
    voiding = one("x", verb={"id": "http://adlnet.gov/expapi/verbs/voided"})
    voiding["object"] = {"objectType": "StatementRef", "id": result["id"]}
    for each in (result, voiding, result, [voiding, result]):
        assert program.post(f"{STORE}/statements", json=each).status_code == 200
    assert hours(app)["Cours I"] == (2.0, False)


def test_a_verb_that_the_campus_ignores_is_accepted_without_an_error(program: TestClient, app: App):
    app.clock.move(minutes=1)
    result = one("Cours F") | {"verb": {"id": "http://adlnet.gov/expapi/verbs/launched"}}
    assert program.post(f"{STORE}/statements", json=[result]).json() == [result["id"]]
    assert "Cours F" not in titles(app)
    with app.unit_of_work(reading=True) as services:
        last = services.imports.reports(app.campus)[0]
        [line] = services.imports.lines(app.campus, last.run.id)
    assert "n’est pas de notre profil" in line.reason


def test_two_accounts_of_one_name_are_not_one_participant(program: TestClient, app: App):
    def of(account: str) -> dict[str, Any]:
        result = one("Cours H")
        result["actor"] = {
            "name": "Inès Sow",
            "account": {"homePage": "https://plateforme.exemple.fr", "name": account},
        }
        return result

    first, again, other = of("4711"), of("4711"), of("4712")
    assert program.post(f"{STORE}/statements", json=[first]).json() == [first["id"]]
    app.clock.move(minutes=1)
    assert program.post(f"{STORE}/statements", json=[again, other]).json() == [again["id"], other["id"]]
    with app.unit_of_work(reading=True) as services:
        last = services.imports.reports(app.campus)[0]
        lines = services.imports.lines(app.campus, last.run.id)
    assert [each.fate for each in lines] == [ImportLineOutcome.SAME, ImportLineOutcome.REFUSED]
    assert "Un autre compte" in lines[1].reason


def test_basic_and_bearer_are_the_same_token(app: App):
    secret = base64.b64encode(f"plateforme:{token(app, 'activity:write')}".encode()).decode()
    client = anybody(app)
    result = one("Cours G")
    basic = {"authorization": f"Basic {secret}"}
    assert client.post(f"{STORE}/statements", json=result, headers=basic).json() == [result["id"]]
    refused = client.post(f"{STORE}/statements", json=result, headers={"authorization": "Basic eDp5"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer, Basic realm="Sceau"')
    assert client.get(f"{STORE}/about").json() == {"version": ["1.0.3"]}


@pytest.mark.parametrize("body", [{"id": "no uuid"}, {"id": 3}, [[]], "text", None])
def test_an_invalid_statement_is_refused(program: TestClient, body: Any):
    assert program.post(f"{STORE}/statements", json=body).status_code == 422


def test_a_number_beyond_64_bits_gets_no_500(program: TestClient):
    result = one("Cours H") | {"context": 10**30}
    assert program.post(f"{STORE}/statements", json=result).status_code == 200
    assert program.post(f"{V1}/xapi/statements", json=[result]).status_code == 200


@pytest.mark.parametrize("asked", ["0.95", "1.1.0", "2.0.0", "10.0", "1", "latest", ""])
def test_other_version_of_the_protocol_is_refused(program: TestClient, app: App, asked: str):
    result = one("Cours V")
    headers = {"x-experience-api-version": asked}
    answers = [
        program.post(f"{STORE}/statements", json=result, headers=headers),
        program.put(f"{STORE}/statements?statementId={result['id']}", json=result, headers=headers),
    ]
    assert [(each.status_code, each.headers["x-experience-api-version"]) for each in answers] == [
        (400, "1.0.3")
    ] * 2
    assert "Cours V" not in titles(app)
    assert program.get(f"{STORE}/about", headers=headers).json() == {"version": ["1.0.3"]}


@pytest.mark.parametrize("asked", ["1.0", "1.0.0", "1.0.1", "1.0.9"])
def test_every_patch_of_the_version_is_accepted(program: TestClient, asked: str):
    headers = {"x-experience-api-version": asked}
    assert program.post(f"{STORE}/statements", json=one("Cours W"), headers=headers).status_code == 200
