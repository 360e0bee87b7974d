"""Bulk awards that are not settled yet: how whoever closed the page finds them again, to watch or to take back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.awards.batches import AwardBatch, BatchState, may_be_undone
from app.http.pages.typography import say
from app.http.pages.wording import moment
from app.http.pages.words import Word
from app.http.workplaces import AtWork
from app.language import N_
from app.services.awards.batches import PromisedBadge

_STATES = {
    BatchState.PLANNED: Word(N_("Prévue"), "past"),
    BatchState.RUNNING: Word(N_("Attribution en cours"), "past"),
    BatchState.UNDOING: Word(N_("Annulation en cours"), "past"),
    BatchState.DONE: Word(N_("Faite"), "ok"),
    BatchState.CANCELLED: Word(N_("Annulée"), "shut"),
    BatchState.UNDONE: Word(N_("Annulée"), "shut"),
}
_PLANNED = N_("Pour le {when}. Vous pouvez l’annuler d’ici là.")
_ASKED = N_("Demandée le {when}.")
_STILL_HERE = N_("Demandée le {when}. Rien n’a encore quitté la maison : vous pouvez tout annuler.")


@dataclass(frozen=True)
class PromisedAward:
    href: str
    badge: str
    when: str
    state: Word
    is_open: bool
    """Whether something can still happen to it, so that it stands where nobody has to look for it."""


def promised_in(services: Services, work: AtWork) -> Sequence[PromisedAward]:
    """All that is planned or under way in the campus; nothing for those who may not look at it."""
    return _told(work, services.award_batches.unfinished(work.campus), services.clock()) if _may(work) else ()


def promised_for(services: Services, work: AtWork, activity_id: uuid.UUID) -> Sequence[PromisedAward]:
    """The latest of an activity, whatever became of them."""
    if not _may(work):
        return ()
    return _told(work, services.award_batches.of_activity(work.campus, activity_id), services.clock())


def _may(work: AtWork) -> bool:
    return work.may(Deed.AWARD)


def _told(work: AtWork, promised: Sequence[PromisedBadge], at: datetime) -> Sequence[PromisedAward]:
    return [
        PromisedAward(
            f"{work.home}/resultats/{each.batch.id}",
            each.version.name,
            _when(each.batch, work.campus.time_zone, at),
            _STATES[each.batch.state],
            each.batch.state in (BatchState.PLANNED, BatchState.RUNNING, BatchState.UNDOING)
            or may_be_undone(each.batch, at=at),
        )
        for each in promised
    ]


def _when(batch: AwardBatch, zone: str, at: datetime) -> str:
    if batch.state is BatchState.PLANNED and batch.not_before is not None:
        return say(_PLANNED).format(when=moment(batch.not_before, zone))
    said = _STILL_HERE if may_be_undone(batch, at=at) else _ASKED
    return say(said).format(when=moment(batch.requested_at, zone))
