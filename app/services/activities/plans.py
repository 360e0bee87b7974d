"""Planning: one form per activity, duplication by whole weeks, invitations to co-organising campuses."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.db.activities import ActivityStore, CheckInStore
from app.db.activities.plans import ActivityPlanStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore, TeamStore
from app.db.frameworks import CompetencyStore
from app.domain.accounts.permissions import Permission, may
from app.domain.activities import (
    Activity,
    ActivityCampus,
    ActivitySession,
    Attendance,
    Holding,
    Participation,
    Plan,
    SessionFacts,
    attendances_of,
    cancel,
    change,
    check_activity,
    check_leads,
    check_may_add,
    check_may_answer,
    check_nothing_rests,
    check_session,
    check_takes_place,
    copied,
    days_until_next,
    first_session,
    free_days,
    restore,
    settle,
)
from app.domain.activities.check_in import close_check_in, is_open
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, check_as_shown
from app.domain.frameworks import MOST_PRACTISED, Competency, can_practise
from app.domain.imports.imports import amended
from app.domain.people import Person
from app.errors import AppError, InvalidInput, NotFound, faults_of_fields
from app.language import N_
from app.services.activities.activities import PRESENCE, ActivityService
from app.services.activity_log import LoggedEvents

_EDITED_FIELDS = (
    "kind", "title", "description", "place", "hours", "audience", "starts_on", "ends_on", "start_time", "end_time",
)  # fmt: skip


@dataclass(frozen=True)
class Choices:
    """Options a campus can choose from when it plans an activity."""

    trainers: Sequence[Person]
    competencies: Sequence[Competency]
    badges: Sequence[tuple[Badge, BadgeVersion]]
    campuses: Sequence[Campus]


@dataclass(frozen=True)
class Planned:
    """The plan of an activity; `waiting`: campuses that have not answered."""

    leads: bool
    trainers: Sequence[Person]
    competencies: Sequence[Competency]
    badges: Sequence[tuple[Badge, BadgeVersion]]
    accepted: Sequence[Campus]
    waiting: Sequence[Campus]
    sessions: Sequence[ActivitySession]


AMENDED = N_("L’activité a été corrigée.")
"""Reason logged when all participations are logged again."""


def _led_by(
    activities: ActivityStore, plans: ActivityPlanStore, campus: Campus, activity_id: uuid.UUID
) -> Activity:
    """An activity of the campus, which leads it where several organise it."""
    activity = activities.get_in_campus(activity_id, campus.id)
    place = plans.place_of(activity.id, campus.id)
    if place is not None:
        check_leads(place)
    return activity


@dataclass(frozen=True, eq=False)
class ActivityPlans:
    plans: ActivityPlanStore
    rooms: CheckInStore
    activities: ActivityStore
    campuses: CampusStore
    competencies: CompetencyStore
    badges: BadgeStore
    team: TeamStore
    history: HistoryStore
    activity_service: ActivityService
    logged_events: LoggedEvents
    clock: Clock

    def choices(self, campus: Campus) -> Choices:
        return Choices(
            self._trainers(campus),
            [one for one, _ in self.competencies.list_of(campus.id) if one.archived_at is None],
            [pair for pair in self.badges.list_current(campus.id) if pair[0].archived_at is None],
            [other for other in self.campuses.list_all() if other.id != campus.id],
        )

    def practised(
        self, campus: Campus, ids: Collection[uuid.UUID], activity_id: uuid.UUID | None = None
    ) -> list[Competency]:
        """Competencies that the form names, by code; without those that no longer exist, and those that the campus
        may not name and that the activity does not have."""
        had = self.plans.competencies_of(activity_id) if activity_id else ()
        shown = {*self._practicable(campus, ids), *had}
        found = (one for one, _ in self.competencies.get_many(ids).values() if one.id in shown)
        return sorted(found, key=lambda each: each.code)

    def _trainers(self, campus: Campus) -> list[Person]:
        members = self.team.members(campus.id, at=self.clock())
        found = {
            person.id: person for membership, person in members if may([membership.role], Permission.WORK)
        }
        return list(found.values())

    def planned(self, campus: Campus, activity_id: uuid.UUID) -> Planned:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        place = self.plans.place_of(activity.id, campus.id)
        practised, leads_to = self.plans.competencies_of(activity.id), self.plans.badges_of(activity.id)
        places = self.plans.places_of(activity.id)
        return Planned(
            place is not None and place.position == 0,
            self.plans.trainers_of(activity.id),
            sorted(
                (one for one, _ in self.competencies.get_many(practised).values()), key=lambda one: one.code
            ),
            [(self.badges.get(each), self.badges.newest_version(each)) for each in leads_to],
            [other for place, other in places if place.accepted_at],
            [other for place, other in places if place.accepted_at is None],
            self.plans.sessions_of(activity.id),
        )

    def badge_of(self, campus: Campus, activity_id: uuid.UUID) -> tuple[Badge, BadgeVersion] | None:
        """The first badge of the campus that its activity leads to."""
        found = self.plans.first_badge_of(activity_id, campus.id)
        return (self.badges.get(found), self.badges.newest_version(found)) if found else None

    def create(self, campus: Campus, activity: Activity, plan: Plan, *, by: Actor) -> Activity:
        """The campus leads it; the others are invited. Idempotent by `id`."""
        self.campuses.lock(campus.id)
        if (made := self.activities.find(activity.id)) is not None:
            return made
        self.activity_service.create(activity, [campus], by=by)
        self._write(campus, activity, plan, by)
        self.plans.save(
            *(
                ActivitySession(activity_id=activity.id, held_on=day, hours=activity.hours)
                for day in plan.days
            )
        )
        if plan.days:
            activity.starts_on, activity.ends_on = plan.days[0], plan.days[-1]
            activity.hours = activity.hours * len(plan.days) if activity.hours else None
            check_activity(activity)
            self.activities.save(activity)
        return activity

    def amend(
        self, campus: Campus, activity_id: uuid.UUID, wanted: Activity, plan: Plan | None, *, by: Actor
    ) -> Activity:
        """Awards already given are unchanged; the participation of everyone present is logged again. Without a plan,
        the present one stays."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        check_activity(wanted)
        was_for_pupils = activity.is_for_pupils
        for field in _EDITED_FIELDS:
            setattr(activity, field, getattr(wanted, field))
        settle(activity, self.plans.sessions_of(activity.id))
        self.activities.save(activity)
        if plan is not None:
            self._write(campus, activity, plan, by)
        self.activity_service.suppose_pupils(activity, by=by, was_for_pupils=was_for_pupils)
        self.logged_events.log_correction(activity, AMENDED)
        self.history.write(by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id)
        return activity

    def correct(
        self, campus: Campus, activity_id: uuid.UUID, facts: Mapping[str, Any], *, by: Actor
    ) -> list[str]:
        """Write some facts of an activity that the campus leads; returns the names of those that changed."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        was_for_pupils = activity.is_for_pupils
        changed = amended(activity, facts)
        if changed:
            check_activity(activity)
            self.activities.save(activity)
            self.activity_service.suppose_pupils(activity, by=by, was_for_pupils=was_for_pupils)
            self.history.write(by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id)
        return changed

    def duplicate(
        self, campus: Campus, activity_id: uuid.UUID, copy_id: uuid.UUID, *, today: date, by: Actor
    ) -> Activity:
        """Copy it whole weeks later, without participants; other campuses are invited again."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.campuses.lock(campus.id)
        if (made := self.activities.find(copy_id)) is not None:
            return made
        days = days_until_next(activity, today=today)
        planned = self.planned(campus, activity_id)
        own = self.choices(campus)
        copy = copied(activity, days=days, at=self.clock())
        copy.id = copy_id
        self.activity_service.create(copy, [campus], by=by)
        plan = Plan(
            [other.slug for other in (*planned.accepted, *planned.waiting) if other.id != campus.id],
            {one.id for one in planned.trainers} & {one.id for one in own.trainers},
            self._practicable(campus, {one.id for one in planned.competencies}),
            {one.id for one, _ in planned.badges} & {one.id for one, _ in own.badges},
        )
        self._write(campus, copy, plan, by)
        shift = copy.starts_on - activity.starts_on
        self.plans.save(
            *(
                ActivitySession(
                    activity_id=copy.id, held_on=each.held_on + shift, hours=each.hours, place=each.place
                )
                for each in planned.sessions
                if each.cancelled_at is None
            )
        )
        return copy

    def holding(self, campus: Campus, activity_id: uuid.UUID) -> Holding | None:
        """What prevents deleting the activity, if anything."""
        return self.plans.holding(self.activities.get_in_campus(activity_id, campus.id).id)

    def delete(self, campus: Campus, activity_id: uuid.UUID, *, by: Actor) -> None:
        """Delete an activity and its plan, if nothing depends on it; recorded in the history."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        self.activities.lock(activity.id)
        check_nothing_rests(self.plans.holding(activity.id))
        on = activity.starts_on.isoformat()
        self.history.write(by, "delete", "activity", activity.id, at=self.clock(), campus_id=campus.id, on=on)
        self.plans.delete(activity.id)

    def _write(self, campus: Campus, activity: Activity, plan: Plan, by: Actor) -> None:
        for fault in self.faults_of(campus, plan, activity.id).values():
            raise fault
        self.plans.write(
            activity.id,
            trainers=set(plan.trainers),
            competencies=set(plan.competencies),
            badges=set(plan.badges),
        )
        self._ask(campus, activity, plan.campuses, by)

    def faults_of(
        self, campus: Campus, plan: Plan, activity_id: uuid.UUID | None = None
    ) -> dict[str, AppError]:
        """By the field of the plan. Options chosen earlier stay valid: a trainer who has left, an archived badge."""
        own = self.choices(campus)
        had = self.planned(campus, activity_id) if activity_id else own
        trainers = {one.id for one in (*own.trainers, *had.trainers)}
        badges = {one.id for one, _ in (*own.badges, *had.badges)}
        competencies = self._practicable(campus, plan.competencies) | {one.id for one in had.competencies}
        campuses = {campus.slug, *(other.slug for other in own.campuses)}
        return faults_of_fields(
            {
                "trainers": lambda: _check_choices(plan.trainers, trainers),
                "competencies": lambda: _check_choices(plan.competencies, competencies, most=MOST_PRACTISED),
                "badges": lambda: _check_choices(plan.badges, badges),
                "campuses": lambda: _check_choices(plan.campuses, campuses),
            }
        )

    def _practicable(self, campus: Campus, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those that a new activity may name."""
        return {
            competency.id
            for competency, framework in self.competencies.get_many(ids).values()
            if competency.archived_at is None and can_practise(competency, framework, campus.id)
        }

    def _ask(self, campus: Campus, activity: Activity, slugs: Collection[str], by: Actor) -> None:
        places = {other.slug: place for place, other in self.plans.places_of(activity.id)}
        leaving = [place for slug, place in places.items() if place.position and slug not in slugs]
        if leaving:
            self.activity_service.hold_participants(activity.id)
        for place in leaving:
            self._leave(place)
        after = max((place.position for place in places.values()), default=0)
        for slug in slugs:
            if slug in places or slug == campus.slug:
                continue
            other, after = self.campuses.get(slug), after + 1
            self.plans.save(ActivityCampus(activity_id=activity.id, campus_id=other.id, position=after))
            self.history.write(by, "ask", "activity", activity.id, at=self.clock(), campus_id=other.id)

    def asked(self, campus: Campus) -> list[tuple[Activity, Campus]]:
        """Activities that other campuses invite this one to co-organise; contains no personal names."""
        return self.plans.asked(campus.id)

    def answer(
        self, campus: Campus, activity_id: uuid.UUID, *, accepts: bool, by: Actor, seen: str = ""
    ) -> None:
        """Accept or decline; a campus that accepted may still withdraw. `seen`: the mark of `invitation_facts`."""
        place = self.plans.place_of(activity_id, campus.id)
        if place is None:
            raise NotFound("Cette activité n’existe pas dans ce campus.")
        self.activity_service.hold_participants(activity_id)
        check_may_answer(self.plans.hold_row(place))
        if accepts and place.accepted_at is not None:
            return
        if accepts:
            activity, (leads, *_) = self.activities.get(activity_id), self.activities.campuses_of(activity_id)
            check_as_shown(seen, *invitation_facts(activity, leads))
            place.accepted_at = self.clock()
            self.plans.save(place)
            self.logged_events.joined(campus, activity)
        else:
            self._leave(place)
        self.history.write(
            by,
            "accept" if accepts else "decline",
            "activity",
            activity_id,
            at=self.clock(),
            campus_id=campus.id,
        )

    def _leave(self, place: ActivityCampus) -> None:
        """The check-ins that the campus opened close: phones no longer agree that it notes their presence."""
        self.plans.leave(place)
        self.rooms.shut_of(place.activity_id, place.campus_id, self.clock())


