"""Import of calendar sessions: upload, read, preview, confirm, write immediately, report."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from app.adapters.calendars import read_calendar
from app.db.activities.plans import ActivityPlanStore
from app.db.imports import ImportStore
from app.domain.activities import Activity, ActivityKind, ActivitySession, check_leads
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import new_row, words_of
from app.domain.imports.imports import (
    Imported,
    ImportForm,
    ImportLine,
    ImportLineOutcome,
    ImportRun,
    ImportState,
    Meeting,
    ReadCalendar,
    check_draft,
    check_source,
    news,
    would_change,
)
from app.domain.people import name_key
from app.errors import NotAllowed, NotFound
from app.language import N_
from app.services.activities.plans import AMENDED, ActivityPlans, ActivitySessions, SeriesService
from app.services.imports.import_matching import CHANGES, ImportMatching, blanks_of
from app.services.imports.imports import ImportService

CALLED_OFF = N_("Annulée dans l’agenda : la séance est retirée.")
NO_LONGER_THERE = N_("N’est plus dans l’agenda : la séance est retirée.")
IN_USE = N_(
    "Annulée dans l’agenda, mais des présences ou des fichiers sont notés à cette séance : elle reste."
)
NOT_MADE = N_("Annulée dans l’agenda : rien n’est créé.")
STAYS = N_("Annulée dans l’agenda. L’activité reste ici, avec ce qui y est noté : dites-le aux participants.")
_NOT_OURS = N_("Un autre campus a créé cette activité : lui seul la modifie.")
DELETED_HERE = N_("Cette activité n’est plus dans ce campus : elle n’est pas importée.")

CHANGES_EDITED = N_("Change : {what}. Remplace ce qui a été modifié ici.")
NOT_CHOSEN = N_("Vous ne l’avez pas cochée.")
SIMILAR = N_("Une activité du même jour lui ressemble : elle n’est pas créée.")

_OF_SESSIONS = ("starts_on", "ends_on", "hours")
"""Fields that a series derives from its sessions, even for a single calendar event."""


@dataclass(frozen=True)
class Foreseen:
    """One line with its match. `link`: what its identifier already refers to."""

    meeting: Meeting
    fate: ImportLineOutcome
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    activity: Activity | None = None
    activity_news: Mapping[str, Any] = field(default_factory=dict)
    session: ActivitySession | None = None
    link: Imported | None = None
    is_removed: bool = False
    waits: bool = False
    """A correction for a person to decide: the source's last content stays stored, so that it is seen again."""
    is_edited: bool = False
    """Whether it replaces what a person changed here since the source's last content."""
    alike: Activity | None = None
    """Of a new activity: one of the campus on the same day with much of its title."""

    @property
    def choice(self) -> str:
        """Identifies the line in a form, also when the file is judged again."""
        key = "\n".join((*self.meeting.own_key, str(self.meeting.starts_on or "")))
        return hashlib.sha256(key.encode()).hexdigest()[:20]

    @property
    def offer(self) -> str:
        """What a person may decline: a correction with its content, so that the next one is offered again."""
        is_new = self.activity is None or (self.meeting.occurrence and self.session is None)
        if is_new or self.meeting.cancelled:
            return self.choice
        content = {**self.meeting.record().said(), **self.meeting.said()}
        return hashlib.sha256(f"{self.choice}\n{sorted(content.items())}".encode()).hexdigest()[:20]

    @property
    def seems_here(self) -> bool:
        return self.activity is None and self.alike is not None

    @property
    def writes(self) -> bool:
        return self.fate in (ImportLineOutcome.CREATED, ImportLineOutcome.CHANGED)

    def refused(self, reason: str) -> Foreseen:
        return replace(self, fate=ImportLineOutcome.REFUSED, reason=reason, activity_news={})


@dataclass
class _Series:
    """One identifier: its activity and sessions, and which of them the file mentioned."""

    activity: Activity | None
    activity_link: Imported | None
    leads: bool = True
    sessions: dict[Any, ActivitySession] = field(default_factory=dict)
    used: set[Any] = field(default_factory=set)
    imported: Mapping[Any, Sequence[Imported]] = field(default_factory=dict)
    seen: set[Any] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    alike: Activity | None = None

    def on(self, day: date | None) -> ActivitySession | None:
        return next((each for each in self.sessions.values() if each.held_on == day), None)


