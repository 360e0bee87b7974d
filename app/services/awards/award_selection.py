"""Actions on many chosen awards: what would be done, what would not and why; reminders."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore, ReminderStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import BETWEEN_REMINDERS, Handed, Occasion, Waiting, grouped
from app.errors import InvalidInput
from app.language import N_
from app.services.awards.delivery import Handing, HandingOver

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

    ready: Sequence[Handing]
    others: Mapping[NotDone, Sequence[Handing]]
    absent: int

    @property
    def ready_ids(self) -> list[uuid.UUID]:
        return [each.record.award.id for each in self.ready]


@dataclass(frozen=True, eq=False)
class AwardSelection:
    handing_over: HandingOver
    awards: AwardStore
    reminders: ReminderStore
    letters: LetterStore
    campuses: CampusStore
    history: HistoryStore
    clock: Clock

    def foresee(self, campus: Campus, action: AwardAction, award_ids: Sequence[uuid.UUID]) -> Foreseen:
        ids = list(dict.fromkeys(award_ids))
        if len(ids) > MOST_CHOSEN:
            raise InvalidInput(N_("On agit sur 2 000 badges au plus en une fois. Filtrez d’abord la liste."))
        at = self.clock()
        handings = self.handing_over.of_awards(ids, campus.id)
        why = self._reasons(campus, action, handings, at)
        ready: list[Handing] = []
        others: dict[NotDone, list[Handing]] = {}
        for handing in sorted(
            handings, key=lambda each: (each.record.person.listed_as, each.record.award.id)
        ):
            reason = why(handing)
            (ready if reason is None else others.setdefault(reason, [])).append(handing)
        return Foreseen(ready, others, len(ids) - len(handings))

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
        self.letters.promise_many(letters)
        self.history.write_all(by, "remind", "award", foreseen.ready_ids, at=at, campus_id=campus.id)
        return len({letter.envelope for letter in letters})

    def _reasons(
        self, campus: Campus, action: AwardAction, handings: Sequence[Handing], at: datetime
    ) -> Callable[[Handing], NotDone | None]:
        if action is AwardAction.WITHDRAW:
            return lambda each: NotDone.ENDED if _is_revoked(each.record) else None
        withheld = self.handing_over.withheld([each.record.award.id for each in handings])
        recent = (
            self.reminders.reminded_since(
                campus.id, {each.record.person.id for each in handings}, at - BETWEEN_REMINDERS
            )
            if action is AwardAction.REMIND
            else set()
        )

        def reason(each: Handing) -> NotDone | None:
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
