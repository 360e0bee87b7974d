"""Who looked at what is somebody's own."""

from __future__ import annotations

import uuid
from datetime import date

from sqlmodel import Session, col, delete, select

from app.domain.people.people import Person
from app.domain.privacy.private_looks import Looked, PrivateLook


class PrivateLookStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def note(
        self, campus_id: uuid.UUID, person_id: uuid.UUID, viewer_id: uuid.UUID, looked_at: Looked, day: date
    ) -> None:
        """Once a day; two requests at the same moment may both note it, and one of them fails."""
        query = select(PrivateLook.id).where(
            PrivateLook.campus_id == campus_id,
            PrivateLook.person_id == person_id,
            PrivateLook.viewer_id == viewer_id,
            PrivateLook.looked_at == looked_at,
            PrivateLook.day == day,
        )
        if self.session.exec(query).first() is None:
            self.session.add(
                PrivateLook(
                    campus_id=campus_id,
                    person_id=person_id,
                    viewer_id=viewer_id,
                    looked_at=looked_at,
                    day=day,
                )
            )
            self.session.flush()

    def of(
        self, campus_id: uuid.UUID, person_id: uuid.UUID, *, limit: int
    ) -> list[tuple[PrivateLook, Person | None]]:
        """The latest first, with who it was."""
        rows = self.session.exec(
            select(PrivateLook, Person)
            .join(Person, col(Person.id) == col(PrivateLook.viewer_id), isouter=True)
            .where(PrivateLook.campus_id == campus_id, PrivateLook.person_id == person_id)
            .order_by(col(PrivateLook.day).desc(), col(PrivateLook.looked_at), col(PrivateLook.id))
            .limit(limit)
        )
        return [(look, viewer) for look, viewer in rows]

    def forget_before(self, day: date) -> None:
        self.session.exec(delete(PrivateLook).where(col(PrivateLook.day) < day))
