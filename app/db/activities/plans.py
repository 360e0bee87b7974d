"""Trainers of an activity, its competencies and badges, its sessions, and invited campuses."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, delete, func, select, update

from app.db.engine.queries import RowStore
from app.db.engine.writes import among
from app.domain.activities import (
    Activity,
    ActivityAnnouncement,
    ActivityBadge,
    ActivityCampus,
    ActivityCompetency,
    ActivitySession,
    ActivityTrainer,
    Attendance,
    Holding,
    Participation,
    check_nothing_rests,
)
from app.domain.activities.check_in import CheckIn, CheckInEntry, WaitingSignature
from app.domain.activities.files import ActivityFile
from app.domain.awards import Award
from app.domain.awards.batches import AwardBatch, BatchState
from app.domain.badges import Badge
from app.domain.campus.campus import Campus
from app.domain.campus.integration import ExternalId
from app.domain.campus.lti import LtiCourse
from app.domain.learners.portfolios import Contribution
from app.domain.people import Person
from app.domain.reports.facts import OF_ACTIVITY
from app.domain.reports.ledger import ParticipationTombstone
from app.domain.reports.surveys import OF_SURVEY
from app.errors import NotFound

_UNDER_WAY = (BatchState.PLANNED, BatchState.RUNNING, BatchState.UNDOING)


class ActivityPlanStore(RowStore[ActivityCampus | ActivitySession]):
    def trainers_of(self, activity_id: uuid.UUID) -> Sequence[Person]:
        return self.session.exec(
            select(Person)
            .join(ActivityTrainer, col(ActivityTrainer.person_id) == col(Person.id))
            .where(ActivityTrainer.activity_id == activity_id)
            .order_by(col(Person.listed_as), col(Person.id))
        ).all()

    def competencies_of(self, activity_id: uuid.UUID) -> list[uuid.UUID]:
        query = select(ActivityCompetency.competency_id).where(ActivityCompetency.activity_id == activity_id)
        return list(self.session.exec(query))

    def badges_of(self, activity_id: uuid.UUID) -> list[uuid.UUID]:
        query = select(ActivityBadge.badge_id).where(ActivityBadge.activity_id == activity_id)
        return list(self.session.exec(query))

    def first_badge_of(self, activity_id: uuid.UUID, campus_id: uuid.UUID) -> uuid.UUID | None:
        """Among those of the campus: another organiser's badges are its own affair."""
        query = select(ActivityBadge.badge_id).join(Badge, col(Badge.id) == col(ActivityBadge.badge_id))
        query = query.where(ActivityBadge.activity_id == activity_id, Badge.campus_id == campus_id)
        return self.session.exec(query.order_by(col(ActivityBadge.badge_id)).limit(1)).first()

    def write(
        self,
        activity_id: uuid.UUID,
        *,
        trainers: Iterable[uuid.UUID],
        competencies: Iterable[uuid.UUID],
        badges: Iterable[uuid.UUID],
    ) -> None:
        """Replaces the earlier plan."""
        for table in (ActivityTrainer, ActivityCompetency, ActivityBadge):
            self.session.exec(delete(table).where(col(table.activity_id) == activity_id))
        rows: list[SQLModel] = [ActivityTrainer(activity_id=activity_id, person_id=one) for one in trainers]
        rows += [ActivityCompetency(activity_id=activity_id, competency_id=one) for one in competencies]
        rows += [ActivityBadge(activity_id=activity_id, badge_id=one) for one in badges]
        self.session.add_all(rows)
        self.session.flush()

    def place_of(self, activity_id: uuid.UUID, campus_id: uuid.UUID) -> ActivityCampus | None:
        return self.session.get(ActivityCampus, (activity_id, campus_id))

    def is_shared(self, activity_id: uuid.UUID, campus_id: uuid.UUID) -> bool:
        """Whether that campus and another both agreed to organise it."""
        query = select(ActivityCampus.campus_id).where(
            ActivityCampus.activity_id == activity_id, col(ActivityCampus.accepted_at).is_not(None)
        )
        organisers = set(self.session.exec(query))
        return campus_id in organisers and len(organisers) > 1

    def places_of(self, activity_id: uuid.UUID) -> list[tuple[ActivityCampus, Campus]]:
        """Every campus of the activity, including those that have not answered."""
        rows = self.session.exec(
            select(ActivityCampus, Campus)
            .join(Campus, col(Campus.id) == col(ActivityCampus.campus_id))
            .where(ActivityCampus.activity_id == activity_id)
            .order_by(col(ActivityCampus.position), col(Campus.short_name))
        )
        return [(place, campus) for place, campus in rows]

    def leave(self, place: ActivityCampus) -> None:
        self.session.delete(place)
        self.session.flush()

    # --- deletion

    def holding(self, activity_id: uuid.UUID) -> Holding | None:
        """A reason why the activity cannot be deleted, if any."""
        return next((what for what, there in _resting(activity_id) if self._is_any(there)), None)

    def _is_any(self, there: Any) -> bool:
        return bool(self.session.exec(select(there.exists())).one())

    def delete(self, activity_id: uuid.UUID) -> None:
        """Deletes the activity and its planning; bulk awards that awarded nothing no longer refer to it."""
        try:
            self.session.exec(
                update(AwardBatch).where(col(AwardBatch.activity_id) == activity_id).values(activity_id=None)
            )
            self.session.exec(
                update(LtiCourse).where(col(LtiCourse.activity_id) == activity_id).values(activity_id=None)
            )
            for table in (
                CheckIn,
                ActivityAnnouncement,
                ActivitySession,
                ActivityTrainer,
                ActivityCompetency,
                ActivityBadge,
                ExternalId,
                *OF_ACTIVITY,
                ParticipationTombstone,
                *OF_SURVEY,
            ):
                self.session.exec(delete(table).where(col(table.activity_id) == activity_id))
            self._delete_with_places(activity_id)
        except IntegrityError:
            # Row-level security hides another campus's rows; foreign keys still apply to them.
            check_nothing_rests(Holding.ELSEWHERE)

    def _delete_with_places(self, activity_id: uuid.UUID) -> None:
        places = delete(ActivityCampus).where(col(ActivityCampus.activity_id) == activity_id)
        activity = delete(Activity).where(col(Activity.id) == activity_id)
        if self.session.connection().dialect.name == "postgresql":
            # In one statement: without its campuses, row-level security would hide the activity from every
            # campus.
            self.session.exec(activity.add_cte(places.cte("places")))
        else:
            self.session.exec(places)
            self.session.exec(activity)

    def asked(self, campus_id: uuid.UUID) -> list[tuple[Activity, Campus]]:
        """Invitations from other campuses, with the leading campus."""
        asked, leads = ActivityCampus.__table__.alias(), ActivityCampus.__table__.alias()  # type: ignore[attr-defined]
        rows = self.session.exec(
            select(Activity, Campus)
            .join(asked, asked.c.activity_id == col(Activity.id))
            .join(leads, leads.c.activity_id == col(Activity.id))
            .join(Campus, col(Campus.id) == leads.c.campus_id)
            .where(asked.c.campus_id == campus_id, asked.c.accepted_at.is_(None), leads.c.position == 0)
            .order_by(col(Activity.starts_on), col(Activity.title))
        )
        return [(activity, campus) for activity, campus in rows]

    # --- sessions

    def sessions_of(self, activity_id: uuid.UUID) -> Sequence[ActivitySession]:
        return self.session.exec(
            select(ActivitySession)
            .where(ActivitySession.activity_id == activity_id)
            .order_by(col(ActivitySession.held_on))
        ).all()

    def sessions_to_come(
        self, activity_ids: Collection[uuid.UUID], since: date
    ) -> dict[uuid.UUID, list[ActivitySession]]:
        """Of activities that have sessions, those from one day on; empty where all have passed."""
        found: dict[uuid.UUID, list[ActivitySession]] = {}
        rows = self.session.exec(
            select(ActivitySession)
            .where(among(self.session, col(ActivitySession.activity_id), activity_ids))
            .order_by(col(ActivitySession.held_on))
        )
        for each in rows:
            of_activity = found.setdefault(each.activity_id, [])
            if each.held_on >= since:
                of_activity.append(each)
        return found

    def find_session(self, activity_id: uuid.UUID, session_id: uuid.UUID) -> ActivitySession | None:
        return self.session.exec(
            select(ActivitySession).where(
                ActivitySession.activity_id == activity_id, ActivitySession.id == session_id
            )
        ).first()

    def get_session(self, activity_id: uuid.UUID, session_id: uuid.UUID) -> ActivitySession:
        if (session := self.find_session(activity_id, session_id)) is None:
            raise NotFound("Cette séance n’existe pas dans cette activité.")
        return session

    def used_sessions(self, activity_id: uuid.UUID) -> set[uuid.UUID]:
        """Sessions with attendances, a check-in or files."""
        those = select(ActivitySession.id).where(ActivitySession.activity_id == activity_id)
        found: set[uuid.UUID] = set()
        for column in (Attendance.session_id, CheckIn.session_id, ActivityFile.session_id):
            found |= set(filter(None, self.session.exec(select(column).where(col(column).in_(those)))))
        return found

    def came_to(self, session_id: uuid.UUID) -> set[uuid.UUID]:
        query = select(Attendance.participation_id).where(Attendance.session_id == session_id)
        return set(self.session.exec(query))

    def how_many_came(self, activity_id: uuid.UUID) -> dict[uuid.UUID, int]:
        rows = self.session.exec(
            select(Attendance.session_id, func.count())
            .join(ActivitySession, col(ActivitySession.id) == col(Attendance.session_id))
            .where(ActivitySession.activity_id == activity_id)
            .group_by(col(Attendance.session_id))
        )
        return dict(rows.all())

    def note(self, attendances: Iterable[Attendance]) -> None:
        self.session.add_all(list(attendances))
        self.session.flush()

    def unnote(self, session_id: uuid.UUID, participation_ids: Sequence[uuid.UUID]) -> None:
        self.session.exec(
            delete(Attendance).where(
                col(Attendance.session_id) == session_id,
                col(Attendance.participation_id).in_(participation_ids),
            )
        )

    def hours_attended(self, activity: Activity) -> dict[uuid.UUID, float | None]:
        """Hours of the attended, not cancelled sessions, by participation.

        None if the length of every session is unknown.
        """
        rows = self.session.exec(
            select(
                Attendance.participation_id, func.sum(func.coalesce(Attendance.hours, ActivitySession.hours))
            )
            .join(ActivitySession, col(ActivitySession.id) == col(Attendance.session_id))
            .join(Participation, col(Participation.id) == col(Attendance.participation_id))
            .where(ActivitySession.activity_id == activity.id, col(ActivitySession.cancelled_at).is_(None))
            .group_by(col(Attendance.participation_id))
        )
        unsaid = None if activity.hours is None else 0.0
        return {
            participation_id: unsaid if hours is None else float(hours) for participation_id, hours in rows
        }


