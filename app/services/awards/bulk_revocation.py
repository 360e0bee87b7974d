"""Bulk revocation: enqueued in one transaction, processed in chunks, reported per line."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.db.awards import AwardRecord, AwardStore
from app.db.awards.batches import BatchStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore, ReminderStore
from app.domain.awards import Award, AwardState, check_reason, revoke
from app.domain.awards.batches import (
    CHUNK_SIZE,
    INLINE_LIMIT,
    Withdrawal,
    WithdrawalLine,
    WithdrawalOutcome,
    WithdrawalState,
    check_same_request,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, check_as_shown, new_row
from app.domain.messages import BETWEEN_REMINDERS, Handed, Occasion, Waiting, grouped
from app.errors import InvalidInput
from app.language import N_
from app.services.activity_log import LoggedEvents
from app.services.awards.delivery import AwardDelivery, DeliveryService
from app.services.messages import LetterService
from app.services.publishing.status import StatusService

MOST = 10_000
NONE_CHOSEN = N_("Choisissez au moins un badge à retirer.")


@dataclass(frozen=True)
class WithdrawalResult:
    withdrawal: Withdrawal
    lines: Sequence[WithdrawalLine]
    records: Mapping[uuid.UUID, AwardRecord]
    """For the lines with an award of this campus."""


@dataclass(frozen=True)
class WithdrawalProgress:
    withdrawal: Withdrawal
    counts: Mapping[WithdrawalOutcome, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def answered(self) -> int:
        return self.total - self.counts.get(WithdrawalOutcome.WAITING, 0)


@dataclass(frozen=True)
class WithdrawalScope:
    """Awards that may be revoked together: of a bulk award, an activity or a badge."""

    batch_id: uuid.UUID | None = None
    activity_id: uuid.UUID | None = None
    badge_id: uuid.UUID | None = None

    @property
    def is_named(self) -> bool:
        return any((self.batch_id, self.activity_id, self.badge_id))


@dataclass(frozen=True)
class WithdrawalRequest:
    """These awards, or all valid ones in a scope."""

    reason: str
    award_ids: tuple[uuid.UUID, ...] = ()
    all_of: WithdrawalScope | None = None

    def digest(self) -> str:
        """Digest of the request for idempotency checks."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class WithdrawalService:
    campuses: CampusStore
    batches: BatchStore
    awards: AwardStore
    letters: LetterService
    history: HistoryStore
    status: StatusService
    logged_events: LoggedEvents
    clock: Clock

    def enqueue(
        self,
        campus: Campus,
        request: WithdrawalRequest,
        *,
        by: Actor,
        key: str | None = None,
        seen: str = "",
    ) -> Withdrawal:
        """Enqueue the revocation of each of these awards. Idempotent. `seen`: the mark of the ids of all."""
        self.campuses.lock(campus.id)
        # Check the key first: a repeated submission finds fewer valid awards, but is the same request.
        if key is not None and (before := self.batches.find_withdrawal_by_key(campus.id, key)):
            check_same_request(before, request.digest())
            return before
        check_reason(request.reason)
        wanted = self._wanted(campus, request)
        if len(wanted) > MOST:
            raise InvalidInput("On retire 10 000 badges au plus en une fois.")
        if request.all_of is not None:
            check_as_shown(seen, *sorted(wanted))
        if not wanted:
            raise InvalidInput(NONE_CHOSEN)
        withdrawal = Withdrawal(
            campus_id=campus.id,
            reason=request.reason.strip(),
            requested_by=by.person_id,
            actor_label=by.label,
            requested_at=self.clock(),
            idempotency_key=key,
            request_digest=request.digest(),
        )
        lines = [
            new_row(WithdrawalLine, withdrawal_id=withdrawal.id, position=position, award_id=award_id)
            for position, award_id in enumerate(wanted)
        ]
        self.batches.add_withdrawal(withdrawal, lines)
        return withdrawal

    def _wanted(self, campus: Campus, request: WithdrawalRequest) -> list[uuid.UUID]:
        if request.all_of is None:
            return list(dict.fromkeys(request.award_ids))
        return self.standing_ids(campus, request.all_of, limit=MOST + 1)

    def is_long(self, withdrawal: Withdrawal) -> bool:
        """Too long to process within the request."""
        return len(self.batches.next_withdrawals(withdrawal.id, INLINE_LIMIT + 1)) > INLINE_LIMIT

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.batches.withdrawals_due(limit=limit)

    def process_chunk(self, withdrawal_id: uuid.UUID) -> bool:
        """Process the next chunk atomically; returns whether more remain."""
        withdrawal = self.batches.find_withdrawal(withdrawal_id)
        if withdrawal is None:
            return False
        campus = self.campuses.lock(withdrawal.campus_id)
        withdrawal = self.batches.lock_withdrawal(withdrawal_id)
        if withdrawal is None or withdrawal.state is WithdrawalState.DONE:
            return False
        at, lines = self.clock(), self.batches.next_withdrawals(withdrawal_id, CHUNK_SIZE)
        awards = self.awards.lock_all([line.award_id for line in lines], campus.id)
        standing = [award for award in awards.values() if award.state is AwardState.ISSUED]
        answers = [_answer(line, awards.get(line.award_id)) for line in lines]
        for award in standing:
            revoke(award, withdrawal.reason, at=at)
        by = Actor(withdrawal.requested_by, withdrawal.actor_label)
        self.keep(campus, standing, at=at, by=by)
        self.batches.answer_withdrawals(withdrawal_id, answers)
        if len(lines) < CHUNK_SIZE:
            withdrawal.state, withdrawal.done_at = WithdrawalState.DONE, at
            self.batches.save(withdrawal)
        return len(lines) == CHUNK_SIZE

    def keep(self, campus: Campus, revoked: Sequence[Award], *, at: datetime, by: Actor) -> None:
        """Side effects of a revocation: public status bit, e-mails, history."""
        if not revoked:
            return
        ids = [award.id for award in revoked]
        self.awards.save(*revoked)
        self.status.raise_for(campus, ids, at=at)
        self.logged_events.withdrawn(campus, revoked, revoked[0].revoked_reason)
        self.letters.tell_of_withdrawal(revoked)
        self.history.write_all(by, "revoke", "award", ids, at=at, campus_id=campus.id)

    def standing_ids(self, campus: Campus, scope: WithdrawalScope, *, limit: int = MOST) -> list[uuid.UUID]:
        """The valid awards in scope, by the names of their holders."""
        wanted = {
            "batch_id": scope.batch_id,
            "activity_id": scope.activity_id,
            "badge_id": scope.badge_id,
        }
        return self.awards.standing_ids(campus.id, wanted, limit=limit)

    def standing(
        self, campus: Campus, scope: WithdrawalScope, *, shown: int
    ) -> tuple[list[uuid.UUID], list[AwardRecord]]:
        """Their ids, and the first of them."""
        ids = self.standing_ids(campus, scope)
        return ids, self.awards.by_holder(ids[:shown])

    def progress(self, campus: Campus, withdrawal_id: uuid.UUID) -> WithdrawalProgress:
        withdrawal = self.batches.get_withdrawal(withdrawal_id, campus.id)
        return WithdrawalProgress(withdrawal, self.batches.withdrawal_counts(withdrawal_id))

    def result(self, campus: Campus, withdrawal_id: uuid.UUID) -> WithdrawalResult:
        withdrawal = self.batches.get_withdrawal(withdrawal_id, campus.id)
        lines = self.batches.withdrawal_lines(withdrawal_id)
        return WithdrawalResult(withdrawal, lines, self.records(campus, [line.award_id for line in lines]))

    def records(self, campus: Campus, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, AwardRecord]:
        """Those of these awards that belong to the campus, to be shown before revocation."""
        return {record.award.id: record for record in self.awards.records_among(award_ids, campus.id)}


