"""Short information pages, linked from every footer, and the pictures of link previews."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from markupsafe import Markup

from app.container import Process, Services
from app.domain.core import NOT_IN_XML
from app.errors import NotFound
from app.http.pages.previews import card_of
from app.http.pages.render import COOKIE as LANGUAGE_COOKIE
from app.http.pages.render import page
from app.http.problems import REMEDIES, TITLES
from app.http.request_scope import (
    ReadingServices,
    client_network,
    limited,
    process_of,
    public,
    session_cookie,
)
from app.http.response_cache import badges_cookie
from app.http.static_files import asset
from app.language import current_locale, translated, translated_plural
from app.web.accounts.sign_in import WANTED_COOKIE, asking_cookie
from app.web.accounts.signing_in_again import kept_form_cookie
from app.web.activities.phones import phone_cookie, remembered_cookie
from app.web.campus.dashboard import LAST_CAMPUS
from app.web.campus.lti import launch_cookie, login_cookie
from app.web.publishing.award_page import checker_html
from sceau_credentials.values import format_timestamp

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


@router.get("/problemes")
@public
def problems_page(request: Request) -> HTMLResponse:
    """Where the `type` of each problem document leads: for authors of programs."""
    rows = [(status, translated(title), translated(REMEDIES[status])) for status, title in TITLES.items()]
    return page(request, "campus/info/problems.html", rows=rows)


@router.get("/aide/api")
@public
def api_page(request: Request) -> HTMLResponse:
    """The operations of the API, to read without any script and without another server."""
    return page(request, "campus/info/api.html", tags=_tags_of(request.app.openapi()))


@router.get("/aide/api/{subject}")
@public
def api_subject_page(
    request: Request, subject: Annotated[str, Path(max_length=60, pattern="^[a-z0-9-]+$")]
) -> HTMLResponse:
    """One page for each subject: the whole description would weigh four times as much as a page may."""
    for tag in _tags_of(request.app.openapi()):
        if tag["anchor"] == subject:
            return page(request, "campus/info/api_subject.html", tag=tag)
    raise NotFound("Cette page n’existe pas.")


def _tags_of(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    schemas = description["components"]["schemas"]
    by_tag: dict[str, list[dict[str, Any]]] = {each["name"]: [] for each in description["tags"]}
    for path, operations in description["paths"].items():
        for method, each in operations.items():
            sent = each.get("requestBody", {})
            good = [(status, answer) for status, answer in each["responses"].items() if status[0] == "2"]
            samples = [("Request", sent)] + [(f"Answer {status}", answer) for status, answer in good]
            by_tag[each["tags"][0]].append(
                {
                    "method": method.upper(),
                    "path": path,
                    "operation_id": each["operationId"],
                    "summary": each["summary"],
                    "paragraphs": each["description"].split("\n\n"),
                    "parameters": [
                        (given["name"], given["in"], given.get("description", ""))
                        for given in each.get("parameters", ())
                    ],
                    "samples": [
                        (title, text)
                        for title, part in samples
                        if (text := _sample(part.get("content", {}), schemas)) is not None
                    ],
                }
            )
    return [
        {
            **each,
            "anchor": each["name"].lower().replace(" ", "-").replace(".", "-"),
            "operations": by_tag[each["name"]],
        }
        for each in description["tags"]
    ]


def _sample(content: Mapping[str, Any], schemas: Mapping[str, Any]) -> str | None:
    """The example of the first form, or of its schema."""
    for media in content.values():
        schema = media["schema"]
        is_list = schema.get("type") == "array"
        named = (schema["items"] if is_list else schema).get("$ref", "").rpartition("/")[2]
        own = [media["example"]] if "example" in media else schema.get("examples", ())
        value = own[0] if own else schemas.get(named, {}).get("example")
        if value is not None:
            shown = [value] if is_list and not own else value
            return value if isinstance(value, str) else json.dumps(shown, ensure_ascii=False, indent=1)
    return None


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
        (asking_cookie(process), translated("Le navigateur où vous demandez à entrer, pour que le lien n’ouvre que là, une heure")),
        (WANTED_COOKIE, translated("La page où vous alliez quand il a fallu vous connecter, une heure")),
        (kept_form_cookie(process), translated("Ce qui retrouve un formulaire envoyé quand votre session était terminée, deux heures")),
        (badges_cookie(process), translated("Les badges que vous avez ouverts par leur lien privé, un jour")),
        (login_cookie(process), translated("Le navigateur qu’une plateforme de cours envoie ici, dix minutes")),
        (launch_cookie(process), translated("Le cours d’où vous venez, deux heures")),
        (phone_cookie(process), translated("Le téléphone avec lequel vous avez signé une présence, pour qu’il ne signe qu’une fois, un jour")),
        (remembered_cookie(process), translated("Le téléphone qui vous reconnaît pour signer une présence, si vous l’avez voulu, six mois")),
        (LAST_CAMPUS, translated("Le campus où vous travailliez la dernière fois, six mois")),
        (LANGUAGE_COOKIE, translated("La langue que vous avez choisie, un an")),
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
        publisher=process_of(request).settings.publisher,
        contact=contact_of(request),
    )


def contact_of(request: Request) -> str:
    """Contact of the operator; empty when not configured."""
    return process_of(request).settings.contact


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
            "Aucun badge n’a cette adresse. Relisez les douze signes qui suivent « /v/ » : un seul mal lu suffit."
        ),
        a=None,
        kind="",
        near=[(each.code, each.record) for each in services.batch_verification.near(signs)],
    )


sitemap_router = APIRouter()
_MOST: Final = 50_000
"""URLs in one sitemap (sitemaps.org); the newest badges come first."""
_PAGES: Final = (
    "/", "/badges", "/competences", "/parcours", "/metiers", "/activites", "/campus", "/reseaux", "/labels", "/classements", "/verifier",
    "/lire-un-badge", "/aide", "/aide/formation", "/aide/administration", "/donnees-personnelles", "/accessibilite", "/mentions-legales",
)  # fmt: skip
_SITEMAPS: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_CLOSED: Final = (
    "/gestion", "/mes-badges", "/demandes-de-badge", "/presentations", "/recevoir", "/connexion", "/compte", "/api",
)  # fmt: skip


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
    """Every public page; an index of parts once they are too many for one file."""
    counts = {name: count(services) for name, (count, _) in _SITEMAP_PARTS.items()}
    if sum(counts.values()) + len(_PAGES) <= _MOST:
        return _sitemap_of([url for name in _SITEMAP_PARTS for url in _sitemap_part(services, name, 1)])
    base = services.addresses.base_url
    parts = [
        f"{base}/sitemap/{name}-{number}.xml"
        for name, count in counts.items()
        for number in range(1, -(-count // _MOST) + 1)
    ]
    listed = Markup("").join(Markup("<sitemap><loc>{}</loc></sitemap>").format(each) for each in parts)
    return _xml(f'<sitemapindex xmlns="{_SITEMAPS}">{listed}</sitemapindex>', "application/xml")


@sitemap_router.get("/sitemap/{name}-{number}.xml")
@public
def sitemap_part(
    name: str, number: Annotated[int, Path(ge=1, le=1000)], services: ReadingServices
) -> Response:
    if name not in _SITEMAP_PARTS:
        raise NotFound("Cette page n’existe pas.")
    return _sitemap_of(_sitemap_part(services, name, number))


def _of_institutions(services: Services) -> list[str]:
    """Pages of networks, their labels and definitions, and what each campus attests."""
    base, networks = services.addresses.base_url, services.register.networks()
    campuses = [each for each in services.campuses.list_all() if each.suspended_at is None]
    labels = [
        each.label
        for campus in campuses
        for each in services.campuses.labels_of(campus, on=campus.day_of(services.clock()))
    ]
    return [
        *(
            f"{base}/reseau/{each.slug}{part}"
            for each in networks
            for part in ("", "/definitions", "/rapport")
        ),
        *(f"{base}/labels/{each.id}" for each in labels),
        *(f"{base}/campus/{each.slug}{part}" for each in campuses for part in ("/atteste", "/journal")),
    ]


def _sitemap_part(services: Services, name: str, number: int) -> list[str]:
    base = services.addresses.base_url
    found = _SITEMAP_PARTS[name][1](services, (number - 1) * _MOST)
    return [*(f"{base}{path}" for path in _PAGES if name == "catalogue" and number == 1), *found]


_SITEMAP_PARTS: Final[
    Mapping[str, tuple[Callable[[Services], int], Callable[[Services, int], Iterable[str]]]]
] = {
    "catalogue": (
        lambda services: services.catalogue.count(),
        lambda services, start: (
            services.addresses.base_url + path for path in services.catalogue.paths(limit=_MOST, start=start)
        ),
    ),
    "institutions": (
        lambda services: len(_of_institutions(services)),
        lambda services, start: _of_institutions(services)[start : start + _MOST],
    ),
    "portfolios": (
        lambda services: services.portfolios.count_found_by_search(),
        lambda services, start: map(
            services.addresses.portfolio, services.portfolios.found_by_search(limit=_MOST, start=start)
        ),
    ),
    "badges": (
        lambda services: services.awards.count_found_by_search(),
        lambda services, start: map(
            services.addresses.award, services.awards.found_by_search(limit=_MOST, start=start)
        ),
    ),
}


def _sitemap_of(urls: Sequence[str]) -> Response:
    listed = Markup("").join(Markup("<url><loc>{}</loc></url>").format(each) for each in urls)
    return _xml(f'<urlset xmlns="{_SITEMAPS}">{listed}</urlset>', "application/xml")


@sitemap_router.get("/nouveautes.atom")
@public
def new_badges_and_activities(services: ReadingServices) -> Response:
    """Atom feed of what campuses published last."""
    base, language = services.addresses.base_url, current_locale()
    newest = services.catalogue.newest()
    entries = [
        Markup(
            '<entry><id>{url}</id><title>{title}</title><link href="{url}"/><updated>{at}</updated>'
            "<author><name>{campus}</name></author><summary>{summary}</summary></entry>"
        ).format(
            url=f"{base}{entry.path}",
            title=entry.title,
            at=format_timestamp(at),
            campus=campus.name,
            summary=entry.summary,
        )
        for entry, campus, at in newest
    ]
    updated = max((at for *_, at in newest), default=services.clock())
    title = Markup("{}").format(translated("Sceau : nouveaux badges et activités"))
    body = (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}"><id>{base}/</id><title>{title}</title>'
        f'<link rel="self" href="{base}/nouveautes.atom"/><link href="{base}/badges"/>'
        f"<updated>{format_timestamp(updated)}</updated>{Markup('').join(entries)}</feed>"
    )
    return _xml(body, "application/atom+xml")


def _xml(body: str, media_type: str) -> Response:
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{NOT_IN_XML.sub("", body)}\n',
        media_type=media_type,
        headers={"Cache-Control": "public, max-age=60"},
    )


@sitemap_router.get("/favicon.ico")
@public
def favicon() -> Response:
    return RedirectResponse(asset("favicon.ico"), status_code=302)


@sitemap_router.get("/apple-touch-icon.png")
@public
def touch_icon() -> Response:
    return RedirectResponse(asset("touch-icon.png"), status_code=302)


@sitemap_router.get("/site.webmanifest")
@public
def web_manifest() -> Response:
    icons = [
        {"src": asset(f"icon-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png"}
        for side in (192, 512)
    ]
    manifest = {
        "name": "Sceau",
        "short_name": "Sceau",
        "lang": "fr",
        "start_url": "/mes-badges",
        "display": "browser",
        "background_color": "#ffffff",
        "theme_color": "#18222a",
        "icons": icons,
    }
    return JSONResponse(
        manifest, media_type="application/manifest+json", headers={"Cache-Control": "public, max-age=3600"}
    )


previews_router = APIRouter(include_in_schema=False)
_FOR_EVER = "public, max-age=31536000, immutable"


@previews_router.get("/cartes/{kind}/{key}/{digest}.png")
@public
def picture(kind: str, key: str, digest: str, services: ReadingServices) -> Response:
    """An older address leads to the picture of today, and draws nothing."""
    card = card_of(services, kind, key)
    if digest != card.digest:
        return RedirectResponse(f"/cartes/{kind}/{key}/{card.digest}.png", status_code=303)
    badge = None
    if card.badge is not None:
        found = services.publication.badge(*card.badge)
        badge = (found.campus, found.version)
    look = None if card.hue is None or card.liveliness is None else (card.hue, card.liveliness)
    drawn = services.award_pictures.public_card(card.words, emblem=card.emblem, look=look, badge=badge)
    return Response(
        drawn,
        media_type="image/png",
        headers={"Cache-Control": _FOR_EVER, "Cross-Origin-Resource-Policy": "cross-origin"},
    )
