"""Failures as programs read them: one shape, in their language, and nobody's data in it."""

from __future__ import annotations

import gzip
import json
import re
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from pydantic_core.core_schema import ErrorType
from structlog.testing import capture_logs

from app.http.problems import _SENTENCES, type_of
from app.http.request_scope import STATUS_OF
from tests.app.api.clients import V1
from tests.app.api.every_operation.test_openapi import operations
from tests.support.app import App

PRIVATE = "anne.tres.privee@exemple.fr"
PROBLEM = {"type", "title", "status", "detail"}


def test_a_problem_says_what_stands_where_and_never_what_was_sent(program: TestClient, app: App):
    """The value may be somebody's address (T43)."""
    sent = {
        "badge": PRIVATE,
        "people": [{"given_name": [PRIVATE], "family_name": PRIVATE * 10, PRIVATE: 1}, PRIVATE],
        "evidence": {"x": PRIVATE},
    }
    answer = program.post(f"{V1}/awards", json=sent)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() >= PROBLEM
    pointers = {error["pointer"] for error in problem["errors"]}
    assert {"/badge", "/people/0/given_name", "/people/0/family_name", "/people/1", "/evidence"} <= pointers
    # The name of a field nobody knows is the sender's own, and says where to look.
    known = [error for error in problem["errors"] if error["pointer"] != f"/people/0/{PRIVATE}"]
    assert PRIVATE not in json.dumps(known)


@pytest.mark.parametrize("sent", [["x"], [[1]], 3, "x"])
def test_pointers_of_a_body_with_several_forms_point_into_it(program: TestClient, sent: object):
    """Without the names by which the code knows these forms."""
    answer = program.post(f"{V1}/lrs/statements", json=sent)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} <= {"", "/0"}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fr", "Ce champ manque."),
        ("en", "This field is missing."),
        ("de", "Ce champ manque."),
        ("*", "Ce champ manque."),
    ],
)
def test_a_problem_is_said_in_the_language_that_is_asked_for(
    program: TestClient, language: str, sentence: str
):
    answer = program.post(f"{V1}/awards", json={}, headers={"accept-language": language})
    assert answer.json()["errors"] == [{"pointer": "/badge", "reason": sentence}]
    assert answer.headers["content-language"] == ("en" if language == "en" else "fr")


def test_every_fault_we_have_a_sentence_for_exists():
    ours = {"control_character", "given_twice"}
    assert set(_SENTENCES) - ours <= set(get_args(ErrorType))


def test_a_name_that_is_given_twice_is_refused(program: TestClient, app: App):
    """Of two the last would count: another name is recorded, a dry run awards."""
    where, json_body = (
        f"{V1}/activities/{app.activity.id}/participations",
        {"content-type": "application/json"},
    )
    body = '[{"given_name": "Zoé", "family_name": "Martin", "family_name": "Durand"}]'
    answer = program.post(where, content=body, headers=json_body)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "« family_name » est deux fois dans un objet JSON.",
    )
    answer = program.post(f"{where}?dry_run=true&dry_run=false", json=[{"family_name": "Martin"}])
    assert answer.json()["errors"] == [
        {"pointer": "/query/dry_run", "reason": "Ce paramètre est donné deux fois."}
    ]
    assert program.get(f"{V1}/changes?kind=award&kind=person").status_code == 200
    assert program.get(where).json()["items"] == []


def test_awards_refuse_a_mistyped_dry_run(program: TestClient, app: App):
    asked = {
        "badge": str(app.presence.badge.id), "activity": str(app.activity.id), "people": [{"family_name": "Martin"}],
    }  # fmt: skip
    answer = program.post(f"{V1}/awards?dryrun=true", json=asked)
    assert answer.json()["errors"] == [{"pointer": "/query/dryrun", "reason": "Ce champ n’existe pas."}]
    assert program.get(f"{V1}/awards").json()["items"] == []


