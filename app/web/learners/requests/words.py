"""Requests in words: where one stands, for who asked and for who decides."""

from __future__ import annotations

from app.domain.learners.requests import RequestState, Step
from app.http.pages.words import Word
from app.language import N_

MY_STATES = {
    RequestState.UNCONFIRMED: Word(N_("À confirmer"), "past"),
    RequestState.WAITING: Word(N_("Le campus l’examine"), "shut"),
    RequestState.SECOND: Word(N_("Le campus l’examine une deuxième fois"), "shut"),
    RequestState.MORE: Word(N_("À compléter"), "past"),
    RequestState.ACCEPTED: Word(N_("Acceptée"), "ok"),
    RequestState.REFUSED: Word(N_("Refusée"), "bad"),
    RequestState.WITHDRAWN: Word(N_("Retirée"), "shut"),
}
MY_STEPS = {
    Step.ASKED: N_("Demande écrite"),
    Step.ADDED: N_("Demande complétée"),
    Step.AGREED: N_("Premier accord"),
    Step.ASKED_MORE: N_("Le campus demande d’en dire plus"),
    Step.ACCEPTED: N_("Badge donné"),
    Step.REFUSED: N_("Demande refusée"),
    Step.WITHDRAWN: N_("Demande retirée"),
}
QUEUE_STATES = {
    RequestState.WAITING: Word(N_("À examiner"), "past"),
    RequestState.SECOND: Word(N_("Deuxième avis attendu"), "past"),
    RequestState.MORE: Word(N_("La personne complète"), "shut"),
    RequestState.ACCEPTED: Word(N_("Acceptée"), "ok"),
    RequestState.REFUSED: Word(N_("Refusée"), "bad"),
    RequestState.WITHDRAWN: Word(N_("Retirée par la personne"), "shut"),
}
