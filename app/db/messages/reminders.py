"""Awards that were told of by letter and that nobody has claimed."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Select, exists
from sqlalchemy import select as select_rows
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.domain.activities.activities import Activity
from app.domain.awards.awards import Award, AwardState
from app.domain.campus.campus import Campus
from app.domain.messages.letters import LetterState, Occasion, PromisedLetter
from app.domain.messages.reminders import BETWEEN_REMINDERS, TURNS, Turn, Waiting
from app.domain.people.people import Person

_REMINDERS = [turn.occasion.value for turn in TURNS]


class ReminderStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def campuses_due(self, at: datetime) -> list[uuid.UUID]:
        found: set[uuid.UUID] = set()
        for turn in TURNS:
            query = self._waiting(turn, at).with_only_columns(col(Award.campus_id)).distinct()
            found.update(self.session.execute(query).scalars())
        return sorted(found)

    def waiting(self, campus_id: uuid.UUID, at: datetime, *, limit: int) -> list[Waiting]:
        """Of one campus, person by person, so that a limit cuts between people and hardly inside one."""
        found: list[Waiting] = []
        for turn in TURNS:
            query = (
                self._waiting(turn, at)
                .where(col(Award.campus_id) == campus_id)
                .order_by(col(Award.person_id), col(PromisedLetter.sent_at).desc())
                .limit(limit)
            )
            found += [
                Waiting(award, address, turn.occasion) for award, address in self.session.execute(query)
            ]
        return found

    @staticmethod
    def _waiting(turn: Turn, at: datetime) -> Select[Award, str]:
        other, lately = aliased(PromisedLetter), aliased(PromisedLetter)
        reminded = exists().where(
            col(other.award_id) == col(Award.id), col(other.occasion) == turn.occasion.value
        )
        reminded_lately = exists().where(
            col(lately.person_id) == col(Award.person_id),
            col(lately.campus_id) == col(Award.campus_id),
            col(lately.occasion).in_(_REMINDERS),
            col(lately.promised_at) > at - BETWEEN_REMINDERS,
        )
        return (
            select_rows(Award, col(PromisedLetter.address))
            .join(PromisedLetter, col(PromisedLetter.award_id) == col(Award.id))
            .join(Person, col(Person.id) == col(Award.person_id))
            .join(Campus, col(Campus.id) == col(Award.campus_id))
            .outerjoin(Activity, col(Activity.id) == col(Award.activity_id))
            .where(
                col(PromisedLetter.occasion) == Occasion.AWARDED.value,
                col(PromisedLetter.state) == LetterState.SENT,
                col(PromisedLetter.sent_at) <= at - turn.after,
                col(PromisedLetter.sent_at) > at - turn.until,
                col(Award.state) == AwardState.ISSUED,
                col(Award.claimed_at).is_(None),
                (col(Award.valid_until).is_(None)) | (col(Award.valid_until) > at),
                col(Person.wants_reminders).is_(True),
                col(Campus.sends_reminders).is_(True),
                col(Activity.sends_reminders).is_not(False),
                ~reminded,
                ~reminded_lately,
            )
        )
