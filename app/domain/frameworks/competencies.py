"""Competencies: statements one can master, in frameworks, with levels."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.core.columns import moment, new_id, points_to, words
from app.errors import Conflict, InvalidInput
from app.language import N_

MOST_LEVELS = 10


class Framework(SQLModel, table=True):
    __tablename__ = "framework"
    __table_args__ = (UniqueConstraint("campus_id", "code", name="one_framework_per_code"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    code: str = Field(max_length=60)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)


class Competency(SQLModel, table=True):
    """`levels` names the levels from the lowest to the highest; empty when the competency has none."""

    __tablename__ = "competency"
    __table_args__ = (UniqueConstraint("framework_id", "code", name="one_competency_per_code"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    framework_id: uuid.UUID = Field(sa_column=points_to("framework"))
    code: str = Field(max_length=60)
    statement: str = Field(max_length=500)
    levels: list[str] = Field(default_factory=list, sa_column=words())
    archived_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def check_level(competency: Competency, level: int | None) -> None:
    """`level` counts from 1, the lowest."""
    if level is None:
        return
    if not 1 <= level <= len(competency.levels):
        raise InvalidInput(
            N_("La compétence {code} n’a pas de niveau {level}."), code=competency.code, level=level
        )


def check_competency(competency: Competency) -> None:
    if not competency.code.strip() or not competency.statement.strip():
        raise InvalidInput(N_("Une compétence a un code et un énoncé."))
    if len(competency.code) > 60 or len(competency.statement) > 500:
        raise InvalidInput(N_("Le code tient en 60 signes, l’énoncé en 500."))
    if len(competency.levels) > MOST_LEVELS or any(not 0 < len(level) <= 120 for level in competency.levels):
        raise InvalidInput(N_("Dix niveaux au plus, de 120 signes chacun."))


def check_framework(framework: Framework) -> None:
    if not framework.code.strip() or not framework.name.strip():
        raise InvalidInput(N_("Un référentiel a un code et un nom."))
    if len(framework.code) > 60 or len(framework.name) > 200:
        raise InvalidInput(N_("Le code du référentiel tient en 60 signes, son nom en 200."))


def check_levels_kept(competency: Competency, levels: Sequence[str], *, highest_used: int) -> None:
    """A level that a badge attests does not go away under it."""
    if len(levels) < highest_used:
        raise Conflict(
            N_("Un badge atteste le niveau {level} de {code} : gardez au moins {level} niveaux."),
            level=highest_used,
            code=competency.code,
        )
