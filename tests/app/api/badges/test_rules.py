"""The rule of a badge, written by a program and read back; and the people who meet it."""

from __future__ import annotations

from fastapi.testclient import TestClient

from app.domain.badges import BadgeVersion
from tests.app.api.clients import V1
from tests.support.app import App

HOURS = {"measure": "hours", "least": 180, "kinds": ["workshop"], "part": None, "competency": None}
RULE = {"any": [{"all": [HOURS]}], "period": {"from": "2026-01-01", "to": None, "months": None}}
BADGE = {
    "slug": "trois-heures",
    "kind": "participation",
    "name": "Trois heures",
    "description": "Trois heures d’atelier.",
    "criteria": "La personne a passé trois heures en atelier.",
    "rule": RULE,
}


def test_a_rule_is_written_and_read_back(program: TestClient):
    made = program.post(f"{V1}/badges", json=BADGE)
    assert made.status_code == 201, made.text
    assert made.json()["rule"] == RULE
    said = made.json()["rule_in_words"].replace("\u00a0", " ")
    assert said == "3 h dans des ateliers, à partir du 1er janvier 2026"


def test_people_who_meet_the_rule_are_listed_and_awarded(app: App, program: TestClient):
    app.record("MARTIN Zoé; zoe@exemple.fr")
    badge = program.post(f"{V1}/badges", json=BADGE | {"slug": "trois-heures-donnees"}).json()["id"]
    progress = program.get(f"{V1}/badges/{badge}/progress").json()
    (zoe,) = progress["ready"]
    assert (zoe["given_name"], zoe["is_met"], zoe["steps"][0]["reached"]) == ("Zoé", True, 180)
    given = program.post(f"{V1}/awards", json={"badge": badge, "persons": [zoe["person"]]})
    assert [line["outcome"] for line in given.json()["lines"]] == ["awarded"], given.text
    assert program.get(f"{V1}/badges/{badge}/progress").json()["held"] == 1


def test_a_badge_without_a_rule_has_no_progress(app: App, program: TestClient):
    assert program.get(f"{V1}/badges/{app.presence.badge.id}/progress").status_code == 404


def test_a_rule_without_conditions_is_refused(program: TestClient):
    for rule in ({"any": []}, {"any": [{"all": []}]}, RULE | {"period": {"from": "2026-01-01", "months": 3}}):
        assert program.post(f"{V1}/badges", json=BADGE | {"rule": rule}).status_code == 422


def test_badge_aligned_with_a_dated_edition_is_listed_and_shown(app: App, program: TestClient):
    dated = {"framework": "rome", "code": "B1802", "name": "Maroquinier / Maroquinière"}
    with app.unit_of_work() as services:
        version = services.stores.session.get(BadgeVersion, app.presence.version.id)
        assert version is not None
        version.alignments = [{**dated, "version": "460", "published_on": "2025-11-24"}]
        services.stores.session.add(version)
    for path in (f"{V1}/badges", f"{V1}/badges/{app.presence.badge.id}"):
        answer = program.get(path)
        assert answer.status_code == 200, answer.text
        shown = [each for each in answer.json().get("items", [answer.json()]) if each["alignments"]]
        assert [each["alignments"] for each in shown] == [[dated]]