@dataclass(frozen=True, eq=False)
class CalendarMatching:
    imports: ImportStore
    plans: ActivityPlanStore
    matching: ImportMatching

    def match(self, campus: Campus, source: str, read: ReadCalendar) -> list[Foreseen]:
        """Each line in the given order, followed per series by the sessions missing from the file."""
        keys = {self.key(campus, source, each.own_key) for each in read.meetings if each.uid}
        keys |= {self.key(campus, source, each.activity_key) for each in read.meetings if each.uid}
        links = self.imports.known(campus.id, keys)
        series = self._series(campus, source, read, links)
        groups: dict[str, list[Foreseen]] = {}
        for each in read.meetings:
            link = links.get(self.key(campus, source, each.own_key)) if each.uid else None
            groups.setdefault(each.uid, []).append(self._one(each, link, series.get(each.uid)))
        matched: list[Foreseen] = []
        for uid, group in groups.items():
            known = series.get(uid)
            matched += _with_activity_news(group, known)
            if known is not None and uid in read.whole_from:
                matched += _no_longer_there(group[-1].meeting, known, read.whole_from[uid])
        return [replace(one, meeting=replace(one.meeting, number=at)) for at, one in enumerate(matched, 1)]

    def key(self, campus: Campus, source: str, own_key: Sequence[str]) -> str:
        return self.matching.key(campus, source, own_key)

    # --- existing rows

    def _series(
        self, campus: Campus, source: str, read: ReadCalendar, links: Mapping[str, Imported]
    ) -> dict[str, _Series]:
        firsts = {each.uid: each for each in reversed(read.meetings) if each.uid and each.starts_on}
        days = {uid: read.first_days.get(uid, each.starts_on) for uid, each in firsts.items()}
        rows = {link.row_id for link in links.values() if link.row_id}
        activities = self.imports.activities(campus.id, rows)
        on_days = self.imports.activities_on(campus.id, filter(None, days.values()))
        by_title = {(name_key("", each.title), str(each.starts_on)): each for each in reversed(on_days)}
        found = {}
        for uid, first in firsts.items():
            link = links.get(self.key(campus, source, first.activity_key))
            if link is not None:
                activity = activities.get(link.row_id) if link.row_id else None
            else:
                activity = by_title.get((name_key("", first.title), str(days[uid])))
            found[uid] = self._known(campus, source, activity, link)
            if activity is None and link is None:
                beside = (each for each in on_days if each.starts_on == days[uid])
                found[uid].alike = next(
                    (each for each in beside if _are_alike(each.title, first.title)), None
                )
        return found

    def _known(
        self, campus: Campus, source: str, activity: Activity | None, link: Imported | None
    ) -> _Series:
        if activity is None:
            return _Series(None, link)
        place = self.plans.place_of(activity.id, campus.id)
        try:
            if place is not None:
                check_leads(place)
            leads = place is not None
        except NotAllowed:
            leads = False
        sessions = {each.id: each for each in self.plans.sessions_of(activity.id)}
        imported = self.imports.standing_for(campus.id, source, sessions)
        used = self.plans.used_sessions(activity.id) if sessions else set()
        return _Series(activity, link, leads, sessions, used, imported)

    # --- matching one line

    def _one(self, meeting: Meeting, link: Imported | None, known: _Series | None) -> Foreseen:
        one = Foreseen(
            meeting,
            ImportLineOutcome.CREATED,
            activity=known.activity if known else None,
            link=link,
            alike=known.alike if known else None,
        )
        if meeting.fault or known is None:
            if known is not None and link is not None:
                known.seen.add(link.row_id)
            return replace(one, fate=ImportLineOutcome.REFUSED, reason=meeting.fault, values=meeting.values)
        if known.activity_link is not None and known.activity is None:
            return one.refused(DELETED_HERE)
        if not meeting.occurrence:
            return _held_once(one)
        return _session_of(one, known)


