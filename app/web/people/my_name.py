"""« Mon nom »: as it should appear, in the account and in each badge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.errors import Conflict, InvalidInput, NotFound
from app.http.held_badges import CHANGING_HOLDER, holder_of
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import Word
from app.http.request_scope import (
    AT_ANY_CAMPUS,
    ReadingServices,
    WritingServices,
    deed,
    process_of,
    signed_in,
)
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, sentence_of
from app.language import N_
from app.services.accounts.sessions import SignedIn
from app.services.people.names import MyWish

router = APIRouter()
_EVERYWHERE = [AT_ANY_CAMPUS, SIGNED_IN]
_DONE = {
    "corrige": N_("C’est fait. Les badges qui disent votre nom sont signés de nouveau ; les anciens fichiers disent « remplacé »."),
    "demande": N_("C’est demandé. Chaque campus qui a écrit votre nom répond pour ses badges ; rien ne change avant."),
}  # fmt: skip
_WAITING = Word(N_("En attente du campus"), "shut")
_ACCEPTED = Word(N_("Accepté"), "ok")
_REFUSED = Word(N_("Refusé"), "bad")


@dataclass(frozen=True)
class WishLine:
    campus: str
    name: str
    asked_at: datetime
    state: Word
    answer: str

    @staticmethod
    def of(mine: MyWish) -> WishLine:
        answered = _ACCEPTED if mine.wish.accepted else _REFUSED
        return WishLine(
            mine.campus.short_name,
            mine.wish.name,
            mine.wish.asked_at,
            answered if mine.wish.decided_at else _WAITING,
            mine.wish.answer,
        )


@dataclass(frozen=True)
class Typed:
    given: str
    family: str
    reason: str = ""
    trouble: str = ""


@router.get("/compte/nom", dependencies=_EVERYWHERE)
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=say(_DONE[fait]) if fait in _DONE else "")


@router.post("/compte/nom", dependencies=[AT_ANY_CAMPUS, SURELY_SIGNED_IN])
def correct(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    typed = Typed(text_of(form, "prenom"), text_of(form, "nom"), text_of(form, "motif"))
    try:
        with deed(request) as writing:
            who = signed_in(request, writing)
            done = writing.names.correct_mine(who, typed.given, typed.family, typed.reason)
    except (InvalidInput, Conflict) as error:
        typed = Typed(typed.given, typed.family, typed.reason, sentence_of(error))
        return _page(request, services, typed=typed)
    return RedirectResponse(f"/compte/nom?fait={'demande' if done.asked else 'corrige'}", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/nom-du-badge", dependencies=[CHANGING_HOLDER])
def choose_for_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """With or without the name: the same badge, signed anew."""
    who = holder_of(award_id, request, services)
    with_name = text_of(form, "vue") == "avec"
    services.reissuing.choose_name(
        services.awards.record(award_id).award, with_name, name=who.person.name, by=who.actor
    )
    done = "avec-nom" if with_name else "sans-nom"
    return RedirectResponse(f"/mes-badges/{award_id}?fait={done}#nom", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/adresse", dependencies=[CHANGING_HOLDER])
def choose_address_for_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """The hash of an address that the person proved, for platforms that ask for one; or none of it any more."""
    who, typed = holder_of(award_id, request, services), text_of(form, "adresse")
    proved = {each.address for each in services.own_addresses.list_of(who.person.id) if each.verified_at}
    if not isinstance(who, SignedIn) or (typed and typed not in proved):
        raise NotFound(N_("Cette adresse n’est pas dans votre compte."))
    services.awards.say_address(award_id, typed, by=who.actor)
    done = "avec-adresse" if typed else "sans-adresse"
    return RedirectResponse(f"/mes-badges/{award_id}?fait={done}#nom", status_code=303)


def _page(
    request: Request, services: Services, *, done: str = "", typed: Typed | None = None
) -> HTMLResponse:
    person = signed_in(request, services).person
    wishes: Sequence[MyWish] = services.names.wishes_of(person.id)
    return page(
        request,
        "people/my_name.html",
        private=True,
        status=422 if typed else 200,
        name=person.name,
        typed=typed or Typed(person.given_name, person.family_name),
        wishes=[WishLine.of(each) for each in wishes],
        zone=process_of(request).settings.time_zone,
        done=done,
    )
