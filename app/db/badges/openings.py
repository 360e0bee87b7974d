"""Badges opened to trainers by name."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import Session, col, delete, select

from app.domain.badges.badges import Badge
from app.domain.badges.openings import BadgeOpening


class OpeningStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def of_badge(self, badge_id: uuid.UUID) -> set[uuid.UUID]:
        """To whom the badge is opened."""
        return set(self.session.exec(select(BadgeOpening.person_id).where(BadgeOpening.badge_id == badge_id)))

    def of_person(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> set[uuid.UUID]:
        """The badges of one campus that are opened to the person."""
        query = (
            select(BadgeOpening.badge_id)
            .join(Badge, col(Badge.id) == col(BadgeOpening.badge_id))
            .where(BadgeOpening.person_id == person_id, Badge.campus_id == campus_id)
        )
        return set(self.session.exec(query))

    def open(self, badge_id: uuid.UUID, person_id: uuid.UUID, *, at: datetime) -> None:
        self.session.add(BadgeOpening(badge_id=badge_id, person_id=person_id, since=at))
        self.session.flush()

    def shut(self, badge_id: uuid.UUID, person_id: uuid.UUID) -> None:
        self.session.exec(
            delete(BadgeOpening).where(
                col(BadgeOpening.badge_id) == badge_id, col(BadgeOpening.person_id) == person_id
            )
        )
