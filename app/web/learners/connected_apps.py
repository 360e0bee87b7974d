"""« Applications connectées »: the learner's consent to an application, the list, and its end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.learners.connected_apps import AppRequest, AppScope, AuthorizationRefusal
from app.domain.people import Person
from app.domain.people.consents import ParentNeeded
from app.errors import AppError, InvalidInput, NotFound
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of, texts_of, untouched_text_of
from app.http.pages.render import page
from app.http.request_scope import ReadingServices, process_of, sentence_of, signed_in, write_transaction
from app.http.workplaces import SIGNED_IN
from app.language import N_, translated

router = APIRouter(prefix="/compte/applications")
_PARAMETERS = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method",
)  # fmt: skip
SCOPES = {
    AppScope.READ: (
        N_("Lire vos badges"),
        N_(
            "Ceux dont la page est ouverte, ceux d’ailleurs que montre votre portfolio ouvert, et ceux que l’application ajoute."
        ),
    ),
    AppScope.ADD: (
        N_("Ajouter des badges d’ailleurs"),
        N_(
            "Sceau vérifie chacun. Vous les retrouvez dans « Badges d’ailleurs », et vous pouvez les retirer."
        ),
    ),
    AppScope.PROFILE: (
        N_("Lire votre nom et votre adresse e-mail principale"),
        N_("Rien d’autre de votre compte."),
    ),
}
SCOPES_TU = {
    AppScope.READ: (
        N_("Lire tes badges"),
        N_(
            "Ceux dont la page est ouverte, ceux d’ailleurs que montre ton portfolio ouvert, et ceux que l’application ajoute."
        ),
    ),
    AppScope.ADD: (
        N_("Ajouter des badges d’ailleurs"),
        N_("Sceau vérifie chacun. Tu les retrouves dans « Badges d’ailleurs », et tu peux les retirer."),
    ),
    AppScope.PROFILE: (
        N_("Lire ton nom et ton adresse e-mail principale"),
        N_("Ni l’un ni l’autre n’est envoyé tant qu’il te faut l’accord d’un parent."),
    ),
}


def _scopes_for(person: Person) -> Mapping[AppScope, tuple[str, str]]:
    return SCOPES_TU if person.needs_guardian else SCOPES


@router.get("", dependencies=[SIGNED_IN])
def show_connected(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    who = signed_in(request, services)
    return page(
        request,
        "learners/apps/list.html",
        private=True,
        done=fait == "deconnectee",
        tu=who.person.needs_guardian,
        zone=process_of(request).settings.time_zone,
        apps=[
            (
                f"/compte/applications/{app.id}/deconnecter",
                app,
                grant,
                [
                    translated(_scopes_for(who.person)[each][0])
                    for each in AppScope
                    if each.value in grant.scopes
                ],
            )
            for grant, app in services.connected_apps.connected(who.person.id)
        ],
    )


@router.post("/{app_id:uuid}/deconnecter", dependencies=[SIGNED_IN, CHECKED_FORM])
def disconnect(app_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        who = signed_in(request, services)
        services.connected_apps.disconnect(who.person.id, app_id, by=who.actor)
    return RedirectResponse("/compte/applications?fait=deconnectee", status_code=303)


@router.get("/autoriser", dependencies=[SIGNED_IN])
def ask_consent(request: Request, services: ReadingServices) -> Response:
    sent = {name: request.query_params.get(name, "") for name in _PARAMETERS}
    try:
        asked = services.connected_apps.request(sent)
    except (NotFound, InvalidInput) as error:
        return _unknown_page(request, services, error)
    if asked.refusal is not None:
        return _turn_back(request, services, asked, asked.refusal)
    return _consent_page(request, services, asked, sent)


@router.post("/autoriser", dependencies=[SIGNED_IN])
def decide_consent(request: Request, services: ReadingServices, form: SafeForm) -> Response:
    sent = {name: untouched_text_of(form, name) for name in _PARAMETERS}
    try:
        asked = services.connected_apps.request(sent)
    except (NotFound, InvalidInput) as error:
        return _unknown_page(request, services, error)
    if asked.refusal is not None:
        return _turn_back(request, services, asked, asked.refusal)
    if text_of(form, "geste") != "autoriser":
        return _leave(request, services, asked, asked.refused(AuthorizationRefusal.DENIED))
    scopes = [each for each in AppScope if each.value in texts_of(form, "droit")]
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            where = writing.connected_apps.grant(asked, who.person, scopes, by=who.actor)
    except (InvalidInput, ParentNeeded) as error:
        return _consent_page(request, services, asked, sent, trouble=error)
    return _leave(request, services, asked, where)


def _consent_page(
    request: Request,
    services: Services,
    asked: AppRequest,
    sent: Mapping[str, str],
    *,
    trouble: AppError | None = None,
) -> HTMLResponse:
    person, apps = signed_in(request, services).person, services.connected_apps
    needs_parent = False
    try:
        apps.check_may_connect(person)
    except ParentNeeded as error:
        needs_parent, trouble = True, error
    with services.across_campuses():
        badges = apps.badges_to_read(person, asked.app.id)
    return page(
        request,
        "learners/apps/consent.html",
        private=True,
        needs_parent=needs_parent,
        trouble=sentence_of(trouble) if trouble else "",
        app=asked.app,
        person=person.name,
        sent=sent,
        tu=person.needs_guardian,
        scopes=[
            (each.value, *map(translated, _scopes_for(person)[each]), each is AppScope.READ)
            for each in asked.scopes
        ],
        reads=AppScope.READ in asked.scopes,
        titles=badges.titles,
        closed=badges.closed,
    )


def _turn_back(
    request: Request, services: Services, asked: AppRequest, refusal: AuthorizationRefusal
) -> Response:
    """For an erroneous request: an unverified application gets no redirect without a click."""
    where = asked.refused(refusal)
    if asked.app.registered_itself:
        return _leave(request, services, asked, where, by_itself=False)
    return RedirectResponse(where, status_code=303)


def _leave(
    request: Request, services: Services, asked: AppRequest, where: str, *, by_itself: bool = True
) -> HTMLResponse:
    """A page that redirects by itself: CSP limits our forms to this site."""
    return page(
        request,
        "learners/apps/leaving.html",
        private=True,
        status=200 if by_itself else 400,
        tu=signed_in(request, services).person.needs_guardian,
        app=asked.app,
        url=where,
        by_itself=by_itself,
    )


def _unknown_page(request: Request, services: Services, error: AppError) -> HTMLResponse:
    tu, trouble = signed_in(request, services).person.needs_guardian, sentence_of(error)
    return page(request, "learners/apps/unknown.html", private=True, status=400, tu=tu, trouble=trouble)
