"""« Absent »: a person noted absent gets no badge, with a reason, until the activity is corrected."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import LineOutcome
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from tests.app.web.activities.test_room_pages import words
from tests.support.app import App, listed
from tests.support.forms import form_with

ZOE, LEO = "MARTIN Zoé;zoe@exemple.fr", "PETIT Léo;leo@exemple.fr"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def here(app: App) -> str:
    app.record(ZOE, LEO)
    return f"/gestion/itip/activites/{app.activity.id}"


def tick(trainer: TestClient, here: str, *names: str) -> str:
    page = trainer.get(f"{here}/presences")
    assert page.status_code == 200, words(page)
    known = {
        name: value
        for value, name in re.findall(r'name="present" value="([^"]+)"[^>]*><span>(\w+)', page.text)
    }
    done = form_with(page, "montrees").fill(present=[known[name] for name in names]).press(trainer, page)
    assert done.status_code == 303
    return words(trainer.get(done.headers["location"]))


def outcomes(app: App, *people: str) -> dict[str, LineOutcome]:
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(*people), tells=False)
    with app.unit_of_work() as services:
        preview = services.awards.preview(app.campus, request, by=Actor(app.trainer.id))
    return {line.line.given_name: line.eligibility.outcome for line in preview.lines}


def test_list_gives_no_badge_to_a_person_noted_absent(app: App, trainer: TestClient, here: str):
    assert "1 personne présente, 1 absente." in tick(trainer, here, "Zoé")
    assert outcomes(app, ZOE, LEO) == {"Zoé": LineOutcome.READY, "Léo": LineOutcome.ABSENT}
    given = app.award(ZOE, LEO)
    [leo] = given.with_outcome(LineOutcome.ABSENT)
    assert leo.reason.startswith("Notée absente de cette activité.")
    assert "1 personne notée absente" in words(trainer.get(here))


def test_same_list_awards_a_person_noted_present_since(app: App, trainer: TestClient, here: str):
    tick(trainer, here, "Zoé")
    app.award(ZOE, LEO)
    tick(trainer, here, "Zoé", "Léo")
    again = app.award(ZOE, LEO)
    assert [line.outcome for line in again.lines] == [LineOutcome.ALREADY_HELD, LineOutcome.AWARDED]


def test_correction_has_its_reason_and_the_log_has_both_lines(app: App, trainer: TestClient, here: str):
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
        leo = next(part for part, person in page.participants if person.given_name == "Léo")
    shown = trainer.get(f"{here}/participants/{leo.id}")
    form_with(shown, "presence").fill(presence="non", motif="Parti avant le début.").press(trainer, shown)
    with app.unit_of_work(reading=True) as services:
        lines = services.activity_journal.of(app.campus, app.activity.id).lines
    result = [(line.facts["present"], line.facts.get("reason")) for line in lines if line.who == "Léo Petit"]
    assert result == [(False, "Parti avant le début."), (True, None)]


def test_award_to_chosen_people_has_a_result_for_an_absent_one(app: App, trainer: TestClient, here: str):
    tick(trainer, here, "Zoé")
    with app.unit_of_work() as services:
        page = services.activities.page(app.campus, app.activity.id)
        named = tuple(part.id for part, _ in (*page.participants, *page.absent))
        request = AwardRequest(app.presence.badge.id, app.activity.id, participation_ids=named, tells=False)
        given = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
    assert sorted(line.outcome for line in given.lines) == [LineOutcome.ABSENT, LineOutcome.AWARDED]
