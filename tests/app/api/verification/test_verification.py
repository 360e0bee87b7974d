"""POST /verify: any credential, in any container, answered in JSON."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from sceau_credentials.values import parse_json
from tests.app.api.clients import closed_award, open_award, stored
from tests.support.app import App, asked_of
from tests.support.running.every import for_each

VERIFY = "/api/v1/verify"


def ask(client: TestClient, body: bytes | str, content_type: str, **headers: str):
    sent = body.encode() if isinstance(body, str) else body
    return client.post(VERIFY, content=sent, headers={"content-type": content_type, **headers})


@pytest.fixture(scope="module")
def award_id(app: App):
    return open_award(app)


@pytest.mark.parametrize(
    ("form", "content_type", "container"),
    [
        ("json", "application/json", "json"),
        ("json", "application/vc", "json"),
        ("json", "application/octet-stream", "json"),
        ("jwt", "text/plain", "jwt"),
        ("jwt", "application/vc+jwt", "jwt"),
        ("png", "image/png", "png"),
        ("svg", "image/svg+xml", "svg"),
    ],
)
def test_a_credential_fetched_by_its_address_verifies_in_every_form(
    app: App, world: TestClient, award_id, form: str, content_type: str, container: str
):
    body = world.get(f"/attributions/{award_id}.{form}").content
    report = ask(world, body, content_type).json()
    assert report["verdict"] == "valid"
    assert report["container"] == container
    assert report["issuer"] == app.campus.did
    assert report["issuer_name"] == app.campus.name
    assert report["document"]["id"].endswith(str(award_id))
    assert {check["outcome"] for check in report["checks"]} <= {"passed", "skipped"}
    assert all(check["id"] and check["message"] for check in report["checks"])


def test_verifying_again_reads_only_the_rows_of_its_award(app: App, world: TestClient, award_id):
    body = stored(app, award_id, "json")
    ask(world, body, "application/json")
    with asked_of(app) as asked:
        assert ask(world, body, "application/json").json()["verdict"] == "valid"
    shared = ("trust_edition", "status_list", "signing_key", "campus_log", "log_checkpoint", "log_tile")
    assert [each for each, _ in asked if any(f"FROM {table} " in each for table in shared)] == []


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_a_file_sent_by_a_form_verifies(app: App, world: TestClient, award_id, form: str):
    files = {"file": ("badge." + form, stored(app, award_id, form))}
    assert world.post(VERIFY, files=files).json()["verdict"] == "valid"


@pytest.mark.parametrize("end", ["", ".json", ".png", "/"])
def test_a_link_to_an_open_award_verifies(world: TestClient, award_id, end: str):
    url = f"http://localhost:8000/attributions/{award_id}{end}"
    assert world.post(VERIFY, json={"url": url}).json()["verdict"] == "valid"
    assert ask(world, url, "text/plain").json()["verdict"] == "valid"


def test_a_link_to_a_closed_award_reveals_nothing_of_it(app: App, world: TestClient):
    url = f"http://localhost:8000/attributions/{closed_award(app)}"
    report = world.post(VERIFY, json={"url": url}).json()
    assert report["verdict"] == "undetermined"
    assert report["checks"] == []
    assert report["document"] is report["presented"] is None
    assert "Martin" not in json.dumps(report, ensure_ascii=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://ailleurs.exemple/badge",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "http://localhost:8000/attributions/00000000-0000-4000-8000-000000000000",
    ],
)
def test_an_unread_link_is_never_called_valid(world: TestClient, url: str):
    report = world.post(VERIFY, json={"url": url}).json()
    assert report["verdict"] in ("invalid", "undetermined")
    assert report["document"] is None


def test_an_altered_badge_is_invalid_and_shown_only_as_presented(app: App, world: TestClient, award_id):
    credential = parse_json(stored(app, award_id, "json"))
    assert isinstance(credential, dict)
    report = world.post(VERIFY, json={**credential, "name": "Diplôme d’ingénieur"}).json()
    assert report["verdict"] == "invalid"
    assert report["document"] is None
    assert report["presented"]["name"] == "Diplôme d’ingénieur"
    assert {check["id"]: check["outcome"] for check in report["checks"]}["proof"] == "failed"
    assert [problem["check"] for problem in report["problems"]] == ["proof"]
    assert report["problems"][0]["type"] == "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR"


def test_a_withdrawn_badge_is_invalid_with_the_reason(app: App, world: TestClient):
    award_id = open_award(app)
    body = stored(app, award_id, "json")
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    report = ask(world, body, "application/json").json()
    assert report["verdict"] == "invalid"
    assert {check["id"]: check["reason"] for check in report["checks"]}["status"] == "revoked"


def test_each_sentence_is_in_the_requested_language(app: App, world: TestClient, award_id):
    body = stored(app, award_id, "json")
    said = {
        language: ask(world, body, "application/json", **{"accept-language": language}).json()
        for language in ("fr", "en-GB, fr;q=0.5")
    }
    french, english = said.values()
    assert [check["id"] for check in french["checks"]] == [check["id"] for check in english["checks"]]
    assert all(
        one["message"] != other["message"]
        for one, other in zip(french["checks"], english["checks"], strict=True)
    )


@for_each(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"\x89PNG\r\n\x1a\n",
        b"<svg/>",
        b"a.b.c",
        b'{"url": 1}',
        b'{"url": "x", "more": 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"[" * 50_000,
        b'{"type": ["VerifiableCredential", "OpenBadgeCredential"]}',
    ],
)
def test_malformed_input_is_answered_and_never_valid(world: TestClient, body: bytes):
    answer = ask(world, body, "application/json")
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] != "valid"
    assert answer.json()["document"] is None


def test_a_form_without_a_file_is_refused(world: TestClient):
    answer = world.post(VERIFY, files={"file": (None, "du texte")})
    assert answer.status_code == 422


def test_a_broken_form_is_refused(world: TestClient):
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert ask(world, b"--y\r\n", content_type).status_code in (400, 422)


def test_too_long_a_body_is_refused(world: TestClient):
    for size in (5 * 1024 * 1024 + 1, 6 * 1024 * 1024 + 1):
        assert ask(world, b"x" * size, "image/png").status_code == 413
        assert world.post(VERIFY, files={"file": ("x", b"x" * size)}).status_code == 413


def test_verification_stores_nothing(app: App, world: TestClient, award_id):
    before = _rows(app)
    ask(world, stored(app, award_id, "json"), "application/json")
    assert _rows(app) == before


def _rows(app: App) -> int:
    with app.process.engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
        return sum(
            connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one() for table in tables
        )


@pytest.mark.parametrize("odd", ["\x00", "\x1b[31m", "\ud83d", "\u202e", "", "  ", "{" * 3000])
def test_an_odd_line_of_a_batch_does_not_refuse_the_others(world: TestClient, award_id, odd: str):
    token = world.get(f"/attributions/{award_id}.jwt").text
    sent = json.dumps({"items": [f"{odd}bonjour", odd, token]})
    answer = world.post(f"{VERIFY}/batch", content=sent, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert [each["report"] and each["report"]["verdict"] for each in answer.json()["results"]][-1] == "valid"


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u202a"])
def test_a_badge_is_verified_as_it_was_sent(world: TestClient, award_id, sign: str):
    """Characters that turn the direction of a text used to be removed first: changes made with them passed."""
    document = parse_json(world.get(f"/attributions/{award_id}.json").content)
    assert isinstance(document, dict)
    changed = json.dumps({**document, "name": f"{sign}{document['name']}"}, ensure_ascii=False)
    result = world.post(f"{VERIFY}/batch", json={"items": [changed]}).json()["results"][0]["report"]
    assert (result["verdict"], result["signature"]) == ("invalid", "false")
