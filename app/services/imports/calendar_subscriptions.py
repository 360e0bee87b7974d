"""Calendars followed at an address: read at intervals; what is known is updated, what is new or gone is reported."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from app.db.campus.campus import CampusStore, HistoryStore
from app.db.imports import ImportStore
from app.domain.activities.activities import ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.imports.calendars import (
    DECLINED,
    GONE,
    MEDIA_TYPE,
    MOST_CALENDARS,
    NEW,
    SEEMS_HERE,
    TO_REMOVE,
    UNREADABLE,
    CalendarState,
    CalendarSubscription,
    checked_url,
)
from app.domain.imports.imports import ImportLineOutcome, ImportRun, Meeting, check_source
from app.errors import Conflict, InvalidInput, Unavailable
from app.language import N_
from app.services.imports.calendar_imports import IN_USE, STAYS, CalendarImports, Foreseen
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values.documents import DocumentSource

log = structlog.get_logger("calendars")
_BY: Final = Actor.command("worker")
_WAITING: Final = {NEW: "new", SEEMS_HERE: "new", TO_REMOVE: "removed"}
"""What a person decides, by the reason of the line."""
_VANISHED: Final = (GONE, STAYS, IN_USE)
"""Reported, without a choice, until its last day."""
_ACCEPT: Final = f"{MEDIA_TYPE}, text/plain"


@dataclass(frozen=True)
class FetchedCalendar:
    body: bytes = b""
    fault: str = ""


@dataclass(frozen=True, eq=False)
class CalendarSubscriptions:
    store: ImportStore
    calendars: CalendarImports
    campuses: CampusStore
    history: HistoryStore
    documents: DocumentSource
    clock: Clock

    # --- the campus's choice

    def list_of(self, campus: Campus) -> Sequence[CalendarSubscription]:
        return self.store.calendars(campus.id)

    def get(self, campus: Campus, calendar_id: uuid.UUID) -> CalendarSubscription:
        return self.store.calendar(calendar_id, campus.id)

    def add(
        self, campus: Campus, *, source: str, url: str, kind: ActivityKind, creates: bool, by: Actor
    ) -> CalendarSubscription:
        """Read by the worker within a minute."""
        source, url, at = check_source(source), checked_url(url), self.clock()
        self.campuses.lock(campus.id)
        followed = self.store.calendars(campus.id)
        if len(followed) >= MOST_CALENDARS:
            raise Conflict(
                N_("Un campus suit {most} agendas au plus : retirez-en un d’abord."), most=MOST_CALENDARS
            )
        if any(each.source == source or each.url == url for each in followed):
            raise Conflict(N_("Cet agenda, ou un autre de ce nom, est déjà suivi."))
        calendar = CalendarSubscription(
            campus_id=campus.id,
            source=source,
            url=url,
            kind=kind,
            creates=creates,
            created_at=at,
            next_at=at,
        )
        return self._saved(calendar, "add", by)

    def pause(self, campus: Campus, calendar_id: uuid.UUID, *, by: Actor) -> CalendarSubscription:
        calendar = self.store.calendar(calendar_id, campus.id, lock=True)
        if calendar.state is CalendarState.PAUSED:
            return calendar
        calendar.state = CalendarState.PAUSED
        return self._saved(calendar, "pause", by)

    def resume(self, campus: Campus, calendar_id: uuid.UUID, *, by: Actor) -> CalendarSubscription:
        calendar = self.store.calendar(calendar_id, campus.id, lock=True)
        if calendar.is_active:
            return calendar
        calendar.resume(self.clock())
        return self._saved(calendar, "resume", by)

    def read_soon(self, campus: Campus, calendar_id: uuid.UUID) -> CalendarSubscription:
        """Read by the worker within a minute, whenever it was to be read."""
        calendar = self.store.calendar(calendar_id, campus.id, lock=True)
        if not calendar.is_active:
            raise Conflict(N_("Cet agenda est en pause : reprenez-le d’abord."))
        calendar.next_at = self.clock()
        self.store.save(calendar)
        return calendar

    def remove(self, campus: Campus, calendar_id: uuid.UUID, *, by: Actor) -> None:
        """Its activities stay, and their identifiers: followed again, nothing is created twice."""
        calendar = self.store.calendar(calendar_id, campus.id, lock=True)
        self._note(calendar, "remove", by)
        self.store.remove_calendar(calendar)

    def choose(
        self, campus: Campus, calendar_id: uuid.UUID, fetched: FetchedCalendar, *, by: Actor
    ) -> ImportRun:
        """A draft of all its entries, for a person to choose from."""
        calendar = self.store.calendar(calendar_id, campus.id)
        if fetched.fault:
            raise Unavailable(N_("L’agenda ne se lit pas en ce moment. Réessayez plus tard."))
        return self.calendars.drop(campus, calendar.source, fetched.body, by=by)

    def _saved(self, calendar: CalendarSubscription, action: str, by: Actor) -> CalendarSubscription:
        self.store.save(calendar)
        self._note(calendar, action, by)
        return calendar

    def _note(self, calendar: CalendarSubscription, action: str, by: Actor) -> None:
        self.history.write(
            by,
            action,
            "calendar",
            calendar.id,
            at=self.clock(),
            campus_id=calendar.campus_id,
            label=calendar.source,
        )

    # --- the worker

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.store.calendars_due(self.clock(), limit=limit)

    def fetch(self, calendar_id: uuid.UUID) -> FetchedCalendar | None:
        """Ask the other service, in a transaction that blocks nothing; None for a calendar that is gone."""
        calendar = self.store.find_calendar(calendar_id)
        if calendar is None:
            return None
        try:
            return FetchedCalendar(self.documents.fetch(calendar.url, accept=_ACCEPT).body)
        except DocumentUnavailable as error:
            log.info("calendar not read", calendar=str(calendar_id), fault=error.reason)
            return FetchedCalendar(fault=error.reason)

    def note(self, calendar_id: uuid.UUID, fetched: FetchedCalendar) -> None:
        """Apply what was read. Idempotent."""
        calendar, at = self.store.find_calendar(calendar_id), self.clock()
        if calendar is None:
            return
        campus = self.campuses.lock(calendar.campus_id)
        calendar = self.store.lock_calendar(calendar_id)
        if calendar is None or not calendar.is_active:
            return
        fault = fetched.fault
        if not fault:
            try:
                self._apply(campus, calendar, fetched.body)
            except InvalidInput:
                fault = UNREADABLE
        if not fault:
            calendar.note_success(at)
        else:
            calendar.note_failure(fault, at)
        if not calendar.is_active:
            self._note(calendar, "fail", _BY)
        self.store.save(calendar)

    def _apply(self, campus: Campus, calendar: CalendarSubscription, data: bytes) -> None:
        run, judged = self.calendars.judge(campus, calendar.source, data, by=_BY)
        lines = [_settled(one, calendar) for one in judged]
        lines += self._gone(campus, calendar, judged, len(lines))
        today = self._today(campus)
        said = {one.choice: kind for one in lines if (kind := _said_of(one, today))}
        waiting = {kind: list(said.values()).count(kind) for kind in sorted({*said.values()})}
        digest = hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()
        is_news = bool(said) and calendar.waiting.get("digest") != digest
        calendar.waiting = {**waiting, "digest": digest}
        calendar.declined = sorted({one.choice for one in lines} & set(calendar.declined))
        if is_news or any(one.writes for one in lines):
            self.calendars.settle(campus, run, lines, calendar.kind, by=_BY)
            calendar.run_id = run.id

    def _today(self, campus: Campus) -> date:
        return self.clock().astimezone(ZoneInfo(campus.time_zone)).date()

    def _gone(
        self, campus: Campus, calendar: CalendarSubscription, judged: Sequence[Foreseen], already: int
    ) -> list[Foreseen]:
        """Activities to come that the calendar named before, and no longer does."""
        judging = self.calendars.judging
        named = {
            judging.key(campus, calendar.source, one.meeting.activity_key)
            for one in judged
            if one.meeting.uid
        }
        known = self.store.activities_of_source(campus.id, calendar.source, since=self._today(campus))
        gone = [activity for key, activity in known if key not in named]
        return [
            Foreseen(
                Meeting(
                    already + at,
                    str(activity.id),
                    title=activity.title,
                    kind=activity.kind,
                    starts_on=activity.starts_on,
                    ends_on=activity.ends_on,
                ),
                ImportLineOutcome.REFUSED,
                GONE,
                activity=activity,
            )
            for at, activity in enumerate(gone, 1)
        ]


def _said_of(one: Foreseen, today: date) -> str:
    """The kind under which the calendar counts this line; empty for what needs no attention."""
    last = one.meeting.ends_on or one.meeting.starts_on
    if one.reason in _VANISHED:
        return "gone" if last is None or last >= today else ""
    return _WAITING.get(one.reason, "")


def _settled(one: Foreseen, calendar: CalendarSubscription) -> Foreseen:
    """What is written without a person: corrections of what is known, and new activities where the campus chose so."""
    if not one.writes:
        return one
    if one.choice in calendar.declined:
        return one.refused(DECLINED)
    if one.is_removed:
        return replace(one.refused(TO_REMOVE), is_removed=False)
    if one.activity is None and one.seems_here:
        return one.refused(SEEMS_HERE)
    if one.activity is None and not calendar.creates:
        return one.refused(NEW)
    return one