def invitation_facts(activity: Activity, leads: Campus) -> tuple[object, ...]:
    """What the page of invitations shows: a campus accepts that, not what it has become."""
    days = activity.starts_on, activity.ends_on
    return leads.name, activity.title, activity.kind.value, *days, activity.place


def _check_choices(
    asked: Collection[object], possible: Collection[object], *, most: int | None = None
) -> None:
    if most is not None and len(asked) > most:
        raise InvalidInput("Une activité pratique {most} compétences au plus.", most=most)
    if set(asked) - set(possible):
        raise InvalidInput("Un choix de la page n’existe plus : rechargez-la, puis recommencez.")


CHANGED = N_("Les séances ont changé.")
"""Reason logged when a participation is logged again."""


@dataclass(frozen=True, eq=False)
class SeriesService:
    plans: ActivityPlanStore
    activities: ActivityStore
    rooms: CheckInStore
    history: HistoryStore
    logged_events: LoggedEvents
    clock: Clock

    def session(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID
    ) -> tuple[ActivitySession, int]:
        """One session and its attendance count."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        return self.plans.get_session(activity.id, session_id), len(self.plans.came_to(session_id))

    def add(
        self, campus: Campus, activity_id: uuid.UUID, facts: SessionFacts, *, by: Actor
    ) -> ActivitySession:
        """If the activity was planned as a single meeting, that meeting becomes the first session."""
        return self.add_all(campus, activity_id, [facts], by=by)[0]

    def add_all(
        self, campus: Campus, activity_id: uuid.UUID, wanted: Sequence[SessionFacts], *, by: Actor
    ) -> list[ActivitySession]:
        """Add those on free days; raises if every day already has a session."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        self.activities.lock(activity.id)
        sessions = list(self.plans.sessions_of(activity.id)) or [self._begin(campus, activity, by)]
        made = list[ActivitySession]()
        for facts in free_days(wanted, sessions):
            check_may_add(sessions)
            check_session(facts, sessions)
            session = ActivitySession(
                activity_id=activity.id, held_on=facts.held_on, hours=facts.hours, place=facts.place
            )
            sessions.append(session)
            made.append(session)
        self.plans.save(*made)
        self._settle(activity)
        for session in made:
            self._write(by, "add_session", campus, activity, on=session.held_on.isoformat())
        return made

    def begin_if_used(self, campus: Campus, activity: Activity, *, by: Actor) -> None:
        """Before other code adds sessions: a single meeting with participants becomes the first session."""
        is_single = activity.starts_on == activity.ends_on and not self.plans.sessions_of(activity.id)
        if is_single and self.activities.participants(activity.id):
            self._begin(campus, activity, by)

    def _begin(self, campus: Campus, activity: Activity, by: Actor) -> ActivitySession:
        """Attendance, hours and check-in code of the activity now belong to the first session."""
        first = first_session(activity)
        self.plans.save(first)
        there = [participation for participation, _ in self.activities.participants(activity.id)]
        self.plans.note(attendances_of(first, activity, there))
        room = self.rooms.find_of(activity.id, None)
        if room is not None:
            room = self.rooms.lock(room.id)
            room.session_id = first.id
            self.rooms.save(room)
        self._write(by, "begin_series", campus, activity)
        return first

    def change(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID, facts: SessionFacts, *, by: Actor
    ) -> bool:
        """Change day, hours or location; attendance is unchanged. Returns whether anything changed."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        self.activities.lock(activity.id)
        session = self.plans.get_session(activity.id, session_id)
        check_session(facts, self.plans.sessions_of(activity.id), session)
        before = session.held_on
        if not change(session, facts):
            return False
        self.plans.save(session)
        if session.held_on != before:
            self._shut_room(activity, session)
        days = {"on": before.isoformat(), "to": session.held_on.isoformat()}
        self._settle(activity)
        self._write(by, "change_session", campus, activity, **days)
        return True

    def cancel(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID, *, by: Actor
    ) -> ActivitySession:
        """Its attendees stay in the activity, without its hours."""
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        self.activities.lock(activity.id)
        session = self.plans.get_session(activity.id, session_id)
        if cancel(session, self.plans.sessions_of(activity.id), at=self.clock()):
            self.plans.save(session)
            self._shut_room(activity, session)
            self._settle(activity)
            self._write(by, "cancel_session", campus, activity, on=session.held_on.isoformat())
        return session

    def restore(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID, *, by: Actor
    ) -> ActivitySession:
        activity = _led_by(self.activities, self.plans, campus, activity_id)
        self.activities.lock(activity.id)
        session = self.plans.get_session(activity.id, session_id)
        if restore(session):
            self.plans.save(session)
            self._settle(activity)
            self._write(by, "restore_session", campus, activity, on=session.held_on.isoformat())
        return session

    def _settle(self, activity: Activity) -> None:
        """Recompute the activity, everyone's hours and the log from the sessions."""
        settle(activity, self.plans.sessions_of(activity.id))
        self.activities.save(activity)
        if self.activities.counts_attendance(activity.id):
            attended = self.plans.hours_attended(activity)
            there = [one for one, _ in self.activities.participants(activity.id, with_absent=True)]
            for participation in there:
                participation.hours = attended.get(participation.id, 0.0)
            self.activities.add_participations(there)
        self.logged_events.log_correction(activity, CHANGED)

    def _write(self, by: Actor, action: str, campus: Campus, activity: Activity, **facts: Any) -> None:
        at = self.clock()
        self.history.write(by, action, "activity", activity.id, at=at, campus_id=campus.id, **facts)

    def _shut_room(self, activity: Activity, session: ActivitySession) -> None:
        """The check-in code was only valid on that day."""
        found = self.rooms.find_of(activity.id, session.id)
        if found is not None and is_open(room := self.rooms.lock(found.id), at=self.clock()):
            close_check_in(room, at=self.clock())
            self.rooms.save(room)


