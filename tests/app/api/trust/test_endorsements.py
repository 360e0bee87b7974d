"""Endorsements for programs: signed documents that anyone can verify over HTTP, and their content about a badge."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.trust.organisations import Endorsement
from sceau_credentials.verification.report import Outcome
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.app.api.clients import open_award
from tests.app.api.publishing.test_public_documents import OverHttp
from tests.support.app import COMMAND, App
from tests.support.badges.endorsed import BOSS, endorsed


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    return open_award(app)


@pytest.fixture
def endorsement(app: App, award_id: uuid.UUID) -> Endorsement:
    app.clock.move(days=8)
    with app.unit_of_work() as services:
        return endorsed(services, app.campus, app.presence.badge.id)


@pytest.mark.parametrize("form", ["json", "jwt"])
def test_a_stranger_verifies_an_endorsement_with_the_published_documents(
    app: App, world: TestClient, endorsement: Endorsement, form: str
):
    written = world.get(f"/recommandations/{endorsement.id}.{form}").text
    documents = OverHttp(world)
    answer = verify_endorsement(written, documents=documents, at=app.clock(), about=endorsement.subject)
    assert answer.outcome is Outcome.PASSED, answer.reason
    assert len(documents.asked) == 2, "the keys and the status list"


@pytest.mark.parametrize("accept", ["application/vc+ld+json", "application/json", "*/*"])
def test_an_endorsement_is_answered_in_the_requested_form(
    world: TestClient, endorsement: Endorsement, accept: str
):
    answer = world.get(f"/recommandations/{endorsement.id}", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.text == endorsement.written
    again = world.get(
        f"/recommandations/{endorsement.id}",
        headers={"accept": accept, "if-none-match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_a_withdrawn_endorsement_answers_410_and_is_in_the_status_list(
    app: App, world: TestClient, endorsement: Endorsement
):
    with app.unit_of_work() as services:
        token = services.endorsement_signing.withdraw_token(endorsement.id)
        services.endorsements_taken_back.withdraw(token)
    assert world.get(f"/recommandations/{endorsement.id}.json").status_code == 410
    answer = verify_endorsement(
        endorsement.written, documents=OverHttp(world), at=app.clock(), about=endorsement.subject
    )
    assert (answer.outcome, answer.reason) == (Outcome.FAILED, "revoked")


def test_a_report_lists_the_endorsement_beside_the_verdict(
    world: TestClient, endorsement: Endorsement, award_id: uuid.UUID
):
    presented = world.get(f"/attributions/{award_id}.json").text
    report = world.post(
        "/api/v1/verify", content=presented, headers={"content-type": "application/json"}
    ).json()
    assert report["verdict"] == "valid"
    result = [each for each in report["recommendations"] if each["id"].endswith(str(endorsement.id))]
    assert [each["outcome"] for each in result] == ["passed"]
    assert result[0]["domain"] == "atelier-roy.example"
    assert BOSS not in str(report)


def test_a_program_of_the_campus_reads_all_endorsements(
    app: App, program: TestClient, endorsement: Endorsement
):
    path = "/api/v1/campuses/itip/endorsements"
    assert str(endorsement.id) in program.get(path).text
    with app.unit_of_work() as services:
        services.endorsements_taken_back.set_aside(
            app.campus, endorsement.id, reason="Ces mots parlent d’autre chose.", by=COMMAND
        )
    states = {each["id"][-36:]: each["state"] for each in program.get(path).json()["items"]}
    assert states[str(endorsement.id)] == "set_aside"


def test_an_organisation_is_described_by_its_profile_and_its_keys(
    world: TestClient, endorsement: Endorsement
):
    place = f"/organisations/{endorsement.organisation_id}"
    profile = world.get(place, headers={"accept": "application/ld+json"}).json()
    keys = world.get(f"{place}/did.json").json()
    assert profile["name"] == "Atelier Roy"
    assert profile["id"] == keys["id"]
    assert world.get(f"/organisations/{uuid.uuid4()}/did.json").status_code == 404
