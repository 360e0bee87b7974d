"""Name corrections by a campus: for people without an account, and change requests of people with one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.http.pages.forms import SafeForm, checked_form, text_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import StateLabel
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    WritingServices,
    process_of,
    signed_in,
    write_transaction,
)
from app.http.response_cache import CHANGING_HOLDER, holder_of
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, at_work, sentence_of, staff
from app.language import N_
from app.services.accounts.sessions import SignedIn
from app.services.people.names import MyWish

router = APIRouter(prefix="/gestion/{slug}/repertoire", dependencies=[CROSS_TENANT])
_CORRECT = [staff(Permission.CORRECT)]
_CHECKED = [*_CORRECT, Depends(checked_form)]
_DONE = {
    "accepte": N_("C’est fait : les badges du campus qui disaient l’ancien nom sont signés de nouveau."),
    "refuse": N_("C’est noté. La personne reçoit votre raison par e-mail, et la voit dans « Mon compte »."),
}


@dataclass(frozen=True)
class WishLine:
    id: uuid.UUID
    person_id: uuid.UUID
    before: str
    after: str
    reason: str
    asked_at: datetime


@dataclass(frozen=True)
class Refusal:
    """The typed refusal of one request, and its problem."""

    id: uuid.UUID
    reason: str
    trouble: str


@router.get("/noms", dependencies=_CORRECT)
def list_wishes(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _list(request, services, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post("/noms/{wish_id:uuid}", dependencies=_CHECKED)
def answer(wish_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, accepted, reason = at_work(request), text_of(form, "reponse") == "oui", text_of(form, "raison")
    try:
        with write_transaction(request) as writing:
            if accepted:
                writing.names.accept(work.campus, wish_id, by=work.actor)
            else:
                writing.names.refuse(work.campus, wish_id, reason, by=work.actor)
    except Conflict as error:
        return _list(request, services, trouble=sentence_of(error), status=409)
    except InvalidInput as error:
        return _list(request, services, refused=Refusal(wish_id, reason, sentence_of(error)), status=422)
    done = "accepte" if accepted else "refuse"
    return RedirectResponse(f"{work.home}/repertoire/noms?fait={done}", status_code=303)


@router.get("/{person_id:uuid}/nom", dependencies=_CORRECT)
def ask(person_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    person = services.directory.person(at_work(request).campus, person_id).person
    return _form(request, services, person_id, person.given_name, person.family_name)


@router.post("/{person_id:uuid}/nom", dependencies=_CHECKED)
def correct(person_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, given, family = at_work(request), text_of(form, "prenom"), text_of(form, "nom")
    try:
        with write_transaction(request) as writing:
            writing.names.correct_in_campus(work.campus, person_id, given, family, by=work.actor)
    except (InvalidInput, NotAllowed) as error:
        return _form(request, services, person_id, given, family, trouble=sentence_of(error), status=422)
    return RedirectResponse(f"{work.home}/repertoire/{person_id}?fait=nom", status_code=303)


def _list(
    request: Request,
    services: Services,
    *,
    done: str = "",
    trouble: str = "",
    refused: Refusal | None = None,
    status: int = 200,
) -> HTMLResponse:
    work = at_work(request)
    return page(
        request,
        "people/wishes.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        zone=work.campus.time_zone,
        wishes=[
            WishLine(wish.id, person.id, person.name, wish.name, wish.reason, wish.asked_at)
            for wish, person in services.names.waiting_in(work.campus)
        ],
        done=done,
        trouble=trouble,
        refused=refused,
    )


def _form(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    given: str,
    family: str,
    *,
    trouble: str = "",
    status: int = 200,
) -> HTMLResponse:
    work = at_work(request)
    return page(
        request,
        "people/name.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        id=person_id,
        name=services.directory.person(work.campus, person_id).person.name,
        given=given,
        family=family,
        trouble=trouble,
    )


my_name_router = APIRouter()
_EVERYWHERE = [CROSS_TENANT, SIGNED_IN]
_MY_NAME_DONE = {
    "corrige": N_("C’est fait. Les badges qui disent votre nom sont signés de nouveau ; les anciens fichiers disent « remplacé »."),
    "demande": N_("C’est demandé. Chaque campus qui a écrit votre nom répond pour ses badges ; rien ne change avant."),
}  # fmt: skip
_WAITING = StateLabel(N_("En attente du campus"), "shut")
_ACCEPTED = StateLabel(N_("Accepté"), "ok")
_REFUSED = StateLabel(N_("Refusé"), "bad")


@dataclass(frozen=True)
class OwnNameLine:
    campus: str
    name: str
    asked_at: datetime
    state: StateLabel
    answer: str

    @staticmethod
    def of(mine: MyWish) -> OwnNameLine:
        answered = _ACCEPTED if mine.wish.accepted else _REFUSED
        return OwnNameLine(
            mine.campus.short_name,
            mine.wish.name,
            mine.wish.asked_at,
            answered if mine.wish.decided_at else _WAITING,
            mine.wish.answer,
        )


@dataclass(frozen=True)
class NameForm:
    given: str
    family: str
    reason: str = ""
    trouble: str = ""


@my_name_router.get("/compte/nom", dependencies=_EVERYWHERE)
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=translated(_MY_NAME_DONE[fait]) if fait in _MY_NAME_DONE else "")


@my_name_router.post("/compte/nom", dependencies=[CROSS_TENANT, SURELY_SIGNED_IN])
def correct_own_name(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    typed = NameForm(text_of(form, "prenom"), text_of(form, "nom"), text_of(form, "motif"))
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            done = writing.names.correct_mine(who, typed.given, typed.family, typed.reason)
    except (InvalidInput, Conflict) as error:
        typed = NameForm(typed.given, typed.family, typed.reason, sentence_of(error))
        return _page(request, services, typed=typed)
    return RedirectResponse(f"/compte/nom?fait={'demande' if done.asked else 'corrige'}", status_code=303)


@my_name_router.post("/mes-badges/{award_id:uuid}/nom-du-badge", dependencies=[CHANGING_HOLDER])
def choose_for_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """With or without the name: the same badge, signed again."""
    who = holder_of(award_id, request, services)
    with_name = text_of(form, "vue") == "avec"
    services.reissuing.choose_name(
        services.awards.record(award_id).award, with_name, name=who.person.name, by=who.actor
    )
    done = "avec-nom" if with_name else "sans-nom"
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait={done}", status_code=303)


@my_name_router.post("/mes-badges/{award_id:uuid}/adresse", dependencies=[CHANGING_HOLDER])
def choose_address_for_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """The hash of a proved address, for platforms that require one; or none."""
    who, typed = holder_of(award_id, request, services), text_of(form, "adresse")
    proved = {each.address for each in services.own_addresses.list_of(who.person.id) if each.verified_at}
    if not isinstance(who, SignedIn) or (typed and typed not in proved):
        raise NotFound(N_("Cette adresse n’est pas dans votre compte."))
    services.awards.say_address(award_id, typed, by=who.actor)
    done = "avec-adresse" if typed else "sans-adresse"
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait={done}", status_code=303)


def _page(
    request: Request, services: Services, *, done: str = "", typed: NameForm | None = None
) -> HTMLResponse:
    person = signed_in(request, services).person
    wishes: Sequence[MyWish] = services.names.wishes_of(person.id)
    return page(
        request,
        "people/my_name.html",
        private=True,
        status=422 if typed else 200,
        name=person.name,
        typed=typed or NameForm(person.given_name, person.family_name),
        wishes=[OwnNameLine.of(each) for each in wishes],
        zone=process_of(request).settings.time_zone,
        done=done,
    )
