"""Which role may do which deed in its campus; what the table does not allow is refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.core import moment, part_of
from app.errors import NotAllowed
from app.language import N_


class Role(StrEnum):
    CAMPUS_ADMIN = "campus_admin"
    DESIGNER = "designer"
    TRAINER = "trainer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    DPO = "dpo"


class Deed(StrEnum):
    """What people of a campus do; each route of theirs asks for one."""

    VIEW = "view"
    WORK = "work"
    """Activities and participants."""
    AWARD = "award"
    REVOKE = "revoke"
    DESIGN = "design"
    """Badges, competencies, and who may award which badge."""
    REVIEW = "review"
    """Requests of learners."""
    MANAGE = "manage"
    """People, roles and settings."""
    AUDIT = "audit"
    """What the history holds."""
    EXPORT = "export"
    """Tables of people that leave the house."""
    CORRECT = "correct"
    """Names, and two records of one person brought together."""
    PROTECT = "protect"
    """What is held about somebody, and its erasure."""


MAY: Final[Mapping[Role, frozenset[Deed]]] = MappingProxyType(
    {
        # An administrator who also protects data has been given that role too, and the history says so.
        Role.CAMPUS_ADMIN: frozenset(Deed) - {Deed.PROTECT},
        Role.DESIGNER: frozenset({Deed.VIEW, Deed.DESIGN}),
        Role.TRAINER: frozenset({Deed.VIEW, Deed.WORK, Deed.AWARD, Deed.REVOKE}),
        Role.REVIEWER: frozenset({Deed.VIEW, Deed.REVIEW}),
        Role.AUDITOR: frozenset({Deed.VIEW, Deed.AUDIT}),
        Role.DPO: frozenset({Deed.VIEW, Deed.EXPORT, Deed.CORRECT, Deed.PROTECT}),
    }
)

PROVED: Final = frozenset(
    {Deed.AWARD, Deed.REVOKE, Deed.REVIEW, Deed.EXPORT, Deed.MANAGE, Deed.CORRECT, Deed.PROTECT}
)
"""Whoever has a passkey does these with it. A request that is accepted is a badge that is given."""
DANGEROUS: Final = frozenset({Deed.EXPORT, Deed.MANAGE, Deed.CORRECT, Deed.PROTECT})
"""Asks whoever does it, and not only looks, to have proved a short time ago who they are."""

_REFUSALS: Final = {
    Deed.VIEW: N_("Vous n’avez pas de rôle dans ce campus."),
    Deed.WORK: N_("Seules les personnes qui forment pour ce campus peuvent faire cela."),
    Deed.AWARD: N_("Seules les personnes qui forment pour ce campus attribuent ses badges."),
    Deed.REVOKE: N_("Seules les personnes qui forment pour ce campus retirent ses badges."),
    Deed.DESIGN: N_("Seules les personnes qui conçoivent les badges du campus peuvent faire cela."),
    Deed.REVIEW: N_("Seules les personnes qui examinent les demandes du campus peuvent faire cela."),
    Deed.MANAGE: N_("Seule l’administration du campus peut faire cela."),
    Deed.AUDIT: N_("Seules l’administration et l’audit du campus lisent son historique."),
    Deed.EXPORT: N_("Seules l’administration et la protection des données du campus exportent ses tableaux."),
    Deed.CORRECT: N_(
        "Seules l’administration et la protection des données du campus corrigent les dossiers des personnes."
    ),
    Deed.PROTECT: N_("Seule la personne chargée de la protection des données peut faire cela."),
}


def may(roles: Iterable[Role], deed: Deed) -> bool:
    return any(deed in MAY[role] for role in roles)


def check_may(roles: Iterable[Role], deed: Deed) -> None:
    if not may(roles, deed):
        raise NotAllowed(_REFUSALS[deed])


class Operator(SQLModel, table=True):
    __tablename__ = "operator"
    person_id: uuid.UUID = Field(sa_column=part_of("person"))
    since: datetime = Field(sa_column=moment())
