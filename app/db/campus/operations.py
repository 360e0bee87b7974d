"""Counts of waiting work and ages of what is signed, over all campuses, for operators."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func
from sqlmodel import SQLModel, col, select

from app.db.engine.queries import RowStore, Store
from app.domain.accounts.permissions import Operator
from app.domain.activities.files import FileState, StoredFile
from app.domain.activity_log import CampusLog, LogCheckpoint, LogCosignature, LogWitness
from app.domain.awards.batches import AwardBatch, BatchState, Withdrawal, WithdrawalState
from app.domain.campus.campus import KeyState, SealedKey
from app.domain.campus.lti import LtiKey
from app.domain.core import WorkerBeat
from app.domain.imports.calendars import CalendarSubscription
from app.domain.imports.imports import ImportRun, ImportState
from app.domain.messages import LetterState, QueuedMessage
from app.domain.people import Person
from app.domain.publishing import LIST_LIFE, StatusList
from app.domain.reports.counts import ActivityChange, AwardChange, MonthChange
from app.domain.trust import NetworkKey
from app.domain.trust.organisations import OrganisationKey

_COUNTED = timedelta(days=7)
_WITNESS_PATIENCE = timedelta(days=1)


class WaitingKind(StrEnum):
    AWARDS = "awards"
    WITHDRAWALS = "withdrawals"
    IMPORTS = "imports"
    SCANS = "scans"


@dataclass(frozen=True)
class Waiting:
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class WaitingWork:
    """Jobs and messages not yet processed, each with the due time of the oldest."""

    messages: int
    oldest_message: datetime | None
    messages_by_state: dict[str, int]
    """Of the last seven days."""
    jobs: dict[WaitingKind, Waiting]
    last_beat: datetime | None
    """Of any worker."""
    counts: int
    """Changes of which a worker has yet to store the counts for reports."""

    @property
    def batches(self) -> int:
        return self.jobs[WaitingKind.AWARDS].count

    @property
    def oldest_batch(self) -> datetime | None:
        return self.jobs[WaitingKind.AWARDS].oldest


class WaitingWorkStore(Store):
    def read(self, at: datetime) -> WaitingWork:
        due = select(func.count(), func.min(col(QueuedMessage.not_before))).where(
            col(QueuedMessage.state) == LetterState.WAITING, col(QueuedMessage.not_before) <= at
        )
        recent = (
            select(QueuedMessage.state, func.count())
            .where(col(QueuedMessage.attempted_at) > at - _COUNTED)
            .group_by(col(QueuedMessage.state))
        )
        messages, oldest_message = self.session.exec(due).one()
        return WaitingWork(
            messages,
            oldest_message,
            {str(state): count for state, count in self.session.exec(recent)},
            {kind: self._waiting(since, *where) for kind, (since, *where) in _JOBS.items()},
            self.session.exec(select(func.max(col(WorkerBeat.seen_at)))).one(),
            sum(
                self.session.exec(select(func.count()).select_from(kind)).one()
                for kind in (ActivityChange, MonthChange, AwardChange)
            ),
        )

    def _waiting(self, since: Any, *where: Any) -> Waiting:
        return Waiting(*self.session.exec(select(func.count(), func.min(since)).where(*where)).one())


_JOBS: dict[WaitingKind, tuple[Any, ...]] = {
    WaitingKind.AWARDS: (
        col(AwardBatch.requested_at),
        col(AwardBatch.state).in_((BatchState.RUNNING, BatchState.UNDOING)),
    ),
    WaitingKind.WITHDRAWALS: (
        col(Withdrawal.requested_at),
        col(Withdrawal.state) == WithdrawalState.RUNNING,
    ),
    WaitingKind.IMPORTS: (col(ImportRun.asked_at), col(ImportRun.state) == ImportState.RUNNING),
    WaitingKind.SCANS: (col(StoredFile.added_at), col(StoredFile.state) == FileState.WAITING),
}


@dataclass(frozen=True)
class SignedState:
    """How old what the service has signed is; None where there is none."""

    list_expiry: datetime | None
    """Of the status list that expires first, among those published and not closed for good."""
    log_head: datetime | None
    """When the newest head of any activity log was signed."""
    unsigned_since: datetime | None
    """Since when a log has lines after its newest signed head."""
    silent_witnesses: int
    """Without a cosignature under any head from a day ago on."""
    oldest_keys: dict[str, datetime]
    """When the oldest active key of each purpose was made."""
    sealed_under: dict[str, int]
    """How many signing keys, and addresses of calendars, each key-encryption key seals."""


class SignedStateStore(Store):
    def read(self, at: datetime) -> SignedState:
        published = self.session.exec(select(func.min(col(StatusList.published_at)))).one()
        made = (
            select(SealedKey.purpose, func.min(col(SealedKey.created_at)))
            .where(col(SealedKey.state) == KeyState.ACTIVE)
            .group_by(col(SealedKey.purpose))
        )
        sealed = Counter[str]()
        for kind in (SealedKey, NetworkKey, OrganisationKey, LtiKey, CalendarSubscription):
            kek_id = col(kind.kek_id)
            for named, count in self.session.execute(select(kek_id, func.count()).group_by(kek_id)):
                sealed[named] += count
        return SignedState(
            list_expiry=published + LIST_LIFE if published else None,
            log_head=self.session.exec(select(func.max(col(LogCheckpoint.signed_at)))).one(),
            unsigned_since=self._unsigned_since(),
            silent_witnesses=self._silent_witnesses(at - _WITNESS_PATIENCE),
            oldest_keys={str(purpose): since for purpose, since in self.session.exec(made)},
            sealed_under=sealed,
        )

    def _unsigned_since(self) -> datetime | None:
        signed = (
            select(func.max(col(LogCheckpoint.size)))
            .where(col(LogCheckpoint.log_id) == col(CampusLog.id))
            .correlate(CampusLog)
            .scalar_subquery()
        )
        lines = select(func.min(col(CampusLog.last_at))).where(
            col(CampusLog.closed_at).is_(None), col(CampusLog.size) > func.coalesce(signed, 0)
        )
        return self.session.exec(lines).one()

    def _silent_witnesses(self, before: datetime) -> int:
        signed = (
            select(func.max(col(LogCheckpoint.size)))
            .where(
                col(LogCheckpoint.log_id) == col(CampusLog.id),
                col(LogCheckpoint.signed_at) < before,
                col(LogCheckpoint.signed_at) > col(LogWitness.named_at),
            )
            .correlate(CampusLog, LogWitness)
            .scalar_subquery()
        )
        seen = (
            select(func.max(col(LogCosignature.size)))
            .where(
                col(LogCosignature.log_id) == col(CampusLog.id),
                col(LogCosignature.witness) == col(LogWitness.name),
            )
            .correlate(CampusLog, LogWitness)
            .scalar_subquery()
        )
        silent = (
            select(func.count())
            .select_from(LogWitness)
            .join(CampusLog, col(CampusLog.campus_id) == col(LogWitness.campus_id))
            .where(
                col(CampusLog.closed_at).is_(None),
                col(LogWitness.retired_at).is_(None),
                signed > func.coalesce(seen, 0),
            )
        )
        return self.session.exec(silent).one()


class OperatorStore(RowStore[SQLModel]):
    def find(self, person_id: uuid.UUID) -> Operator | None:
        return self.session.get(Operator, person_id)

    def list_all(self) -> Sequence[Person]:
        query = select(Person).join(Operator, col(Operator.person_id) == col(Person.id))
        return self.session.exec(query.order_by(col(Person.listed_as), col(Person.id))).all()
