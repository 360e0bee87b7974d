"""What was planned as a single meeting becomes a series, and all that was recorded of it stays true; on both databases."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.activities import DayTaken, SessionFacts
from app.domain.campus.audit_log import Actor
from tests.support.house import House, listed

NEXT = SessionFacts(date(2026, 12, 1), 2.0)


def grow(house: House, facts: SessionFacts = NEXT) -> None:
    with house.unit_of_work() as services:
        services.series.add(house.campus, house.activity.id, facts, by=Actor(house.trainer.id))


def hours(house: House) -> dict[str, float | None]:
    with house.unit_of_work(reading=True) as services:
        shown = services.activities.page(house.campus, house.activity.id)
        return {person.given_name: part.hours for part, person in shown.participants}


def log_lines(house: House) -> dict[str, tuple[object, ...]]:
    """What the log says now of each person: when the activity is, how long they were there."""
    with house.unit_of_work(reading=True) as services:
        people = {
            str(person.id): person.given_name
            for _, person in services.activities.page(house.campus, house.activity.id).participants
        }
        journal = services.activity_journal.of(house.campus, house.activity.id)
        return {
            people[str(line.facts["person"])]: (
                line.facts["startsOn"],
                line.facts["endsOn"],
                line.facts["minutes"],
            )
            for line in journal.lines
            if not line.replaced and line.facts.get("present")
        }


def record_with_hours(house: House) -> None:
    """Zoé as long as the workshop, Moussa an hour and a half of it, Léo noted and then not there."""
    with house.unit_of_work() as services:
        services.activities.record(
            house.campus,
            house.activity.id,
            listed("prénom;nom;heures", "Zoé;Martin;", "Moussa;Keïta;1,5", "Léo;Faure;"),
            by=Actor(house.trainer.id),
        )
        leo = next(
            part
            for part, person in services.activities.page(house.campus, house.activity.id).participants
            if person.given_name == "Léo"
        )
        services.activities.set_present(
            house.campus, house.activity.id, leo.id, present=False, by=Actor(house.trainer.id)
        )


def test_who_was_there_and_for_how_long_is_what_the_first_session_says(house: House) -> None:
    record_with_hours(house)
    grow(house)
    with house.unit_of_work(reading=True) as services:
        sessions, came = services.activity_sessions.list_of(house.campus, house.activity.id)
        assert [(each.held_on, each.hours, came.get(each.id, 0)) for each in sessions] == [
            (date(2026, 11, 24), 3.0, 2),
            (date(2026, 12, 1), 2.0, 0),
        ]
        activity = services.activities.get(house.campus, house.activity.id)
        assert (activity.starts_on, activity.ends_on, activity.hours) == (
            date(2026, 11, 24),
            date(2026, 12, 1),
            5.0,
        )
    assert hours(house) == {"Zoé": 3.0, "Moussa": 1.5}
    assert log_lines(house) == {
        "Zoé": ("2026-11-24", "2026-12-01", 180),
        "Moussa": ("2026-11-24", "2026-12-01", 90),
    }


def test_hours_of_one_s_own_stay_when_the_next_session_is_noted(house: House) -> None:
    record_with_hours(house)
    grow(house)
    with house.unit_of_work() as services:
        sessions, _ = services.activity_sessions.list_of(house.campus, house.activity.id)
        there = services.activity_sessions.sheet(house.campus, house.activity.id, sessions[1].id).participants
        everybody = {part.id for part, _ in there}
        services.activity_sessions.note(
            house.campus,
            house.activity.id,
            sessions[1].id,
            everybody,
            shown=everybody,
            by=Actor(house.trainer.id),
        )
    assert hours(house) == {"Zoé": 5.0, "Moussa": 3.5}


def test_hours_that_nobody_said_stay_unsaid(house: House) -> None:
    with house.unit_of_work() as services:
        activity = services.activities.get(house.campus, house.activity.id)
        activity.hours = None
        services.activities.activities.save(activity)
    house.record("Zoé Martin; zoe@exemple.fr")
    grow(house, SessionFacts(date(2026, 12, 1)))
    assert hours(house) == {"Zoé": None}


def test_a_badge_given_before_says_what_it_said_and_is_given_once(house: House) -> None:
    result = house.award("Zoé Martin; zoe@exemple.fr")
    award_id = result.lines[0].award_id
    assert award_id is not None
    with house.unit_of_work(reading=True) as services:
        before = services.awards.awards.document_of(award_id).embedded
    grow(house)
    with house.unit_of_work(reading=True) as services:
        assert services.awards.awards.document_of(award_id).embedded == before
        answer = services.verification.verify_award(services.awards.record(award_id))
        proved = services.verification.evidence_of(answer)
        assert proved is not None
        assert proved.outcome.value == "proved", proved
    again = house.award("Zoé Martin; zoe@exemple.fr")
    assert again.lines[0].award_id in (None, award_id)


def test_a_day_that_is_taken_leaves_the_activity_as_it_was(house: House) -> None:
    house.record("Zoé Martin; zoe@exemple.fr")
    with pytest.raises(DayTaken):
        grow(house, SessionFacts(date(2026, 11, 24), 2.0))
    with house.unit_of_work(reading=True) as services:
        assert services.activity_sessions.list_of(house.campus, house.activity.id)[0] == []
    assert hours(house) == {"Zoé": None}
