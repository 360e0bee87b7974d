"""Import of sessions from a calendar: preview, idempotent, cancelled sessions reported, local changes unchanged."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from app.domain.activities import Activity, ActivityKind, ActivitySession, SessionFacts
from app.domain.campus.audit_log import Actor
from app.domain.imports.imports import ImportForm, ImportLineOutcome, ImportState, form_of
from app.errors import Conflict, InvalidInput
from app.services.imports.calendar_imports import CALLED_OFF, IN_USE, NO_LONGER_THERE
from tests.support.app import App, listed

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


def drop(app: App, *events: str) -> uuid.UUID:
    with app.unit_of_work() as services:
        by = Actor(app.trainer.id)
        return services.calendar_imports.drop(app.campus, "Agenda", calendar(*events), by=by).id


def take(app: App, *events: str) -> list[tuple[ImportLineOutcome, str]]:
    run_id = drop(app, *events)
    with app.unit_of_work() as services:
        services.calendar_imports.confirm(app.campus, run_id, ActivityKind.COURSE, by=Actor(app.trainer.id))
        return [(line.fate, line.reason) for line in services.imports.lines(app.campus, run_id)]


def activities(app: App) -> list[Activity]:
    with app.unit_of_work(reading=True) as services:
        listed = services.activities.list_in(app.campus)
        return [one for one, _ in listed if one.id != app.activity.id]


def sessions(app: App) -> list[ActivitySession]:
    [one] = [one for one in activities(app) if one.title.startswith("Robotique")]
    with app.unit_of_work(reading=True) as services:
        return list(services.activity_sessions.list_of(app.campus, one.id)[0])


def days(app: App) -> list[str]:
    return [f"{one.held_on:%d/%m}" for one in sessions(app)]


def test_preview_has_the_result_of_each_line_and_writes_nothing(app: App) -> None:
    run_id = drop(app, SERIES, ONCE)
    with app.unit_of_work(reading=True) as services:
        draft = services.calendar_imports.draft(app.campus, run_id)
        assert [one.fate for one in draft.lines] == [ImportLineOutcome.CREATED] * 4
        assert services.imports.reports(app.campus) == []
    assert activities(app) == []


def test_a_calendar_makes_activities_and_their_sessions(app: App) -> None:
    assert [fate for fate, _ in take(app, SERIES, ONCE)] == [ImportLineOutcome.CREATED] * 4
    by_title = {one.title: one for one in activities(app)}
    series, once = by_title["Robotique pour tous"], by_title["Forum des métiers"]
    assert (series.starts_on, series.ends_on, series.hours) == (date(2026, 10, 5), date(2026, 10, 19), 6.0)
    assert (series.kind, series.place) == (ActivityKind.COURSE, "Le Creusot")
    assert (once.starts_on, once.ends_on, once.hours) == (date(2026, 11, 10), date(2026, 11, 10), None)
    assert [(one.held_on.day, one.hours) for one in sessions(app)] == [(5, 2.0), (12, 2.0), (19, 2.0)]


def test_the_same_calendar_again_changes_nothing(app: App) -> None:
    take(app, SERIES, ONCE)
    assert {fate for fate, _ in take(app, SERIES, ONCE)} == {ImportLineOutcome.SAME}
    assert len(activities(app)) == 2
    assert len(sessions(app)) == 3


def test_calendar_change_is_imported_and_a_trainer_s_correction_stays(app: App) -> None:
    take(app, SERIES)
    [activity] = activities(app)
    with app.unit_of_work() as services:
        services.activity_plans.correct(
            app.campus, activity.id, {"place": "Montceau"}, by=Actor(app.trainer.id)
        )
    assert {fate for fate, _ in take(app, SERIES)} == {ImportLineOutcome.SAME}
    assert take(app, SERIES.replace("pour tous", "pour toutes"))[0][0] is ImportLineOutcome.CHANGED
    [activity] = activities(app)
    assert (activity.title, activity.place) == ("Robotique pour toutes", "Montceau")


def test_moved_session_stays_the_same_session(app: App) -> None:
    take(app, SERIES)
    before = {one.id for one in sessions(app)}
    moved = SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=3", "RECURRENCE-ID:20261012T070000Z").replace(
        "20261005T", "20261014T"
    )
    assert [fate for fate, _ in take(app, SERIES, moved)] == [
        ImportLineOutcome.SAME,
        ImportLineOutcome.CHANGED,
        ImportLineOutcome.SAME,
    ]
    assert days(app) == ["05/10", "14/10", "19/10"]
    assert {one.id for one in sessions(app)} == before


def test_cancelled_and_vanished_sessions_are_removed_and_reported(app: App) -> None:
    take(app, SERIES)
    off = "UID:serie@exemple.fr\nRECURRENCE-ID:20261012T070000Z\nSTATUS:CANCELLED\nDTSTART:20261012T070000Z"
    assert take(app, SERIES, off)[1] == (ImportLineOutcome.CHANGED, CALLED_OFF)
    assert days(app) == ["05/10", "19/10"]
    assert [fate for fate, _ in take(app, SERIES, off)] == [ImportLineOutcome.SAME] * 3
    assert take(app, SERIES.replace("COUNT=3", "COUNT=1"))[-1] == (
        ImportLineOutcome.CHANGED,
        NO_LONGER_THERE,
    )
    assert days(app) == ["05/10"]


def test_session_with_recorded_presence_stays(app: App) -> None:
    take(app, SERIES)
    [activity] = activities(app)
    with app.unit_of_work() as services:
        services.activities.record(
            app.campus, activity.id, listed("MARTIN Zoé; zoe@exemple.fr"), by=Actor(app.trainer.id)
        )
        [(participation, _)] = services.activities.page(app.campus, activity.id).participants
        second = services.activity_sessions.list_of(app.campus, activity.id)[0][1]
        services.activity_sessions.note(
            app.campus, activity.id, second.id, [participation.id],
            shown=[participation.id], by=Actor(app.trainer.id),
        )  # fmt: skip
    without = SERIES + "\nEXDATE;TZID=Europe/Paris:20261012T090000"
    assert take(app, without)[-1] == (ImportLineOutcome.REFUSED, IN_USE)
    assert days(app) == ["05/10", "12/10", "19/10"]
    assert take(app, SERIES.replace("T110000", "T120000"))[1][0] is ImportLineOutcome.CHANGED
    with app.unit_of_work(reading=True) as services:
        [(participation, _)] = services.activities.page(app.campus, activity.id).participants
        assert participation.hours == 3.0


def test_existing_activity_is_completed_without_a_duplicate(app: App) -> None:
    own = app.activity
    event = f"UID:x\nSUMMARY:{own.title}\nLOCATION:Salle 3\nDTSTART;VALUE=DATE:{own.starts_on:%Y%m%d}"
    fates = take(app, event)
    assert fates[0][0] in (ImportLineOutcome.SAME, ImportLineOutcome.CHANGED)
    assert activities(app) == []


def test_unreadable_file_leaves_nothing_and_a_confirmed_one_cannot_be_confirmed_again(app: App) -> None:
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.calendar_imports.drop(app.campus, "Agenda", b"BEGIN:VCALENDAR", by=Actor(app.trainer.id))
    run_id = drop(app, ONCE)
    with app.unit_of_work() as services:
        services.calendar_imports.confirm(app.campus, run_id, ActivityKind.EVENT, by=Actor(app.trainer.id))
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.calendar_imports.confirm(app.campus, run_id, ActivityKind.EVENT, by=Actor(app.trainer.id))
    with app.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(app.campus)
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
def test_format_of_a_file_is_detected_by_its_first_bytes(data: bytes, form: ImportForm) -> None:
    assert form_of(data) is form


def test_event_made_a_series_by_a_trainer_keeps_its_days(app: App) -> None:
    take(app, ONCE)
    [once] = activities(app)
    with app.unit_of_work() as services:
        facts = SessionFacts(date(2026, 11, 17), 2.0)
        services.series.add(app.campus, once.id, facts, by=Actor(app.trainer.id))
    moved = ONCE.replace("20261110", "20261112").replace("Forum des", "Grand forum des")
    assert [fate for fate, _ in take(app, moved)] == [ImportLineOutcome.CHANGED]
    [kept] = activities(app)
    assert (kept.title, kept.starts_on, kept.ends_on) == (
        "Grand forum des métiers",
        date(2026, 11, 10),
        date(2026, 11, 17),
    )


def test_activity_with_a_participant_becomes_the_first_session_of_a_repeated_event(
    app: App,
) -> None:
    alone = SERIES.partition("\nRRULE")[0]
    take(app, alone)
    [once] = activities(app)
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        services.activities.record(app.campus, once.id, tuple(listed("Zoé Martin")), by=by)
    assert {fate for fate, _ in take(app, SERIES)} == {ImportLineOutcome.CREATED}
    assert days(app) == ["05/10", "12/10", "19/10"]
    with app.unit_of_work(reading=True) as services:
        there, came = services.activity_sessions.list_of(app.campus, once.id)
        assert [came.get(each.id, 0) for each in there] == [1, 0, 0]
        [(zoe, _)] = services.activities.page(app.campus, once.id).participants
        assert zoe.hours == 2, "of the three meetings she came to the first"
    assert {fate for fate, _ in take(app, SERIES)} == {ImportLineOutcome.SAME}
