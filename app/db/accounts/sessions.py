"""Sessions, found by the digest of their secret."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session as Transaction
from sqlmodel import col, delete, select, update

from app.domain.accounts.access import digest_of
from app.domain.accounts.sessions import Session, SessionKind


class SessionStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, row: Session) -> None:
        self.session.add(row)
        self.session.flush()

    def find(self, secret: str, kind: SessionKind) -> Session | None:
        """The session of that secret, if it is of that kind."""
        query = select(Session).where(Session.secret_digest == digest_of(secret), Session.kind == kind)
        return self.session.exec(query).first()

    def list_living(self, person_id: uuid.UUID, *, idle: timedelta, at: datetime) -> Sequence[Session]:
        """The sessions of the person, those that a private link opened included; the one used last first."""
        query = select(Session).where(
            Session.person_id == person_id,
            col(Session.expires_at) > at,
            (col(Session.kind) == SessionKind.AWARD_LINK) | (col(Session.seen_at) > at - idle),
        )
        return self.session.exec(query.order_by(col(Session.seen_at).desc(), col(Session.id))).all()

    def see(self, session_id: uuid.UUID, *, at: datetime) -> None:
        """Two requests at once may both say so: the later moment stays."""
        seen = update(Session).where(col(Session.id) == session_id, col(Session.seen_at) < at)
        self.session.exec(seen.values(seen_at=at))

    def end(self, session_id: uuid.UUID) -> None:
        self.session.exec(delete(Session).where(col(Session.id) == session_id))

    def end_all_of(self, person_id: uuid.UUID, *, but: uuid.UUID | None = None) -> int:
        """How many sessions of that person ended, whatever opened them."""
        ended = delete(Session).where(col(Session.person_id) == person_id)
        if but is not None:
            ended = ended.where(col(Session.id) != but)
        return self.session.exec(ended).rowcount

    def end_links_of(self, person_id: uuid.UUID) -> None:
        """What private links of that person's badges opened."""
        self.session.exec(
            delete(Session).where(
                col(Session.person_id) == person_id, col(Session.kind) == SessionKind.AWARD_LINK
            )
        )

    def end_learners_of(self, award_id: uuid.UUID) -> None:
        """What a private link opened before it was renewed."""
        self.session.exec(delete(Session).where(col(Session.award_id) == award_id))

    def sweep(self, at: datetime) -> None:
        """Forget what has lapsed."""
        self.session.exec(delete(Session).where(col(Session.expires_at) <= at))