def _answer(line: WithdrawalLine, award: Award | None) -> dict[str, Any]:
    if award is None:
        outcome = WithdrawalOutcome.ABSENT
    elif award.state is AwardState.REVOKED:
        outcome = WithdrawalOutcome.ALREADY
    else:
        outcome = WithdrawalOutcome.WITHDRAWN
    return {"position": line.position, "outcome": outcome}


# --- Actions on many chosen awards: what would be done, what would not and why; reminders

MOST_CHOSEN = 2_000


class AwardAction(StrEnum):
    REMIND = "relancer"
    HAND_OVER = "remettre"
    WITHDRAW = "retirer"


class NotDone(StrEnum):
    """Why an action leaves an award unchanged."""

    ABSENT = "absent"
    ENDED = "ended"
    CLAIMED = "claimed"
    WITHHELD = "withheld"
    NO_ADDRESS = "no_address"
    REFUSED = "refused"
    STOPPED = "stopped"
    RECENT = "recent"
    OWN_ACCOUNT = "own_account"


@dataclass(frozen=True)
class Foreseen:
    """`ready`: what the action would change. `others`: by reason; ids without an award here are only counted."""

    ready: Sequence[AwardDelivery]
    others: Mapping[NotDone, Sequence[AwardDelivery]]
    absent: int

    @property
    def ready_ids(self) -> list[uuid.UUID]:
        return [each.record.award.id for each in self.ready]


