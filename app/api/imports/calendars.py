"""Calendars (iCalendar): a body imported at once, and addresses that a campus follows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Body, Depends, Query, Request
from pydantic import BaseModel, Field

from app.domain.accounts.sessions import Scope
from app.domain.activities import ActivityKind
from app.domain.imports.calendars import LONGEST_URL, MEDIA_TYPE, CalendarState, CalendarSubscription
from app.domain.imports.imports import MOST_BYTES, ImportLineOutcome, ReadCalendar
from app.http.problems import documented
from app.http.programs import (
    ActivityReader,
    ActivityWriter,
    CalendarWriter,
    DryRun,
    Page,
    Paged,
    Prepared,
    Shape,
    Slug,
    Writing,
    check_media_type,
    example,
    program_of,
    version_1,
)
from app.http.receipts import LineProblem
from app.http.request_scope import ProgramCounted, limited_by_token, visit
from app.language import gettext as _
from app.services.imports.calendar_imports import Foreseen

router = version_1("/campuses/{slug}/calendars", route_class=Writing, tags=["activities"])

_COUNTED = limited_by_token("calendars of a campus")
_CALENDAR = {
    "id": "0e1f8e0c-7d0b-4d6c-9a3b-5a6cf3a1d2b7",
    "source": "Agenda du campus",
    "host": "agenda.exemple.fr",
    "kind": "workshop",
    "creates": True,
    "state": "active",
    "created_at": "2026-11-25T11:00:00Z",
    "next_at": "2026-11-25T13:00:00Z",
    "read_at": "2026-11-25T11:00:00Z",
    "failures": 0,
    "fault": None,
    "new": 0,
    "changed": 0,
    "removed": 0,
    "gone": 1,
    "refused": 0,
    "report": "6d0f6d56-1f0b-4b0e-9b38-0a5d8c2f4e11",
}
_WAITING = ("new", "changed", "removed", "gone", "refused")
_LINE = {
    "line": 1,
    "uid": "serie@agenda.exemple.fr",
    "occurrence": "20261005T070000Z",
    "title": "Robotique pour tous",
    "starts_on": "2026-10-05",
    "outcome": "created",
    "changes": [],
    "problem": None,
}
_ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Exemple//FR\r\nBEGIN:VEVENT\r\nUID:forum@agenda.exemple.fr\r\n"
    "SUMMARY:Forum des métiers\r\nDTSTART;VALUE=DATE:20261110\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


class CalendarLineView(BaseModel):
    """One entry, or one session of a series."""

    line: int = Field(description="Counted from 1.")
    uid: str
    occurrence: str = Field(description="The session of a series (`RECURRENCE-ID`); empty of a single entry.")
    title: str
    starts_on: date | None
    outcome: ImportLineOutcome = Field(description="`created`, `changed`, `same` or `refused`.")
    changes: list[str] = Field(
        description="The names of what changes; `removed` where the calendar cancels a session."
    )
    problem: LineProblem | None = None

    @staticmethod
    def of(one: Foreseen) -> CalendarLineView:
        is_refused = one.fate is ImportLineOutcome.REFUSED
        problem = None
        if is_refused:
            detail = _(one.reason).format(**one.values)
            problem = LineProblem(title=_("Contenu non recevable"), detail=detail)
        what: Sequence[str] = ("removed",) if one.is_removed else one.values.get("what", ())
        return CalendarLineView(
            line=one.meeting.number,
            uid=one.meeting.uid,
            occurrence=one.meeting.occurrence,
            title=one.meeting.title,
            starts_on=one.meeting.starts_on,
            outcome=one.fate,
            changes=list(what) if one.fate is ImportLineOutcome.CHANGED else [],
            problem=problem,
        )


class CalendarImportView(BaseModel):
    model_config = example(
        report="6d0f6d56-1f0b-4b0e-9b38-0a5d8c2f4e11",
        dry_run=False,
        created=1,
        changed=0,
        same=0,
        refused=0,
        lines=[_LINE],
    )
    report: uuid.UUID | None = Field(description="The report in the campus's pages; null of a dry run.")
    dry_run: bool
    created: int
    changed: int
    same: int
    refused: int
    lines: list[CalendarLineView]


class CalendarBody(Shape):
    model_config = Shape.model_config | example(
        source="Agenda du campus", url="https://agenda.exemple.fr/activites.ics", creates=True
    )
    source: str = Field(
        min_length=1,
        max_length=60,
        description="Names its imports: files of the same name go on with the same entries.",
    )
    url: str = Field(
        max_length=LONGEST_URL,
        description="https, of a public host; `webcal` is read as https. Answers show its host alone.",
    )
    kind: ActivityKind = Field(
        ActivityKind.WORKSHOP, description="Of new activities without a category that is known here."
    )
    creates: bool = Field(
        False, description="Create new activities at once; otherwise a member of the campus chooses them."
    )


class CalendarView(BaseModel):
    model_config = example(**_CALENDAR)
    id: uuid.UUID
    source: str
    host: str
    kind: ActivityKind
    creates: bool
    state: CalendarState = Field(description="`failing`: paused by the service, after repeated failures.")
    created_at: datetime
    next_at: datetime | None = Field(None, description="When it is read next; null while it is paused.")
    read_at: datetime | None = Field(None, description="When it could last be read.")
    failures: int = Field(description="Consecutive failed readings.")
    fault: str | None = Field(None, description="Why the last reading failed.")
    new: int = Field(description="New entries that wait for a choice.")
    changed: int = Field(
        description="Corrections that wait for a choice: of what is over, edited here, or has participants."
    )
    removed: int = Field(description="Cancelled or vanished sessions that wait for a choice.")
    gone: int = Field(
        description="Cancelled or vanished activities to come: they stay, a member of the campus decides."
    )
    refused: int = Field(description="Entries to come that cannot be taken: the report says why.")
    report: uuid.UUID | None = Field(None, description="The report of the last reading with anything new.")

    @staticmethod
    def of(calendar: CalendarSubscription) -> CalendarView:
        return CalendarView(
            **{
                name: getattr(calendar, name)
                for name in (
                    "id",
                    "source",
                    "host",
                    "kind",
                    "creates",
                    "state",
                    "created_at",
                    "read_at",
                    "failures",
                )
            },
            next_at=calendar.next_at if calendar.is_active else None,
            fault=calendar.fault or None,
            report=calendar.run_id,
            **{name: calendar.waiting.get(name, 0) for name in _WAITING},
        )


class CalendarPage(Page[CalendarView]):
    model_config = example(items=[_CALENDAR], next=None)


_Ics = Annotated[str, Body(media_type=MEDIA_TYPE, max_length=MOST_BYTES, examples=[_ICS])]


def _read_first(_counted: ProgramCounted, body: _Ics, slug: Slug, request: Request) -> Prepared[ReadCalendar]:
    """A calendar can take seconds, and SQLite has one writer: parsed for a program that may import it, before its
    transaction begins."""
    check_media_type(request, MEDIA_TYPE)
    with visit(request, reading=True) as services:
        program = program_of(request, services, Scope.ACTIVITY_WRITE, slug)
        imports, campus = services.calendar_imports, program.campus
    return Prepared(imports.read(campus, body.encode()))


_Read = Annotated[Prepared[ReadCalendar], Depends(_read_first)]


@router.post(
    "/import",
    summary="Import a calendar; safe to repeat",
    responses={415: documented(415)[415] | {"description": f"The body must be sent as {MEDIA_TYPE}."}},
    dependencies=[limited_by_token("calendars of a token")],
)
def import_calendar(
    read: _Read,
    program: CalendarWriter,
    body: _Ics,
    source: Annotated[str, Query(min_length=1, max_length=60)] = "agenda",
    kind: Annotated[
        ActivityKind, Query(description="Of new activities without a category that is known here.")
    ] = ActivityKind.WORKSHOP,
    create_similar: Annotated[
        bool,
        Query(
            description="Create an activity although one of the same day has a similar title; otherwise that entry"
            " is refused."
        ),
    ] = False,
    dry_run: DryRun = False,
) -> CalendarImportView:
    """Entries are recognised by `UID`: those of an earlier import are corrected, the same calendar again changes
    nothing. A series becomes one activity with its sessions. People are not read.

    Requires the scope `activity:write`.
    """
    run, lines = program.services.calendar_imports.take(
        program.campus,
        source,
        body.encode(),
        kind,
        read=read.value,
        by=program.actor,
        dry_run=dry_run,
        create_similar=create_similar,
    )
    counts: dict[str, Any] = {
        each.value: sum(one.fate is each for one in lines)
        for each in ImportLineOutcome
        if each is not ImportLineOutcome.WAITING
    }
    shown = [CalendarLineView.of(one) for one in lines]
    return CalendarImportView(report=None if dry_run else run.id, dry_run=dry_run, lines=shown, **counts)


@router.get("", summary="The calendars that the campus follows")
def list_calendars(program: ActivityReader, paging: Paged) -> CalendarPage:
    followed = program.services.calendar_subscriptions.list_of(program.campus)
    shown, cursor = paging.slice(followed, lambda each: each.id)
    return CalendarPage(items=[CalendarView.of(each) for each in shown], next=cursor)


@router.post("", summary="Follow a calendar", status_code=201, dependencies=[_COUNTED])
def follow_calendar(program: ActivityWriter, body: CalendarBody) -> CalendarView:
    """It is read within a minute, then every two hours."""
    calendar = program.services.calendar_subscriptions.add(
        program.campus,
        source=body.source,
        url=body.url,
        kind=body.kind,
        creates=body.creates,
        by=program.actor,
    )
    return CalendarView.of(calendar)


@router.get("/{calendar_id}", summary="One followed calendar")
def get_calendar(program: ActivityReader, calendar_id: uuid.UUID) -> CalendarView:
    return CalendarView.of(program.services.calendar_subscriptions.get(program.campus, calendar_id))


@router.delete("/{calendar_id}", summary="Follow a calendar no longer", dependencies=[_COUNTED])
def unfollow_calendar(program: ActivityWriter, calendar_id: uuid.UUID) -> CalendarView:
    """Its activities stay. The answer shows it as it was."""
    shown = CalendarView.of(program.services.calendar_subscriptions.get(program.campus, calendar_id))
    program.services.calendar_subscriptions.remove(program.campus, calendar_id, by=program.actor)
    return shown


@router.post(
    "/{calendar_id}/read",
    summary="Read a calendar within a minute",
    status_code=202,
    dependencies=[_COUNTED],
)
def read_calendar_soon(program: ActivityWriter, calendar_id: uuid.UUID) -> CalendarView:
    """Five minutes after it was last asked for at the earliest: see `next_at`."""
    return CalendarView.of(program.services.calendar_subscriptions.read_soon(program.campus, calendar_id))


@router.post("/{calendar_id}/pause", summary="Read a calendar no more for a while", dependencies=[_COUNTED])
def pause_calendar(program: ActivityWriter, calendar_id: uuid.UUID) -> CalendarView:
    return CalendarView.of(
        program.services.calendar_subscriptions.pause(program.campus, calendar_id, by=program.actor)
    )


@router.post("/{calendar_id}/resume", summary="Read a calendar again", dependencies=[_COUNTED])
def resume_calendar(program: ActivityWriter, calendar_id: uuid.UUID) -> CalendarView:
    return CalendarView.of(
        program.services.calendar_subscriptions.resume(program.campus, calendar_id, by=program.actor)
    )
