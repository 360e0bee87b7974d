"""Names as a campus corrects them: of those who have no account, and the wishes of those who have one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.errors import Conflict, InvalidInput, NotAllowed
from app.http.pages.forms import SafeForm, checked_form, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed
from app.http.workplaces import at_work, sentence_of, staff
from app.language import N_

router = APIRouter(prefix="/gestion/{slug}/repertoire", dependencies=[AT_ANY_CAMPUS])
_CORRECT = [staff(Deed.CORRECT)]
_CHECKED = [*_CORRECT, Depends(checked_form)]
_DONE = {
    "accepte": N_("C’est fait : les badges du campus qui disaient l’ancien nom sont signés de nouveau."),
    "refuse": N_("C’est noté. La personne reçoit votre raison par courriel, et la voit dans « Mon compte »."),
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
    """What was typed to refuse one wish, and what is wrong with it."""

    id: uuid.UUID
    reason: str
    trouble: str


@router.get("/noms", dependencies=_CORRECT)
def list_wishes(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _list(request, services, done=say(_DONE[fait]) if fait in _DONE else "")


@router.post("/noms/{wish_id:uuid}", dependencies=_CHECKED)
def answer(wish_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, accepted, reason = at_work(request), text_of(form, "reponse") == "oui", text_of(form, "raison")
    try:
        with deed(request) as writing:
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
        with deed(request) as writing:
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
