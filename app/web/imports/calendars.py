"""« Agendas suivis »: calendars read at an address, what waits for a choice, and what can no longer be read."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import ActivityKind
from app.domain.imports.calendars import UNREADABLE, CalendarState, CalendarSubscription
from app.errors import AppError, Conflict
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.words import ACTIVITY_KINDS, StateLabel
from app.http.request_scope import (
    ReadingServices,
    process_of,
    sentence_of,
    status_for,
    visit,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated

router = APIRouter(prefix="/gestion/{slug}/reprises/agendas")
_WORK = [staff(Permission.WORK)]
_ACTION = [*_WORK, CHECKED_FORM]
_STATES: Final = {
    CalendarState.ACTIVE: StateLabel("Suivi", "ok"),
    CalendarState.PAUSED: StateLabel("En pause", "shut"),
    CalendarState.FAILING: StateLabel("En pause après des échecs", "bad"),
}
_FAULTS: Final = {
    UNREADABLE: N_("Cette adresse ne donne pas d’agenda au format iCalendar."),
    "wrong_type": N_("Cette adresse ne donne pas d’agenda au format iCalendar."),
    "unreachable": N_("L’adresse ne répond pas."),
    "timeout": N_("L’agenda a mis trop de temps à répondre."),
    "url_not_allowed": N_("Cette adresse n’est pas permise ici."),
    "not_found": N_("Il n’y a plus rien à cette adresse."),
    "gone": N_("Il n’y a plus rien à cette adresse."),
    "too_large": N_("Cet agenda dépasse 1 Mo. Demandez une période plus courte."),
    "redirect_refused": N_(
        "Cette adresse renvoie à une autre, qui n’est pas permise ici. Donnez l’adresse iCalendar elle-même."
    ),
    "http_status": N_(
        "Le serveur de l’agenda refuse de répondre. Un agenda réservé demande une adresse publique, ou secrète."
    ),
    "offline": N_("Ce service ne lit aucune adresse extérieure."),
}
_OTHER_FAULT: Final = N_("L’agenda ne se lit pas en ce moment.")


@dataclass(frozen=True)
class CalendarForm:
    source: str = ""
    url: str = ""
    kind: str = ActivityKind.WORKSHOP.value
    creates: bool = False
    errors: dict[str, str] = field(default_factory=dict)


@router.get("", dependencies=_WORK)
def list_calendars(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _list(request, services, CalendarForm(), done=bool(fait))


@router.post("", dependencies=_WORK)
def follow_calendar(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    kind = text_of(form, "type")
    typed = CalendarForm(
        text_of(form, "source"),
        text_of(form, "adresse"),
        kind if kind in set(ActivityKind) else ActivityKind.WORKSHOP.value,
        bool(text_of(form, "creer")),
    )
    if faults := services.calendar_subscriptions.faults_of(source=typed.source, url=typed.url):
        names = {"source": "source", "url": "adresse"}
        typed.errors.update((names[name], sentence_of(fault)) for name, fault in faults.items())
        return _list(request, services, typed)
    _count(request)
    try:
        with write_transaction(request) as writing:
            writing.calendar_subscriptions.add(
                work.campus,
                source=typed.source,
                url=typed.url,
                kind=ActivityKind(typed.kind),
                creates=typed.creates,
                by=work.actor,
            )
    except Conflict as error:
        typed.errors["adresse"] = sentence_of(error)
        return _list(request, services, typed)
    return _done(request)


@router.post("/{calendar_id:uuid}/choisir", dependencies=_ACTION)
def choose_entries(calendar_id: uuid.UUID, request: Request) -> Response:
    """Reads the calendar now, outside any writing transaction, and shows its entries to choose from."""
    work = at_work(request)
    _count(request)
    with visit(request, reading=True) as reading:
        reading.calendar_subscriptions.get(work.campus, calendar_id)
        fetched = reading.calendar_subscriptions.fetch(calendar_id)
    try:
        with write_transaction(request) as writing:
            assert fetched is not None, "it was there a moment ago"
            run = writing.calendar_subscriptions.choose(work.campus, calendar_id, fetched, by=work.actor)
    except AppError as error:
        with write_transaction(request) as writing:
            return _list(request, writing, CalendarForm(), trouble=error)
    return RedirectResponse(f"{work.home}/reprises/{run.id}", status_code=303)


@router.post("/{calendar_id:uuid}/lire", dependencies=_ACTION)
def read_soon(calendar_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(request, lambda writing: writing.calendar_subscriptions.read_soon(work.campus, calendar_id))


@router.post("/{calendar_id:uuid}/pause", dependencies=_ACTION)
def pause(calendar_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request,
        lambda writing: writing.calendar_subscriptions.pause(work.campus, calendar_id, by=work.actor),
    )


@router.post("/{calendar_id:uuid}/reprise", dependencies=_ACTION)
def resume(calendar_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request,
        lambda writing: writing.calendar_subscriptions.resume(work.campus, calendar_id, by=work.actor),
    )


@router.post("/{calendar_id:uuid}/retrait", dependencies=_ACTION)
def unfollow(calendar_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request,
        lambda writing: writing.calendar_subscriptions.remove(work.campus, calendar_id, by=work.actor),
    )


def _count(request: Request) -> None:
    process_of(request).limiter.hit("calendars of a campus", at_work(request).campus.slug)


def _act(request: Request, action: Callable[[Services], object]) -> Response:
    _count(request)
    try:
        with write_transaction(request) as writing:
            action(writing)
    except Conflict as error:
        with write_transaction(request) as writing:
            return _list(request, writing, CalendarForm(), trouble=error)
    return _done(request)


def _done(request: Request) -> Response:
    process_of(request).on_enqueue()
    return RedirectResponse(f"{at_work(request).home}/reprises/agendas?fait=oui", status_code=303)


def _list(
    request: Request,
    services: Services,
    typed: CalendarForm,
    *,
    trouble: AppError | None = None,
    done: bool = False,
) -> HTMLResponse:
    work = at_work(request)
    followed = services.calendar_subscriptions.list_of(work.campus)
    status = status_for(trouble, typed.errors)
    return work.page(
        request,
        "imports/calendars.html",
        status=status,
        here=f"{work.home}/reprises/agendas",
        zone=work.campus.time_zone,
        form=typed,
        kinds=[(kind.value, translated(words)) for kind, words in ACTIVITY_KINDS.items()],
        calendars=[(each, _STATES[each.state], _fault_of(each), _report_of(each, work)) for each in followed],
        is_fetching=process_of(request).settings.fetch,
        trouble=sentence_of(trouble) if trouble else "",
        done=done,
    )


def _fault_of(calendar: CalendarSubscription) -> str:
    return translated(_FAULTS.get(calendar.fault, _OTHER_FAULT)) if calendar.fault else ""


def _report_of(calendar: CalendarSubscription, work: AtWork) -> str:
    return f"{work.home}/reprises/{calendar.run_id}" if calendar.run_id else ""