@dataclass(frozen=True)
class SessionSheet:
    """All participants of the activity, and who attended that day."""

    activity: Activity
    session: ActivitySession
    sessions: Sequence[ActivitySession]
    participants: Sequence[tuple[Participation, Person]]
    came: Collection[uuid.UUID]


@dataclass(frozen=True, eq=False)
class ActivitySessions:
    plans: ActivityPlanStore
    activities: ActivityStore
    history: HistoryStore
    logged_events: LoggedEvents
    clock: Clock

    def list_of(
        self, campus: Campus, activity_id: uuid.UUID
    ) -> tuple[Sequence[ActivitySession], dict[uuid.UUID, int]]:
        """The sessions in order, with the attendance count of each."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return self.plans.sessions_of(activity.id), self.plans.how_many_came(activity.id)

    def sheet(self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID) -> SessionSheet:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return SessionSheet(
            activity,
            self.plans.get_session(activity.id, session_id),
            self.plans.sessions_of(activity.id),
            self.activities.participants(activity.id),
            self.plans.came_to(session_id),
        )

    def note(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        session_id: uuid.UUID,
        came: Collection[uuid.UUID],
        *,
        shown: Collection[uuid.UUID],
        by: Actor,
    ) -> None:
        """Among the participations `shown`, mark these as attending; concurrent check-ins are unchanged."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        session = self.plans.get_session(activity.id, session_id)
        check_takes_place(session)
        there = {participation.id for participation, _ in self.activities.participants(activity.id)}
        before = self.plans.came_to(session.id)
        added = (set(came) & there) - before
        removed = (before & set(shown)) - set(came)
        self._write(session, added, removed)
        if added or removed:
            self.count_hours(activity)
            self.history.write(
                by,
                "note_attendance",
                "activity",
                activity.id,
                at=self.clock(),
                campus_id=campus.id,
                added=len(added),
                removed=len(removed),
            )

    def note_one(self, activity: Activity, session: ActivitySession, participation: Participation) -> None:
        """Record one check-in; the activity must be locked."""
        if participation.id not in self.plans.came_to(session.id):
            self._write(session, {participation.id}, set())
            self.count_hours(activity)

    def unnote_one(self, activity: Activity, session: ActivitySession, participation: Participation) -> None:
        """Take one check-in back; the activity must be locked."""
        self._write(session, set(), {participation.id})
        self.count_hours(activity)

    def count_hours(self, activity: Activity) -> None:
        """Once attendance is recorded, everyone's hours are those of the sessions they attended."""
        attended = self.plans.hours_attended(activity)
        changed = []
        for participation, _ in self.activities.participants(activity.id, with_absent=True):
            hours = attended.get(participation.id, 0.0)
            if participation.hours != hours:
                participation.hours = hours
                changed.append(participation)
        self.activities.add_participations(changed)
        self.logged_events.log_participation(activity, changed, PRESENCE)

    def _write(
        self, session: ActivitySession, added: Collection[uuid.UUID], removed: Collection[uuid.UUID]
    ) -> None:
        self.plans.unnote(session.id, list(removed))
        self.plans.note(
            Attendance(session_id=session.id, participation_id=each, noted_at=self.clock()) for each in added
        )
