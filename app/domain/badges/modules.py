"""Sets of training modules: contents, audience, hours, and the competencies that each one attests."""

from __future__ import annotations

import uuid
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text
from sqlmodel import CheckConstraint, Field, SQLModel

from app.domain.core import foreign_key, new_id, primary_foreign_key, utc_datetime
from app.errors import InvalidInput
from app.language import N_

MOST_MODULES = 20


class ModuleSet(SQLModel, table=True):
    """`badge_id` is the badge of the whole, proposed once each module is attested."""

    __tablename__ = "module_set"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    title: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    badge_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("badge", nullable=True))
    created_at: datetime = Field(sa_column=utc_datetime())
    archived_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class TrainingModule(SQLModel, table=True):
    """A person did it once they hold its badge. `contents` has one item per line."""

    __tablename__ = "training_module"
    __table_args__ = (CheckConstraint("hours IS NULL OR hours > 0", name="module_hours_are_positive"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    set_id: uuid.UUID = Field(sa_column=foreign_key("module_set"))
    position: int = 0
    title: str = Field(max_length=200)
    contents: str = Field(default="", sa_type=Text)
    audience: str = Field(default="", max_length=200)
    hours: float | None = None
    badge_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("badge", nullable=True))


class ModuleCompetency(SQLModel, table=True):
    """What a module attests; `level` counts from 1, None for a competency without levels."""

    __tablename__ = "module_competency"
    module_id: uuid.UUID = Field(sa_column=primary_foreign_key("training_module"))
    competency_id: uuid.UUID = Field(sa_column=primary_foreign_key("competency"))
    level: int | None = None


def check_set(found: ModuleSet) -> None:
    if not found.title.strip():
        raise InvalidInput(N_("Un ensemble de modules a un titre."))
    if len(found.title) > 200 or len(found.description) > 2000:
        raise InvalidInput(N_("Le titre tient en 200 signes, la description en 2 000."))


def check_module(module: TrainingModule) -> None:
    if not module.title.strip():
        raise InvalidInput(N_("Un module a un titre."))
    if len(module.title) > 200 or len(module.audience) > 200 or len(module.contents) > 4000:
        raise InvalidInput(N_("Le titre et le public tiennent en 200 signes, les contenus en 4 000."))
    if module.hours is not None and not 0 < module.hours <= 10_000:
        raise InvalidInput(N_("Le nombre d’heures est compris entre 0 et 10 000."))


@dataclass(frozen=True)
class Completion:
    """Which modules a person has attested, and when."""

    person_id: uuid.UUID
    done: Mapping[uuid.UUID, datetime]
    """By module."""
    total: int
    has_whole: bool
    is_whole_suspended: bool = False
    """It is held, and not awarded again, though it does not count."""

    @property
    def is_complete(self) -> bool:
        return self.total > 0 and len(self.done) == self.total

    @property
    def is_proposed(self) -> bool:
        return self.is_complete and not (self.has_whole or self.is_whole_suspended)


def completions(
    modules: Sequence[TrainingModule],
    held: Sequence[tuple[uuid.UUID, uuid.UUID, datetime]],
    whole: uuid.UUID | None,
    suspended: Container[uuid.UUID] = (),
) -> list[Completion]:
    """`held`: person, badge and day of each valid award; `suspended`: people with a suspended badge of the whole.

    People without any module are left out.
    """
    by_badge: dict[uuid.UUID, list[uuid.UUID]] = {}
    for module in modules:
        if module.badge_id is not None:
            by_badge.setdefault(module.badge_id, []).append(module.id)
    done: dict[uuid.UUID, dict[uuid.UUID, datetime]] = {}
    holders: set[uuid.UUID] = set()
    for person_id, badge_id, at in held:
        if badge_id == whole:
            holders.add(person_id)
        for module_id in by_badge.get(badge_id, ()):
            known = done.setdefault(person_id, {})
            known[module_id] = min(at, known.get(module_id, at))
    return [
        Completion(person_id, some, len(modules), person_id in holders, person_id in suspended)
        for person_id, some in done.items()
    ]
