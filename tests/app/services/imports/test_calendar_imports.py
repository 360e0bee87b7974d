"""Sessions taken over from a calendar: foreseen first, safe to run twice, cancelled ones told, what was noted here kept."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from app.domain.activities import Activity, ActivityKind, ActivitySession, SessionFacts
from app.domain.campus.audit_log import Actor
from app.domain.imports.imports import ImportForm, ImportLineOutcome, ImportState, form_of
from app.errors import Conflict, InvalidInput
from app.services.imports.calendar_imports import CALLED_OFF, IN_USE, NO_LONGER_THERE
from tests.support.house import House, listed

SERIES = """UID:serie@exemple.fr
SUMMARY:Robotique pour tous
LOCATION:Le Creusot
DTSTART;TZID=Europe/Paris:20261005T090000
DTEND;TZID=Europe/Paris:20261005T110000
RRULE:FREQ=WEEKLY;COUNT=3"""
ONCE = """UID:une-fois@exemple.fr
SUMMARY:Forum des métiers
DTSTART;VALUE=DATE:20261110"""


def calendar(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{body}END:VCALENDAR\n".encode()


def drop(house: House, *events: str) -> uuid.UUID:
    with house.unit_of_work() as services:
        by = Actor(house.trainer.id)
        return services.calendar_imports.drop(house.campus, "Agenda", calendar(*events), by=by).id


def take(house: House, *events: str) -> list[tuple[ImportLineOutcome, str]]:
    run_id = drop(house, *events)
    with house.unit_of_work() as services:
        services.calendar_imports.confirm(
            house.campus, run_id, ActivityKind.COURSE, by=Actor(house.trainer.id)
        )
        return [(line.fate, line.reason) for line in services.imports.lines(house.campus, run_id)]


def activities(house: House) -> list[Activity]:
    with house.unit_of_work(reading=True) as services:
        listed = services.activities.list_in(house.campus)
        return [one for one, _ in listed if one.id != house.activity.id]


def sessions(house: House) -> list[ActivitySession]:
    [one] = [one for one in activities(house) if one.title.startswith("Robotique")]
    with house.unit_of_work(reading=True) as services:
        return list(services.activity_sessions.list_of(house.campus, one.id)[0])


def days(house: House) -> list[str]:
    return [f"{one.held_on:%d/%m}" for one in sessions(house)]


def test_a_dry_run_foresees_each_line_and_writes_nothing(house: House) -> None:
    run_id = drop(house, SERIES, ONCE)
    with house.unit_of_work(reading=True) as services:
        draft = services.calendar_imports.draft(house.campus, run_id)
        assert [one.fate for one in draft.lines] == [ImportLineOutcome.CREATED] * 4
        assert services.imports.reports(house.campus) == []
    assert activities(house) == []


def test_a_calendar_makes_activities_and_their_sessions(house: House) -> None:
    assert [fate for fate, _ in take(house, SERIES, ONCE)] == [ImportLineOutcome.CREATED] * 4
    by_title = {one.title: one for one in activities(house)}
    series, once = by_title["Robotique pour tous"], by_title["Forum des métiers"]
    assert (series.starts_on, series.ends_on, series.hours) == (date(2026, 10, 5), date(2026, 10, 19), 6.0)
    assert (series.kind, series.place) == (ActivityKind.COURSE, "Le Creusot")
    assert (once.starts_on, once.ends_on, once.hours) == (date(2026, 11, 10), date(2026, 11, 10), None)
    assert [(one.held_on.day, one.hours) for one in sessions(house)] == [(5, 2.0), (12, 2.0), (19, 2.0)]


def test_the_same_calendar_again_changes_nothing(house: House) -> None:
    take(house, SERIES, ONCE)
    assert {fate for fate, _ in take(house, SERIES, ONCE)} == {ImportLineOutcome.SAME}
    assert len(activities(house)) == 2
    assert len(sessions(house)) == 3


def test_what_the_calendar_says_anew_is_corrected_and_a_trainer_s_words_stay(house: House) -> None:
    take(house, SERIES)
    [activity] = activities(house)
    with house.unit_of_work() as services:
        services.activity_plans.correct(
            house.campus, activity.id, {"place": "Montceau"}, by=Actor(house.trainer.id)
        )
    assert {fate for fate, _ in take(house, SERIES)} == {ImportLineOutcome.SAME}
    assert take(house, SERIES.replace("pour tous", "pour toutes"))[0][0] is ImportLineOutcome.CHANGED
    [activity] = activities(house)
    assert (activity.title, activity.place) == ("Robotique pour toutes", "Montceau")


def test_a_moved_session_keeps_being_the_same(house: House) -> None:
    take(house, SERIES)
    before = {one.id for one in sessions(house)}
    moved = SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=3", "RECURRENCE-ID:20261012T070000Z").replace(
        "20261005T", "20261014T"
    )
    assert [fate for fate, _ in take(house, SERIES, moved)] == [
        ImportLineOutcome.SAME,
        ImportLineOutcome.CHANGED,
        ImportLineOutcome.SAME,
    ]
    assert days(house) == ["05/10", "14/10", "19/10"]
    assert {one.id for one in sessions(house)} == before


def test_cancelled_and_vanished_sessions_go_and_are_told(house: House) -> None:
    take(house, SERIES)
    off = "UID:serie@exemple.fr\nRECURRENCE-ID:20261012T070000Z\nSTATUS:CANCELLED\nDTSTART:20261012T070000Z"
    assert take(house, SERIES, off)[1] == (ImportLineOutcome.CHANGED, CALLED_OFF)
    assert days(house) == ["05/10", "19/10"]
    assert [fate for fate, _ in take(house, SERIES, off)] == [ImportLineOutcome.SAME] * 3
    assert take(house, SERIES.replace("COUNT=3", "COUNT=1"))[-1] == (
        ImportLineOutcome.CHANGED,
        NO_LONGER_THERE,
    )
    assert days(house) == ["05/10"]


def test_a_session_whose_sheet_has_served_stays(house: House) -> None:
    take(house, SERIES)
    [activity] = activities(house)
    with house.unit_of_work() as services:
        services.activities.record(
            house.campus, activity.id, listed("MARTIN Zoé; zoe@exemple.fr"), by=Actor(house.trainer.id)
        )
        [(participation, _)] = services.activities.page(house.campus, activity.id).participants
        second = services.activity_sessions.list_of(house.campus, activity.id)[0][1]
        services.activity_sessions.note(
            house.campus, activity.id, second.id, [participation.id],
            shown=[participation.id], by=Actor(house.trainer.id),
        )  # fmt: skip
    without = SERIES + "\nEXDATE;TZID=Europe/Paris:20261012T090000"
    assert take(house, without)[-1] == (ImportLineOutcome.REFUSED, IN_USE)
    assert days(house) == ["05/10", "12/10", "19/10"]
    assert take(house, SERIES.replace("T110000", "T120000"))[1][0] is ImportLineOutcome.CHANGED
    with house.unit_of_work(reading=True) as services:
        [(participation, _)] = services.activities.page(house.campus, activity.id).participants
        assert participation.hours == 3.0


def test_an_activity_that_is_there_already_is_completed_and_not_doubled(house: House) -> None:
    own = house.activity
    event = f"UID:x\nSUMMARY:{own.title}\nLOCATION:Salle 3\nDTSTART;VALUE=DATE:{own.starts_on:%Y%m%d}"
    fates = take(house, event)
    assert fates[0][0] in (ImportLineOutcome.SAME, ImportLineOutcome.CHANGED)
    assert activities(house) == []


def test_an_unreadable_file_leaves_nothing_and_a_confirmed_one_is_not_confirmed_again(house: House) -> None:
    with house.unit_of_work() as services, pytest.raises(InvalidInput):
        services.calendar_imports.drop(house.campus, "Agenda", b"BEGIN:VCALENDAR", by=Actor(house.trainer.id))
    run_id = drop(house, ONCE)
    with house.unit_of_work() as services:
        services.calendar_imports.confirm(
            house.campus, run_id, ActivityKind.EVENT, by=Actor(house.trainer.id)
        )
    with house.unit_of_work() as services, pytest.raises(Conflict):
        services.calendar_imports.confirm(
            house.campus, run_id, ActivityKind.EVENT, by=Actor(house.trainer.id)
        )
    with house.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(house.campus)
        assert (report.run.form, report.run.state, report.run.given) == (
            ImportForm.CALENDAR,
            ImportState.DONE,
            b"",
        )


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"\xef\xbb\xbfBEGIN:VCALENDAR\r\n", ImportForm.CALENDAR),
        (b' \n[{"id": 1}]', ImportForm.XAPI),
        (b"Nom;Activit\xe9", ImportForm.TABLE),
        (b"PK\x03\x04", ImportForm.TABLE),
    ],
)
def test_a_file_is_known_by_how_it_begins(data: bytes, form: ImportForm) -> None:
    assert form_of(data) is form


def test_an_event_that_a_trainer_made_a_series_keeps_the_days_of_its_sessions(house: House) -> None:
    take(house, ONCE)
    [once] = activities(house)
    with house.unit_of_work() as services:
        facts = SessionFacts(date(2026, 11, 17), 2.0)
        services.series.add(house.campus, once.id, facts, by=Actor(house.trainer.id))
    moved = ONCE.replace("20261110", "20261112").replace("Forum des", "Grand forum des")
    assert [fate for fate, _ in take(house, moved)] == [ImportLineOutcome.CHANGED]
    [kept] = activities(house)
    assert (kept.title, kept.starts_on, kept.ends_on) == (
        "Grand forum des métiers",
        date(2026, 11, 10),
        date(2026, 11, 17),
    )


def test_a_meeting_to_which_somebody_came_is_the_first_session_once_the_calendar_repeats_it(
    house: House,
) -> None:
    alone = SERIES.partition("\nRRULE")[0]
    take(house, alone)
    [once] = activities(house)
    by = Actor(house.trainer.id)
    with house.unit_of_work() as services:
        services.activities.record(house.campus, once.id, tuple(listed("Zoé Martin")), by=by)
    assert {fate for fate, _ in take(house, SERIES)} == {ImportLineOutcome.CREATED}
    assert days(house) == ["05/10", "12/10", "19/10"]
    with house.unit_of_work(reading=True) as services:
        there, came = services.activity_sessions.list_of(house.campus, once.id)
        assert [came.get(each.id, 0) for each in there] == [1, 0, 0]
        [(zoe, _)] = services.activities.page(house.campus, once.id).participants
        assert zoe.hours == 2, "of the three meetings she came to the first"
    assert {fate for fate, _ in take(house, SERIES)} == {ImportLineOutcome.SAME}
