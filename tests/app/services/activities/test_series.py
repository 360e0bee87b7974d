"""A single session becomes a series and earlier records stay correct; on both databases."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.activities import DayTaken, SessionFacts
from app.domain.campus.audit_log import Actor
from tests.support.app import App, listed

NEXT = SessionFacts(date(2026, 12, 1), 2.0)


def grow(app: App, facts: SessionFacts = NEXT) -> None:
    with app.unit_of_work() as services:
        services.series.add(app.campus, app.activity.id, facts, by=Actor(app.trainer.id))


def hours(app: App) -> dict[str, float | None]:
    with app.unit_of_work(reading=True) as services:
        shown = services.activities.page(app.campus, app.activity.id)
        return {person.given_name: part.hours for part, person in shown.participants}


def log_lines(app: App) -> dict[str, tuple[object, ...]]:
    """The present log line of each person: dates of the activity and hours."""
    with app.unit_of_work(reading=True) as services:
        people = {
            str(person.id): person.given_name
            for _, person in services.activities.page(app.campus, app.activity.id).participants
        }
        journal = services.activity_journal.of(app.campus, app.activity.id)
        return {
            people[str(line.facts["person"])]: (
                line.facts["startsOn"],
                line.facts["endsOn"],
                line.facts["minutes"],
            )
            for line in journal.lines
            if not line.replaced and line.facts.get("present")
        }


def record_with_hours(app: App) -> None:
    """Zoé for the whole workshop, Moussa for an hour and a half, Léo recorded and then absent."""
    with app.unit_of_work() as services:
        services.activities.record(
            app.campus,
            app.activity.id,
            listed("prénom;nom;heures", "Zoé;Martin;", "Moussa;Keïta;1,5", "Léo;Faure;"),
            by=Actor(app.trainer.id),
        )
        leo = next(
            part
            for part, person in services.activities.page(app.campus, app.activity.id).participants
            if person.given_name == "Léo"
        )
        services.activities.set_present(
            app.campus, app.activity.id, leo.id, present=False, by=Actor(app.trainer.id)
        )


def test_first_session_of_a_series_has_the_recorded_people_and_hours(app: App) -> None:
    record_with_hours(app)
    grow(app)
    with app.unit_of_work(reading=True) as services:
        sessions, came = services.activity_sessions.list_of(app.campus, app.activity.id)
        assert [(each.held_on, each.hours, came.get(each.id, 0)) for each in sessions] == [
            (date(2026, 11, 24), 3.0, 2),
            (date(2026, 12, 1), 2.0, 0),
        ]
        activity = services.activities.get(app.campus, app.activity.id)
        assert (activity.starts_on, activity.ends_on, activity.hours) == (
            date(2026, 11, 24),
            date(2026, 12, 1),
            5.0,
        )
    assert hours(app) == {"Zoé": 3.0, "Moussa": 1.5}
    assert log_lines(app) == {
        "Zoé": ("2026-11-24", "2026-12-01", 180),
        "Moussa": ("2026-11-24", "2026-12-01", 90),
    }


def test_individual_hours_stay_when_the_next_session_is_recorded(app: App) -> None:
    record_with_hours(app)
    grow(app)
    with app.unit_of_work() as services:
        sessions, _ = services.activity_sessions.list_of(app.campus, app.activity.id)
        there = services.activity_sessions.sheet(app.campus, app.activity.id, sessions[1].id).participants
        everybody = {part.id for part, _ in there}
        services.activity_sessions.note(
            app.campus,
            app.activity.id,
            sessions[1].id,
            everybody,
            shown=everybody,
            by=Actor(app.trainer.id),
        )
    assert hours(app) == {"Zoé": 5.0, "Moussa": 3.5}


def test_missing_hours_stay_missing_in_a_series(app: App) -> None:
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        activity.hours = None
        services.activities.activities.save(activity)
    app.record("Zoé Martin; zoe@exemple.fr")
    grow(app, SessionFacts(date(2026, 12, 1)))
    assert hours(app) == {"Zoé": None}


def test_badge_awarded_before_the_series_is_unchanged_and_awarded_once(app: App) -> None:
    result = app.award("Zoé Martin; zoe@exemple.fr")
    award_id = result.lines[0].award_id
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        before = services.awards.awards.document_of(award_id).embedded
    grow(app)
    with app.unit_of_work(reading=True) as services:
        assert services.awards.awards.document_of(award_id).embedded == before
        answer = services.verification.verify_award(services.awards.record(award_id))
        proved = services.verification.with_evidence(answer).evidence
        assert proved is not None
        assert proved.outcome.value == "proved", proved
    again = app.award("Zoé Martin; zoe@exemple.fr")
    assert again.lines[0].award_id in (None, award_id)


def test_session_on_an_existing_day_changes_nothing(app: App) -> None:
    app.record("Zoé Martin; zoe@exemple.fr")
    with pytest.raises(DayTaken):
        grow(app, SessionFacts(date(2026, 11, 24), 2.0))
    with app.unit_of_work(reading=True) as services:
        assert services.activity_sessions.list_of(app.campus, app.activity.id)[0] == []
    assert hours(app) == {"Zoé": None}
