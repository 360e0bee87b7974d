"""What is asked of activity logs by those who watch them: witnesses, reviews, and what waits for a signature."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import Session, col, func, select

from app.domain.activity_log.activity_log import (
    CampusLog,
    EntryKind,
    LogCheckpoint,
    LogCosignature,
    LogEntry,
    LogPayload,
)
from app.domain.activity_log.watch import LogReview, LogWitness


class LogWatchStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: LogWitness | LogReview | LogCosignature) -> None:
        self.session.add(row)
        self.session.flush()

    def newest_cosignatures(self, log_id: uuid.UUID) -> list[LogCosignature]:
        """Of each witness, the line under the largest tree it has seen."""
        newest = (
            select(LogCosignature.witness, func.max(LogCosignature.size).label("size"))
            .where(LogCosignature.log_id == log_id)
            .group_by(col(LogCosignature.witness))
            .subquery()
        )
        query = select(LogCosignature).join(
            newest,
            (newest.c.witness == col(LogCosignature.witness)) & (newest.c.size == col(LogCosignature.size)),
        )
        return list(self.session.exec(query.where(LogCosignature.log_id == log_id)))

    def first_to_see(self, log_id: uuid.UUID, number: int) -> list[LogCosignature]:
        """Of each witness, its line under the smallest tree that holds that entry; the earliest first."""
        first = (
            select(LogCosignature.witness, func.min(LogCosignature.size).label("size"))
            .where(LogCosignature.log_id == log_id, col(LogCosignature.size) > number)
            .group_by(col(LogCosignature.witness))
            .subquery()
        )
        query = select(LogCosignature).join(
            first,
            (first.c.witness == col(LogCosignature.witness)) & (first.c.size == col(LogCosignature.size)),
        )
        mine = query.where(LogCosignature.log_id == log_id)
        return list(
            self.session.exec(mine.order_by(col(LogCosignature.seen_at), col(LogCosignature.witness)))
        )

    def witnesses_of(self, campus_id: uuid.UUID) -> list[LogWitness]:
        query = select(LogWitness).where(LogWitness.campus_id == campus_id)
        return list(self.session.exec(query.order_by(col(LogWitness.named_at), col(LogWitness.name))))

    def keys_of_witnesses(self) -> list[str]:
        """The verifier keys of all witnesses that any campus here has named and not retired."""
        query = select(LogWitness.vkey).where(col(LogWitness.retired_at).is_(None)).distinct()
        return list(self.session.exec(query))

    def recent_checkpoints(self, log_id: uuid.UUID, *, limit: int) -> list[LogCheckpoint]:
        query = select(LogCheckpoint).where(LogCheckpoint.log_id == log_id)
        return list(self.session.exec(query.order_by(col(LogCheckpoint.size).desc()).limit(limit)))

    def count_kinds(self, log_id: uuid.UUID) -> dict[EntryKind, int]:
        query = select(LogEntry.kind, func.count()).where(LogEntry.log_id == log_id)
        rows = self.session.exec(query.group_by(col(LogEntry.kind)))
        return {EntryKind(kind): count for kind, count in rows}

    def recent_of_kind(
        self, log_id: uuid.UUID, kind: EntryKind, *, limit: int
    ) -> list[tuple[LogEntry, LogPayload | None]]:
        """The newest entries of one kind; None where what they said was erased."""
        query = (
            select(LogEntry, LogPayload)
            .join(
                LogPayload,
                (col(LogPayload.log_id) == LogEntry.log_id) & (col(LogPayload.number) == LogEntry.number),
                isouter=True,
            )
            .where(LogEntry.log_id == log_id, LogEntry.kind == kind)
        )
        rows = self.session.exec(query.order_by(col(LogEntry.number).desc()).limit(limit))
        return [(entry, payload) for entry, payload in rows]

    def unsigned(self, *, before: datetime) -> list[uuid.UUID]:
        """Campuses whose open log grew since it was last signed, unless that was after `before`."""
        signed = (
            select(func.max(LogCheckpoint.size))
            .where(LogCheckpoint.log_id == CampusLog.id)
            .correlate(CampusLog)
            .scalar_subquery()
        )
        lately = (
            select(LogCheckpoint.size)
            .where(LogCheckpoint.log_id == CampusLog.id, col(LogCheckpoint.signed_at) > before)
            .correlate(CampusLog)
        )
        query = select(CampusLog.campus_id).where(
            col(CampusLog.closed_at).is_(None),
            CampusLog.size > func.coalesce(signed, 0),
            ~lately.exists(),
        )
        return list(self.session.exec(query))

    def reviews_of(self, log_id: uuid.UUID, *, limit: int) -> list[LogReview]:
        """The newest first."""
        query = select(LogReview).where(LogReview.log_id == log_id)
        return list(
            self.session.exec(
                query.order_by(col(LogReview.asked_at).desc(), col(LogReview.id).desc()).limit(limit)
            )
        )

    def newest_done(self, campus_id: uuid.UUID) -> LogReview | None:
        """Of the log that is open: what was found when it was last read from end to end."""
        query = (
            select(LogReview)
            .join(CampusLog, col(CampusLog.id) == col(LogReview.log_id))
            .where(
                CampusLog.campus_id == campus_id,
                col(CampusLog.closed_at).is_(None),
                col(LogReview.done_at).is_not(None),
            )
        )
        return self.session.exec(query.order_by(col(LogReview.done_at).desc())).first()

    def waiting_reviews(self, log_id: uuid.UUID) -> list[LogReview]:
        query = select(LogReview).where(LogReview.log_id == log_id, col(LogReview.done_at).is_(None))
        return list(self.session.exec(query.order_by(col(LogReview.asked_at))))

    def logs_to_review(self, *, reviewed_before: datetime) -> list[uuid.UUID]:
        """Logs with a review that waits, or with none since then; the open ones that hold anything."""
        of_the_log = select(LogReview.id).where(LogReview.log_id == CampusLog.id).correlate(CampusLog)
        waiting = of_the_log.where(col(LogReview.done_at).is_(None)).exists()
        lately = of_the_log.where(col(LogReview.done_at) > reviewed_before).exists()
        query = select(CampusLog.id).where(
            waiting | (~lately & (col(CampusLog.size) > 0) & col(CampusLog.closed_at).is_(None))
        )
        return list(self.session.exec(query))
