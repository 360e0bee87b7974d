"""Suspensions: an award that is not valid for a time, and is valid again by itself afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.domain.awards import Award, AwardState, is_suspended, lift_suspension, suspend
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Occasion
from app.errors import Conflict
from app.language import N_
from app.services.activity_log.activity_log import LoggedEvents
from app.services.awards.eligibility import EligibilityService
from app.services.awards.reissuing import ReissueService
from app.services.messages.letters import LetterService
from app.services.publishing.status import StatusService

_BY_DATE = Actor.command("worker")


@dataclass(frozen=True, eq=False)
class SuspensionService:
    awards: AwardStore
    campuses: CampusStore
    status: StatusService
    reissuing: ReissueService
    judging: EligibilityService
    logged_events: LoggedEvents
    letters: LetterService
    history: HistoryStore
    clock: Clock

    def suspend(
        self, campus: Campus, award_id: uuid.UUID, reason: str, *, until: datetime, by: Actor
    ) -> AwardRecord:
        """The public lists show it immediately, and so does the badge at its address."""
        self.awards.get_record_in_campus(award_id, campus.id)
        award, at = self.awards.lock(award_id), self.clock()
        suspend(award, reason, until=until, at=at)
        self.status.suspend(campus, award_id, award.suspended_until, at=at)
        entry = self.status.suspension_entry(award_id)
        is_stated = self.reissuing.state_suspension(campus, award, entry, by=by)
        if not is_stated and not self.reissuing.has_expired(award):
            raise Conflict(
                N_("Ce badge ne peut plus être signé, donc pas suspendu. En cas de doute, retirez-le.")
            )
        self._note(campus, award, "suspend", by=by)
        self.letters.tell_of_suspension(award, Occasion.SUSPENDED)
        return self.awards.get_record_in_campus(award_id, campus.id)

    def lift(self, campus: Campus, award_id: uuid.UUID, *, by: Actor) -> AwardRecord:
        """Before its end, by hand, by who may award the badge to its holder."""
        self.judging.check_may_give(campus, self.awards.get_record_in_campus(award_id, campus.id), by=by)
        award = self.awards.lock(award_id)
        if not is_suspended(award, at=self.clock()):
            raise Conflict(N_("Ce badge n’est pas suspendu."))
        self._lift(campus, award, by=by)
        return self.awards.get_record_in_campus(award_id, campus.id)

    def state_again(self, campus: Campus, award_ids: Collection[uuid.UUID], *, by: Actor) -> set[uuid.UUID]:
        """After a restore: new editions of suspended awards; those that cannot be signed again."""
        return {
            award.id
            for award in self.awards.lock_all(sorted(award_ids), campus.id).values()
            if not self.reissuing.state_suspension(
                campus, award, self.status.suspension_entry(award.id), by=by
            )
        }

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.status.status.suspensions_ended(at=self.clock(), limit=limit)

    def end(self, award_id: uuid.UUID) -> bool:
        """Write down that a suspension is over. Idempotent."""
        (slot,) = self.status.status.slots_of([award_id])
        campus = self.campuses.get_by_id(self.status.status.get(slot.list_id).campus_id)
        award = self.awards.lock_all([award_id], campus.id).get(award_id)
        at = self.clock()
        if award is not None and is_suspended(award, at=at):
            return False
        if award is None or award.state is AwardState.REVOKED:
            if slot.suspended_until is not None and slot.raised_at is None:
                self.status.suspend(campus, award_id, None, at=at)  # of an erased award
        elif award.suspended_until is not None:
            self._lift(campus, award, by=_BY_DATE)
        return False

    def _lift(self, campus: Campus, award: Award, *, by: Actor) -> None:
        lift_suspension(award)
        self.status.suspend(campus, award.id, None, at=self.clock())
        self.reissuing.state_suspension(campus, award, self.status.revocation_entry(award.id), by=by)
        self._note(campus, award, "lift_suspension", by=by)
        self.letters.tell_of_suspension(award, Occasion.SUSPENSION_LIFTED)

    def _note(self, campus: Campus, award: Award, action: str, *, by: Actor) -> None:
        self.awards.save(award)
        self.logged_events.suspended(campus, award)
        self.history.write(by, action, "award", award.id, at=self.clock(), campus_id=campus.id)