@dataclass(frozen=True, eq=False)
class AwardSelection:
    delivery: DeliveryService
    awards: AwardStore
    reminders: ReminderStore
    letters: LetterStore
    campuses: CampusStore
    history: HistoryStore
    clock: Clock

    def foresee(self, campus: Campus, action: AwardAction, award_ids: Sequence[uuid.UUID]) -> Foreseen:
        ids = list(dict.fromkeys(award_ids))
        if len(ids) > MOST_CHOSEN:
            raise InvalidInput("On agit sur 2 000 badges au plus en une fois. Filtrez d’abord la liste.")
        at = self.clock()
        deliveries = self.delivery.of_awards(ids, campus.id)
        why = self._reasons(campus, action, deliveries, at)
        ready: list[AwardDelivery] = []
        others: dict[NotDone, list[AwardDelivery]] = {}
        for delivery in sorted(
            deliveries, key=lambda each: (each.record.person.listed_as, each.record.award.id)
        ):
            reason = why(delivery)
            (ready if reason is None else others.setdefault(reason, [])).append(delivery)
        return Foreseen(ready, others, len(ids) - len(deliveries))

    def unclaimed_of(self, campus: Campus, person_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """The badges of these people that were not claimed; for a reminder."""
        return self.awards.unclaimed_of(campus.id, person_ids)[:MOST_CHOSEN]

    def remind(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, by: Actor) -> int:
        """Enqueue one e-mail for each person and address; returns how many. Idempotent for some days."""
        self.campuses.lock(campus.id)
        at, foreseen = self.clock(), self.foresee(campus, AwardAction.REMIND, award_ids)
        waiting = [
            Waiting(each.record.award, each.address, Occasion.FIRST_REMINDER) for each in foreseen.ready
        ]
        letters = grouped(waiting, at=at, once=f"{at:%Y%m%d}")
        self.letters.enqueue_many(letters)
        self.history.write_all(by, "remind", "award", foreseen.ready_ids, at=at, campus_id=campus.id)
        return len({letter.envelope for letter in letters})

    def _reasons(
        self, campus: Campus, action: AwardAction, deliveries: Sequence[AwardDelivery], at: datetime
    ) -> Callable[[AwardDelivery], NotDone | None]:
        if action is AwardAction.WITHDRAW:
            return lambda each: NotDone.ENDED if _is_revoked(each.record) else None
        withheld = self.delivery.withheld([each.record.award.id for each in deliveries])
        recent = (
            self.reminders.reminded_since(
                campus.id, {each.record.person.id for each in deliveries}, at - BETWEEN_REMINDERS
            )
            if action is AwardAction.REMIND
            else set()
        )

        def reason(each: AwardDelivery) -> NotDone | None:
            award, person = each.record.award, each.record.person
            if _is_revoked(each.record) or (award.valid_until is not None and award.valid_until <= at):
                return NotDone.ENDED
            if award.claimed_at is not None:
                return NotDone.CLAIMED
            if award.id in withheld:
                return NotDone.WITHHELD
            if action is AwardAction.HAND_OVER:
                return None if each.by_hand else NotDone.OWN_ACCOUNT
            if not each.address:
                return NotDone.NO_ADDRESS
            if each.handed.state is Handed.REFUSED:
                return NotDone.REFUSED
            if not person.wants_reminders:
                return NotDone.STOPPED
            return NotDone.RECENT if person.id in recent else None

        return reason


def _is_revoked(record: AwardRecord) -> bool:
    return record.award.revoked_at is not None
