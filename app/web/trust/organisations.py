"""An organisation's public page: who it is, how that is known, what it said; and the list by which it takes words back."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.campus.campus import Campus
from app.domain.trust.organisations import Organisation
from app.http.negotiation import ForPeople
from app.http.pages.forms import SafeForm, ids_in, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import DEFAULT_ZONE, day
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed, limited, process_of
from app.language import N_
from app.web.trust.recommendations import recommendation

router = APIRouter(dependencies=[AT_ANY_CAMPUS])
public_page = APIRouter(route_class=ForPeople)
_DONE = {
    "lettre": N_(
        "Si cette adresse est bien celle de l’organisation, une lettre y part. Son lien vaut sept jours."
    ),
    "retiree": N_("La recommandation est retirée. Ses mots ne sont plus gardés ici."),
}


@public_page.get("/organisations/{organisation_id:uuid}")
@public
def show(
    organisation_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    shown = organisation_shown(services, organisation_id)
    done = say(_DONE[fait]) if fait in _DONE else ""
    return page(request, "trust/organisation.html", done=done, **shown)


@router.post("/organisations/{organisation_id:uuid}/lien", dependencies=[limited("endorsing")])
@public
def ask_for_the_list(organisation_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    """The same answer whatever address was typed: nobody learns who works there."""
    typed = text_of(form, "adresse")
    if typed:
        process_of(request).limiter.hit("endorsement to an address", typed.lower())
        with deed(request) as writing:
            writing.endorsements_taken_back.ask_desk(organisation_id, typed)
        process_of(request).on_promise()
    return RedirectResponse(f"/organisations/{organisation_id}?fait=lettre#retirer", status_code=303)


@router.get("/organisations/gerer/{token}")
@public
def show_list(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    organisation, rows = services.endorsements_taken_back.desk(token)
    reply = page(
        request,
        "trust/desk.html",
        private=True,
        here=f"/organisations/gerer/{token}",
        name=organisation.name,
        said=[
            (recommendation(found, subject.campus.time_zone), subject.title, subject.campus.name)
            for found, subject in (services.endorsements.look(row) for row in rows)
        ],
        done=say(_DONE[fait]) if fait in _DONE else "",
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply


@router.post("/organisations/gerer/{token}", dependencies=[limited("endorsing")])
@public
def take_back(token: str, request: Request, form: SafeForm) -> Response:
    with deed(request) as writing:
        for endorsement_id in ids_in([text_of(form, "recommandation")]):
            writing.endorsements_taken_back.withdraw_at_desk(token, endorsement_id)
    return RedirectResponse(f"/organisations/gerer/{token}?fait=retiree", status_code=303)


def organisation_shown(
    services: Services, organisation_id: uuid.UUID, campus: Campus | None = None
) -> dict[str, Any]:
    """What `trust/organisation.html` says: all that it said, or what it said of one campus."""
    organisation = services.organisations.get(organisation_id)
    return {
        "number": str(organisation.id),
        "name": organisation.name,
        "site": organisation.site,
        "identifier": organisation.did,
        "how": _how(organisation),
        "said": [
            (recommendation(each, subject.campus.time_zone), subject.title, subject.campus.name)
            for each, subject in services.endorsements.by_organisation(organisation_id)
            if campus is None or subject.campus.id == campus.id
        ],
    }


def _how(organisation: Organisation) -> str:
    since = day(organisation.created_at, DEFAULT_ZONE)
    if organisation.is_personal:
        return say(
            N_(
                "Connue par une adresse personnelle ({domain}), vérifiée par courriel : rien ne rattache ce domaine à "
                "l’organisation. Ici depuis le {day}."
            )
        ).format(domain=organisation.domain, day=since)
    return say(N_("Connue par son domaine {domain}, vérifié par courriel. Ici depuis le {day}.")).format(
        domain=organisation.domain, day=since
    )


router.include_router(public_page)
