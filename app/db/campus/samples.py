"""Example data of a campus: what there is, and its removal."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select as sa_select
from sqlmodel import col, delete, func, select

from app.db.activities.campus_activities import are_of, read_activities
from app.db.engine.queries import Store
from app.domain.activities import (
    Activity,
    ActivityBadge,
    ActivityCampus,
    Attendance,
    CampusActivity,
    Participation,
)
from app.domain.activities.check_in import CheckIn, CheckInEntry, WaitingSignature
from app.domain.awards import Award
from app.domain.badges import Badge, BadgeCompetency, BadgeOpening, BadgeVersion
from app.domain.people import Membership, Person, PersonAddress
from app.domain.people.consents import ListAnswer


class SampleStore(Store):
    def activities(self, campus_id: uuid.UUID) -> Sequence[Activity]:
        query = sa_select(col(CampusActivity.activity_id)).where(
            are_of(campus_id), col(CampusActivity.is_sample).is_(True)
        )
        return read_activities(self.session, list(self.session.execute(query)))

    def badges(self, campus_id: uuid.UUID) -> Sequence[Badge]:
        return self.session.exec(
            select(Badge).where(Badge.campus_id == campus_id, col(Badge.is_sample))
        ).all()

    def counts(self, campus_id: uuid.UUID) -> tuple[int, int, int]:
        """Of its own: activities, published badges, awards. Each stops at one."""
        queries = (
            select(Activity.id)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(ActivityCampus.campus_id == campus_id, ~col(Activity.is_sample)),
            select(Badge.id)
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(Badge.id))
            .where(Badge.campus_id == campus_id, ~col(BadgeVersion.is_draft)),
            select(Award.id).where(Award.campus_id == campus_id),
        )
        activities, badges, awards = (len(self.session.exec(query.limit(1)).all()) for query in queries)
        return activities, badges, awards

    def people_in(self, activity_id: uuid.UUID) -> list[tuple[Participation, Person]]:
        rows = self.session.exec(
            select(Participation, Person)
            .join(Person, col(Person.id) == col(Participation.person_id))
            .where(Participation.activity_id == activity_id)
            .order_by(col(Participation.id))
        )
        return [(participation, person) for participation, person in rows]

    def has_other_trace(self, person_id: uuid.UUID, activity_id: uuid.UUID) -> bool:
        """Whether anything but that activity is known of the person."""
        traces: tuple[Any, ...] = (
            select(Participation.id).where(
                Participation.person_id == person_id, Participation.activity_id != activity_id
            ),
            select(Award.id).where(Award.person_id == person_id),
            select(Membership.id).where(Membership.person_id == person_id),
            select(PersonAddress.id).where(
                PersonAddress.person_id == person_id, col(PersonAddress.verified_at).is_not(None)
            ),
        )
        return any(
            self.session.exec(select(func.count()).select_from(trace.subquery())).one() for trace in traces
        )

    def remove_participation(self, participation: Participation) -> None:
        for table in (CheckInEntry, Attendance, ListAnswer):
            self.session.exec(delete(table).where(col(table.participation_id) == participation.id))
        self.session.delete(participation)
        self.session.flush()

    def remove_signatures(self, activity_id: uuid.UUID) -> None:
        rooms = select(CheckIn.id).where(CheckIn.activity_id == activity_id)
        self.session.exec(delete(WaitingSignature).where(col(WaitingSignature.room_id).in_(rooms)))

    def remove_badge(self, badge_id: uuid.UUID) -> None:
        """A draft, which no award refers to."""
        versions = select(BadgeVersion.id).where(BadgeVersion.badge_id == badge_id)
        self.session.exec(delete(BadgeCompetency).where(col(BadgeCompetency.version_id).in_(versions)))
        for table in (ActivityBadge, BadgeOpening, BadgeVersion):
            self.session.exec(delete(table).where(col(table.badge_id) == badge_id))
        self.session.exec(delete(Badge).where(col(Badge.id) == badge_id))
