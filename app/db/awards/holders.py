"""The people who hold awards of a campus, and which."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlmodel import col, select

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.domain.awards import Award, AwardState


class HolderStore(Store):
    def names_in_campus(
        self, campus_id: uuid.UUID, person_ids: Iterable[uuid.UUID], *, standing: bool = False
    ) -> dict[uuid.UUID, list[str]]:
        """Names that the campus wrote or accepted for these people, per person, of the latest award first."""
        query = select(Award.person_id, Award.accepted_name, Award.holder_name).where(
            Award.campus_id == campus_id, among(self.session, col(Award.person_id), person_ids)
        )
        if standing:
            query = query.where(Award.state == AwardState.ISSUED)
        found: dict[uuid.UUID, list[str]] = {}
        for person_id, accepted, written in self.session.exec(
            query.order_by(col(Award.awarded_at).desc(), col(Award.id).desc())
        ):
            if name := accepted or written:
                found.setdefault(person_id, []).append(name)
        return found

    def names_of(self, person_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
        """Campus and name of each standing award of a person with a name that the campus wrote or accepted."""
        query = select(Award.campus_id, Award.accepted_name, Award.holder_name).where(
            Award.person_id == person_id, Award.state == AwardState.ISSUED
        )
        found = self.session.exec(query.order_by(col(Award.awarded_at).desc(), col(Award.id).desc()))
        return [(campus_id, name) for campus_id, accepted, written in found if (name := accepted or written)]

    def list_in_campus(self, campus_id: uuid.UUID) -> Sequence[uuid.UUID]:
        query = select(Award.person_id).where(Award.campus_id == campus_id)
        return self.session.exec(query.distinct().order_by(col(Award.person_id))).all()

    def awards_of(self, campus_id: uuid.UUID, person_id: uuid.UUID) -> Sequence[uuid.UUID]:
        """In the order they were given; without awards undone before delivery."""
        query = select(Award.id).where(
            Award.campus_id == campus_id, Award.person_id == person_id, col(Award.undone_at).is_(None)
        )
        return self.session.exec(query.order_by(col(Award.awarded_at), col(Award.id))).all()
