"""Workers: the processes that carry out promises, and how one tells that another is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment

SILENCE = timedelta(minutes=1)
"""Whoever says nothing for so long is taken for dead. One that wakes up again does no harm: deeds are repeatable."""


class WorkerBeat(SQLModel, table=True):
    """The last sign of life of one worker process; the row goes when it stops in good order."""

    __tablename__ = "worker"
    id: str = Field(primary_key=True, max_length=120)
    host: str = Field(max_length=80)
    pid: int
    started_at: datetime = Field(sa_column=moment())
    seen_at: datetime = Field(sa_column=moment())


def is_silent(beat: WorkerBeat, *, at: datetime) -> bool:
    return at - beat.seen_at >= SILENCE
