"""What an erased person adds to totals: counted from their rows before the erasure, written after it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from sqlmodel import Session, SQLModel, col, select

from app.domain.activities.activities import Activity, ActivitySession, Attendance, Participation
from app.domain.awards.awards import Award, Visibility
from app.domain.core import new_id
from app.domain.reports.ledger import AwardTombstone, ParticipationTombstone


@dataclass
class Counted:
    """Rows to write for each participation and award, by its id."""

    participations: dict[uuid.UUID, list[ParticipationTombstone]] = field(default_factory=dict)
    awards: dict[uuid.UUID, AwardTombstone] = field(default_factory=dict)


class TombstoneStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def count(self, person_id: uuid.UUID) -> Counted:
        """One number drawn for the person joins their rows, so that they stay one learner in totals."""
        holder, counted = new_id(), Counted()
        present = self.session.exec(
            select(Participation, Activity.is_sample)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .where(Participation.person_id == person_id, col(Participation.is_present))
        )
        for part, is_sample in present:
            if not is_sample:
                counted.participations[part.id] = self._of_participation(part, holder)
        awards = select(Award).where(Award.person_id == person_id, col(Award.undone_at).is_(None))
        for award in self.session.exec(awards):
            counted.awards[award.id] = AwardTombstone(
                campus_id=award.campus_id,
                version_id=award.version_id,
                badge_id=award.badge_id,
                holder=holder,
                awarded_at=award.awarded_at,
                valid_until=award.valid_until,
                revoked_at=award.revoked_at,
                claimed_at=award.claimed_at,
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
