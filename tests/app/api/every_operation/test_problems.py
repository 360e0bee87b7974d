"""Errors as programs read them: one shape, in their language, without personal data."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from pydantic_core.core_schema import ErrorType
from structlog.testing import capture_logs

from app.domain.awards import LineOutcome
from app.domain.campus.integration import UpsertOutcome
from app.errors import AppError
from app.http.problems import _SENTENCES, type_of
from app.http.request_scope import STATUS_OF
from tests.app.api.clients import V1
from tests.app.api.every_operation.test_openapi import operations
from tests.support.app import App

PRIVATE = "anne.tres.privee@exemple.fr"
PROBLEM = {"type", "title", "status", "detail"}


def test_a_problem_names_the_field_and_never_its_value(program: TestClient, app: App):
    """The value may be a personal address (T43)."""
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
    # The name of an unknown field comes from the sender, and shows where the fault is.
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
def test_a_problem_is_written_in_the_requested_language(program: TestClient, language: str, sentence: str):
    answer = program.post(f"{V1}/awards", json={}, headers={"accept-language": language})
    assert answer.json()["errors"] == [{"pointer": "/badge", "reason": sentence}]
    assert answer.headers["content-language"] == ("en" if language == "en" else "fr")


def test_every_validation_error_with_a_sentence_exists():
    ours = {"control_character", "given_twice", "no_recipient", "without_activity"}
    assert set(_SENTENCES) - ours <= set(get_args(ErrorType))


def test_a_duplicate_name_is_refused(program: TestClient, app: App):
    """Otherwise the last one would count: another name is recorded, a dry run awards."""
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
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert "sans « Content-Encoding »" in answer.json()["detail"]


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_datetime_beyond_the_calendar_is_refused(program: TestClient, app: App, end: str):
    for each in ("people", "activities", "awards", "badges"):
        assert program.get(f"{V1}/{each}", params={"updated_since": end}).status_code == 422
    award = app.award("Zoé Martin").lines[0].award_id
    asked = {"reason": "À relire.", "until": end}
    assert program.post(f"{V1}/awards/{award}/suspension", json=asked).status_code == 422


@pytest.mark.parametrize("since", ["2026-11-25", "2026-11-25T11:00:00", "hier"])
def test_a_datetime_without_its_zone_is_refused_with_an_example(program: TestClient, since: str):
    (error,) = program.get(f"{V1}/people", params={"updated_since": since}).json()["errors"]
    assert "2026-11-25T11:00:00Z" in error["reason"]


@pytest.mark.parametrize("day", [1764028800, "1764028800", "0", "2026-11-25T10:00:00", True])
def test_a_number_or_a_time_is_not_a_date(program: TestClient, day: object):
    asked = {"title": "Robotique", "kind": "workshop", "starts_on": "2026-11-25", "ends_on": day}
    answer = program.put(f"{V1}/external-ids/activities/A-1", json=asked)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], "2026-11-25" in error["reason"]) == ("/ends_on", True)


@pytest.mark.parametrize("since", ["1764028800", "0", "-1"])
def test_a_number_is_not_a_datetime(program: TestClient, since: str):
    answer = program.get(f"{V1}/people", params={"updated_since": since})
    assert answer.status_code == 422
    assert "2026-11-25T11:00:00Z" in answer.json()["errors"][0]["reason"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"hours": -1}, "Le nombre doit être plus grand que 0."),
        ({"hours": 1e9}, "Le nombre doit être au plus 10\u202f000."),
        ({"title": ""}, "Le texte est trop court. Nombre de signes : 1 au moins."),
        ({"place": "x" * 201}, "Le texte est trop long. Nombre de signes : 200 au plus."),
        ({"description": 3}, "Un texte est attendu."),
    ],
)
def test_limits_are_written_as_sentences(program: TestClient, changed: dict[str, object], reason: str):
    asked = {"title": "Robotique", "kind": "workshop", "starts_on": "2026-11-25", "ends_on": "2026-11-25"}
    answer = program.put(f"{V1}/external-ids/activities/A-1", json=asked | changed)
    assert [each["reason"] for each in answer.json()["errors"]] == [reason]


def test_possible_values_are_not_translated(program: TestClient):
    (error,) = program.get(f"{V1}/changes", params={"kind": "autre"}).json()["errors"]
    assert error["reason"].endswith("'badge', 'activity', 'person', 'participation', 'award'.")


def test_the_guide_names_the_kinds_that_exist():
    guide = (Path(__file__).parents[4] / "docs/integrating.md").read_text(encoding="utf-8")
    table = guide.partition("| `kind` | |")[2].partition("\n\n")[0]
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row.split("|")[1:2][0] if row else "")
    }
    of_lines = {each.value for each in LineOutcome if each.is_refused}
    kinds = [AppError]
    for each in kinds:
        kinds += each.__subclasses__()
    of_requests = {each.__name__ for each in kinds}
    general = {each.__name__ for each in AppError.__subclasses__() if each.__module__ == "app.errors"}
    assert of_lines | general <= named <= of_lines | of_requests
    everywhere = set(re.findall(r"`kind`[:s]* `(\w+)`", guide))
    assert {"several_of_name", "FeedRestarted", "ExternalIdTaken"} <= everywhere <= named
    assert all(f"`{each.value}`" in guide for each in [*LineOutcome, *UpsertOutcome])


def test_no_sentence_contains_the_value():
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
    assert (answer.status_code, answer.headers["accept"]) == (415, "application/json")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "est attendu : application/json" in answer.json()["detail"]


def test_a_json_content_type_may_have_a_charset(program: TestClient, app: App):
    body = json.dumps({"reason": "Attribué par erreur."})
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = program.post(f"{V1}/awards/{app.activity.id}/revocation", content=body, headers=headers)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 100_000, '{"badge": }', "\ufeff{}", "{}{}", b"\xff", b'{"a": "\xff"}']
)
def test_a_body_that_is_not_json_is_a_client_error(program: TestClient, body: str | bytes):
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


def test_an_internal_error_shows_a_reference_and_nothing_else(app: App):
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
    """Those of the description, of our errors, and of the framework."""
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


def test_an_example_of_a_problem_links_to_the_explanation_of_its_status(world: TestClient):
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
