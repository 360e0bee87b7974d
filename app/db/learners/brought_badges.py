"""Badges that people bring from elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from app.domain.learners.brought_badges import BroughtBadge
from app.domain.people.people import PersonAddress


class BroughtBadgeStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, badge: BroughtBadge) -> None:
        self.session.add(badge)
        self.session.flush()

    def remove(self, badge: BroughtBadge) -> None:
        self.session.delete(badge)
        self.session.flush()

    def find(self, badge_id: uuid.UUID) -> BroughtBadge | None:
        return self.session.get(BroughtBadge, badge_id)

    def list_of(self, person_id: uuid.UUID) -> Sequence[BroughtBadge]:
        query = select(BroughtBadge).where(BroughtBadge.person_id == person_id)
        return self.session.exec(
            query.order_by(col(BroughtBadge.brought_at).desc(), col(BroughtBadge.id))
        ).all()

    def due(self, *, at: datetime, limit: int) -> list[uuid.UUID]:
        """Those to be judged again, the longest waiting first."""
        query = select(BroughtBadge.id).where(BroughtBadge.check_again_at <= at)
        return list(self.session.exec(query.order_by(col(BroughtBadge.check_again_at)).limit(limit)))

    def verified_addresses(self, person_id: uuid.UUID) -> list[str]:
        query = select(PersonAddress.address).where(
            PersonAddress.person_id == person_id, col(PersonAddress.verified_at).is_not(None)
        )
        return sorted(set(self.session.exec(query)))
