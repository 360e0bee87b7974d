"""Requests for badges; each ends once, by a conditional update."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session as DatabaseSession
from sqlmodel import col, delete, select, update

from app.domain.learners.presentations import READ_LIFE, PresentationRequest, RequestState


@dataclass(frozen=True, eq=False)
class PresentationStore:
    session: DatabaseSession

    def add(self, row: PresentationRequest) -> None:
        self.session.add(row)
        self.session.flush()

    def sweep(self, *, at: datetime) -> None:
        """Delete rows past their reading time."""
        self.session.exec(
            delete(PresentationRequest).where(col(PresentationRequest.expires_at) <= at - READ_LIFE)
        )

    def has_ended(self, *, at: datetime) -> bool:
        """Whether `sweep` would delete anything."""
        ended = select(PresentationRequest.id).where(col(PresentationRequest.expires_at) <= at - READ_LIFE)
        return self.session.exec(ended).first() is not None

    def find_by_asker(self, digest: str, *, at: datetime) -> PresentationRequest | None:
        query = select(PresentationRequest).where(
            PresentationRequest.asker_digest == digest, col(PresentationRequest.expires_at) > at - READ_LIFE
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def find_by_reference(self, digest: str, *, at: datetime) -> PresentationRequest | None:
        """Also one that ended, until its row is deleted."""
        query = select(PresentationRequest).where(
            PresentationRequest.reference_digest == digest,
            col(PresentationRequest.expires_at) > at - READ_LIFE,
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def end(self, row_id: uuid.UUID, state: RequestState, answer: bytes | None, *, at: datetime) -> bool:
        """False if it was answered or refused before, or its time is over."""
        waiting = (
            col(PresentationRequest.id) == row_id,
            col(PresentationRequest.state) == RequestState.WAITING,
            col(PresentationRequest.expires_at) > at,
        )
        ended = update(PresentationRequest).where(*waiting).values(state=state, answer=answer)
        return bool(self.session.exec(ended).rowcount)
