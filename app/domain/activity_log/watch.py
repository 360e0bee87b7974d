"""Who watches a campus's activity log, and what was found when all of it was derived again."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.core.columns import moment, new_id, points_to, words


class LogWitness(SQLModel, table=True):
    """Somebody outside who watches the campus's log; `vkey` is the public key of their cosignatures (C2SP)."""

    __tablename__ = "log_witness"
    __table_args__ = (UniqueConstraint("campus_id", "name", name="one_witness_by_name"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    name: str = Field(max_length=200)
    label: str = Field(max_length=200)
    vkey: str = Field(max_length=400)
    named_at: datetime = Field(sa_column=moment())
    retired_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class LogReview(SQLModel, table=True):
    """One derivation of a whole log from its rows: asked for, carried out, and what it found."""

    __tablename__ = "log_review"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    log_id: uuid.UUID = Field(sa_column=points_to("campus_log"))
    asked_at: datetime = Field(sa_column=moment())
    asked_by: str = Field(max_length=120)
    done_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    size: int | None = Field(default=None, sa_type=BigInteger)
    faults: list[list[str]] = Field(default_factory=list, sa_column=words())