def _are_alike(one: str, other: str) -> bool:
    """Whether the titles share at least half of the shorter one's terms of three letters or more."""
    words, others = ({word for word in words_of(each) if len(word) > 2} for each in (one, other))
    fewest = min(len(words), len(others))
    return fewest > 0 and 2 * len(words & others) >= fewest


def _held_once(one: Foreseen) -> Foreseen:
    if one.meeting.cancelled:
        return one.refused(STAYS if one.activity else NOT_MADE)
    if one.activity is None:
        return replace(one, reason=N_("Nouvelle activité."))
    return replace(one, fate=ImportLineOutcome.SAME)


def _session_of(one: Foreseen, known: _Series) -> Foreseen:
    meeting, link = one.meeting, one.link
    session = known.sessions.get(link.row_id) if link is not None else None
    if meeting.cancelled:
        return _called_off(one, session or known.on(meeting.starts_on), known)
    assert meeting.starts_on is not None, "a line without a date was refused"
    if meeting.starts_on in known.days:
        return one.refused(N_("Cette série a déjà une séance ce jour-là : une activité en a une par jour."))
    known.days.add(meeting.starts_on)
    there = known.on(meeting.starts_on)
    session = session or there
    if session is None:
        return replace(one, reason=N_("Nouvelle séance.")) if known.leads else one.refused(_NOT_OURS)
    known.seen.add(session.id)
    one = replace(one, fate=ImportLineOutcome.SAME, session=session)
    # Another start gives the session another identifier.
    links = [link] if link is not None else known.imported.get(session.id, ())
    before = [each.said for each in links if each.row_id == session.id and not each.said.get("withdrawn")]
    noted, last = _noted(session), before[-1] if before else {}
    fresh = news(meeting.said(), last)
    what = [name for name in ("held_on", "hours") if name in fresh and fresh[name] != noted[name]]
    if not before and session.hours is not None:
        # Values recorded by a trainer take precedence; a later calendar only fills blanks.
        what = [name for name in what if name != "hours"]
    if not what:
        return one
    if not known.leads:
        return one.refused(_NOT_OURS)
    if "held_on" in what and (session.id in known.used or (there is not None and there is not session)):
        return one.refused(
            N_("Déplacée dans l’agenda, mais sa feuille de présence a déjà servi, ou ce jour est déjà pris.")
        )
    is_edited = any(last.get(name) is not None and noted[name] not in (None, last[name]) for name in what)
    reason = CHANGES_EDITED if is_edited else CHANGES
    values = {"what": what}
    return replace(one, fate=ImportLineOutcome.CHANGED, reason=reason, values=values, is_edited=is_edited)


def _called_off(one: Foreseen, session: ActivitySession | None, known: _Series) -> Foreseen:
    if session is None:
        if one.link is not None and one.link.said.get("withdrawn"):
            return replace(one, fate=ImportLineOutcome.SAME)
        return one.refused(NOT_MADE)
    known.seen.add(session.id)
    return _removed(replace(one, session=session), known, CALLED_OFF)


def _removed(one: Foreseen, known: _Series, reason: str) -> Foreseen:
    assert one.session is not None
    if not known.leads:
        return one.refused(_NOT_OURS)
    if one.session.cancelled_at is not None:
        return replace(one, fate=ImportLineOutcome.SAME)
    if one.session.id in known.used:
        return one.refused(IN_USE)
    return replace(one, fate=ImportLineOutcome.CHANGED, reason=reason, is_removed=True)


def _no_longer_there(like: Meeting, known: _Series, whole_from: date) -> Iterable[Foreseen]:
    for session in known.sessions.values():
        if session.id not in known.imported or session.id in known.seen or session.held_on < whole_from:
            continue
        meeting = replace(
            like, starts_on=session.held_on, ends_on=session.held_on, hours=session.hours, fault="",
            cancelled=True, occurrence=f"{session.held_on:%Y%m%d}",
        )  # fmt: skip
        gone = Foreseen(meeting, ImportLineOutcome.CHANGED, activity=known.activity, session=session)
        yield _removed(gone, known, NO_LONGER_THERE)


