"""What people say is wrong in the logs, and what they were answered."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

from sqlmodel import Session, col, delete, select

from app.db.engine.bulk import IN_ONE_QUERY
from app.domain.activity_log.disputes import LogDispute
from app.errors import NotFound
from app.language import N_


class LogDisputeStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, dispute: LogDispute) -> None:
        self.session.add(dispute)
        self.session.flush()

    def get(self, dispute_id: uuid.UUID, log_id: uuid.UUID) -> LogDispute:
        dispute = self.session.get(LogDispute, dispute_id)
        if dispute is None or dispute.log_id != log_id:
            raise NotFound(N_("Cette demande n’existe pas ici."))
        return dispute

    def of_person(self, person_id: uuid.UUID) -> list[LogDispute]:
        query = select(LogDispute).where(LogDispute.person_id == person_id)
        return list(self.session.exec(query.order_by(col(LogDispute.made_at))))

    def about(self, log_id: uuid.UUID, numbers: Iterable[int]) -> list[LogDispute]:
        """Those about these lines of one log, the oldest first."""
        wanted, found = list(numbers), list[LogDispute]()
        for at in range(0, len(wanted), IN_ONE_QUERY):
            query = select(LogDispute).where(
                LogDispute.log_id == log_id, col(LogDispute.number).in_(wanted[at : at + IN_ONE_QUERY])
            )
            found += self.session.exec(query)
        return sorted(found, key=lambda one: one.made_at)

    def forget(self, person_id: uuid.UUID, log_ids: Collection[uuid.UUID]) -> None:
        theirs = col(LogDispute.person_id) == person_id
        self.session.exec(delete(LogDispute).where(theirs, col(LogDispute.log_id).in_(log_ids)))
