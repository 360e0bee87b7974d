"""A followed calendar is read at intervals: known events are updated, new or removed ones wait for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.adapters.secrets import Kek, KeyVault
from app.db.campus import CampusStore
from app.domain.activities import ActivityKind, SessionFacts
from app.domain.core import new_id
from app.domain.imports.calendars import (
    DECLINED,
    EDITED_HERE,
    FAILURES_BEFORE_PAUSE,
    GONE,
    IN_THE_PAST,
    MANY_CORRECTED,
    MANY_NEW,
    MOST_CORRECTED,
    MOST_NEW,
    NEW,
    PRIVATE,
    READ_AGAIN_AFTER,
    READ_EVERY,
    SEEMS_HERE,
    SERIES_MOVED,
    TO_REMOVE,
    CalendarState,
    CalendarSubscription,
    checked_url,
)
from app.domain.imports.imports import ImportLineOutcome
from app.errors import Conflict, InvalidInput
from app.jobs.kinds import CALENDARS
from app.services.imports import calendar_imports
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values import FetchedDocument
from tests.app.services.imports.test_calendar_imports import (
    ONCE,
    SERIES,
    activities,
    calendar,
    days,
    sessions,
)
from tests.support.app import COMMAND, App, done_once, listed
from tests.support.letters import send_all

URL = "https://agenda.exemple.fr/secret/activites.ics"
OTHER = "UID:autre@exemple.fr\nSUMMARY:Conseil des apprentis\nDTSTART;VALUE=DATE:20261201"
"""The tests' clock is in November 2026: it is to come."""


class Agenda:
    """A DocumentSource with one calendar."""

    def __init__(self) -> None:
        self.body = calendar(SERIES, OTHER)
        self.fault, self.retry_after = "", 0
        self.accepted: list[str] = []

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        assert url == URL
        self.accepted.append(accept)
        if self.fault:
            raise DocumentUnavailable(url, self.fault, retry_after=self.retry_after)
        return FetchedDocument(url, self.body, "text/calendar")


@pytest.fixture
def agenda(app: App) -> Iterator[Agenda]:
    usual = app.process.beyond
    app.process.beyond = found = Agenda()
    yield found
    app.process.beyond = usual


@done_once
def follow(app: App, *, creates: bool = True) -> CalendarSubscription:
    with app.unit_of_work() as services:
        return services.calendar_subscriptions.add(
            app.campus, source="Agenda", url=URL, kind=ActivityKind.COURSE, creates=creates, by=COMMAND
        )


def read(app: App, calendar: CalendarSubscription, *, later: timedelta = READ_EVERY) -> CalendarSubscription:
    """Read the calendar as the worker does when it is due."""
    app.clock.now += later
    with app.unit_of_work(reading=True) as services:
        assert calendar.id in services.calendar_subscriptions.due(limit=10)
    CALENDARS.perform(app.process, calendar.id)
    with app.unit_of_work(reading=True) as services:
        return services.calendar_subscriptions.get(app.campus, calendar.id)


def lines(app: App, calendar: CalendarSubscription) -> list[tuple[ImportLineOutcome, str]]:
    assert calendar.run_id is not None
    with app.unit_of_work(reading=True) as services:
        return [(one.fate, one.reason) for one in services.imports.lines(app.campus, calendar.run_id)]


def counts(calendar: CalendarSubscription) -> dict[str, Any]:
    return {name: count for name, count in calendar.waiting.items() if name != "digest"}


def titles(app: App) -> list[str]:
    return sorted(one.title for one in activities(app))


