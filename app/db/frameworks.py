"""Frameworks and competencies."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlmodel import Session, col, func, select

from app.domain.badges.badges import BadgeCompetency
from app.domain.frameworks import Competency, Framework
from app.errors import NotFound
from app.language import N_


class CompetencyStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: Framework | Competency) -> None:
        self.session.add(row)
        self.session.flush()

    def find_framework(self, campus_id: uuid.UUID, code: str) -> Framework | None:
        query = select(Framework).where(Framework.campus_id == campus_id, Framework.code == code)
        return self.session.exec(query).first()

    def find_by_code(self, framework_id: uuid.UUID, code: str) -> Competency | None:
        query = select(Competency).where(Competency.framework_id == framework_id, Competency.code == code)
        return self.session.exec(query).first()

    def list_of(self, campus_id: uuid.UUID) -> list[tuple[Competency, Framework]]:
        rows = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(Framework.campus_id == campus_id)
            .order_by(col(Framework.code), col(Competency.code))
        )
        return [(competency, framework) for competency, framework in rows]

    def get_in_campus(self, competency_id: uuid.UUID, campus_id: uuid.UUID) -> tuple[Competency, Framework]:
        row = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(Competency.id == competency_id, Framework.campus_id == campus_id)
        ).first()
        if row is None:
            raise NotFound(N_("Cette compétence n’existe pas dans ce campus."))
        return row[0], row[1]

    def get_many(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[Competency, Framework]]:
        rows = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(col(Competency.id).in_(list(ids)))
        )
        return {competency.id: (competency, framework) for competency, framework in rows}

    def highest_level_used(self, competency_id: uuid.UUID) -> int:
        """The highest level that any badge version attests; 0 if none."""
        query = select(func.max(BadgeCompetency.level)).where(BadgeCompetency.competency_id == competency_id)
        return self.session.exec(query).one() or 0
