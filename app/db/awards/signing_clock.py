"""The one row that says where the clock was last, and whether signing is stopped."""

from __future__ import annotations

from sqlmodel import Session, select

from app.domain.awards.signing_clock import ONLY_ROW, SigningClock


class SigningClockStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self) -> SigningClock:
        found = self.session.exec(select(SigningClock).where(SigningClock.id == ONLY_ROW)).first()
        return found or SigningClock()

    def lock(self) -> SigningClock:
        query = select(SigningClock).where(SigningClock.id == ONLY_ROW).with_for_update()
        found = self.session.exec(query.execution_options(populate_existing=True)).first()
        return found or SigningClock()

    def save(self, row: SigningClock) -> None:
        self.session.add(row)
        self.session.flush()
