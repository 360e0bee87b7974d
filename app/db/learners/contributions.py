"""Contributions: those of a person, and those that wait in a campus."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, func, select

from app.db.engine.bulk import among
from app.domain.activities.activities import Activity
from app.domain.activity_log.activity_log import LogPayload
from app.domain.activity_log.artefact_facts import CONTRIBUTION
from app.domain.activity_log.disputes import LogDispute
from app.domain.learners.contributions import Contribution, ContributionState
from app.domain.people.people import Person
from app.errors import NotFound
from app.language import N_

_AT_ONCE = 100


class ContributionStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, contribution: Contribution) -> None:
        self.session.add(contribution)
        self.session.flush()

    def get_in_campus(self, contribution_id: uuid.UUID, campus_id: uuid.UUID) -> Contribution:
        """Another campus's contribution is as good as absent (T01)."""
        found = self.session.get(Contribution, contribution_id)
        if found is None or found.campus_id != campus_id:
            raise NotFound(N_("Cette contribution n’existe pas ici."))
        return found

    def lock(self, contribution_id: uuid.UUID) -> Contribution:
        query = select(Contribution).where(Contribution.id == contribution_id).with_for_update()
        return self.session.exec(query.execution_options(populate_existing=True)).one()

    def of_person(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> Sequence[Contribution]:
        query = select(Contribution).where(
            Contribution.person_id == person_id, Contribution.campus_id == campus_id
        )
        return self.session.exec(
            query.order_by(col(Contribution.created_at).desc(), col(Contribution.id))
        ).all()

    def confirmed(self, campus_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> Sequence[Contribution]:
        # By person alone: a database that is asked for the campus too reads all that were ever confirmed there.
        query = select(Contribution).where(among(self.session, col(Contribution.person_id), person_ids))
        return [
            each
            for each in self.session.exec(query.order_by(col(Contribution.decided_at), col(Contribution.id)))
            if each.campus_id == campus_id and each.state is ContributionState.CONFIRMED
        ]

    def confirmed_within(self, people: Collection[uuid.UUID]) -> list[Contribution]:
        """Those of one of these records that one of them confirmed."""
        query = select(Contribution).where(
            Contribution.state == ContributionState.CONFIRMED,
            col(Contribution.person_id).in_(people),
            col(Contribution.decided_by).in_(people),
        )
        return list(self.session.exec(query.order_by(col(Contribution.id))))

    def queue(
        self, campus_id: uuid.UUID, states: Collection[ContributionState], *, limit: int, oldest_first: bool
    ) -> list[tuple[Contribution, Person, Activity | None]]:
        when = col(Contribution.waiting_since)
        rows = self.session.exec(
            select(Contribution, Person, Activity)
            .join(Person, col(Person.id) == col(Contribution.person_id))
            .join(Activity, col(Activity.id) == col(Contribution.activity_id), isouter=True)
            .where(Contribution.campus_id == campus_id, col(Contribution.state).in_(list(states)))
            .order_by(when if oldest_first else when.desc(), col(Contribution.id))
            .limit(limit)
        )
        return [(contribution, person, activity) for contribution, person, activity in rows]

    def disputed(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[Contribution]:
        """Those of which a line is said to be wrong, and nobody has answered."""
        said = (
            select(LogPayload.noun_id)
            .join(
                LogDispute,
                (col(LogDispute.log_id) == LogPayload.log_id) & (col(LogDispute.number) == LogPayload.number),
            )
            .where(LogPayload.noun == CONTRIBUTION, col(LogDispute.answered_at).is_(None))
        )
        query = select(Contribution).where(
            Contribution.campus_id == campus_id, col(Contribution.id).in_(said)
        )
        return self.session.exec(query.order_by(col(Contribution.decided_at)).limit(limit)).all()

    def closed(self, before: datetime) -> list[uuid.UUID]:
        """Some of those declined or taken back so long ago."""
        closed = [ContributionState.DECLINED, ContributionState.WITHDRAWN]
        query = select(Contribution.id).where(
            col(Contribution.state).in_(closed), col(Contribution.decided_at) < before
        )
        return list(self.session.exec(query.limit(_AT_ONCE)))

    def remove(self, contribution_ids: Collection[uuid.UUID]) -> None:
        self.session.exec(delete(Contribution).where(col(Contribution.id).in_(contribution_ids)))

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int) -> int:
        few = (
            select(Contribution.id)
            .where(Contribution.campus_id == campus_id, Contribution.state == ContributionState.WAITING)
            .limit(limit)
        )
        waiting = self.session.exec(select(func.count()).select_from(few.subquery())).one()
        return waiting + len(self.disputed(campus_id, limit=limit))
