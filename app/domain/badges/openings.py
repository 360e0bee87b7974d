"""Openings: which trainers may award which badge of their campus."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Field, SQLModel

from app.domain.accounts.permissions import Role
from app.domain.badges.badges import Badge
from app.domain.core.columns import moment, part_of
from app.errors import NotAllowed
from app.language import N_


class BadgeOpening(SQLModel, table=True):
    """A badge opened to one trainer by name; one that is for every trainer needs none."""

    __tablename__ = "badge_opening"
    badge_id: uuid.UUID = Field(sa_column=part_of("badge"))
    person_id: uuid.UUID = Field(sa_column=part_of("person"))
    since: datetime = Field(sa_column=moment())


class NotOpened(NotAllowed):
    """A badge of the campus that this trainer may not award."""


def is_opened(badge: Badge, roles: Collection[Role], *, by_name: bool) -> bool:
    """Whether somebody with these roles may award it; administrators award every badge of their campus."""
    return badge.for_every_trainer or by_name or Role.CAMPUS_ADMIN in roles


def check_opened(badge: Badge, roles: Collection[Role], *, by_name: bool) -> None:
    if not is_opened(badge, roles, by_name=by_name):
        raise NotOpened(
            N_(
                "Ce badge ne vous est pas ouvert : vous ne pouvez pas l’attribuer. L’administration du campus peut vous l’ouvrir."
            )
        )
