"""Accounts at other sign-in services, and whom their verified addresses may name."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session as Transaction
from sqlmodel import col, select

from app.domain.accounts.federation import FederatedAccount
from app.domain.campus.team import Invitation


class FederationStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, account: FederatedAccount) -> bool:
        """False where the account, or its person, was linked a moment ago."""
        try:
            with self.session.begin_nested():
                self.session.add(account)
                self.session.flush()
        except IntegrityError:
            return False
        return True

    def find(self, issuer: str, subject: str) -> FederatedAccount | None:
        query = select(FederatedAccount).where(
            FederatedAccount.issuer == issuer, FederatedAccount.subject == subject
        )
        return self.session.exec(query).first()

    def list_of(self, person_id: uuid.UUID) -> Sequence[FederatedAccount]:
        query = select(FederatedAccount).where(FederatedAccount.person_id == person_id)
        return self.session.exec(query.order_by(FederatedAccount.issuer)).all()

    def remove(self, account: FederatedAccount) -> None:
        self.session.delete(account)
        self.session.flush()

    def invitation_to(self, address: str, *, at: datetime) -> Invitation | None:
        """The newest one that nobody has answered, of whichever campus."""
        query = select(Invitation).where(
            Invitation.address == address,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
            col(Invitation.expires_at) > at,
        )
        return self.session.exec(
            query.order_by(col(Invitation.created_at).desc(), col(Invitation.id))
        ).first()
