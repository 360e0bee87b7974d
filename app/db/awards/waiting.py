"""What happened lately in a campus and what waits there: few rows, found by their time, never counted to the end."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, or_, select
from sqlmodel import Session, col

from app.db.activities.activities import organised_by
from app.db.messages.letters import refused_for_good
from app.domain.activities.activities import Activity, ActivityCampus, Participation
from app.domain.awards.awards import Award, AwardState


@dataclass(frozen=True)
class Lately:
    """How much happened since a moment."""

    awards: int
    claimed: int
    people: int
    activities: int


class WaitingStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def lately(self, campus_id: uuid.UUID, *, since: datetime, days: tuple[date, date]) -> Lately:
        """Awards and their claims since a moment; activities of those days, and the people who came."""
        awards, claimed = self.session.execute(
            select(func.count(), func.count(col(Award.claimed_at))).where(
                col(Award.campus_id) == campus_id,
                col(Award.awarded_at) >= since,
                col(Award.undone_at).is_(None),
            )
        ).one()
        in_week = (
            select(col(Activity.id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                col(Activity.starts_on) <= days[1],
                col(Activity.ends_on) >= days[0],
            )
        )
        activities = self.session.scalar(select(func.count()).select_from(in_week.subquery()))
        people = self.session.scalar(
            select(func.count(func.distinct(col(Participation.person_id)))).where(
                col(Participation.activity_id).in_(in_week), col(Participation.is_present)
            )
        )
        return Lately(awards, claimed, people or 0, activities or 0)

    def activities_without_awards(
        self, campus_id: uuid.UUID, *, ended: tuple[date, date], limit: int
    ) -> list[Activity]:
        """Those that ended in that time, with people recorded and nothing given."""
        rows = self.session.execute(
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                col(Activity.ends_on) >= ended[0],
                col(Activity.ends_on) <= ended[1],
                exists().where(
                    col(Participation.activity_id) == col(Activity.id), col(Participation.is_present)
                ),
                ~exists().where(col(Award.activity_id) == col(Activity.id), col(Award.undone_at).is_(None)),
            )
            .order_by(col(Activity.ends_on).desc(), col(Activity.id))
            .limit(limit)
        )
        return [row[0] for row in rows]

    def refused_letters(self, campus_id: uuid.UUID, *, since: datetime, limit: int) -> int:
        """At most `limit`: a thousand refusals are one thing to do."""
        few = refused_for_good(campus_id, since=since).limit(limit)
        return self.session.scalar(select(func.count()).select_from(few.subquery())) or 0

    def unclaimed_awards(
        self, campus_id: uuid.UUID, *, given: tuple[datetime, datetime], at: datetime, limit: int
    ) -> int:
        """Given in that time, still good, and claimed by nobody; at most `limit`."""
        few = (
            select(col(Award.id))
            .where(
                col(Award.campus_id) == campus_id,
                col(Award.awarded_at) >= given[0],
                col(Award.awarded_at) < given[1],
                col(Award.claimed_at).is_(None),
                col(Award.state) == AwardState.ISSUED,
                or_(col(Award.valid_until).is_(None), col(Award.valid_until) > at),
            )
            .limit(limit)
        )
        return self.session.scalar(select(func.count()).select_from(few.subquery())) or 0
