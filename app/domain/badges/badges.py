"""Badges: what a campus recognises. A version is frozen the moment somebody holds it."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any

from sqlalchemy import Text
from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.campus.colours import MOST_LIVELY
from app.domain.core.columns import moment, new_id, part_of, points_to, word_of, words
from app.domain.core.signed_text import check_signed_name
from app.errors import Conflict, InvalidInput
from app.language import N_

MOST_DAYS = 36_500


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
    accepts_requests: bool = False
    for_every_trainer: bool = True
    """Otherwise only those to whom it was opened by name award it."""
    created_at: datetime = Field(sa_column=moment())
    archived_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class BadgeVersion(SQLModel, table=True):
    """One wording of a badge. `definition` is the published Achievement, kept as bytes once frozen.

    A draft is given to nobody until it is opened. Where `hue`, `liveliness` or `emblem` say nothing, the
    picture takes the campus's; where `alternative` says nothing, the picture is described by what it shows.
    """

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
    rule: dict[str, Any] = Field(default_factory=dict, sa_column=words())
    """What the log must say of whoever is given it (`badge_rules`); empty where the giver alone judges."""
    alignments: list[dict[str, str]] = Field(default_factory=list, sa_column=words())
    alternative: str = Field(default="", max_length=300)
    hue: float | None = None
    liveliness: float | None = None
    emblem: str = Field(default="", max_length=8)
    is_draft: bool = False
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


class UnopenedBadge(Conflict): ...


def check_version(version: BadgeVersion, competencies: Sequence[BadgeCompetency]) -> None:
    """What every version must say before anybody can be given it."""
    check_draft(version)
    if not version.description.strip():
        raise InvalidInput(N_("Un badge a un nom et une description."))
    if len(version.criteria.strip()) < 20:
        raise InvalidInput(
            N_("Les critères disent ce que la personne a fait et qui en a jugé : au moins une phrase.")
        )
    if version.kind is Kind.COMPETENCY and not competencies:
        raise InvalidInput(N_("Un badge de compétence nomme au moins une compétence."))


def check_draft(version: BadgeVersion) -> None:
    """What even an unfinished version keeps to, so that it can be kept and drawn."""
    if not version.name.strip():
        raise InvalidInput(N_("Un badge a un nom et une description."))
    check_signed_name(version.name)
    if len(version.name) > 120 or len(version.description) > 500 or len(version.criteria) > 8000:
        raise InvalidInput(N_("Le nom tient en 120 signes, la description en 500, les critères en 8 000."))
    if len(version.alternative) > 300 or len(version.emblem) > 8:
        raise InvalidInput(N_("Le texte de l’image tient en 300 signes, le sigle en 8."))
    if version.validity_days is not None and not 0 < version.validity_days <= MOST_DAYS:
        raise InvalidInput(N_("La durée de validité se compte en jours, à partir de 1."))
    if version.required_hours is not None and not 0 < version.required_hours <= 10_000:
        raise InvalidInput(N_("Le nombre d’heures est compris entre 0 et 10 000."))
    if version.required_hours is not None and version.rule:
        raise InvalidInput(N_("Avec une règle, la durée demandée se dit dans la règle."))
    check_colours(version.hue, version.liveliness)


def check_colours(hue: float | None, liveliness: float | None) -> None:
    """A hue is an angle; a liveliness stays where every contrast is kept."""
    if hue is not None and not 0 <= hue < 360:
        raise InvalidInput(N_("La teinte est un angle, de 0 à 359."))
    if liveliness is not None and not 0 <= liveliness <= MOST_LIVELY:
        raise InvalidInput(N_("La vivacité va de 0 à 0,14."))


def check_may_change(version: BadgeVersion) -> None:
    if version.frozen_at is not None:
        raise FrozenVersion(
            N_("La version {number} a déjà été attribuée : elle ne change plus. Créez la version suivante."),
            number=version.number,
        )


def check_open(badge: Badge) -> None:
    if badge.archived_at is not None:
        raise ArchivedBadge(N_("Ce badge est archivé : il ne s’attribue plus."))


def check_given(version: BadgeVersion) -> None:
    """A draft is not given: nobody has said yet that it is right."""
    if version.is_draft:
        raise UnopenedBadge(N_("Ce badge est un brouillon : ouvrez-le avant de l’attribuer."))


def valid_until(version: BadgeVersion, awarded_at: datetime) -> datetime | None:
    return awarded_at + timedelta(days=version.validity_days) if version.validity_days else None


def version_year(version: BadgeVersion) -> int:
    """The year that stands on the badge's picture."""
    return version.created_at.year


def next_number(versions: Sequence[BadgeVersion]) -> int:
    return max((version.number for version in versions), default=0) + 1


def free_slug(name: str, taken: Callable[[str], bool]) -> str:
    """An address made of a badge's name, numbered where another badge has it already."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    words = re.findall(r"[a-z0-9]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))
    slug = "-".join(words)[:50].strip("-") or "badge"
    numbered = (slug if number == 1 else f"{slug}-{number}" for number in count(1))
    return next(each for each in numbered if not taken(each))
