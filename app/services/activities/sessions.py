"""The sessions of a series: who came to each, and the hours that add up."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db.activities.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.campus.history import HistoryStore
from app.domain.activities.activities import Activity, Participation
from app.domain.activities.plans import ActivitySession, Attendance
from app.domain.activities.series import check_takes_place
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.people import Person
from app.errors import NotFound
from app.language import N_
from app.services.activities.activities import PRESENCE
from app.services.activity_log.logged_deeds import LoggedDeeds


@dataclass(frozen=True)
class SessionSheet:
    """Everybody of the activity, and who of them came that day."""

    activity: Activity
    session: ActivitySession
    sessions: Sequence[ActivitySession]
    participants: Sequence[tuple[Participation, Person]]
    came: Collection[uuid.UUID]


class ActivitySessions:
    def __init__(
        self,
        plans: ActivityPlanStore,
        activities: ActivityStore,
        history: HistoryStore,
        deeds: LoggedDeeds,
        clock: Clock,
    ) -> None:
        self.plans = plans
        self.activities = activities
        self.history = history
        self.deeds = deeds
        self.clock = clock

    def list_of(
        self, campus: Campus, activity_id: uuid.UUID
    ) -> tuple[Sequence[ActivitySession], dict[uuid.UUID, int]]:
        """The sessions in order, and how many came to each."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return self.plans.sessions_of(activity.id), self.plans.how_many_came(activity.id)

    def sheet(self, campus: Campus, activity_id: uuid.UUID, session_id: uuid.UUID) -> SessionSheet:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return SessionSheet(
            activity,
            self._get(activity, session_id),
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
        """Of the participations that were `shown`, these came; whoever signed in meanwhile stays as they are."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        session = self._get(activity, session_id)
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
        """Somebody signed in; the activity is locked already."""
        if participation.id not in self.plans.came_to(session.id):
            self._write(session, {participation.id}, set())
            self.count_hours(activity)

    def count_hours(self, activity: Activity) -> None:
        """Once attendance is noted, everybody's hours are those of the sessions they came to."""
        attended = self.plans.hours_attended(activity)
        changed = []
        for participation, _ in self.activities.participants(activity.id, with_absent=True):
            hours = attended.get(participation.id, 0.0)
            if participation.hours != hours:
                participation.hours = hours
                changed.append(participation)
        self.activities.add_participations(changed)
        self.deeds.noted(activity, changed, PRESENCE)

    def _write(
        self, session: ActivitySession, added: Collection[uuid.UUID], removed: Collection[uuid.UUID]
    ) -> None:
        self.plans.unnote(session.id, list(removed))
        self.plans.note(
            Attendance(session_id=session.id, participation_id=each, noted_at=self.clock()) for each in added
        )

    def _get(self, activity: Activity, session_id: uuid.UUID) -> ActivitySession:
        session = self.plans.find_session(activity.id, session_id)
        if session is None:
            raise NotFound(N_("Cette séance n’existe pas dans cette activité."))
        return session