def _with_activity_news(group: Sequence[Foreseen], known: _Series | None) -> list[Foreseen]:
    """What the first valid line changes in an existing activity; that of a known session before a new one, which may
    be left out."""
    valid = [
        at for at, one in enumerate(group) if one.fate is not ImportLineOutcome.REFUSED and not one.is_removed
    ]
    at = next((at for at in valid if group[at].session is not None), valid[0] if valid else None)
    if at is None or known is None:
        return list(group)
    if known.activity is None:
        if not group[at].meeting.occurrence:
            return list(group)
        first = replace(group[at], reason=N_("Nouvelle activité et sa première séance."))
        return [*group[:at], first, *group[at + 1 :]]
    one, activity, link = group[at], known.activity, known.activity_link
    said = one.meeting.record().said()
    fresh = news(said, link.said) if link is not None else blanks_of(activity, said, {})
    if known.sessions:
        fresh = {name: value for name, value in fresh.items() if name not in _OF_SESSIONS}
    changed = would_change(activity, fresh, {})
    if not changed:
        return list(group)
    if not known.leads:
        line = one.refused(_NOT_OURS)
    else:
        facts = {name: fresh[name] for name in changed}
        before = {name: link.said[name] for name in changed if name in link.said} if link is not None else {}
        edited = [name for name in would_change(activity, before, {}) if getattr(activity, name)]
        line = replace(one, activity_news=facts, is_edited=one.is_edited or bool(edited))
        if one.fate is not ImportLineOutcome.CREATED:
            what = sorted({*one.values.get("what", ()), *facts})
            reason = CHANGES_EDITED if line.is_edited else CHANGES
            line = replace(line, fate=ImportLineOutcome.CHANGED, reason=reason, values={"what": what})
    return [*group[:at], line, *group[at + 1 :]]


def _noted(session: ActivitySession) -> dict[str, Any]:
    return {"held_on": session.held_on.isoformat(), "hours": session.hours}


