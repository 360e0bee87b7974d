"""What a contribution's state is called, for its person and for the campus."""

from __future__ import annotations

from app.domain.learners.contributions import ContributionState
from app.http.pages.words import Word
from app.language import N_

STATES = {
    ContributionState.WAITING: Word(N_("En attente du campus"), "past"),
    ContributionState.MORE: Word(N_("À compléter"), "past"),
    ContributionState.CONFIRMED: Word(N_("Confirmée, au journal"), "ok"),
    ContributionState.DECLINED: Word(N_("Non confirmée"), "bad"),
    ContributionState.WITHDRAWN: Word(N_("Retirée"), "shut"),
}
