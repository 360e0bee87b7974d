"""What people agreed to and took back: added to, and read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.domain.privacy.consents import Consent
from app.tenancy.scope import rows_named


class ConsentStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, consent: Consent) -> None:
        with rows_named(self.session):
            self.session.add(consent)
            self.session.flush()

    def of_person(self, person_id: uuid.UUID) -> Sequence[Consent]:
        """The latest first; of a yes and a no of the same instant, the no."""
        query = (
            select(Consent)
            .where(Consent.person_id == person_id)
            .order_by(col(Consent.at).desc(), col(Consent.given), col(Consent.id))
        )
        with rows_named(self.session):
            return self.session.exec(query).all()
