"""An award as Open Badges 2.0: hosted, open only while the award is, and verified by the rules of 2.0."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile

import pytest
from fastapi.testclient import TestClient
from openbadgeslib.ob2.verifier import OB2Verifier

from sceau_credentials import Verdict, verify
from sceau_credentials.baking import unbake
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values import FetchedDocument
from sceau_credentials.verification.report import CheckId, Report
from tests.app.api.clients import anybody, closed_award, open_award
from tests.support.app import COMMAND, App, build_app

SITE = "https://localhost:8443"


class Served:
    """The application itself, as the web reads it."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        answer = self.client.get(url.removeprefix(SITE), headers={"accept": accept})
        if answer.status_code != 200:
            raise DocumentUnavailable(url, "gone" if answer.status_code == 410 else "not_found")
        return FetchedDocument(url, answer.content, answer.headers["content-type"])


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("ob2")
    (database := folder / "database").mkdir()
    copyfile(migrated_sqlite, database / "sceau.sqlite")
    built = build_app(f"sqlite:///{database / 'sceau.sqlite'}", folder, base_url=SITE)
    with built.unit_of_work() as services:
        services.publication.campuses.get("itip").contact_email = "contact@campus.example"
    yield built
    built.close()


@pytest.fixture(scope="module")
def world(app: App) -> TestClient:
    return anybody(app)


def judged(app: App, world: TestClient, presented: bytes) -> Report:
    return verify(presented, documents=Served(world), at=app.clock())


def test_our_rendition_is_valid_by_the_rules_of_2_0_as_json_and_as_a_picture(app: App, world: TestClient):
    award_id = open_award(app)
    for path in (f"/ob2/attributions/{award_id}", f"/ob2/attributions/{award_id}.png"):
        answer = world.get(path)
        assert answer.status_code == 200
        report = judged(app, world, answer.content)
        assert report.verdict is Verdict.VALID, report.to_document()
        assert report.form == "open_badges_2"
    assert unbake(answer.content).generation == "2.0"


def test_another_verifier_accepts_it_too(app: App, world: TestClient):
    text = world.get(f"/ob2/attributions/{open_award(app)}").text
    others = OB2Verifier(download=lambda url: Served(world).fetch(url).body)
    assert others.verify_hosted(text).id == json.loads(text)["id"]


def test_the_assertion_has_the_content_of_the_signed_badge_and_no_name(app: App, world: TestClient):
    award_id = open_award(app)
    signed = world.get(f"/attributions/{award_id}.json").json()
    assertion = world.get(f"/ob2/attributions/{award_id}").json()
    assert assertion["recipient"] == {
        "type": "url",
        "hashed": False,
        "identity": signed["credentialSubject"]["id"],
    }
    assert assertion["evidence"][0]["id"] == signed["id"]
    badge = world.get(assertion["badge"].removeprefix(SITE)).json()
    achievement = signed["credentialSubject"]["achievement"]
    assert (badge["name"], badge["description"]) == (achievement["name"], achievement["description"])
    issuer = world.get(badge["issuer"].removeprefix(SITE)).json()
    assert issuer["name"] == signed["issuer"]["name"]
    for document in (assertion, badge, issuer):
        assert "@exemple.fr" not in json.dumps({**document, "email": ""})
        assert "Zoé" not in json.dumps(document, ensure_ascii=False)


def test_a_closed_award_is_closed_in_2_0_too(app: App, world: TestClient):
    award_id = closed_award(app)
    for ending in ("", ".png"):
        assert world.get(f"/ob2/attributions/{award_id}{ending}").status_code == 403


def test_a_withdrawn_award_answers_410_and_verifiers_report_it(app: App, world: TestClient):
    award_id = open_award(app)
    before = world.get(f"/ob2/attributions/{award_id}").content
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Attribué par erreur.", by=COMMAND)
    for ending in ("", ".png"):
        answer = world.get(f"/ob2/attributions/{award_id}{ending}")
        assert answer.status_code == 410
        assert answer.json()["revoked"] is True
    report = judged(app, world, before)
    assert report.verdict is Verdict.INVALID
    assert report.check(CheckId.STATUS).reason == "revoked"


def test_our_own_verifier_reads_them_without_calling_itself(app: App, world: TestClient):
    body = world.get(f"/ob2/attributions/{open_award(app)}").content
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify(body)
    assert answer.report is not None
    assert answer.report.verdict is Verdict.VALID


def test_a_campus_without_a_public_address_has_no_open_badges_2(app: App, world: TestClient):
    award_id = open_award(app)
    with app.unit_of_work() as services:
        campus = services.publication.campuses.get("itip")
        address, campus.contact_email = campus.contact_email, ""
    try:
        assert world.get(f"/ob2/attributions/{award_id}").status_code == 404
        assert world.get("/ob2/campus/itip").status_code == 404
    finally:
        with app.unit_of_work() as services:
            services.publication.campuses.get("itip").contact_email = address


UNKNOWN = "5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11"


@pytest.mark.parametrize(
    "path", [f"/ob2/attributions/{UNKNOWN}", f"/ob2/badges/{UNKNOWN}/v1", "/ob2/campus/aucun"]
)
def test_unknown_documents_are_not_found(world: TestClient, path: str):
    assert world.get(path).status_code == 404


@pytest.mark.parametrize("site", [SITE, "http://localhost:8000"])
def test_a_file_of_this_service_is_verified_by_it_as_its_own(
    site: str, migrated_sqlite: Path, tmp_path: Path
):
    (database := tmp_path / "database").mkdir()
    copyfile(migrated_sqlite, database / "sceau.sqlite")
    built = build_app(f"sqlite:///{database / 'sceau.sqlite'}", tmp_path, base_url=site)
    try:
        with built.unit_of_work() as services:
            services.publication.campuses.get("itip").contact_email = "contact@campus.example"
        here = anybody(built)
        text = here.get(f"/ob2/attributions/{open_award(built)}").text
        answer = here.post(
            "/api/v1/verify", content=text, headers={"content-type": "application/json"}
        ).json()
        assert json.loads(text)["id"].startswith(site)
        assert (answer["verdict"], answer["issuer_name"]) == ("valid", built.campus.name), answer
        assert answer["signature"] == "holds"
    finally:
        built.close()
