"""Status lists: one place for every credential ever signed, and a bit that only ever rises."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core.columns import moment, new_id, part_of, points_to

LIST_SIZE = 131_072
LIST_TTL = timedelta(minutes=5)
LIST_LIFE = timedelta(days=7)
_OPEN = text("closed_at IS NULL")


class StatusList(SQLModel, table=True):
    """`published` and `token` are the signed list in its two forms, signed again when a bit or the week turns."""

    __tablename__ = "status_list"
    __table_args__ = (
        Index("one_open_list", "campus_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    size: int = LIST_SIZE
    used: int = 0
    created_at: datetime = Field(sa_column=moment())
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    published: bytes = b""
    token: str = Field(default="", sa_column_kwargs={"server_default": ""})
    published_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    sequence: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often it was signed. It stands in what is signed, and outside the database: only forward."""


class StatusSlot(SQLModel, table=True):
    """One credential's place. Never deleted, never reused (I03); `raised_at` never goes back (I04)."""

    __tablename__ = "status_slot"
    __table_args__ = (
        UniqueConstraint("award_id", name="one_slot_per_award"),
        CheckConstraint("position >= 0", name="slot_position_not_negative"),
    )
    list_id: uuid.UUID = Field(sa_column=part_of("status_list"))
    position: int = Field(primary_key=True)
    award_id: uuid.UUID
    """Points to an award without holding on to it: an erased award keeps its place."""
    raised_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def has_room(status_list: StatusList) -> bool:
    """A list half full gets a successor: random places stay quick to find and say nothing about order."""
    return status_list.used < status_list.size // 2


@dataclass(frozen=True)
class SignedList:
    """One list in both its forms: with a proof inside, and as a token (D-014)."""

    embedded: bytes
    token: str
    signed_at: datetime | None
    sequence: int = 0

    def is_due(self, *, at: datetime) -> bool:
        """Signed again at half its life, so that nobody ever reads a list about to lapse."""
        if not self.token:  # written before lists were tokens as well
            return True
        return self.signed_at is None or at - self.signed_at >= LIST_LIFE / 2


def signed_form(status_list: StatusList) -> SignedList:
    return SignedList(
        status_list.published, status_list.token, status_list.published_at, status_list.sequence
    )


@dataclass(frozen=True)
class AnchoredList:
    """A signed list as the anchor folder keeps it, apart from the database and its backups."""

    list_id: uuid.UUID
    campus_id: uuid.UUID
    size: int
    signed: SignedList

    def is_newer_than(self, other: SignedList | None) -> bool:
        """Whether `other`, read from the database, comes from an older copy or from another course of the list."""
        if other is None or self.signed.sequence != other.sequence:
            return other is None or self.signed.sequence > other.sequence
        return self.signed.embedded != other.embedded


def newest_of(anchored: AnchoredList | None, stored: SignedList | None) -> SignedList | None:
    """What the world is served: never an older edition than was served before."""
    return anchored.signed if anchored is not None and anchored.is_newer_than(stored) else stored


def anchored_form(status_list: StatusList) -> AnchoredList:
    return AnchoredList(status_list.id, status_list.campus_id, status_list.size, signed_form(status_list))