@dataclass(frozen=True, eq=False)
class CalendarWriting:
    imports: ImportStore
    plans: ActivityPlanStore
    matching: CalendarMatching
    planning: ActivityPlans
    attendance: ActivitySessions
    series: SeriesService

    def write(
        self, campus: Campus, run: ImportRun, lines: Sequence[Foreseen], kind: ActivityKind, *, by: Actor
    ) -> None:
        groups: dict[str, list[Foreseen]] = {}
        for one in lines:
            if one.fate is not ImportLineOutcome.REFUSED:
                groups.setdefault(one.meeting.uid, []).append(one)
        waiting = {one.meeting.uid for one in lines if one.waits}
        for uid, group in groups.items():
            self._write(campus, run, group, kind, by, is_waiting=uid in waiting)

    def _write(
        self,
        campus: Campus,
        run: ImportRun,
        group: Sequence[Foreseen],
        kind: ActivityKind,
        by: Actor,
        *,
        is_waiting: bool,
    ) -> None:
        first = next((one for one in group if not one.is_removed), group[0])
        is_new = first.activity is None
        if is_new and first.meeting.cancelled:
            return
        activity = first.activity or self._created(campus, first, kind, by)
        self.planning.activities.lock(activity.id)
        if not is_new and first.meeting.occurrence:
            self.series.begin_if_used(campus, activity, by=by)
        facts = {name: value for one in group for name, value in one.activity_news.items()}
        touched = [each for one in group if (each := self._session(campus, run, activity, one))]
        if touched:
            facts |= self._sums(activity)
        if facts and self.planning.correct(campus, activity.id, facts, by=by) and not is_new:
            self.planning.logged_events.log_correction(activity, AMENDED)
        if touched and self.planning.activities.counts_attendance(activity.id):
            self.attendance.count_hours(activity)
        if not is_waiting:
            self._keep(campus, run, first.meeting.activity_key, activity.id, first.meeting.record().said())

    def _created(self, campus: Campus, first: Foreseen, kind: ActivityKind, by: Actor) -> Activity:
        meeting = first.meeting
        assert meeting.starts_on is not None, "a line without a date was refused"
        activity = Activity(
            kind=meeting.kind or kind,
            title=meeting.title,
            starts_on=meeting.starts_on,
            ends_on=meeting.ends_on or meeting.starts_on,
            place=meeting.place,
            hours=meeting.hours or None,
            start_time=None if meeting.occurrence else meeting.start_time,
            end_time=None if meeting.occurrence else meeting.end_time,
            created_at=self.planning.clock(),
        )
        return self.planning.activity_service.create(activity, [campus], by=by)

    def _session(self, campus: Campus, run: ImportRun, activity: Activity, one: Foreseen) -> bool:
        """Returns whether the sessions of the activity changed."""
        meeting, session = one.meeting, one.session
        if one.is_removed:
            assert session is not None
            for link in self.imports.standing_for(campus.id, run.source, [session.id]).get(session.id, ()):
                link.said, link.row_id, link.run_id = {**link.said, "withdrawn": True}, None, run.id
                self.imports.save(link)
            self.plans.remove(session)
            return True
        if not meeting.occurrence or meeting.cancelled:
            return False
        assert meeting.starts_on is not None
        if session is None:
            there = self.plans.sessions_of(activity.id)
            session = next((each for each in there if each.held_on == meeting.starts_on), None)
        if session is None:
            session = ActivitySession(
                activity_id=activity.id, held_on=meeting.starts_on, hours=meeting.hours or None
            )
            self.plans.save(session)
        what = one.values.get("what", ())
        if "held_on" in what:
            session.held_on = meeting.starts_on
        if "hours" in what:
            session.hours = meeting.hours or None
        self.plans.save(session)
        self._keep(campus, run, meeting.own_key, session.id, meeting.said())
        return one.fate is ImportLineOutcome.CREATED or bool({"held_on", "hours"} & set(what))

    def _sums(self, activity: Activity) -> dict[str, Any]:
        """Dates and hours of a series are derived from its sessions."""
        sessions = [each for each in self.plans.sessions_of(activity.id) if each.cancelled_at is None]
        if not sessions:
            return {}
        facts: dict[str, Any] = {
            "starts_on": sessions[0].held_on.isoformat(),
            "ends_on": sessions[-1].held_on.isoformat(),
        }
        if all(each.hours for each in sessions):
            facts["hours"] = round(sum(each.hours or 0 for each in sessions), 2)
        return facts

    def _keep(
        self, campus: Campus, run: ImportRun, own_key: Sequence[str], row_id: Any, said: Mapping[str, Any]
    ) -> None:
        """Store what the identifier refers to, and the values that the calendar contained for it."""
        key = self.matching.key(campus, run.source, own_key)
        link = self.imports.known(campus.id, [key]).get(key) or Imported(
            campus_id=campus.id, key=key, source=run.source, run_id=run.id, at=run.asked_at
        )
        if link.said != said or link.row_id != row_id:
            link.said, link.row_id, link.run_id, link.at = dict(said), row_id, run.id, run.asked_at
        self.imports.save(link)


@dataclass(frozen=True)
class CalendarDraft:
    """`declined`: the choices that were not taken before, of a followed calendar."""

    run: ImportRun
    lines: Sequence[Foreseen]
    before: ImportRun | None
    """The last import of an identical file."""
    declined: frozenset[str]
    read: ReadCalendar


