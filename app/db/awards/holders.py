"""The people who hold awards of a campus, and which."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import col, select

from app.db.engine.queries import Store
from app.domain.awards.awards import Award


class HolderStore(Store):
    def list_in_campus(self, campus_id: uuid.UUID) -> Sequence[uuid.UUID]:
        query = select(Award.person_id).where(Award.campus_id == campus_id)
        return self.session.exec(query.distinct().order_by(col(Award.person_id))).all()

    def awards_of(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> Sequence[uuid.UUID]:
        """In the order they were given; without awards undone before delivery."""
        query = select(Award.id).where(
            Award.campus_id == campus_id, Award.person_id == person_id, col(Award.undone_at).is_(None)
        )
        return self.session.exec(query.order_by(col(Award.awarded_at), col(Award.id))).all()