def test_a_compressed_body_is_refused_for_its_encoding(program: TestClient, app: App):
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = program.post(f"{V1}/awards", content=gzip.compress(b"{}"), headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_beyond_the_calendar_is_refused(program: TestClient, app: App, end: str):
    for each in ("people", "activities", "awards", "badges"):
        assert program.get(f"{V1}/{each}", params={"updated_since": end}).status_code == 422
    award = app.award("Zoé Martin").lines[0].award_id
    asked = {"reason": "À relire.", "until": end}
    assert program.post(f"{V1}/awards/{award}/suspension", json=asked).status_code == 422


@pytest.mark.parametrize("since", ["2026-11-25", "2026-11-25T11:00:00", "hier"])
def test_a_datetime_without_its_zone_is_refused_with_an_example(program: TestClient, since: str):
    (error,) = program.get(f"{V1}/people", params={"updated_since": since}).json()["errors"]
    assert "2026-11-25T11:00:00Z" in error["reason"]


def test_no_sentence_has_a_place_for_the_value():
    assert not any("{input" in sentence for sentence in _SENTENCES.values())


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/vnd.api+json",
        "",
    ],
)
def test_a_body_that_is_not_sent_as_json_is_refused(program: TestClient, app: App, content_type: str):
    body = json.dumps({"badge": str(app.presence.badge.id)})
    answer = program.post(f"{V1}/awards", content=body, headers={"content-type": content_type})
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def test_json_may_say_its_charset(program: TestClient, app: App):
    body = json.dumps({"reason": "Attribué par erreur."})
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = program.post(f"{V1}/awards/{app.activity.id}/revocation", content=body, headers=headers)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 100_000, '{"badge": }', "\ufeff{}", "{}{}", b"\xff", b'{"a": "\xff"}']
)
def test_a_body_that_is_no_json_is_a_problem_of_the_sender(program: TestClient, body: str | bytes):
    answer = program.post(f"{V1}/awards", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_long_is_cut_off(program: TestClient):
    body = b'{"badge": "' + b"x" * (6 * 1024 * 1024) + b'"}'
    answer = program.post(f"{V1}/awards", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/rien", 404),
        ("GET", "/api/rien", 404),
        ("DELETE", f"{V1}/awards", 405),
        ("PUT", "/api/v1/verify", 405),
        ("GET", f"{V1}/badges/pas-un-uuid", 404),
        ("GET", f"{V1}/awards?limit=0", 422),
        ("GET", f"{V1}/awards?limit=1000000", 422),
        ("GET", f"{V1}/awards?badge=x", 422),
        ("POST", "/.well-known/did.json", 405),
        ("POST", "/health/live", 405),
    ],
)
def test_each_refusal_of_the_framework_is_a_problem_too(
    program: TestClient, method: str, path: str, status: int
):
    sent = {"json": {}} if method in ("PUT", "POST") else {}
    answer = program.request(method, path, headers={"accept": "text/html"}, **sent)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    if status == 405:
        assert answer.headers["allow"]


def test_a_fault_of_ours_shows_a_reference_and_nothing_else(app: App):
    application = app.client().app
    process = application.state.process  # type: ignore[attr-defined]

    class Elsewhere:
        settings = process.settings
        public_documents = process.public_documents

        def unit_of_work(self, *, reading: bool = False):
            raise RuntimeError(PRIVATE)

    application.state.process = Elsewhere()  # type: ignore[attr-defined]
    client = TestClient(application, raise_server_exceptions=False)
    with capture_logs() as lines:
        answer = client.get(f"{V1}/badges")
    assert answer.status_code == 500
    assert answer.json()["reference"] in {line.get("reference") for line in lines}
    assert answer.headers["content-type"] == "application/problem+json"
    assert PRIVATE not in answer.text


def _statuses() -> set[int]:
    """Those that the description foresees, that our errors have, and that the framework answers."""
    described = {int(status) for _, each in operations() for status in each["responses"] if status[0] in "45"}
    return described | set(STATUS_OF.values()) | {404, 405, 500}


@pytest.mark.parametrize("language", ["fr", "en", "es"])
def test_each_problem_type_has_its_explanation(world: TestClient, language: str):
    types = {type_of(status) for status in _statuses()}
    assert len(types) == len(_statuses()), "each status has a type of its own"
    for page_, fragments in {each.partition("#")[0]: types for each in types}.items():
        answer = world.get(page_, headers={"accept": "text/html", "accept-language": language})
        assert answer.status_code == 200
        explained = dict(re.findall(r'<section[^>]* id="(\d+)".*?<p>(.*?)</p>', answer.text, re.DOTALL))
        assert {each.partition("#")[2] for each in fragments} <= explained.keys()
        assert all(len(text) > 20 for text in explained.values())


def test_an_example_of_a_problem_leads_where_its_status_does(world: TestClient):
    found = [
        (answer["content"]["application/problem+json"]["example"], status)
        for _, each in operations()
        for status, answer in each["responses"].items()
        if "application/problem+json" in answer.get("content", {})
    ]
    assert found
    assert [each for each, status in found if each["type"] != f"/problemes#{status}"] == []
    answer = world.get("/api/v1/nothing")
    assert answer.json()["type"] == "/problemes#404"
