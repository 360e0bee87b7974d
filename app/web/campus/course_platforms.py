"""« Plateformes de cours »: the course platforms that a campus registered (LTI 1.3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.lti import LtiRegistration, PlatformDown, PlatformRefused
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.request_scope import ReadingServices, status_of, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.web.campus.lti import granted

router = APIRouter(prefix="/gestion/{slug}/cours")
_MANAGE = [staff(Permission.MANAGE)]
_FIELDS = ("nom", "emetteur", "client", "deploiements", "cles", "jetons", "autorisation")


@router.get("", dependencies=_MANAGE)
def show_platforms(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _platforms_page(request, services, at_work(request), done=bool(fait))


@router.post("", dependencies=_MANAGE)
def add_platform(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    typed = {name: text_of(form, name) for name in _FIELDS}
    told = LtiRegistration(
        typed["nom"],
        typed["emetteur"],
        typed["client"],
        tuple(each.strip() for each in typed["deploiements"].replace(",", " ").split()),
        typed["cles"],
        typed["jetons"],
        typed["autorisation"],
    )
    try:
        with write_transaction(request) as writing:
            writing.lti.register(work.campus, told, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _platforms_page(request, services, work, typed=typed, trouble=error)
    return _to_platforms(work)


@router.post("/{platform_id:uuid}/essayer", dependencies=_MANAGE)
def try_platform(
    platform_id: uuid.UUID,
    request: Request,
    form: SafeForm,  # noqa: ARG001 - its check is the point
    services: ReadingServices,
) -> Response:
    """Asks for an access token: it shows whether both sides know each other."""
    work = at_work(request)
    try:
        granted(request, work.campus, services.lti.access(work.campus, platform_id))
    except (PlatformDown, PlatformRefused) as error:
        return _platforms_page(request, services, work, trouble=error)
    return _to_platforms(work)


@router.post("/{platform_id:uuid}/retirer", dependencies=_MANAGE)
def remove_platform(platform_id: uuid.UUID, request: Request, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    with write_transaction(request) as services:
        services.lti.remove(work.campus, platform_id, by=work.actor)
    return _to_platforms(work)


@router.post("/cle", dependencies=_MANAGE)
def renew_key(request: Request, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    with write_transaction(request) as services:
        services.lti.renew_key(work.campus, by=work.actor)
    return _to_platforms(work)


def _platforms_page(
    request: Request,
    services: Services,
    work: AtWork,
    *,
    typed: Mapping[str, str] | None = None,
    trouble: AppError | None = None,
    done: bool = False,
) -> HTMLResponse:
    at, lti = services.clock(), services.lti
    key, base = lti.key_age(work.campus), services.addresses.lti(work.campus.slug)
    return work.page(
        request,
        "campus/lti/platforms.html",
        status=status_of(trouble) if trouble else 200,
        zone=work.campus.time_zone,
        done=done,
        platforms=[
            (each, lti.linked(each), (at - each.token_at).days if each.token_at else None)
            for each in lti.platforms(work.campus)
        ],
        key=key,
        key_days=(at - key.since).days if key else 0,
        addresses=[
            ("connexion", N_("Adresse de connexion"), f"{base}/connexion"),
            (
                "lancement",
                N_("Adresse de lancement, de redirection et de choix du contenu"),
                f"{base}/lancement",
            ),
            ("cles-publiques", N_("Adresse du jeu de clés publiques (JWKS)"), f"{base}/cles.json"),
        ],
        f=typed or dict.fromkeys(_FIELDS, ""),
        trouble=sentence_of(trouble) if trouble else "",
    )


def _to_platforms(work: AtWork) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/cours?fait=oui", status_code=303)
