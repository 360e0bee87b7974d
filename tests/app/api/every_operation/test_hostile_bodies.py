"""Any body of a program with a valid token gets an answer and never a 500."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.http import problems
from app.http.pages.forms import MOST_MEMBERS
from app.http.request_scope import Who
from app.main import LONGEST_COSIGNATURE
from tests.app.api import clients
from tests.app.api.clients import V1
from tests.security.matrix.policy import CASES
from tests.support.app import App, build_app
from tests.support.running.every import for_each
from tests.support.running.examples import examples

SAMPLES: dict[str, Any] = {
    "competencies": {
        "framework": "ref", "framework_name": "Référentiel", "code": "C-1", "statement": "Mesurer", "levels": ["Seul"],
    },
    "badges": {
        "slug": "un-badge", "kind": "participation", "name": "Un badge", "description": "Ce qu’il dit.",
        "criteria": "La personne a pris sa part de l’activité.", "language": "fr", "tags": ["a"],
        "validity_days": 30, "required_hours": 2.5, "competencies": [], "repeat": "once",
    },
    "activities": {
        "kind": "workshop", "title": "Atelier", "description": "", "starts_on": "2026-11-24",
        "ends_on": "2026-11-24", "place": "Ici", "hours": 3, "audience": "lycéens", "declared_size": 12,
    },
    "activities/ACTIVITY/participations": [
        {"given_name": "Zoé", "family_name": "Martin", "address": "z@exemple.fr", "part": "apprenant",
         "hours": 3, "contribution": "A guidé."},
    ],
    "awards": {
        "badge": "BADGE", "activity": "ACTIVITY", "evidence": "A guidé les autres.", "everybody": False,
        "participations": [], "people": [{"given_name": "Zoé", "family_name": "Martin", "address": "z@exemple.fr"}],
    },
    "awards/AWARD/revocation": {"reason": "Attribué par erreur."},
}  # fmt: skip
NASTY = [
    None, True, 0, -1, 1e308, -0.0, 2**63, 2**200, 0.1, [], {}, [[]], [None], {"a": {}}, "", " ", "\x00", "\x07x",
    "\ud800", "\u202egro", "\ufeff", "a" * 5000, "é" * 300, "0001-01-01", "9999-12-31", "2026-02-30", "NaN", "=1+1",
    "<script>", "'; DROP TABLE award; --", "{0.__class__}", "{hours}", "%s%n", "\u2028", "z@exemple.fr", "@", "../..",
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


def _with(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    if not path:
        return put
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], put)
    return copy


@st.composite
def hostile_requests(draw: st.DrawFn) -> tuple[str, str]:
    """A valid request with one to three of its values replaced by hostile ones."""
    path = draw(st.sampled_from(sorted(SAMPLES)))
    body = SAMPLES[path]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(body))))
        body = _with(body, place, draw(st.sampled_from(NASTY) | st.text(max_size=30)))
    return path, json.dumps(body, ensure_ascii=draw(st.booleans()), allow_nan=True)


@pytest.fixture
def one_of_both(database_url: str, tmp_path: Path) -> Iterator[App]:
    """Both engines in turn: one stores silently what the other refuses."""
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def test_no_body_gets_a_500(one_of_both: App):
    app = one_of_both
    client = clients.program(app)
    ids = {
        "BADGE": str(app.role.badge.id),
        "ACTIVITY": str(app.activity.id),
        "AWARD": str(clients.closed_award(app)),
    }

    @settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
    @given(hostile_requests())
    def send(asked: tuple[str, str]) -> None:
        path, body = asked
        for name, value in ids.items():
            path, body = path.replace(name, value), body.replace(name, value)
        answer = post(client, path, body)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"

    send()


def post(client: TestClient, path: str, body: str):
    headers = {"content-type": "application/json"}
    return client.post(f"{V1}/{path}", content=body.encode("utf-8", "surrogatepass"), headers=headers)


@settings(max_examples=examples(150), deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_verification_input_gets_a_500(world: TestClient, body: bytes):
    answer = world.post("/api/v1/verify", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["verdict"] != "valid"


def test_characters_that_cannot_be_stored_are_refused_at_their_field(program: TestClient):
    for sign in ("\x00", "\x07", "\x1b", "\x7f", "\x85"):
        body = json.dumps(SAMPLES["activities"] | {"title": f"Atelier{sign}"})
        answer = post(program, "activities", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/title"


def test_a_body_of_too_many_members_is_refused_before_each_is_validated(program: TestClient):
    one = "{" + ",".join(f'"{number:x}":1' for number in range(200)) + "}"
    many = [
        "{" + ",".join(f'"{number:x}":1' for number in range(MOST_MEMBERS + 1)) + "}",
        '{"people":[' + ",".join([one] * (MOST_MEMBERS // 200)) + "]}",
        '{"people":' + "[" * 9 + ",".join("1" * (MOST_MEMBERS + 1)) + "]" * 9 + "}",
    ]
    for body in many:
        answer = post(program, "people/bulk", body)
        assert answer.status_code == 413
        assert "errors" not in answer.json()
    few = post(program, "people/bulk", '{"people":[' + one + "]}")
    assert len(few.json()["errors"]) == 50


@for_each("path", sorted(SAMPLES))
def test_a_hundred_thousand_faults_are_neither_listed_nor_searched_for_in_a_transaction(
    app: App, monkeypatch: pytest.MonkeyPatch, path: str
):
    client = clients.program(app)
    path = path.replace("ACTIVITY", str(app.activity.id)).replace("AWARD", str(clients.closed_award(app)))
    described, opened = [], []
    answer_for, visit = problems.validation_error, app.process.visit
    monkeypatch.setattr(
        problems,
        "validation_error",
        lambda ask, error: described.append(len(error.errors())) or answer_for(ask, error),
    )
    monkeypatch.setattr(app.process, "visit", lambda **how: opened.append(how) or visit(**how))
    unknown = "{" + ",".join(f'"{number:x}":1' for number in range(MOST_MEMBERS - 1)) + "}"
    lines = "[" + ",".join(["{}"] * 10_000) + "]"
    for body in (unknown, lines, f'{{"people":{lines}}}'):
        assert post(client, path, body).status_code == 422
        faults = described.pop() if described else 0
        assert faults <= 250
        assert 0 < faults <= 50 or not [how for how in opened if not how.get("reading")]
        opened.clear()


def test_the_first_of_many_faults_are_named(program: TestClient):
    answer = post(program, "people/bulk", json.dumps({"people": [{"family_name": "Martin"}] * 1_000}))
    assert answer.status_code == 422
    assert {"pointer": "/people/0/external_id", "reason": "Ce champ manque."} in answer.json()["errors"]


def test_no_long_body_is_parsed_before_its_token_is_known(app: App, monkeypatch: pytest.MonkeyPatch):
    """Whatever the address: with a token that is unknown, of another campus or without the scope, and with none."""
    parsed = []
    read = Request.json

    async def note(request: Request) -> Any:
        parsed.append(request.url.path)
        return await read(request)

    monkeypatch.setattr(Request, "json", note)
    clients_without = {
        401: [app.client(), clients.program(app)],
        403: [clients.program(app, "read")],
        404: [clients.program(app, campus=app.other_campus)],
    }
    clients_without[401][1].headers["authorization"] = "Bearer " + "x" * 40
    body = json.dumps({"people": [{}] * 5_000})
    bodies = [
        key
        for key, case in CASES.items()
        if case.policy.who is Who.TOKEN and "/api/v1/campuses/{slug}" in key
    ]
    checked = 0
    for key in bodies:
        method, _, template = key.partition(" ")
        if method not in ("POST", "PUT"):
            continue
        path = re.sub(r"{slug}", "itip", template)
        path = re.sub(r"{external:path}", "E-1", re.sub(r"{\w+(?::uuid)?}", str(uuid.UUID(int=1)), path))
        for status, several in clients_without.items():
            for client in several:
                answer = client.request(
                    method, path, content=body, headers={"content-type": "application/json"}
                )
                assert answer.status_code == status, (key, answer.text)
                checked += 1
    assert parsed == []
    assert checked > 80


def test_cosignatures_without_a_token_are_short(world: TestClient):
    answer = post(world, "log/cosignatures", '{"checkpoint":"' + "x" * LONGEST_COSIGNATURE + '"}')
    assert answer.status_code == 413
