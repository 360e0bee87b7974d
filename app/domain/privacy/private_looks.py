"""Who of a campus looked at what is somebody's own: noted by day and kind, told to that person, forgotten after a year."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from app.domain.core.columns import new_id, points_to, word_of

KEPT_FOR: Final = timedelta(days=365)


class Looked(StrEnum):
    RECORD = "record"
    """All that the campus holds of the person, on one page."""
    AWARD = "award"
    REQUEST = "request"
    CONTRIBUTION = "contribution"
    FILE = "file"


class PrivateLook(SQLModel, table=True):
    """Once a day at most for each kind: enough to ask why, too little to watch people work."""

    __tablename__ = "private_look"
    __table_args__ = (
        UniqueConstraint("campus_id", "person_id", "viewer_id", "looked_at", "day", name="one_look_a_day"),
        Index("looks_by_day", "day"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    viewer_id: uuid.UUID | None = Field(
        default=None, sa_column=points_to("person", nullable=True, index=False)
    )
    looked_at: Looked = Field(sa_column=word_of(Looked, name="private_look_kind"))
    day: date
