"""Changing a series once it is planned: its sessions, its dates and hours, and what the log says of who came."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from app.db.activities.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.activities.rooms import RoomStore
from app.db.campus.history import HistoryStore
from app.domain.activities.activities import Activity
from app.domain.activities.plans import ActivitySession, check_leads
from app.domain.activities.rooms import close_room, is_open
from app.domain.activities.series import (
    SessionFacts,
    attendances_of,
    cancel,
    change,
    check_may_add,
    check_session,
    first_session,
    free_days,
    restore,
    settle,
)
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import NotFound
from app.language import N_
from app.services.activity_log.logged_deeds import LoggedDeeds

CHANGED = N_("Les séances ont changé.")
"""Why the log says anew of somebody what they did there."""


class SeriesService:
    def __init__(
        self,
        plans: ActivityPlanStore,
        activities: ActivityStore,
        rooms: RoomStore,
        history: HistoryStore,
        deeds: LoggedDeeds,
        clock: Clock,
    ) -> None:
        self.plans = plans
        self.activities = activities
        self.rooms = rooms
        self.history = history
        self.deeds = deeds
        self.clock = clock

    def session(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID
    ) -> tuple[ActivitySession, int]:
        """One session, and how many came to it."""
        activity = self._led_by(campus, activity_id)
        return self._get(activity, session_id), len(self.plans.came_to(session_id))

    def add(
        self, campus: Campus, activity_id: uuid.UUID, facts: SessionFacts, *, by: Actor
    ) -> ActivitySession:
        """Of an activity that was planned as a single meeting, that one becomes the first session."""
        return self.add_all(campus, activity_id, [facts], by=by)[0]

    def add_all(
        self, campus: Campus, activity_id: uuid.UUID, wanted: Sequence[SessionFacts], *, by: Actor
    ) -> list[ActivitySession]:
        """Those whose day is free; of days that all have their session, none is added and that is said."""
        activity = self._led_by(campus, activity_id)
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
        self.plans.add_sessions(made)
        self._settle(activity)
        for session in made:
            self._write(by, "add_session", campus, activity, on=session.held_on.isoformat())
        return made

    def begin_if_used(self, campus: Campus, activity: Activity, *, by: Actor) -> None:
        """Before sessions are planned by another way: a single meeting to which somebody came is the first of them."""
        is_single = activity.starts_on == activity.ends_on and not self.plans.sessions_of(activity.id)
        if is_single and self.activities.participants(activity.id):
            self._begin(campus, activity, by)

    def _begin(self, campus: Campus, activity: Activity, by: Actor) -> ActivitySession:
        """Who was there, their hours and the code on the wall are those of the first session from now on."""
        first = first_session(activity)
        self.plans.add_sessions([first])
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
        """Another day, other hours, another place; whoever came stays noted. Whether anything changed."""
        activity = self._led_by(campus, activity_id)
        self.activities.lock(activity.id)
        session = self._get(activity, session_id)
        check_session(facts, self.plans.sessions_of(activity.id), session)
        before = session.held_on
        if not change(session, facts):
            return False
        self.plans.add_sessions([session])
        if session.held_on != before:
            self._shut_room(activity, session)
        told = {"on": before.isoformat(), "to": session.held_on.isoformat()}
        self._settle(activity)
        self._write(by, "change_session", campus, activity, **told)
        return True

    def cancel(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID, *, by: Actor
    ) -> ActivitySession:
        """Whoever came to it stays in the activity, without its hours."""
        activity = self._led_by(campus, activity_id)
        self.activities.lock(activity.id)
        session = self._get(activity, session_id)
        if cancel(session, self.plans.sessions_of(activity.id), at=self.clock()):
            self.plans.add_sessions([session])
            self._shut_room(activity, session)
            self._settle(activity)
            self._write(by, "cancel_session", campus, activity, on=session.held_on.isoformat())
        return session

    def restore(
        self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID, *, by: Actor
    ) -> ActivitySession:
        activity = self._led_by(campus, activity_id)
        self.activities.lock(activity.id)
        session = self._get(activity, session_id)
        if restore(session):
            self.plans.add_sessions([session])
            self._settle(activity)
            self._write(by, "restore_session", campus, activity, on=session.held_on.isoformat())
        return session

    def _settle(self, activity: Activity) -> None:
        """The activity, everybody's hours and the log follow the sessions."""
        settle(activity, self.plans.sessions_of(activity.id))
        self.activities.save(activity)
        if self.activities.counts_attendance(activity.id):
            attended = self.plans.hours_attended(activity)
            there = [one for one, _ in self.activities.participants(activity.id, with_absent=True)]
            for participation in there:
                participation.hours = attended.get(participation.id, 0.0)
            self.activities.add_participations(there)
        self.deeds.retold(activity, CHANGED)

    def _write(self, by: Actor, deed: str, campus: Campus, activity: Activity, **told: Any) -> None:
        at = self.clock()
        self.history.write(by, deed, "activity", activity.id, at=at, campus_id=campus.id, **told)

    def _shut_room(self, activity: Activity, session: ActivitySession) -> None:
        """The code on the wall was for that day."""
        found = self.rooms.find_of(activity.id, session.id)
        if found is not None and is_open(room := self.rooms.lock(found.id), at=self.clock()):
            close_room(room, at=self.clock())
            self.rooms.save(room)

    def _led_by(self, campus: Campus, activity_id: uuid.UUID) -> Activity:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        place = self.plans.place_of(activity.id, campus.id)
        if place is not None:
            check_leads(place)
        return activity

    def _get(self, activity: Activity, session_id: uuid.UUID) -> ActivitySession:
        session = self.plans.find_session(activity.id, session_id)
        if session is None:
            raise NotFound(N_("Cette séance n’existe pas dans cette activité."))
        return session
