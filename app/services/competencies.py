"""Frameworks and competencies: written down once, named by badges."""

from __future__ import annotations

import uuid

from app.db.competencies import CompetencyStore
from app.db.history import HistoryStore
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.competencies import Competency, Framework, check_competency
from app.domain.history import Actor
from app.errors import Conflict
from app.language import N_


class CompetencyService:
    def __init__(self, competencies: CompetencyStore, history: HistoryStore, clock: Clock) -> None:
        self.competencies = competencies
        self.history = history
        self.clock = clock

    def framework(
        self, campus: Campus, *, code: str, name: str, description: str = "", by: Actor
    ) -> Framework:
        """The campus's framework of that code, made if it is new."""
        known = self.competencies.find_framework(campus.id, code)
        if known is not None:
            return known
        framework = Framework(campus_id=campus.id, code=code, name=name, description=description)
        self.competencies.add(framework)
        self.history.write(by, "create", "framework", framework.id, at=self.clock(), campus_id=campus.id)
        return framework

    def create(
        self, campus: Campus, framework: Framework, *, code: str, statement: str, levels: list[str], by: Actor
    ) -> Competency:
        competency = Competency(framework_id=framework.id, code=code, statement=statement, levels=levels)
        check_competency(competency)
        if self.competencies.find_by_code(framework.id, code):
            raise Conflict(N_("Ce référentiel a déjà une compétence {code}."), code=code)
        self.competencies.add(competency)
        self.history.write(by, "create", "competency", competency.id, at=self.clock(), campus_id=campus.id)
        return competency

    def list_of(self, campus: Campus) -> list[tuple[Competency, Framework]]:
        return self.competencies.list_of(campus.id)

    def get(self, campus: Campus, competency_id: uuid.UUID) -> tuple[Competency, Framework]:
        return self.competencies.get_in_campus(competency_id, campus.id)
