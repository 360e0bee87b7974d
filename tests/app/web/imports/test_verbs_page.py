"""The table of xAPI verbs that a campus edits, and clients that only support HTTP Basic."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from app.domain.activities import PartKind
from app.domain.imports.xapi import ATTENDED, COMPLETED, CONTRIBUTED, VERBS, VOIDED
from tests.app.api import clients
from tests.app.domain.imports.test_xapi import statement
from tests.support.app import App, send
from tests.support.forms import form_with

PAGE = "/gestion/itip/reglages/verbes"
PASSED = "http://adlnet.gov/expapi/verbs/passed"
STATEMENTS = "/api/v1/campuses/itip/xapi/statements"


def chosen(app: App) -> dict[str, PartKind]:
    with app.unit_of_work(reading=True) as services:
        return services.statement_imports.verbs(app.campus)


def choose(app: App, verbs: dict[str, str], **more: str):
    data: dict[str, Any] = {"verbe": list(verbs), "devient": list(verbs.values()), **more}
    return send(app.client(app.admin), PAGE, data)


def outcome(app: App, verb: str) -> str:
    answer = clients.program(app).post(STATEMENTS, json=[statement(verb={"id": verb})])
    assert answer.status_code == 200, answer.text
    (line,) = answer.json()["lines"]
    return line["outcome"]


def test_campus_that_chose_nothing_imports_the_three_verbs(app: App):
    assert chosen(app) == VERBS
    assert outcome(app, PASSED) == "refused"


def test_chosen_verb_becomes_a_participation_and_another_is_refused(app: App):
    assert choose(app, {COMPLETED: "", PASSED: "apprenant", CONTRIBUTED: "ressource"}).status_code == 303
    assert chosen(app) == {PASSED: PartKind.LEARNER, CONTRIBUTED: PartKind.RESOURCE}
    assert outcome(app, COMPLETED) == "refused"
    assert outcome(app, PASSED) == "created"


def test_verb_is_typed_and_stays_in_the_table(app: App):
    verb = "https://w3id.org/xapi/dod-isd/verbs/attended"
    answer = choose(app, {ATTENDED: "apprenant"}, nouveau=verb, **{"devient-nouveau": "ressource"})
    assert answer.status_code == 303
    assert chosen(app) == {ATTENDED: PartKind.LEARNER, verb: PartKind.RESOURCE}
    assert verb in app.client(app.admin).get(PAGE).text


@pytest.mark.parametrize("verb", ["terminé", "completed", VOIDED, "http://a b", "x:" + "y" * 300])
def test_what_is_no_verb_is_refused_and_nothing_changes(app: App, verb: str):
    answer = choose(app, {ATTENDED: "apprenant"}, nouveau=verb, **{"devient-nouveau": "apprenant"})
    assert answer.status_code == 422
    assert 'id="nouveau-erreur"' in answer.text
    assert chosen(app) == VERBS


def test_typed_verb_without_a_choice_is_not_silently_left_out(app: App):
    answer = choose(app, {ATTENDED: "apprenant"}, nouveau=PASSED, **{"devient-nouveau": ""})
    assert answer.status_code == 422
    assert "un verbe inconnu est déjà refusé" in answer.text
    assert chosen(app) == VERBS


def test_refused_table_of_verbs_retains_every_choice(app: App):
    answer = choose(
        app, {ATTENDED: "ressource", COMPLETED: ""}, nouveau="terminé", **{"devient-nouveau": "apprenant"}
    )
    row = r'name="verbe" value="{}">.*?<select.*?value="(\w*)" selected'
    for verb, part in ((ATTENDED, "ressource"), (COMPLETED, "")):
        found = re.search(row.format(re.escape(verb)), answer.text, re.DOTALL)
        assert found is not None
        assert found[1] == part
    assert form_with(answer, "nouveau").fields["devient-nouveau"] == ["apprenant"]


def test_verbs_of_another_campus_stay(app: App):
    choose(app, {PASSED: "apprenant"})
    with app.unit_of_work(reading=True) as services:
        assert services.statement_imports.verbs(app.other_campus) == VERBS


def basic(secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"moodle:{secret}".encode()).decode()}


def test_token_is_the_password_of_http_basic_on_statements_alone(app: App):
    client = clients.program(app)
    secret = client.headers["authorization"].removeprefix("Bearer ")
    assert client.post(STATEMENTS, json=[statement()], headers=basic(secret)).status_code == 200
    assert client.get("/api/v1/campuses/itip/activities", headers=basic(secret)).status_code == 401


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bW9vZGxl", "Basic /w=="])
def test_http_basic_without_a_token_is_refused(app: App, header: str):
    client = clients.program(app)
    answer = client.post(STATEMENTS, json=[statement()], headers={"authorization": header})
    assert answer.status_code == 401
