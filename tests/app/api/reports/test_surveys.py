"""The survey of an activity by API: opened, read, closed; only moderated sentences are returned."""

from __future__ import annotations

from datetime import timedelta

from fastapi.testclient import TestClient

from app.domain.reports.surveys import Answer
from tests.app.api.clients import V1
from tests.support.app import COMMAND, App


def test_a_program_opens_reads_and_closes_a_survey(app: App, program: TestClient):
    here = f"{V1}/activities/{app.activity.id}/survey"
    before = program.get(here).json()
    assert (before["state"], before["address"], before["answered"]) == ("none", "", 0)
    proposed = program.put(here, json={"open": True}).json()["closes_on"]
    assert proposed == (app.activity.ends_on + timedelta(days=7)).isoformat()
    day = app.clock.now.date() + timedelta(days=7)
    opened = program.put(here, json={"open": True, "closes_on": day.isoformat()}).json()
    assert (opened["state"], opened["closes_on"]) == ("open", day.isoformat())
    assert opened["address"].endswith(f"/avis/{opened['code']}")
    later = (day + timedelta(days=1)).isoformat()
    again = program.put(here, json={"open": True, "closes_on": later}).json()
    assert (again["code"], again["closes_on"]) == (opened["code"], later)
    for _ in range(2):
        assert program.put(here, json={"open": False}).json()["state"] == "closed"
    assert program.put(here, json={"open": True, "closes_on": later}).json()["state"] == "open"


def test_a_closing_day_in_the_past_is_refused(app: App, program: TestClient):
    here = f"{V1}/activities/{app.activity.id}/survey"
    past = app.clock.now.date() - timedelta(days=1)
    assert program.put(here, json={"open": True, "closes_on": past.isoformat()}).status_code in (400, 422)
    assert program.put(here, json={}).status_code == 422
    assert program.get(here).json()["closes_on"] != past.isoformat()


def test_answers_are_read_n_of_n_and_only_approved_sentences(app: App, program: TestClient):
    here = f"{V1}/activities/{app.activity.id}/survey"
    code = program.put(here, json={"open": True, "closes_on": app.clock.now.date().isoformat()}).json()[
        "code"
    ]
    split = ("not_at_all", "rather_not", "rather", "fully", "recommends", "recommends_not")
    for number in range(9):
        read = program.get(here).json()
        assert read["answered"] == number
        assert [read[name] is None for name in split] == [number < 5] * 6, "under 5 answers"
        with app.unit_of_work() as services:
            sentence = f"Phrase {number}" if number < 3 else ""
            services.surveys.answer(
                code, Answer(4 - number % 4, number > 2, sentence), phone=f"phone {number}"
            )
    with app.unit_of_work() as services:
        sentences = services.surveys.page(app.campus, app.activity.id).sentences
        approved, rejected, _ = sentences
        services.surveys.moderate(app.campus, app.activity.id, approved.id, approved=True, by=COMMAND)
        services.surveys.moderate(app.campus, app.activity.id, rejected.id, approved=False, by=COMMAND)
    read = program.get(here).json()
    assert read["answered"] == 9
    assert read["not_at_all"] + read["rather_not"] + read["rather"] + read["fully"] == 5
    assert (read["recommends"], read["recommends_not"]) == (2, 3), "of the first five"
    assert read["favourable_percent"] is None, "under 10 answers"
    assert (read["quotes"], read["pending_sentences"]) == ([approved.sentence], 1)
    with app.unit_of_work() as services:
        services.surveys.answer(code, Answer(4, True), phone="the tenth")
    assert program.get(here).json()["favourable_percent"] == 60
