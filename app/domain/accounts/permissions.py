"""Role permissions within a campus; anything the table does not list is refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.core import primary_foreign_key, utc_datetime
from app.errors import NotAllowed
from app.language import N_


class Role(StrEnum):
    CAMPUS_ADMIN = "campus_admin"
    DESIGNER = "designer"
    TRAINER = "trainer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    DPO = "dpo"


class Permission(StrEnum):
    """What members of a campus may do; each campus route requires one."""

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
    """Reading the audit log."""
    EXPORT = "export"
    """Downloading tables of personal data."""
    CORRECT = "correct"
    """Correcting names and merging two records of one person."""
    PROTECT = "protect"
    """Reading the personal data held about one person, and erasing it."""


ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        # An administrator who also protects data needs the DPO role too, so that the audit log shows it.
        Role.CAMPUS_ADMIN: frozenset(Permission) - {Permission.PROTECT},
        Role.DESIGNER: frozenset({Permission.VIEW, Permission.DESIGN}),
        Role.TRAINER: frozenset({Permission.VIEW, Permission.WORK, Permission.AWARD, Permission.REVOKE}),
        Role.REVIEWER: frozenset({Permission.VIEW, Permission.REVIEW}),
        Role.AUDITOR: frozenset({Permission.VIEW, Permission.AUDIT}),
        Role.DPO: frozenset({Permission.VIEW, Permission.EXPORT, Permission.CORRECT, Permission.PROTECT}),
    }
)

REQUIRES_PASSKEY: Final = frozenset(
    {
        Permission.AWARD,
        Permission.REVOKE,
        Permission.REVIEW,
        Permission.EXPORT,
        Permission.MANAGE,
        Permission.CORRECT,
        Permission.PROTECT,
    }
)
"""People who have a passkey must use it for these.

Review is included because accepting a request awards a badge.
"""
REQUIRES_REAUTH: Final = frozenset(
    {Permission.EXPORT, Permission.MANAGE, Permission.CORRECT, Permission.PROTECT}
)
"""Changes under these permissions require a recent proof of identity; reading does not."""

_REFUSALS: Final = {
    Permission.VIEW: N_("Vous n’avez pas de rôle dans ce campus."),
    Permission.WORK: N_("Seules les personnes qui forment pour ce campus peuvent faire cela."),
    Permission.AWARD: N_("Seules les personnes qui forment pour ce campus attribuent ses badges."),
    Permission.REVOKE: N_("Seules les personnes qui forment pour ce campus retirent ses badges."),
    Permission.DESIGN: N_("Seules les personnes qui conçoivent les badges du campus peuvent faire cela."),
    Permission.REVIEW: N_("Seules les personnes qui examinent les demandes du campus peuvent faire cela."),
    Permission.MANAGE: N_("Seule l’administration du campus peut faire cela."),
    Permission.AUDIT: N_("Seules l’administration et l’audit du campus lisent son historique."),
    Permission.EXPORT: N_(
        "Seules l’administration et la protection des données du campus exportent ses tableaux."
    ),
    Permission.CORRECT: N_(
        "Seules l’administration et la protection des données du campus corrigent les fiches des personnes."
    ),
    Permission.PROTECT: N_("Seule la personne chargée de la protection des données peut faire cela."),
}


def may(roles: Iterable[Role], permission: Permission) -> bool:
    return any(permission in ROLE_PERMISSIONS[role] for role in roles)


def check_may(roles: Iterable[Role], permission: Permission) -> None:
    if not may(roles, permission):
        raise NotAllowed(_REFUSALS[permission])


class NetworkAdministrator(SQLModel, table=True):
    """A person who shares definitions for a network, without any right in its campuses."""

    __tablename__ = "network_administrator"
    network_id: uuid.UUID = Field(sa_column=primary_foreign_key("network"))
    person_id: uuid.UUID = Field(sa_column=primary_foreign_key("person"))
    since: datetime = Field(sa_column=utc_datetime())


class Operator(SQLModel, table=True):
    __tablename__ = "operator"
    person_id: uuid.UUID = Field(sa_column=primary_foreign_key("person"))
    since: datetime = Field(sa_column=utc_datetime())
