"""« Mes adresses »: add, prove by e-mail, order and remove addresses."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.sign_in import Challenge
from app.errors import AppError, Conflict, InvalidInput, NotFound, NotSignedIn
from app.http.pages.forms import SafeForm, checked_form, text_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.policies import public
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    find_signed_in,
    limited,
    process_of,
    signed_in,
    write_transaction,
)
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, sentence_of
from app.language import N_
from app.services.people.people import OwnAddress

router = APIRouter(prefix="/compte/adresses", dependencies=[CROSS_TENANT])
_CHECKED = [SIGNED_IN, Depends(checked_form)]
_SURE = [SURELY_SIGNED_IN, Depends(checked_form)]
_DONE = {
    "lettre": N_("Un e-mail a été envoyé à cette adresse. Elle ouvrira vos badges une fois confirmée."),
    "confirmee": N_(
        "L’adresse est confirmée : un e-mail envoyé à cette adresse ouvre maintenant vos badges."
    ),
    "principale": N_("C’est noté : cette adresse est maintenant la principale."),
    "retiree": N_("L’adresse est retirée de votre compte."),
    "abandonnee": N_("C’est noté : cette adresse ne sera pas ajoutée."),
}
_AGAIN = (InvalidInput, Conflict, NotFound, NotSignedIn)


@dataclass(frozen=True)
class Trouble:
    """Which form failed and why, with the typed values."""

    sentence: str = ""
    address: str = ""
    waiting: uuid.UUID | None = None

    @staticmethod
    def of(error: AppError, *, address: str = "", waiting: uuid.UUID | None = None) -> Trouble:
        return Trouble(sentence_of(error), address, waiting)


@router.get("", dependencies=[SIGNED_IN])
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post("", dependencies=[limited("address letter"), *_SURE])
def add(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    typed = text_of(form, "adresse")
    process_of(request).limiter.hit("address letter of somebody", str(signed_in(request, services).person.id))
    try:
        with write_transaction(request) as writing:
            writing.own_addresses.ask(signed_in(request, writing), typed)
    except _AGAIN as error:
        return _page(request, services, trouble=Trouble.of(error, address=typed))
    process_of(request).on_promise()
    return _back("lettre")


@router.post("/principale", dependencies=_SURE)
def make_main(request: Request, form: SafeForm) -> Response:
    with write_transaction(request) as services:
        services.own_addresses.make_main(signed_in(request, services), text_of(form, "adresse"))
    process_of(request).on_promise()
    return _back("principale")


@router.post("/retirer", dependencies=_SURE)
def remove(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    try:
        with write_transaction(request) as writing:
            writing.own_addresses.remove(signed_in(request, writing), text_of(form, "adresse"))
    except Conflict as error:
        return _page(request, services, trouble=Trouble.of(error))
    process_of(request).on_promise()
    return _back("retiree")


@router.post("/{challenge_id:uuid}/abandonner", dependencies=_CHECKED)
def give_up(challenge_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        services.own_addresses.drop_waiting(signed_in(request, services), challenge_id)
    return _back("abandonnee")


@router.post("/{challenge_id:uuid}/code", dependencies=[limited("signing in"), *_SURE])
def confirm_by_code(
    challenge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """For an e-mail read on another device."""
    process_of(request).limiter.hit("code of an address", str(challenge_id))
    try:
        with write_transaction(request) as writing:
            kept = writing.own_addresses.confirm_by_code(
                signed_in(request, writing), challenge_id, text_of(form, "code")
            )
    except _AGAIN as error:
        return _page(request, services, trouble=Trouble.of(error, waiting=challenge_id))
    return _kept(request, offers=kept.offers)


@router.get("/confirmer/{preuve}")
@public
def show_confirmation(preuve: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not confirm anything."""
    challenge = services.own_addresses.asked_by(preuve)
    who = find_signed_in(request, services)
    is_theirs = who is not None and who.person.id == challenge.person_id
    return page(
        request,
        "accounts/confirm_address.html",
        private=True,
        token=preuve,
        is_theirs=is_theirs,
        address=challenge.facts["address"] if is_theirs else "",
    )


@router.post("/confirmer/{preuve}", dependencies=_SURE)
def confirm(preuve: str, request: Request) -> Response:
    with write_transaction(request) as services:
        kept = services.own_addresses.confirm(signed_in(request, services), preuve)
    return _kept(request, offers=kept.offers)


def _kept(request: Request, *, offers: bool) -> Response:
    process_of(request).on_promise()
    return (
        RedirectResponse("/compte/reunir?fait=confirmee", status_code=303) if offers else _back("confirmee")
    )


def _page(
    request: Request, services: Services, *, done: str = "", trouble: Trouble | None = None
) -> HTMLResponse:
    who = signed_in(request, services)
    mine: Sequence[OwnAddress] = services.own_addresses.list_of(who.person.id)
    waiting: Sequence[Challenge] = services.own_addresses.waiting(who.person.id)
    return page(
        request,
        "accounts/addresses.html",
        private=True,
        status=422 if trouble else 200,
        proved=[each for each in mine if each.verified_at],
        listed=[each for each in mine if not each.verified_at],
        waiting=[(each.id, str(each.facts["address"])) for each in waiting],
        zone=process_of(request).settings.time_zone,
        letters_leave=process_of(request).mailer is not None,
        trouble=trouble or Trouble(),
        done=done,
    )


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"/compte/adresses?fait={done}", status_code=303)
