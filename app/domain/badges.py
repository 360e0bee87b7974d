"""Badges: what a campus recognises. A version is frozen the moment somebody holds it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Text
from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.columns import moment, new_id, part_of, points_to, word_of, words
from app.errors import Conflict, InvalidInput
from app.language import N_


class Kind(StrEnum):
    """What a badge recognises; the kind decides which evidence an award must rest on."""

    BELONGING = "appartenance"
    PARTICIPATION = "participation"
    ENGAGEMENT = "engagement"
    ATTITUDE = "savoir-etre"
    COMPETENCY = "competence"
    REALISATION = "realisation"

    @property
    def is_judged(self) -> bool:
        """Presence is not competence: these kinds need somebody's judgement of what was done."""
        return self not in (Kind.BELONGING, Kind.PARTICIPATION)


class Repeat(StrEnum):
    ONCE = "once"
    ONCE_PER_ACTIVITY = "once_per_activity"
    ALWAYS = "always"


class Badge(SQLModel, table=True):
    __tablename__ = "badge"
    __table_args__ = (UniqueConstraint("campus_id", "slug", name="one_badge_per_slug"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    slug: str = Field(max_length=60)
    repeat: Repeat = Field(default=Repeat.ONCE, sa_column=word_of(Repeat, name="badge_repeat"))
    created_at: datetime = Field(sa_column=moment())
    archived_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class BadgeVersion(SQLModel, table=True):
    """One wording of a badge. `definition` is the published Achievement, kept as bytes once frozen."""

    __tablename__ = "badge_version"
    __table_args__ = (
        UniqueConstraint("badge_id", "number", name="one_version_per_number"),
        CheckConstraint("validity_days IS NULL OR validity_days > 0", name="validity_is_positive"),
        CheckConstraint("required_hours IS NULL OR required_hours > 0", name="required_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    badge_id: uuid.UUID = Field(sa_column=points_to("badge"))
    number: int = Field(ge=1)
    kind: Kind = Field(sa_column=word_of(Kind, name="badge_kind"))
    name: str = Field(max_length=120)
    description: str = Field(max_length=500)
    criteria: str = Field(max_length=8000)
    language: str = Field(default="fr", max_length=12)
    tags: list[str] = Field(default_factory=list, sa_column=words())
    validity_days: int | None = None
    required_hours: float | None = None
    picture_svg: str = Field(default="", sa_type=Text)
    picture_png: bytes = b""
    definition: bytes = b""
    created_at: datetime = Field(sa_column=moment())
    frozen_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class BadgeCompetency(SQLModel, table=True):
    """A competency that a badge version attests; `level` counts from 1."""

    __tablename__ = "badge_competency"
    version_id: uuid.UUID = Field(sa_column=part_of("badge_version"))
    competency_id: uuid.UUID = Field(sa_column=part_of("competency"))
    level: int | None = None
    position: int = 0


class FrozenVersion(Conflict): ...


class ArchivedBadge(Conflict): ...


def check_version(version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
    """What every version must say before anybody can be given it."""
    if not version.name.strip() or not version.description.strip():
        raise InvalidInput(N_("Un badge a un nom et une description."))
    if len(version.name) > 120 or len(version.description) > 500 or len(version.criteria) > 8000:
        raise InvalidInput(N_("Le nom tient en 120 signes, la description en 500, les critères en 8 000."))
    if len(version.criteria.strip()) < 20:
        raise InvalidInput(
            N_("Les critères disent ce que la personne a fait et qui en a jugé : au moins une phrase.")
        )
    if version.kind is Kind.COMPETENCY and not competencies:
        raise InvalidInput(N_("Un badge de compétence nomme au moins une compétence."))
    if version.validity_days is not None and version.validity_days <= 0:
        raise InvalidInput(N_("La durée de validité se compte en jours, à partir de 1."))


def check_may_change(version: BadgeVersion) -> None:
    if version.frozen_at is not None:
        raise FrozenVersion(
            N_("La version {number} a déjà été attribuée : elle ne change plus. Créez la version suivante."),
            number=version.number,
        )


def check_open(badge: Badge) -> None:
    if badge.archived_at is not None:
        raise ArchivedBadge(N_("Ce badge est archivé : il ne s’attribue plus."))


def valid_until(version: BadgeVersion, awarded_at: datetime) -> datetime | None:
    return awarded_at + timedelta(days=version.validity_days) if version.validity_days else None


def version_year(version: BadgeVersion) -> int:
    """The year that stands on the badge's picture."""
    return version.created_at.year


def next_number(versions: Sequence[BadgeVersion]) -> int:
    return max((version.number for version in versions), default=0) + 1
