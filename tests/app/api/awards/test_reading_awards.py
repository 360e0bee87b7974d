"""A program of a campus reads its awards: filtered, paged, and each as it was signed."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from tests.app.api import clients
from tests.app.api.clients import V1
from tests.support.app import App


@pytest.fixture
def program(app: App) -> TestClient:
    return clients.program(app, "read", "award:revoke")


def ids(client: TestClient, **query: object) -> list[str]:
    answer = client.get(f"{V1}/awards", params=query)
    assert answer.status_code == 200, answer.text
    return [award["id"] for award in answer.json()["items"]]


def test_awards_are_filtered_by_person_state_and_last_change(app: App, program: TestClient):
    first, second = clients.closed_award(app), clients.closed_award(app)
    app.clock.now += timedelta(hours=1)
    later = app.clock.now.isoformat()
    assert ids(program, updated_since=later) == []
    revoked = program.post(f"{V1}/awards/{first}/revocation", json={"reason": "Attribué par erreur."}).json()
    assert ids(program, updated_since=later) == ids(program, state="revoked") == [str(first)]
    assert str(second) in ids(program, state="issued")
    assert ids(program, person=revoked["person"]) == [str(first)]
    assert ids(program, person=str(uuid.uuid4())) == []


@pytest.mark.parametrize("path", ["awards", "activities", "badges", "competencies"])
def test_filter_that_does_not_exist_is_refused_by_name(program: TestClient, path: str):
    answer = program.get(f"{V1}/{path}", params={"etat": "revoked"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/etat"]


@pytest.mark.parametrize("written", ["2026-11-24", "hier", "2026-11-24T12:00:00"])
def test_a_datetime_without_a_zone_is_refused(program: TestClient, written: str):
    assert program.get(f"{V1}/awards", params={"updated_since": written}).status_code == 422


def test_campus_reads_the_signed_bytes_of_its_closed_award(app: App, program: TestClient):
    award_id = clients.closed_award(app)
    address = f"/attributions/{award_id}.json"
    assert clients.anybody(app).get(address).status_code == 403
    embedded = program.get(f"{V1}/awards/{award_id}/credential")
    token = program.get(f"{V1}/awards/{award_id}/credential", headers={"accept": "application/vc+jwt"})
    assert embedded.content == clients.stored(app, award_id, "json")
    assert token.content == clients.stored(app, award_id, "jwt")
    assert embedded.headers["cache-control"] == token.headers["cache-control"] == "no-store"
    refused = program.get(f"{V1}/awards/{award_id}/credential", headers={"accept": "image/png"})
    assert refused.status_code == 406
    elsewhere = clients.program(app, "read", campus=app.other_campus)
    assert elsewhere.get(f"/api/v1/campuses/agt/awards/{award_id}/credential").status_code == 404


def test_problem_type_leads_to_its_explanation(app: App, program: TestClient):
    kind = program.get(f"{V1}/awards/{uuid.uuid4()}").json()["type"]
    page, _, anchor = kind.partition("#")
    assert f'id="{anchor}"' in app.client().get(page).text


def test_page_of_another_origin_may_verify(app: App):
    client = clients.anybody(app)
    asked = {"origin": "https://cv.exemple.fr", "access-control-request-method": "POST"}
    assert client.options("/api/v1/verify", headers=asked).headers["access-control-allow-origin"] == "*"
    answer = client.post(
        "/api/v1/verify", json={"not": "a badge"}, headers={"origin": "https://cv.exemple.fr"}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
