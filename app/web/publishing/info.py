"""Short information pages, linked from every footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from app.container import Process
from app.http.pages.render import COOKIE as LANGUAGE_COOKIE
from app.http.pages.render import page
from app.http.pages.typography import translated, translated_plural
from app.http.policies import public
from app.http.request_scope import ReadingServices, client_network, limited, process_of, session_cookie
from app.http.response_cache import badges_cookie
from app.language import N_
from app.web.accounts.browser_binding import asking_cookie
from app.web.accounts.sign_in import WANTED_COOKIE
from app.web.accounts.signing_in_again import kept_form_cookie
from app.web.activities.phones import phone_cookie, remembered_cookie
from app.web.campus.dashboard import LAST_CAMPUS
from app.web.publishing.embeds import checker_html

router = APIRouter(include_in_schema=False)


@router.get("/aide")
@public
def help_page(request: Request) -> HTMLResponse:
    checker, component = checker_html(process_of(request).addresses)
    return page(request, "campus/info/help.html", checker=checker, component=component)


@router.get("/lire-un-badge")
@public
def reading_page(request: Request) -> HTMLResponse:
    """For recruiters, in easy-to-read sentences."""
    return page(request, "campus/info/reading.html")


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
    """Every cookie that this service may set, by name, with its purpose."""
    hours = process.settings.session_hours
    return [
        (
            session_cookie(process),
            translated_plural(
                "Votre connexion, une heure au plus", "Votre connexion, {n} heures au plus", hours
            ).format(n=hours),
        ),
        (asking_cookie(process), translated(N_("Le navigateur où vous demandez à entrer, pour que le lien n’ouvre que là, une heure"))),
        (WANTED_COOKIE, translated(N_("La page où vous alliez quand il a fallu vous connecter, une heure"))),
        (kept_form_cookie(process), translated(N_("Ce qui retrouve un formulaire envoyé quand votre session était terminée, deux heures"))),
        (badges_cookie(process), translated(N_("Les badges que vous avez ouverts par leur lien privé, un jour"))),
        (phone_cookie(process), translated(N_("Le téléphone avec lequel vous avez signé une présence, pour qu’il ne signe qu’une fois, un jour"))),
        (remembered_cookie(process), translated(N_("Le téléphone qui vous reconnaît pour signer une présence, si vous l’avez voulu, six mois"))),
        (LAST_CAMPUS, translated(N_("Le campus où vous travailliez la dernière fois, six mois"))),
        (LANGUAGE_COOKIE, translated(N_("La langue que vous avez choisie, un an"))),
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
    """Contact of the operator; empty when not configured."""
    return str(request.app.state.face.contact)


short_addresses_router = APIRouter()


@short_addresses_router.get("/v/{signs}", dependencies=[limited("short address")])
@public
def follow(signs: str, request: Request, services: ReadingServices) -> Response:
    """The award's own page answers, closed or open; an unknown code is most often a misread letter."""
    award_id = services.awards.find_by_code(signs)
    if award_id is not None:
        services.awards.check_not_erased(award_id)
        return RedirectResponse(f"/attributions/{award_id}", status_code=303)
    process_of(request).limiter.hit("unknown code", client_network(request))
    return page(
        request,
        "verification/form.html",
        status=404,
        private=True,
        link=f"{services.addresses.host}/v/{signs[:40]}",
        text="",
        error=translated(
            N_(
                "Aucun badge n’a cette adresse. Relisez les douze signes qui suivent « /v/ » : un seul mal lu suffit."
            )
        ),
        a=None,
        kind="",
        near=[(each.code, each.record) for each in services.batch_verification.near(signs)],
    )


sitemap_router = APIRouter()
_MOST: Final = 50_000
"""URLs in one sitemap (sitemaps.org); the newest badges come first."""
_PAGES: Final = ("", "/verifier", "/lire-un-badge", "/aide")
_CLOSED: Final = ("/gestion", "/mes-badges", "/recevoir", "/connexion", "/compte", "/api")


@sitemap_router.get("/robots.txt")
@public
def robots(services: ReadingServices) -> Response:
    """Badge pages are not disallowed: a crawler that cannot read them would miss their noindex."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED)]
    return Response(
        "\n".join([*lines, f"Sitemap: {services.addresses.base_url}/sitemap.xml", ""]),
        media_type="text/plain; charset=utf-8",
    )


@sitemap_router.get("/sitemap.xml")
@public
def sitemap(services: ReadingServices) -> Response:
    addresses = services.addresses
    found = [
        *(f"{addresses.base_url}{path}" for path in _PAGES),
        *(addresses.campus(campus.slug) for campus in services.campuses.list_all()),
        *(addresses.portfolio(each) for each in services.portfolios.found_by_search(limit=_MOST // 2)),
        *(addresses.award(each) for each in services.awards.found_by_search(limit=_MOST)),
    ]
    listed = Markup("").join(Markup("<url><loc>{}</loc></url>").format(each) for each in found[:_MOST])
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    )
    return Response(
        f"{body}{listed}</urlset>\n",
        media_type="application/xml",
        headers={"Cache-Control": "public, max-age=60"},
    )
