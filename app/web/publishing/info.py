"""The short true pages that every page links from its foot."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.container import Process
from app.http.held_badges import badges_cookie
from app.http.pages.locale import COOKIE as LANGUAGE_COOKIE
from app.http.pages.render import page
from app.http.pages.typography import say, say_plural
from app.http.policies import public
from app.http.request_scope import process_of, session_cookie
from app.language import N_
from app.web.accounts.asking_browser import asking_cookie
from app.web.accounts.sign_in import WANTED_COOKIE
from app.web.accounts.signing_in_again import kept_form_cookie
from app.web.activities.presence import phone_cookie
from app.web.campus.desk import LAST_CAMPUS
from app.web.publishing.embeds import checker_html

router = APIRouter(include_in_schema=False)


@router.get("/aide")
@public
def help_page(request: Request) -> HTMLResponse:
    checker, component = checker_html(process_of(request).addresses)
    return page(request, "campus/info/help.html", checker=checker, component=component)


@router.get("/donnees-personnelles")
@public
def personal_data_page(request: Request) -> HTMLResponse:
    return page(
        request,
        "campus/info/personal_data.html",
        contact=contact_of(request),
        cookies=_cookies_of(process_of(request)),
    )


def _cookies_of(process: Process) -> Sequence[tuple[str, str]]:
    """Every cookie that this service may set, by its name, and what it is for."""
    hours = process.settings.session_hours
    return [
        (
            session_cookie(process),
            say_plural(
                "Votre connexion, une heure au plus", "Votre connexion, {n} heures au plus", hours
            ).format(n=hours),
        ),
        (asking_cookie(process), say(N_("Le navigateur où vous demandez à entrer, pour que le lien n’ouvre que là, une heure"))),
        (WANTED_COOKIE, say(N_("La page où vous alliez quand il a fallu vous connecter, une heure"))),
        (kept_form_cookie(process), say(N_("Ce qui retrouve un formulaire envoyé quand votre session était terminée, deux heures"))),
        (badges_cookie(process), say(N_("Les badges que vous avez ouverts par leur lien privé, un jour"))),
        (phone_cookie(process), say(N_("Le téléphone avec lequel vous avez signé une présence, pour qu’il ne signe qu’une fois, un jour"))),
        (LAST_CAMPUS, say(N_("Le campus où vous travailliez la dernière fois, six mois"))),
        (LANGUAGE_COOKIE, say(N_("La langue que vous avez choisie, un an"))),
    ]  # fmt: skip


@router.get("/accessibilite")
@public
def accessibility_page(request: Request) -> HTMLResponse:
    return page(request, "campus/info/accessibility.html", contact=contact_of(request))


@router.get("/mentions-legales")
@public
def legal_page(request: Request) -> HTMLResponse:
    return page(
        request,
        "campus/info/legal.html",
        publisher=request.app.state.face.publisher,
        contact=contact_of(request),
    )


def contact_of(request: Request) -> str:
    """Where to write to the people who run this service; empty when the operator has said nothing."""
    return str(request.app.state.face.contact)
