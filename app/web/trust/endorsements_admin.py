"""Endorsements for campus staff: request for a badge or the campus, list all, hide with a reason."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.errors import Conflict, InvalidInput, NotFound
from app.http.pages.forms import SafeForm, address_in, ids_in, is_in_doubt, text_of
from app.http.request_scope import (
    ReadingServices,
    limited,
    process_of,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.trust.endorsement_requests import EndorsementAsked
from app.services.trust.endorsements import Subject
from app.web.trust.endorsements import peer_shown, recommendations
from app.web.trust.endorsing import faults_asked, request_shown

router = APIRouter(prefix="/gestion/{slug}/recommandations")
_THE_CAMPUS = "campus"
_DONE = {
    "demandee": N_("Demande envoyée : la personne reçoit un e-mail. Sa réponse s’affichera ici."),
    "ecartee": N_("C’est noté : cette recommandation n’est plus montrée. L’historique garde le motif."),
    "reprise": N_("C’est noté : cette recommandation est montrée de nouveau."),
}


@dataclass(frozen=True)
class EndorsementRequestForm:
    about: str = ""
    asked: EndorsementAsked = EndorsementAsked("", "")  # noqa: RUF009 - frozen


@router.get("", dependencies=[staff(Permission.VIEW)])
def show(request: Request, services: ReadingServices, badge: str = "", fait: str = "") -> HTMLResponse:
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return _page(request, services, at_work(request), EndorsementRequestForm(about=badge), done=done)


@router.post("", dependencies=[staff(Permission.WORK), limited("endorsement from a network")])
def ask(request: Request, services: ReadingServices, form: SafeForm) -> Response:
    work = at_work(request)
    typed = EndorsementRequestForm(
        text_of(form, "sujet"),
        EndorsementAsked(address_in(request, form), text_of(form, "organisation"), text_of(form, "mot")),
    )
    if is_in_doubt(request):
        return _page(request, services, work, typed)
    try:
        errors: dict[str, str] = {}
        try:
            subject = _subject(services, work, typed.about)
        except InvalidInput as error:
            errors, subject = {"sujet": sentence_of(error)}, _subject(services, work, _THE_CAMPUS)
        if errors := errors | faults_asked(services, subject, typed.asked, work.actor):
            return _page(request, services, work, typed, errors=errors)
        refused = _is_refused(services, work, typed.asked.address)
        asked = services.endorsement_asking.checked(subject, typed.asked, refused=refused, by=work.actor)
        for name, counted in services.endorsement_asking.counts(subject, asked):
            process_of(request).limiter.hit(name, counted)
        with write_transaction(request) as writing:
            writing.endorsement_asking.ask(subject, asked, refused=refused, by=work.actor)
    except (InvalidInput, Conflict, NotFound) as error:
        return _page(request, services, work, typed, trouble=sentence_of(error))
    process_of(request).on_enqueue()
    return RedirectResponse(f"{work.home}/recommandations?fait=demandee", status_code=303)


@router.post("/{endorsement_id:uuid}", dependencies=[staff(Permission.MANAGE)])
def set_aside(
    endorsement_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work, back = at_work(request), text_of(form, "geste") == "reprendre"
    reason = None if back else text_of(form, "motif")
    kept = (endorsement_id, reason or "")
    try:
        with write_transaction(request) as writing:
            writing.endorsements_taken_back.set_aside(
                work.campus, endorsement_id, reason=reason, by=work.actor
            )
    except (InvalidInput, Conflict) as error:
        return _reason_page(request, services, work, kept, error)
    done = "reprise" if back else "ecartee"
    return RedirectResponse(f"{work.home}/recommandations?fait={done}#r-{endorsement_id}", status_code=303)


@router.post("/personnes/{recommendation_id:uuid}", dependencies=[staff(Permission.MANAGE)])
def set_aside_peer(
    recommendation_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    """The campus answers for its pages, whatever a learner accepted."""
    work, back = at_work(request), text_of(form, "geste") == "reprendre"
    reason = None if back else text_of(form, "motif")
    kept = (recommendation_id, reason or "")
    try:
        with write_transaction(request) as writing:
            writing.peer_recommendations.set_aside(
                work.campus, recommendation_id, reason=reason, by=work.actor
            )
    except (InvalidInput, Conflict) as error:
        return _reason_page(request, services, work, kept, error)
    done = "reprise" if back else "ecartee"
    return RedirectResponse(f"{work.home}/recommandations?fait={done}#p-{recommendation_id}", status_code=303)


def _reason_page(
    request: Request,
    services: Services,
    work: AtWork,
    reason: tuple[uuid.UUID, str],
    error: InvalidInput | Conflict,
) -> HTMLResponse:
    sentence, typed = sentence_of(error), EndorsementRequestForm()
    if isinstance(error, Conflict):
        return _page(request, services, work, typed, trouble=sentence, reason=reason)
    return _page(request, services, work, typed, errors={f"motif-{reason[0]}": sentence}, reason=reason)


def _subject(services: Services, work: AtWork, chosen: str) -> Subject:
    if chosen == _THE_CAMPUS:
        return services.endorsement_subjects.of_campus(work.campus)
    for badge_id in ids_in([chosen]):
        return services.endorsement_subjects.of_badge(work.campus, badge_id)
    raise InvalidInput("Choisissez ce qui est à recommander : un badge, ou le campus.")


def _is_refused(services: Services, work: AtWork, address: str) -> bool:
    """A refusal given to any campus applies to all of them."""
    services.search_everywhere()
    refused = services.endorsement_asking.is_refused_by(address)
    services.enter(work.campus.id, work.who.person.id)
    return refused


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    typed: EndorsementRequestForm,
    *,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
    reason: tuple[uuid.UUID, str] | None = None,
    done: str = "",
) -> HTMLResponse:
    """`reason`: as typed, why that recommendation is no longer to be shown."""
    campus = work.campus
    found = services.endorsements.of_campus(campus)
    titles = [services.endorsement_subjects.about(each.endorsement).title for each in found]
    given = [(str(badge.id), version.name) for badge, version in services.campuses.page(campus.slug).badges]
    return work.page(
        request,
        "trust/campus.html",
        status=status_for(trouble, errors),
        errors=errors,
        here=f"{work.home}/recommandations",
        subjects=[*given, (_THE_CAMPUS, translated("Le campus lui-même"))],
        typed=typed,
        said=list(
            zip(recommendations(found, campus.time_zone, contact=campus.contact_email), titles, strict=True)
        ),
        lines=[
            (peer_shown(row, campus.time_zone), title)
            for row, title in services.peer_recommendations.of_campus(campus)
        ],
        asked=[
            request_shown(each, at=services.clock())
            for each in services.endorsement_asking.of_campus(campus.id)
        ],
        zone=campus.time_zone,
        letters_leave=process_of(request).mailer is not None,
        trouble=trouble,
        reasons={str(reason[0]): reason[1]} if reason else {},
        done=done,
    )
