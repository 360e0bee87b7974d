"""Counts of waiting work over all campuses, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from app.db.engine.queries import Store
from app.domain.awards.batches import AwardBatch, BatchState
from app.domain.core import WorkerBeat
from app.domain.messages import LetterState, QueuedMessage

_COUNTED = timedelta(days=7)


@dataclass(frozen=True)
class WaitingWork:
    """Awards and messages not yet processed, each with the due time of the oldest."""

    messages: int
    oldest_message: datetime | None
    messages_by_state: dict[str, int]
    """Of the last seven days."""
    batches: int
    oldest_batch: datetime | None
    last_beat: datetime | None
    """Of any worker."""


class WaitingWorkStore(Store):
    def read(self, at: datetime) -> WaitingWork:
        due = select(func.count(), func.min(col(QueuedMessage.not_before))).where(
            col(QueuedMessage.state) == LetterState.WAITING, col(QueuedMessage.not_before) <= at
        )
        running = select(func.count(), func.min(col(AwardBatch.requested_at))).where(
            col(AwardBatch.state).in_((BatchState.RUNNING, BatchState.UNDOING))
        )
        recent = (
            select(QueuedMessage.state, func.count())
            .where(col(QueuedMessage.attempted_at) > at - _COUNTED)
            .group_by(col(QueuedMessage.state))
        )
        messages, oldest_message = self.session.exec(due).one()
        batches, oldest_batch = self.session.exec(running).one()
        return WaitingWork(
            messages,
            oldest_message,
            {str(state): count for state, count in self.session.exec(recent)},
            batches,
            oldest_batch,
            self.session.exec(select(func.max(col(WorkerBeat.seen_at)))).one(),
        )
