"""Calendars followed at an address: read at intervals; what is known is updated, what is new or gone is reported."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import structlog

from app.adapters.calendars import NoEvents
from app.adapters.secrets import KeyVault
from app.db.accounts import OwnAddressStore
from app.db.campus import CampusStore, HistoryStore, TeamStore
from app.db.imports import ImportStore
from app.db.messages import LetterStore
from app.domain.activities import Activity, ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.imports.calendars import (
    CUT,
    DECLINED,
    EDITED_HERE,
    GONE,
    IN_THE_PAST,
    MANY_CORRECTED,
    MANY_NEW,
    MEDIA_TYPE,
    MOST_CALENDARS,
    MOST_CORRECTED,
    MOST_NEW,
    NEW,
    PRIVATE,
    SEEMS_HERE,
    SERIES_MOVED,
    TO_REMOVE,
    UNREADABLE,
    CalendarState,
    CalendarSubscription,
    checked_url,
    host_of,
)
from app.domain.imports.imports import ImportLineOutcome, ImportRun, Meeting, ReadCalendar, check_source
from app.domain.messages import Occasion, letters_to_administrators
from app.errors import AppError, Conflict, InvalidInput, Unavailable, faults_of_fields
from app.services.imports.calendar_imports import (
    DELETED_HERE,
    IN_USE,
    NOT_MADE,
    STAYS,
    CalendarImports,
    Foreseen,
)
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values import DocumentSource

log = structlog.get_logger("calendars")
_BY: Final = Actor.command("worker")
_WAITING: Final = {
    NEW: "new",
    MANY_NEW: "new",
    SEEMS_HERE: "new",
    SERIES_MOVED: "new",
    EDITED_HERE: "changed",
    IN_THE_PAST: "changed",
    MANY_CORRECTED: "changed",
    TO_REMOVE: "removed",
}
"""What a person decides, by the reason of the line."""
_VANISHED: Final = (GONE, STAYS, IN_USE)
"""Reported, without a choice, until its last day."""
_AS_MEANT: Final = (CUT, DECLINED, DELETED_HERE, NOT_MADE, PRIVATE)
"""Refused for a reason that needs no attention."""
_ACCEPT: Final = f"{MEDIA_TYPE}, text/plain"


@dataclass(frozen=True)
class FetchedCalendar:
    """`read` is None where the body is no calendar, or there is none."""

    body: bytes = b""
    fault: str = ""
    read: ReadCalendar | None = None
    retry_after: int = 0


@dataclass(frozen=True, eq=False)
class CalendarSubscriptions:
    store: ImportStore
    calendars: CalendarImports
    campuses: CampusStore
    history: HistoryStore
    team: TeamStore
    own_addresses: OwnAddressStore
    letters: LetterStore
    documents: DocumentSource
    vault: KeyVault
    clock: Clock
    secret: bytes

    # --- the campus's choice

    def list_of(self, campus: Campus) -> Sequence[CalendarSubscription]:
        return self.store.calendars(campus.id)

    def get(self, campus: Campus, calendar_id: uuid.UUID) -> CalendarSubscription:
        return self.store.calendar(calendar_id, campus.id)

    @staticmethod
    def faults_of(*, source: str, url: str) -> dict[str, AppError]:
        """Of each field that has one."""
        return faults_of_fields({"source": lambda: check_source(source), "url": lambda: checked_url(url)})

    def add(
        self, campus: Campus, *, source: str, url: str, kind: ActivityKind, creates: bool, by: Actor
    ) -> CalendarSubscription:
        """Read by the worker within a minute."""
        source, url, at = check_source(source), checked_url(url), self.clock()
        digest = self._digest(campus, url)
        self.campuses.lock(campus.id)
        followed = self.store.calendars(campus.id)
        if len(followed) >= MOST_CALENDARS:
            raise Conflict(
                "Un campus suit {most} agendas au plus : retirez-en un d’abord.", most=MOST_CALENDARS
            )
        if any(each.source == source or each.url_digest == digest for each in followed):
            raise Conflict("Cet agenda, ou un autre de ce nom, est déjà suivi.")
        calendar = CalendarSubscription(
            campus_id=campus.id,
            source=source,
            sealed=b"",
            kek_id=self.vault.kek.id,
            url_digest=digest,
            host=host_of(url),
            kind=kind,
            creates=creates,
            created_at=at,
            next_at=at,
        )
        calendar.sealed = self.vault.seal_bytes(url.encode(), _bound_to(calendar))
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
        """Read by the worker within a minute, but five minutes after it was last asked for at the earliest."""
        calendar = self.store.calendar(calendar_id, campus.id, lock=True)
        if not calendar.is_active:
            raise Conflict("Cet agenda est en pause : reprenez-le d’abord.")
        calendar.read_soon(self.clock())
        self.store.save(calendar)
        return calendar

    def remove(self, campus: Campus, calendar_id: uuid.UUID, *, by: Actor) -> None:
        """Its activities stay, and their identifiers: followed again, nothing is created twice."""
        calendar = self.store.calendar(calendar_id, campus.id, lock=True)
        self._note(calendar, "remove", by)
        self.store.remove(calendar)

    def choose(
        self, campus: Campus, calendar_id: uuid.UUID, fetched: FetchedCalendar, *, by: Actor
    ) -> ImportRun:
        """A draft of all its entries, for a person to choose from."""
        calendar = self.store.calendar(calendar_id, campus.id)
        if fetched.fault and fetched.fault != UNREADABLE:
            raise Unavailable("L’agenda ne se lit pas en ce moment. Réessayez plus tard.")
        read = fetched.read if fetched.read is not None and fetched.read.meetings else None
        return self.calendars.drop(campus, calendar.source, fetched.body, by=by, read=read)

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

    def rewrap(self) -> int:
        """Seals every address under the current key-encryption key; returns how many changed."""
        count = 0
        for calendar in self.store.all_calendars():
            if calendar.kek_id != self.vault.kek.id:
                bound = _bound_to(calendar)
                calendar.sealed = self.vault.seal_bytes(self.vault.open_bytes(calendar.sealed, bound), bound)
                calendar.kek_id = self.vault.kek.id
                self.store.save(calendar)
                count += 1
        return count

    def _digest(self, campus: Campus, url: str) -> str:
        keyed = f"address of a calendar|{campus.id}|{url}"
        return hmac.new(self.secret, keyed.encode(), hashlib.sha256).hexdigest()

    # --- the worker

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.store.calendars_due(self.clock(), limit=limit)

    def fetch(self, calendar_id: uuid.UUID) -> FetchedCalendar | None:
        """Ask the other service and read its answer, in a transaction that blocks nothing; None for a calendar that
        is gone."""
        calendar = self.store.find_calendar(calendar_id)
        if calendar is None:
            return None
        campus = self.campuses.get_by_id(calendar.campus_id)
        try:
            url = self.vault.open_bytes(calendar.sealed, _bound_to(calendar)).decode()
            body = self.documents.fetch(url, accept=_ACCEPT).body
        except DocumentUnavailable as error:
            log.info("calendar not read", calendar=str(calendar_id), fault=error.reason)
            return FetchedCalendar(fault=error.reason, retry_after=error.retry_after)
        except Unavailable:
            log.warning("address of a calendar does not open", calendar=str(calendar_id))
            return FetchedCalendar(fault="sealed")
        try:
            return FetchedCalendar(body, read=self.calendars.read(campus, body))
        except NoEvents:
            return FetchedCalendar(body, read=ReadCalendar([], {}, {}))
        except InvalidInput:
            return FetchedCalendar(body, UNREADABLE)

    def note(self, calendar_id: uuid.UUID, fetched: FetchedCalendar) -> None:
        """Apply what was read. Idempotent."""
        calendar, at = self.store.find_calendar(calendar_id), self.clock()
        if calendar is None:
            return
        campus = self.campuses.lock(calendar.campus_id)
        calendar = self.store.lock_calendar(calendar_id)
        if calendar is None:
            return
        calendar.asked_at = at
        if calendar.is_active:
            if fetched.read is not None:
                self._apply(campus, calendar, fetched.body, fetched.read)
                calendar.note_success(at)
            else:
                calendar.note_failure(fetched.fault or UNREADABLE, at, retry_after=fetched.retry_after)
            if not calendar.is_active:
                self._note(calendar, "fail", _BY)
                self._warn_administrators(calendar, at)
        self.store.save(calendar)

    def _warn_administrators(self, calendar: CalendarSubscription, at: datetime) -> None:
        addresses = [
            (person_id, row.address)
            for person_id in sorted(self.team.administrators(calendar.campus_id, at=at))
            for row in self.own_addresses.list_of(person_id)
            if row.verified_at is not None
        ]
        self.letters.enqueue_new(
            letters_to_administrators(
                addresses,
                Occasion.CALENDAR_PAUSED,
                calendar.id,
                calendar.source,
                campus_id=calendar.campus_id,
                at=at,
            )
        )

    def _apply(self, campus: Campus, calendar: CalendarSubscription, data: bytes, read: ReadCalendar) -> None:
        run, matched = self.calendars.match(campus, calendar.source, data, read, by=_BY)
        today = campus.day_of(self.clock())
        known = {one.activity.id for one in matched if one.writes and one.activity}
        with_people = self.store.activities_with_people(known)
        moved = {one.meeting.uid for one in matched if one.is_removed}
        lines = [_settled(one, calendar, today, with_people, moved) for one in matched]
        lines = _left_for_a_person(lines, ImportLineOutcome.CREATED, MOST_NEW, MANY_NEW)
        lines = _left_for_a_person(lines, ImportLineOutcome.CHANGED, MOST_CORRECTED, MANY_CORRECTED)
        lines += self._gone(campus, calendar, matched, len(lines))
        said = {one.offer: kind for one in lines if (kind := _said_of(one, today))}
        waiting = {kind: list(said.values()).count(kind) for kind in sorted({*said.values()})}
        digest = hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()
        is_news = bool(said) and calendar.waiting.get("digest") != digest
        calendar.waiting = {**waiting, "digest": digest}
        calendar.declined = sorted({one.offer for one in lines} & set(calendar.declined))
        if is_news or any(one.writes or _is_named_anew(one) for one in lines):
            if calendar.run_id is not None:
                self.store.drop_superseded(calendar.run_id)
            self.calendars.settle(campus, run, lines, calendar.kind, by=_BY)
            calendar.run_id = run.id

    def _gone(
        self, campus: Campus, calendar: CalendarSubscription, matched: Sequence[Foreseen], already: int
    ) -> list[Foreseen]:
        """Activities to come that the calendar named before, and no longer does."""
        matching = self.calendars.matching
        named = {
            matching.key(campus, calendar.source, one.meeting.activity_key)
            for one in matched
            if one.meeting.uid
        }
        known = self.store.activities_of_source(campus.id, calendar.source, since=campus.day_of(self.clock()))
        there = {activity.id for key, activity in known if key in named}
        there |= {one.activity.id for one in matched if one.activity is not None}
        gone = {activity.id: activity for _, activity in known if activity.id not in there}
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
            for at, activity in enumerate(gone.values(), 1)
        ]


def _said_of(one: Foreseen, today: date) -> str:
    """The kind under which the calendar counts this line; empty for what needs no attention."""
    last = one.meeting.ends_on or one.meeting.starts_on
    if one.reason in _VANISHED:
        return "gone" if last is None or last >= today else ""
    if one.reason in _WAITING or one.fate is not ImportLineOutcome.REFUSED or one.reason in _AS_MEANT:
        return _WAITING.get(one.reason, "")
    return "refused" if last is None or last >= today else ""


def _is_named_anew(one: Foreseen) -> bool:
    """Recognised without its identifier: it is stored before the title changes too."""
    return one.fate is ImportLineOutcome.SAME and one.activity is not None and one.link is None


def _bound_to(calendar: CalendarSubscription) -> bytes:
    return f"calendar|{calendar.campus_id}|{calendar.id}".encode()


def _settled(
    one: Foreseen,
    calendar: CalendarSubscription,
    today: date,
    with_people: Set[uuid.UUID],
    moved: Set[str],
) -> Foreseen:
    """What is written without a person: corrections of what is to come, has no participant and was not edited here,
    and new activities where the campus chose so.

    `moved`: the series that lost sessions. Their new ones may be the same on other days.
    """
    if not one.writes:
        return one
    if one.offer in calendar.declined:
        return one.refused(DECLINED)
    if one.is_removed:
        return replace(one.refused(TO_REMOVE), is_removed=False)
    if one.activity is None and one.seems_here:
        return one.refused(SEEMS_HERE)
    if one.activity is None and not calendar.creates:
        return one.refused(NEW)
    if one.activity is not None and (one.activity.id in with_people or _is_past(one, one.activity, today)):
        return replace(one.refused(IN_THE_PAST), waits=True)
    if one.is_edited:
        return replace(one.refused(EDITED_HERE), waits=True)
    if one.fate is ImportLineOutcome.CREATED and one.meeting.uid in moved:
        return one.refused(SERIES_MOVED)
    return one


def _is_past(one: Foreseen, activity: Activity, today: date) -> bool:
    """Whether the line changes something that is over, or moves something there."""
    if activity.ends_on < today:
        return True
    if one.session is None and one.fate is ImportLineOutcome.CHANGED and not one.meeting.occurrence:
        days = [one.meeting.starts_on] if "starts_on" in one.activity_news else []
    elif one.fate is ImportLineOutcome.CREATED or {"held_on", "hours"} & set(one.values.get("what", ())):
        days = [one.meeting.starts_on, one.session.held_on if one.session else None]
    else:
        days = []
    return any(day is not None and day < today for day in days)


def _left_for_a_person(
    lines: Sequence[Foreseen], fate: ImportLineOutcome, most: int, reason: str
) -> list[Foreseen]:
    if sum(one.fate is fate for one in lines) <= most:
        return [*lines]
    return [
        replace(one.refused(reason), waits=one.activity is not None) if one.fate is fate else one
        for one in lines
    ]