def _resting(activity_id: uuid.UUID) -> Iterator[tuple[Holding, Any]]:
    """What may depend on it, and the corresponding rows."""
    others: tuple[ColumnElement[bool], ...] = (
        col(ActivityCampus.position) > 0,
        col(ActivityCampus.accepted_at).is_not(None),
    )
    yield Holding.CAMPUSES, select(ActivityCampus).where(ActivityCampus.activity_id == activity_id, *others)
    yield Holding.AWARDS, select(Award.id).where(Award.activity_id == activity_id)
    under_way = col(AwardBatch.state).in_(_UNDER_WAY)
    yield Holding.BATCHES, select(AwardBatch.id).where(AwardBatch.activity_id == activity_id, under_way)
    rooms = select(CheckIn.id).where(CheckIn.activity_id == activity_id)
    for signed in (CheckInEntry, WaitingSignature):
        yield Holding.SIGNATURES, select(signed.id).where(col(signed.room_id).in_(rooms))
    yield Holding.CONTRIBUTIONS, select(Contribution.id).where(Contribution.activity_id == activity_id)
    yield Holding.PEOPLE, select(Participation.id).where(Participation.activity_id == activity_id)
    yield Holding.FILES, select(ActivityFile.file_id).where(ActivityFile.activity_id == activity_id)