def test_new_activities_are_created_once_if_the_campus_chose_so(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    assert titles(app) == ["Conseil des apprentis", "Robotique pour tous"]
    assert days(app) == ["05/10", "12/10", "19/10"]
    assert (followed.fault, followed.failures, counts(followed)) == ("", 0, {})
    assert agenda.accepted[0].startswith("text/calendar")
    again = read(app, followed)
    assert again.run_id == followed.run_id, "the same calendar again leaves no report"
    assert len(activities(app)) == 2


def test_changed_event_is_updated_by_its_identifier(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    before = {one.id for one in activities(app)}
    agenda.body = calendar(SERIES, OTHER.replace("apprentis", "apprenties").replace("20261201", "20261202"))
    followed = read(app, followed)
    assert {one.id for one in activities(app)} == before
    assert titles(app) == ["Conseil des apprenties", "Robotique pour tous"]
    assert (ImportLineOutcome.CHANGED) in {fate for fate, _ in lines(app, followed)}


def test_new_activities_wait_for_a_choice_by_default(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app, creates=False))
    assert titles(app) == []
    assert counts(followed) == {"new": 4}
    assert lines(app, followed) == [(ImportLineOutcome.REFUSED, NEW)] * 4
    assert read(app, followed).run_id == followed.run_id, "it is said once"
    with app.unit_of_work() as services:
        fetched = services.calendar_subscriptions.fetch(followed.id)
        assert fetched is not None
        run = services.calendar_subscriptions.choose(app.campus, followed.id, fetched, by=COMMAND)
        drafted = services.calendar_imports.draft(app.campus, run.id).lines
        other = {one.choice for one in drafted if one.meeting.title == "Conseil des apprentis"}
        services.calendar_imports.confirm(app.campus, run.id, ActivityKind.COURSE, by=COMMAND, without=other)
    assert titles(app) == ["Robotique pour tous"]
    followed = read(app, followed, later=READ_AGAIN_AFTER)
    assert counts(followed) == {}, "what was left out is not proposed again"
    agenda.body = calendar(SERIES.replace("COUNT=3", "COUNT=4"), OTHER)
    followed = read(app, followed)
    assert titles(app) == ["Robotique pour tous"]
    assert (ImportLineOutcome.REFUSED, DECLINED) in lines(app, followed)
    with app.unit_of_work() as services:
        fetched = services.calendar_subscriptions.fetch(followed.id)
        assert fetched is not None
        run = services.calendar_subscriptions.choose(app.campus, followed.id, fetched, by=COMMAND)
        draft = services.calendar_imports.draft(app.campus, run.id)
        assert {one.meeting.title for one in draft.lines if one.choice in draft.declined} == {
            "Conseil des apprentis"
        }


def test_vanished_session_is_reported_and_stays(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    off = "UID:serie@exemple.fr\nRECURRENCE-ID:20261019T070000Z\nSTATUS:CANCELLED\nDTSTART:20261019T070000Z"
    agenda.body = calendar(SERIES + "\nEXDATE;TZID=Europe/Paris:20261012T090000", off, OTHER)
    followed = read(app, followed)
    assert days(app) == ["05/10", "12/10", "19/10"]
    assert counts(followed) == {"removed": 2}
    assert lines(app, followed).count((ImportLineOutcome.REFUSED, TO_REMOVE)) == 2
    with app.unit_of_work() as services:
        fetched = services.calendar_subscriptions.fetch(followed.id)
        assert fetched is not None
        run = services.calendar_subscriptions.choose(app.campus, followed.id, fetched, by=COMMAND)
        services.calendar_imports.confirm(app.campus, run.id, ActivityKind.COURSE, by=COMMAND)
    assert days(app) == ["05/10"], "a person removed them"
    assert counts(read(app, followed, later=READ_AGAIN_AFTER)) == {}


def test_vanished_activity_is_reported_and_stays(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    agenda.body = calendar(ONCE)
    followed = read(app, followed)
    assert "Conseil des apprentis" in titles(app)
    assert counts(followed) == {"gone": 1}, "only future activities count; the series is over"
    assert (ImportLineOutcome.REFUSED, GONE) in lines(app, followed)
    agenda.body = calendar(ONCE, OTHER + "\nSTATUS:CANCELLED")
    assert counts(read(app, followed)) == {"gone": 1}
    assert "Conseil des apprentis" in titles(app)


def test_event_like_an_existing_activity_is_not_created(app: App, agenda: Agenda) -> None:
    alike = f"UID:x@exemple.fr\nSUMMARY:Grand atelier\nDTSTART;VALUE=DATE:{app.activity.starts_on:%Y%m%d}"
    agenda.body = calendar(alike)
    followed = read(app, follow(app))
    assert lines(app, followed) == [(ImportLineOutcome.REFUSED, SEEMS_HERE)]
    assert titles(app) == []


@pytest.mark.parametrize(("asked", "waited"), [(60, 900), (5_400, 5_400), (10_000_000, 86_400)])
def test_calendar_is_not_read_before_retry_after(app: App, agenda: Agenda, asked: int, waited: int) -> None:
    """At most a day, and never sooner than after another failure."""
    agenda.fault, agenda.retry_after = "http_status", asked
    followed = read(app, follow(app))
    assert (followed.fault, followed.next_at - app.clock.now) == ("http_status", timedelta(seconds=waited))
    agenda.fault = ""
    assert read(app, followed, later=timedelta(seconds=waited)).failures == 0


@pytest.mark.parametrize(("fault", "body"), [("timeout", b""), ("", b"<html></html>")])
def test_failing_calendar_is_read_at_growing_intervals(
    app: App, agenda: Agenda, fault: str, body: bytes
) -> None:
    agenda.fault, agenda.body = fault, body or agenda.body
    followed = read(app, follow(app))
    assert (followed.failures, followed.fault) == (1, fault or "unreadable")
    pauses = [followed.next_at - app.clock.now]
    while followed.is_active:
        followed = read(app, followed, later=followed.next_at - app.clock.now)
        pauses.append(followed.next_at - app.clock.now)
    assert pauses == sorted(pauses)
    assert (followed.state, followed.failures) == (CalendarState.FAILING, FAILURES_BEFORE_PAUSE)
    with app.unit_of_work() as services:
        assert followed.id not in services.calendar_subscriptions.due(limit=10)
        services.calendar_subscriptions.resume(app.campus, followed.id, by=COMMAND)
    agenda.fault, agenda.body = "", calendar(ONCE)
    assert read(app, followed, later=READ_AGAIN_AFTER).fault == ""


def test_manual_reading_does_not_pause_a_calendar_sooner(app: App, agenda: Agenda) -> None:
    """« depuis plus de dix jours »"""
    agenda.fault = "timeout"
    followed = read(app, follow(app))
    for _ in range(2 * FAILURES_BEFORE_PAUSE):
        with app.unit_of_work() as services:
            services.calendar_subscriptions.read_soon(app.campus, followed.id)
        followed = read(app, followed, later=READ_AGAIN_AFTER)
    assert followed.is_active
    assert read(app, followed, later=timedelta(days=10)).state is CalendarState.FAILING


def test_administrators_get_one_email_in_their_language(app: App, agenda: Agenda) -> None:
    with app.unit_of_work() as services:
        admin = services.people.people.get(app.admin.id)
        admin.language = "en"
        services.people.people.save(admin)
    agenda.fault = "not_found"
    followed = follow(app)
    while followed.is_active:
        followed = read(app, followed, later=max(followed.next_at - app.clock.now, READ_AGAIN_AFTER))
    CALENDARS.perform(app.process, followed.id)
    send_all(app.process.post)
    [written] = [each for each in app.letters.letters if "Agenda" in each.subject]
    assert written.to.endswith("uvrard@exemple.fr")
    assert (written.language, written.subject) == ("en", "The calendar “Agenda” is paused")
    assert "/gestion/itip/reprises/agendas" in written.text


def test_unfollowed_calendar_leaves_its_activities(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    with app.unit_of_work() as services:
        services.calendar_subscriptions.remove(app.campus, followed.id, by=COMMAND)
    assert len(activities(app)) == 2
    CALENDARS.perform(app.process, followed.id)
    read(app, follow(app))
    assert len(activities(app)) == 2, "followed again, nothing is created twice"


def test_one_calendar_is_followed_once(app: App, agenda: Agenda) -> None:
    followed = follow(app)
    with pytest.raises(Conflict):
        follow(app)
    with app.unit_of_work() as services:
        services.calendar_subscriptions.pause(app.campus, followed.id, by=COMMAND)
        assert followed.id not in services.calendar_subscriptions.due(limit=10)
        with pytest.raises(Conflict):
            services.calendar_subscriptions.read_soon(app.campus, followed.id)


def to_come(count: int, mark: str = "") -> list[str]:
    return [
        f"UID:{mark}{at}@exemple.fr\nSUMMARY:{mark}{at}\nDTSTART;VALUE=DATE:2027{at % 12 + 1:02}{at // 12 + 1:02}"
        for at in range(count)
    ]


@pytest.mark.both_engines
def test_many_new_activities_at_once_wait_for_a_person(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(*to_come(MOST_NEW + 1))
    followed = read(app, follow(app))
    assert titles(app) == []
    assert counts(followed) == {"new": MOST_NEW + 1}
    assert {reason for _, reason in lines(app, followed)} == {MANY_NEW}
    agenda.body = calendar(*to_come(MOST_NEW))
    read(app, followed)
    assert len(titles(app)) == MOST_NEW


@pytest.mark.both_engines
def test_many_corrections_at_once_wait_for_a_person_and_are_reported_again(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(*to_come(MOST_CORRECTED))
    followed = read(app, follow(app))
    agenda.body = calendar(*to_come(MOST_CORRECTED), *to_come(1, "b"))
    followed = read(app, followed)
    before = titles(app)
    changed = [each.replace("SUMMARY:", "SUMMARY:Atelier ") for each in to_come(MOST_CORRECTED)]
    also = [each.replace("SUMMARY:", "SUMMARY:Atelier ") for each in to_come(1, "b")]
    agenda.body = calendar(*changed, *also, *to_come(1, "c"))
    for _ in range(2):
        followed = read(app, followed)
        assert titles(app) == sorted([*before, "c0"]), "a new one is none of them"
        assert counts(followed) == {"changed": MOST_CORRECTED + 1}
        assert (ImportLineOutcome.REFUSED, MANY_CORRECTED) in lines(app, followed)
    agenda.body = calendar(*changed, *to_come(1, "b"), *to_come(1, "c"))
    followed = read(app, followed)
    assert counts(followed) == {}
    assert titles(app) == sorted(["b0", "c0", *(f"Atelier {at}" for at in range(MOST_CORRECTED))])


def test_reading_replaces_the_pending_lines_of_the_previous_report(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(*to_come(10, "a"))
    followed = read(app, follow(app, creates=False))
    first = followed.run_id
    agenda.body = calendar(*to_come(10, "b"))
    followed = read(app, followed)
    assert followed.run_id != first
    with app.unit_of_work(reading=True) as services:
        assert [each.run.id for each in services.imports.reports(app.campus)] == [followed.run_id]
        assert services.imports.report(app.campus, followed.run_id).total == 10  # type: ignore[arg-type]


def test_report_of_a_reading_that_wrote_keeps_its_lines(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    first = followed.run_id
    assert first is not None
    agenda.body = calendar(SERIES, OTHER.replace("apprentis", "apprenties"))
    followed = read(app, followed)
    with app.unit_of_work(reading=True) as services:
        assert services.imports.report(app.campus, first).total == 4
    agenda.body = calendar(SERIES, OTHER)
    second, followed = followed.run_id, read(app, followed)
    assert second is not None
    with app.unit_of_work(reading=True) as services:
        found = [one.fate for one in services.imports.lines(app.campus, second)]
    assert found == [ImportLineOutcome.CHANGED]


def test_correction_of_a_past_activity_waits_for_a_person(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    agenda.body = calendar(SERIES.replace("T110000", "T170000").replace("tous", "toutes"), OTHER)
    for _ in range(2):
        followed = read(app, followed)
        assert {one.hours for one in activities(app) if one.title == "Robotique pour tous"} == {6.0}
        assert counts(followed) == {"changed": 3}, "also once it was said"
        assert lines(app, followed).count((ImportLineOutcome.REFUSED, IN_THE_PAST)) == 3
    with app.unit_of_work() as services:
        fetched = services.calendar_subscriptions.fetch(followed.id)
        assert fetched is not None
        run = services.calendar_subscriptions.choose(app.campus, followed.id, fetched, by=COMMAND)
        services.calendar_imports.confirm(app.campus, run.id, ActivityKind.COURSE, by=COMMAND)
    assert {one.hours for one in activities(app) if one.title == "Robotique pour toutes"} == {24.0}
    assert counts(read(app, followed)) == {}


def test_correction_of_an_activity_with_participants_waits_and_is_reported_again(
    app: App, agenda: Agenda
) -> None:
    agenda.body = calendar(AHEAD)
    followed = read(app, follow(app))
    [activity] = activities(app)
    with app.unit_of_work() as services:
        services.activities.record(app.campus, activity.id, listed("Zoé Martin; zoe@exemple.fr"), by=COMMAND)
    agenda.body = calendar(AHEAD.replace("tous", "toutes"))
    followed = read(app, followed)
    assert titles(app) == ["Robotique pour tous"]
    assert counts(followed) == {"changed": 1}
    agenda.body = calendar(AHEAD.replace("tous", "toutes"), OTHER)
    assert counts(read(app, followed)) == {"changed": 1}
    assert titles(app) == ["Conseil des apprentis", "Robotique pour tous"]


AHEAD = SERIES.replace("20261005", "20270104")
TIMED = """UID:heure@exemple.fr
SUMMARY:Forum des métiers
LOCATION:Le Creusot
DTSTART;TZID=Europe/Paris:20261210T090000
DTEND;TZID=Europe/Paris:20261210T110000"""


def test_activity_has_the_start_and_end_times_of_its_event(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(TIMED)
    read(app, follow(app))
    [activity] = activities(app)
    assert (activity.start_time, activity.end_time) == (time(9), time(11))


def test_correction_of_an_activity_edited_here_waits_and_is_reported_again(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(TIMED)
    followed = read(app, follow(app))
    [activity] = activities(app)
    with app.unit_of_work() as services:
        services.activity_plans.correct(app.campus, activity.id, {"place": "Montceau"}, by=COMMAND)
    agenda.body = calendar(TIMED.replace("métiers", "talents"))
    followed = read(app, followed)
    assert (titles(app), counts(followed)) == (["Forum des talents"], {}), "another field than the edited one"
    agenda.body = calendar(TIMED.replace("métiers", "talents").replace("Le Creusot", "Autun"))
    for _ in range(2):
        followed = read(app, followed)
        assert ([one.place for one in activities(app)], counts(followed)) == (["Montceau"], {"changed": 1})
    assert lines(app, followed) == [(ImportLineOutcome.REFUSED, EDITED_HERE)]


def test_a_session_that_was_moved_here_and_in_the_calendar_waits(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(AHEAD)
    followed = read(app, follow(app))
    second = sessions(app)[1]
    facts = SessionFacts(second.held_on + timedelta(days=1), second.hours)
    with app.unit_of_work() as services:
        services.series.change(app.campus, second.activity_id, second.id, facts, by=COMMAND)
    moved = AHEAD.replace("RRULE:FREQ=WEEKLY;COUNT=3", "RECURRENCE-ID:20270111T080000Z")
    agenda.body = calendar(AHEAD, moved.replace("20270104T", "20270114T"))
    assert counts(read(app, followed)) == {"changed": 1}
    assert days(app) == ["04/01", "12/01", "18/01"]


def test_series_moved_to_another_weekday_is_not_duplicated(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(AHEAD)
    followed = read(app, follow(app))
    agenda.body = calendar(AHEAD.replace("20270104", "20270105"))
    followed = read(app, followed)
    assert days(app) == ["04/01", "11/01", "18/01"]
    assert counts(followed) == {"new": 3, "removed": 3}
    assert (ImportLineOutcome.REFUSED, SERIES_MOVED) in lines(app, followed)
    agenda.body = calendar(AHEAD)
    assert counts(read(app, followed)) == {}


def test_series_with_other_times_has_its_new_hours(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(AHEAD)
    followed = read(app, follow(app))
    agenda.body = calendar(AHEAD.replace("T090000", "T100000").replace("T110000", "T130000"))
    read(app, followed)
    assert [one.hours for one in sessions(app)] == [3.0] * 3


def test_session_cancelled_here_adds_no_hours_again(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(AHEAD)
    followed = read(app, follow(app))
    second = sessions(app)[1]
    with app.unit_of_work() as services:
        services.series.cancel(app.campus, second.activity_id, second.id, by=COMMAND)
    agenda.body = calendar(AHEAD.replace("COUNT=3", "COUNT=4"))
    followed = read(app, followed)
    assert [one.hours for one in activities(app)] == [6.0]
    agenda.body = calendar(AHEAD.replace("COUNT=3", "COUNT=4") + "\nEXDATE:20270111T080000Z")
    assert counts(read(app, followed)) == {}, "the calendar says the same"


def test_calendar_with_new_identifiers_continues_with_the_same_activities(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(AHEAD, OTHER)
    followed = read(app, follow(app))
    before = {one.id for one in activities(app)}
    agenda.body = calendar(*(each.replace("@exemple.fr", "@exemple.org") for each in (AHEAD, OTHER)))
    followed = read(app, followed)
    assert counts(followed) == {}, "nothing is gone"
    agenda.body = agenda.body.replace(b"Conseil", b"Bureau").replace(b"tous", b"toutes")
    read(app, followed)
    assert titles(app) == ["Bureau des apprentis", "Robotique pour toutes"]
    assert {one.id for one in activities(app)} == before


def test_ignored_correction_does_not_hide_the_next_one(app: App, agenda: Agenda) -> None:
    agenda.body = calendar(TIMED)
    followed = read(app, follow(app))
    with app.unit_of_work() as services:
        [activity] = activities(app)
        services.activities.record(app.campus, activity.id, listed("Zoé Martin; zoe@exemple.fr"), by=COMMAND)
    agenda.body = calendar(TIMED.replace("métiers", "talents"))
    followed = read(app, followed)
    with app.unit_of_work() as services:
        fetched = services.calendar_subscriptions.fetch(followed.id)
        assert fetched is not None
        run = services.calendar_subscriptions.choose(app.campus, followed.id, fetched, by=COMMAND)
        [line] = services.calendar_imports.draft(app.campus, run.id).lines
        services.calendar_imports.confirm(
            app.campus, run.id, ActivityKind.COURSE, by=COMMAND, without={line.choice}
        )
    assert counts(read(app, followed, later=READ_AGAIN_AFTER)) == {}
    agenda.body = calendar(TIMED.replace("métiers", "talents").replace("20261210", "20261211"))
    assert counts(read(app, followed)) == {"changed": 1}


def test_event_that_cannot_be_imported_is_reported_until_its_day(app: App, agenda: Agenda) -> None:
    odd = TIMED.replace("Europe/Paris", "Ville inconnue")
    agenda.body = calendar(odd, OTHER + "\nCLASS:PRIVATE")
    followed = read(app, follow(app))
    assert counts(followed) == {"refused": 1}
    assert {reason for _, reason in lines(app, followed)} > {PRIVATE}
    assert counts(read(app, followed, later=timedelta(days=30))) == {}


def test_a_calendar_without_events_can_be_read(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    agenda.body = calendar()
    followed = read(app, followed)
    assert (followed.fault, counts(followed)) == ("", {"gone": 1})
    with app.unit_of_work() as services:
        fetched = services.calendar_subscriptions.fetch(followed.id)
        assert fetched is not None
        with pytest.raises(InvalidInput, match="aucun événement"):
            services.calendar_subscriptions.choose(app.campus, followed.id, fetched, by=COMMAND)


def test_calendar_is_read_every_five_minutes_at_most(app: App, agenda: Agenda) -> None:
    followed = read(app, follow(app))
    asked = app.clock.now
    app.clock.now += timedelta(minutes=1)
    with app.unit_of_work() as services:
        many = services.calendar_subscriptions
        assert many.read_soon(app.campus, followed.id).next_at == asked + READ_AGAIN_AFTER
        many.pause(app.campus, followed.id, by=COMMAND)
        assert many.resume(app.campus, followed.id, by=COMMAND).next_at == asked + READ_AGAIN_AFTER
        app.clock.now += timedelta(hours=1)
        assert many.read_soon(app.campus, followed.id).next_at == app.clock.now


def test_a_calendar_is_read_before_its_campus_is_locked(
    app: App, agenda: Agenda, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed, steps = follow(app), list[str]()
    lock, parse = CampusStore.lock, calendar_imports.read_calendar
    monkeypatch.setattr(CampusStore, "lock", lambda *result: steps.append("lock") or lock(*result))
    monkeypatch.setattr(
        calendar_imports,
        "read_calendar",
        lambda *result, **more: steps.append("read") or parse(*result, **more),
    )
    read(app, followed)
    with app.unit_of_work() as services:
        content = calendar(ONCE)
        once = services.calendar_imports.read(app.campus, content)
        services.calendar_imports.take(
            app.campus, "API", content, ActivityKind.COURSE, read=once, by=COMMAND, dry_run=True
        )
    assert [step for at, step in enumerate(steps) if step not in steps[:at][-1:]] == ["read", "lock"] * 2


@pytest.mark.both_engines
def test_the_address_of_a_calendar_is_sealed_and_rewrapped(app: App, agenda: Agenda) -> None:
    followed, before = follow(app), app.process.vault
    with app.owner.connect() as connection:
        row = connection.execute(text("SELECT * FROM calendar_subscription")).mappings().one()
    assert not [name for name, value in row.items() if "secret" in str(value)]
    assert followed.host == "agenda.exemple.fr"
    app.process.vault = KeyVault(Kek(b"k" * 32), others=[before.kek])
    with app.unit_of_work() as services:
        assert services.stores.campuses.sealed_under() >= {before.kek.id}
        services.signing.rewrap()
        assert services.calendar_subscriptions.rewrap() == 1
        assert services.calendar_subscriptions.rewrap() == 0
        assert services.stores.campuses.sealed_under() == {app.process.vault.kek.id}
    app.process.vault = KeyVault(app.process.vault.kek)
    assert read(app, followed).fault == ""


def test_sealed_address_opens_only_in_its_own_row(app: App, agenda: Agenda) -> None:
    followed = follow(app)
    with app.unit_of_work() as services:
        moved = services.calendar_subscriptions.get(app.campus, followed.id)
        other = CalendarSubscription(
            **{**moved.model_dump(), "id": new_id(), "source": "B", "url_digest": "b"}
        )
        services.stores.imports.save(other)
    assert read(app, other).fault == "sealed"


def test_the_scheme_of_calendars_is_https() -> None:
    assert checked_url(" webcal://agenda.exemple.fr/a.ics ") == "https://agenda.exemple.fr/a.ics"


@pytest.mark.parametrize(
    "url",
    [
        "http://agenda.exemple.fr/a.ics", "https://nom:mot@agenda.exemple.fr/", "https://10.0.0.1/", "https://agenda/",
        "https://agenda.exemple.fr:99999/", "ftp://agenda.exemple.fr/", "https://agenda.exemple.fr/a b", "",
    ],
)  # fmt: skip
def test_an_address_that_is_no_calendar_s_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        checked_url(url)
