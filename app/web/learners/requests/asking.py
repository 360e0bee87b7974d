"""Asking for a badge from its public page; known people wait for no letter."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.learners.requests import RequestState, reviewers_needed
from app.domain.people.people import Person, normal_address
from app.errors import AppError, Conflict, InvalidInput
from app.http.held_badges import held_here
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.saying import said
from app.http.pages.words import BADGE_KINDS
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed, find_signed_in, limited, process_of
from app.http.workplaces import look_of, sentence_of
from app.services.badges.pictures import picture_words
from app.services.learners.requests import Asked, Known
from app.web.badges.pieces import picture_of

router = APIRouter(dependencies=[AT_ANY_CAMPUS])
_NOTHING = Asked("", "", "", "")


@router.get("/badges/{badge_id:uuid}/demande")
@public
def show(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, badge_id, _NOTHING)


@router.post("/badges/{badge_id:uuid}/demande", dependencies=[limited("request from a network")])
@public
def ask(badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """The same answer for every address, known or not, unless the browser shows whose it is."""
    asked = Asked(
        given_name=text_of(form, "prenom"),
        family_name=text_of(form, "nom"),
        address=text_of(form, "adresse"),
        narrative=text_of(form, "recit"),
        links=text_of(form, "liens"),
    )
    known = _known(request, services)
    if asked.address:
        process_of(request).limiter.hit("request to an address", normal_address(asked.address))
    try:
        with deed(request) as writing:
            made = writing.asking.ask(badge_id, asked, known=known)
            token = writing.asking.token_of(made)
            is_confirmed = made.state is not RequestState.UNCONFIRMED
    except (InvalidInput, Conflict) as error:
        return _page(request, services, badge_id, asked, error=error)
    process_of(request).on_promise()
    if is_confirmed:
        return RedirectResponse(f"/demandes/{token}?fait=demandee", status_code=303)
    return _page(request, services, badge_id, asked, is_sent=True)


def _known(request: Request, services: Services) -> Known | None:
    """Who asks, where this browser speaks for one person only; a family's computer speaks for nobody."""
    people: dict[uuid.UUID, Person] = {}
    who = find_signed_in(request, services)
    if who is not None:
        people[who.person.id] = who.person
    people.update({each.person.id: each.person for each in held_here(request, services).values()})
    return services.asking.known(next(iter(people.values()))) if len(people) == 1 else None


def _page(
    request: Request,
    services: Services,
    badge_id: uuid.UUID,
    asked: Asked,
    *,
    error: AppError | None = None,
    is_sent: bool = False,
) -> HTMLResponse:
    subject, known = services.asking.subject(badge_id), _known(request, services)
    return page(
        request,
        "learners/requests/ask.html",
        campus=look_of(subject.campus),
        private=True,
        status=200 if error is None else 409 if isinstance(error, Conflict) else 422,
        badge_url=f"/badges/{badge_id}",
        title=subject.version.name,
        kind=BADGE_KINDS[subject.version.kind],
        criteria=subject.version.criteria,
        required_hours=subject.version.required_hours,
        needs_two=reviewers_needed(subject.version) > 1,
        # Until somebody holds the badge, the world is not shown its picture.
        picture=picture_of(subject.badge, subject.version) if subject.version.frozen_at else "",
        picture_words=said(picture_words(subject.campus, subject.version)),
        campus_name=subject.campus.name,
        asked=asked,
        address=asked.address or (known.address if known else ""),
        known_name=known.person.name if known else "",
        can_confirm=process_of(request).mailer is not None,
        is_sent=is_sent,
        trouble=sentence_of(error) if error else "",
    )
