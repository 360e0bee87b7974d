"""A form that waits while its sender proves who they are: sealed, theirs alone, and gone after two hours."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, new_id, points_to

LIFE = timedelta(hours=2)
MOST_FOR_ONE = 5
"""Of one person; the oldest gives way."""
LONGEST_TYPED = 1024 * 1024
"""In bytes, of a form that came when its sender was signed out: a pasted list of ten thousand lines fits."""


class SetAside(SQLModel, table=True):
    """What opens the seal is in the page that asks for the proof, and nowhere here."""

    __tablename__ = "set_aside"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    secret_digest: str = Field(unique=True, max_length=64)
    sealed: bytes
    expires_at: datetime = Field(sa_column=moment(index=True))


@dataclass(frozen=True)
class WaitingFile:
    field: str
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class WaitingForm:
    """Where it was going, what was typed and which files were chosen."""

    path: str
    fields: Sequence[tuple[str, str]]
    files: Sequence[WaitingFile] = ()
