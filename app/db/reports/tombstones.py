"""What an erased person adds to totals: counted from their rows before the erasure, written after it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import SQLModel, and_, col, select

from app.db.engine.queries import Store
from app.domain.activities import Activity, ActivityCampus, ActivitySession, Attendance, Participation
from app.domain.awards import Award, Visibility
from app.domain.core import new_id
from app.domain.reports.ledger import CLAIMED_WITHIN, AwardTombstone, ParticipationTombstone, day_of


@dataclass
class Counted:
    """Rows to write for each participation and award, by its id."""

    participations: dict[uuid.UUID, list[ParticipationTombstone]] = field(default_factory=dict)
    awards: dict[uuid.UUID, AwardTombstone] = field(default_factory=dict)


def _end_of(at: datetime | None) -> datetime | None:
    """The midnight after it, or itself if it is one: it is past in the same periods."""
    if at is None or day_of(at) == at:
        return at
    return day_of(at, later=1)


def _claimed(award: Award, day: datetime) -> datetime | None:
    if award.claimed_at is None:
        return None
    in_time = award.claimed_at - award.awarded_at <= CLAIMED_WITHIN
    return day if in_time else day + CLAIMED_WITHIN + timedelta(days=1)


class TombstoneStore(Store):
    def count(self, person_id: uuid.UUID) -> Counted:
        """A number drawn for each campus joins the rows there, so that the person stays one learner in its totals.

        No number is that of two campuses: their rows together would draw a path of one person.
        """
        holders, counted = defaultdict[uuid.UUID, uuid.UUID](new_id), Counted()
        present = self.session.exec(
            select(Participation, ActivityCampus.campus_id)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .outerjoin(
                ActivityCampus,
                and_(col(ActivityCampus.activity_id) == col(Activity.id), col(ActivityCampus.position) == 0),
            )
            .where(
                Participation.person_id == person_id,
                col(Participation.is_present),
                col(Activity.is_sample).is_(False),
            )
        )
        for part, campus_id in present:
            holder = holders[campus_id or part.activity_id]
            counted.participations[part.id] = self._of_participation(part, holder)
        awards = select(Award).where(Award.person_id == person_id, col(Award.undone_at).is_(None))
        for award in self.session.exec(awards):
            counted.awards[award.id] = AwardTombstone(
                campus_id=award.campus_id,
                version_id=award.version_id,
                badge_id=award.badge_id,
                holder=holders[award.campus_id],
                awarded_at=(day := day_of(award.awarded_at)),
                valid_until=_end_of(award.valid_until),
                revoked_at=_end_of(award.revoked_at),
                claimed_at=_claimed(award, day),
                is_open=award.visibility is Visibility.OPEN,
            )
        return counted

    def _of_participation(self, part: Participation, holder: uuid.UUID) -> list[ParticipationTombstone]:
        attended = self.session.exec(
            select(Attendance, ActivitySession)
            .join(ActivitySession, col(ActivitySession.id) == col(Attendance.session_id))
            .where(Attendance.participation_id == part.id, col(ActivitySession.cancelled_at).is_(None))
        ).all()
        rows = [
            ParticipationTombstone(
                activity_id=part.activity_id,
                holder=holder,
                part=part.part,
                hours=session.hours if attendance.hours is None else attendance.hours,
                held_on=session.held_on,
            )
            for attendance, session in attended
        ]
        for row in rows:
            row.hours = row.hours or 0.0
        own = 0.0 if attended else part.hours
        return [
            ParticipationTombstone(activity_id=part.activity_id, holder=holder, part=part.part, hours=own),
            *rows,
        ]

    def write(self, counted: Counted) -> None:
        """Those of the rows that are gone."""
        left = set(
            self.session.exec(
                select(Participation.id).where(col(Participation.id).in_(counted.participations))
            )
        ) | set(self.session.exec(select(Award.id).where(col(Award.id).in_(counted.awards))))
        rows: list[SQLModel] = [
            row for key, some in counted.participations.items() if key not in left for row in some
        ]
        rows += [row for key, row in counted.awards.items() if key not in left]
        self.session.add_all(rows)
        self.session.flush()