@dataclass(frozen=True, eq=False)
class CalendarImports:
    imports: ImportService
    matching: CalendarMatching
    writing: CalendarWriting

    def drop(
        self, campus: Campus, source: str, data: bytes, *, by: Actor, read: ReadCalendar | None = None
    ) -> ImportRun:
        """Store the upload until confirmed, for at most a day; `read`: where it was parsed before."""
        run = self.imports.new_run(campus, ImportForm.CALENDAR, check_source(source), data, by)
        run.given = zlib.compress(data.decode("utf-8-sig", errors="replace").encode())
        if read is None:
            self._read(campus, run)
        self.imports.imports.save(run)
        return run

    def draft(self, campus: Campus, run_id: uuid.UUID) -> CalendarDraft:
        run = self.imports.imports.get(run_id, campus.id)
        check_draft(run)
        read = self._read(campus, run)
        lines = self.matching.match(campus, run.source, read)
        followed = self.imports.imports.calendar_of_source(campus.id, run.source)
        before = set(followed.declined) if followed else set()
        declined = frozenset(one.choice for one in lines if one.offer in before)
        return CalendarDraft(
            run, lines, self.imports.imports.find_same(campus.id, run.digest), declined, read
        )

    def confirm(
        self,
        campus: Campus,
        run_id: uuid.UUID,
        kind: ActivityKind,
        *,
        by: Actor,
        without: Collection[str] = (),
        read: ReadCalendar | None = None,
    ) -> ImportRun:
        """Write the valid lines; `kind`: for new activities without a recognised category; `without`: the
        choices of lines to leave out; `read`: of the same draft, where it was parsed before."""
        draft = self.imports.imports.get(run_id, campus.id)
        check_draft(draft)
        read = self._read(campus, draft) if read is None else read
        self.imports.campuses.lock(campus.id)
        run = self.imports.imports.lock(run_id)
        if run is None:
            raise NotFound("Cet import n’existe pas ici.")
        check_draft(run)
        matched = self.matching.match(campus, run.source, read)
        lines = [one.refused(NOT_CHOSEN) if one.writes and one.choice in without else one for one in matched]
        if followed := self.imports.imports.calendar_of_source(campus.id, run.source):
            offered = {one.offer: one.choice in without for one in matched if one.writes}
            left_out = {offer for offer, is_left_out in offered.items() if is_left_out}
            followed.decline(left_out, offered.keys() - left_out, self.imports.clock())
            self.imports.imports.save(followed)
        self.settle(campus, run, lines, kind, by=by)
        return run

    # --- in one step

    def read(self, campus: Campus, data: bytes) -> ReadCalendar:
        """As of today. Takes seconds of a hostile file: before the campus is locked."""
        today = campus.day_of(self.imports.clock())
        return read_calendar(data, zone=campus.time_zone, today=today)

    def match(
        self, campus: Campus, source: str, data: bytes, read: ReadCalendar, *, by: Actor
    ) -> tuple[ImportRun, list[Foreseen]]:
        """The import, not stored yet, and what would become of each line."""
        self.imports.campuses.lock(campus.id)
        run = self.imports.new_run(campus, ImportForm.CALENDAR, check_source(source), data, by)
        return run, self.matching.match(campus, run.source, read)

    def take(
        self,
        campus: Campus,
        source: str,
        data: bytes,
        kind: ActivityKind,
        *,
        read: ReadCalendar,
        by: Actor,
        dry_run: bool = False,
        create_similar: bool = False,
    ) -> tuple[ImportRun, list[Foreseen]]:
        """A whole calendar at once, as it was read. A dry run stores nothing, not even a report."""
        run, matched = self.match(campus, source, data, read, by=by)
        lines = [
            one.refused(SIMILAR) if one.writes and one.seems_here and not create_similar else one
            for one in matched
        ]
        if not dry_run:
            self.settle(campus, run, lines, kind, by=by)
        return run, lines

    def settle(
        self, campus: Campus, run: ImportRun, lines: Sequence[Foreseen], kind: ActivityKind, *, by: Actor
    ) -> None:
        """Write the valid lines, judged in this transaction, and the report."""
        at = self.imports.clock()
        run.state, run.given, run.asked_at, run.done_at = ImportState.DONE, b"", at, at
        self.imports.imports.save(run)
        self.writing.write(campus, run, lines, kind, by=by)
        self.imports.imports.add_lines([_line(run, place, one) for place, one in enumerate(lines)])
        self.imports.history.write(
            by, "take_over", "import", run.id, at=at, campus_id=campus.id, lines=len(lines)
        )

    @staticmethod
    def _read(campus: Campus, run: ImportRun) -> ReadCalendar:
        """Read as of the upload date: the confirmed result is the previewed one."""
        today = campus.day_of(run.asked_at)
        return read_calendar(zlib.decompress(run.given), zone=campus.time_zone, today=today)


def _line(run: ImportRun, position: int, one: Foreseen) -> ImportLine:
    return new_row(
        ImportLine,
        run_id=run.id,
        position=position,
        number=one.meeting.number,
        fate=one.fate,
        reason=one.reason,
        reason_values=dict(one.values),
        told={},
        cells=one.meeting.cells() if one.fate is ImportLineOutcome.REFUSED else [],
    )
