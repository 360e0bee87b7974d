"""Sign-in links, sessions and API tokens, found by the digest of their secret."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session as Transaction
from sqlmodel import col, delete, select

from app.domain.access import ApiToken, Session, SignInLink, digest_of


class AccessStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, row: SignInLink | Session | ApiToken) -> None:
        self.session.add(row)
        self.session.flush()

    def find_link(self, secret: str) -> SignInLink | None:
        """Locked until the transaction ends, so that a link is used once whoever is quicker."""
        query = select(SignInLink).where(SignInLink.secret_digest == digest_of(secret)).with_for_update()
        return self.session.exec(query).first()

    def has_link_until(self, person_id: uuid.UUID, moment: datetime) -> bool:
        """Whether the person has an unused link that still opens at `moment`."""
        query = select(SignInLink.id).where(
            SignInLink.person_id == person_id,
            col(SignInLink.used_at).is_(None),
            col(SignInLink.expires_at) > moment,
        )
        return self.session.exec(query.limit(1)).first() is not None

    def find_session(self, secret: str) -> Session | None:
        return self.session.exec(select(Session).where(Session.secret_digest == digest_of(secret))).first()

    def find_token(self, secret: str) -> ApiToken | None:
        return self.session.exec(select(ApiToken).where(ApiToken.secret_digest == digest_of(secret))).first()

    def list_tokens(self, campus_id: uuid.UUID) -> Sequence[ApiToken]:
        query = select(ApiToken).where(ApiToken.campus_id == campus_id).order_by(col(ApiToken.created_at))
        return self.session.exec(query).all()

    def end_session(self, session_id: uuid.UUID) -> None:
        self.session.exec(delete(Session).where(col(Session.id) == session_id))

    def sweep(self, at: datetime) -> None:
        """Forget what has lapsed."""
        self.session.exec(delete(Session).where(col(Session.expires_at) <= at))
        self.session.exec(delete(SignInLink).where(col(SignInLink.expires_at) <= at))
