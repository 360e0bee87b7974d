"""« Exploitation »: the campuses of this service for its operators: names and states, without their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from app.container import Services
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.render import page
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    find_signed_in,
    marked,
    process_of,
    sentence_of,
    signed_in,
    status_for,
    write_transaction,
)
from app.language import N_, translated
from app.services.campus import Event
from app.services.trust.network_register import RegisterPage
from app.web.campus.audit_log import EVENT_LABELS, OF_THE_SERVICE, OTHER_EVENT, Before, who_of

router = APIRouter(prefix="/exploitation")
_DONE = {
    "campus": N_("Le campus est ouvert. Un e-mail est envoyé à la personne qui l’administrera."),
    "invitation": N_("E-mail en cours d’envoi."),
    "suspendu": N_("Le campus est suspendu : personne n’y travaille plus. Ses badges se vérifient toujours."),
    "repris": N_("Le campus est de nouveau ouvert."),
}


@marked(Policy(Who.OPERATOR))
def _operator(request: Request, services: ReadingServices) -> None:
    """404 for everyone else, signed in or not."""
    who = find_signed_in(request, services)
    if who is None or not services.operators.is_operator(who.person.id):
        raise HTTPException(404)
    services.sessions.check_proved(who, fresh=request.method == "POST")


OPERATOR: Any = Depends(_operator, scope="function")
"""The policy of every operator page."""
_ACTION = [OPERATOR, CHECKED_FORM]
_OPENED = {"name": "nom", "short_name": "nom-court", "slug": "adresse", "administrator": "courriel"}
"""The fields of a new campus, in their order."""


@dataclass(frozen=True)
class CampusLine:
    slug: str
    name: str
    short_name: str
    since: datetime
    is_suspended: bool


@dataclass(frozen=True)
class NetworkLine:
    slug: str
    name: str
    valid_until: datetime | None

    @staticmethod
    def of(shown: RegisterPage) -> NetworkLine:
        edition = shown.edition
        return NetworkLine(shown.network.slug, shown.network.name, edition.valid_until if edition else None)


@dataclass(frozen=True)
class CampusForm:
    values: dict[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    """By the id of the field."""
    at: str = ""
    """The campus with the invalid form, empty for a new one."""

    def of(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, field_id: str) -> str:
        return self.errors.get(field_id, "")


@router.get("", dependencies=[OPERATOR])
def show_campuses(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, CampusForm(), done=fait)


@router.post("/campus", dependencies=[OPERATOR])
def open_campus(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    values = {name: text_of(form, name) for name in _OPENED.values()}
    asked = {name: values[field_id] for name, field_id in _OPENED.items()}
    faults = services.operators.faults_of(**asked)
    if not faults:
        try:
            with write_transaction(request) as writing:
                writing.search_everywhere()
                writing.operators.open_campus(**asked, by=signed_in(request, services).actor)
        except Conflict as error:  # with a campus opened meanwhile
            faults = {"slug": error}
    if faults:
        errors = {_OPENED[name]: sentence_of(error) for name, error in faults.items()}
        return _page(request, services, CampusForm(values, errors))
    process_of(request).on_enqueue()
    return _back("campus")


@router.post("/campus/{slug}/inviter", dependencies=[OPERATOR])
def invite_administrator(slug: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    address = text_of(form, "courriel")
    try:
        with write_transaction(request) as writing:
            campus = writing.campuses.get(slug)
            writing.enter(campus.id)
            writing.operators.invite(campus, address, by=signed_in(request, services).actor)
    except (InvalidInput, Conflict) as error:
        errors = {f"courriel-{slug}": sentence_of(error)}
        return _page(request, services, CampusForm({"courriel": address}, errors, slug))
    process_of(request).on_enqueue()
    return _back("invitation")


@router.post("/campus/{slug}/suspendre", dependencies=[OPERATOR])
def suspend_campus(slug: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    if text_of(form, "certain") != "oui":
        errors = {f"certain-{slug}": translated("Cochez la case pour confirmer.")}
        return _page(request, services, CampusForm({}, errors, slug))
    with write_transaction(request) as writing:
        writing.enter(writing.campuses.get(slug).id)
        writing.operators.suspend(slug, by=signed_in(request, services).actor)
    return _back("suspendu")


@router.post("/campus/{slug}/reprendre", dependencies=_ACTION)
def resume_campus(slug: str, request: Request, services: ReadingServices) -> Response:
    with write_transaction(request) as writing:
        writing.enter(writing.campuses.get(slug).id)
        writing.operators.resume(slug, by=signed_in(request, services).actor)
    return _back("repris")


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"/exploitation?fait={done}", status_code=303)


def _page(request: Request, services: Services, typed: CampusForm, *, done: str = "") -> HTMLResponse:
    return page(
        request,
        "campus/operation/campuses.html",
        private=True,
        status=status_for(typed.errors),
        done=translated(_DONE[done]) if done in _DONE else "",
        form=typed,
        networks=[NetworkLine.of(services.register.page(each.slug)) for each in services.register.networks()],
        letters_leave=process_of(request).mailer is not None,
        campuses=[
            CampusLine(each.slug, each.name, each.short_name, each.created_at, each.suspended_at is not None)
            for each in services.campuses.list_all()
        ],
    )


A_PAGE = 50
operation_history_router = APIRouter(prefix="/exploitation/historique")


@dataclass(frozen=True)
class ServiceLine:
    at: datetime
    what: str
    about: str
    who: str

    @staticmethod
    def of(event: Event) -> ServiceLine:
        key = event.entry.noun, event.entry.action
        return ServiceLine(
            event.entry.at,
            translated(OF_THE_SERVICE.get(key) or EVENT_LABELS.get(key, OTHER_EVENT)),
            event.subject,
            who_of(event),
        )


@operation_history_router.get("", dependencies=[OPERATOR])
def show_history(request: Request, services: ReadingServices, avant: Before = None) -> HTMLResponse:
    services.search_everywhere()
    found = services.history.page_of_service(before=avant, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    return page(
        request,
        "campus/operation/history.html",
        private=True,
        lines=[ServiceLine.of(event) for event in shown],
        is_first=avant is None,
        older=f"?avant={shown[-1].entry.id}" if len(found) > A_PAGE else "",
        zone=process_of(request).settings.time_zone,
    )
