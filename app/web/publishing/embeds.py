"""Embeds of an award page: link card, oEmbed, and a small frame.

All of them close together with the page.
"""

from __future__ import annotations

import uuid
from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.container import Services
from app.domain.publishing import Addresses
from app.errors import NotFound
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import day, sentence_text
from app.http.policies import public
from app.http.request_scope import ReadingServices, limited
from app.http.security_headers import framed_anywhere
from app.http.workplaces import look_of
from app.language import N_, speaking
from app.services.awards.awards import AwardRecord
from app.services.awards.papers import CardWords
from app.services.badges import kind_words
from app.web.learners.portfolios import oembed_of
from app.web.verification.verification_page import shown

router = APIRouter()
WIDTH, HEIGHT = 420, 260
_ONE_MINUTE = "public, max-age=60"


@router.get("/attributions/{award_id:uuid}/carte.png")
@public
def card(award_id: uuid.UUID, services: ReadingServices) -> Response:
    """In the badge's language: programs that unfold links send none."""
    record = services.publication.open_award(award_id)
    with speaking(record.version.language):
        drawn = services.award_pictures.card(record, _card_words(services, record))
    return Response(
        drawn,
        media_type="image/png",
        headers={"Cache-Control": _ONE_MINUTE, "Cross-Origin-Resource-Policy": "cross-origin"},
    )


@router.get("/attributions/{award_id:uuid}/code.svg")
@public
def code(award_id: uuid.UUID, services: ReadingServices) -> Response:
    """The QR code of the page, so that a screenshot leads to it too."""
    record = services.publication.open_award(award_id)
    drawn = services.papers.code(record, "svg")
    return Response(drawn.body, media_type=drawn.media_type, headers={"Cache-Control": _ONE_MINUTE})


@router.get("/attributions/{award_id:uuid}/integrer")
@public
def frame(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """A short verification, done on every request, as a frame for any site."""
    record = services.publication.open_award(award_id)
    view = shown(services, services.verification.verify_award(record))
    answer = page(
        request,
        "verification/frame.html",
        campus=look_of(record.campus),
        private=True,
        a=view,
        url=services.addresses.award(award_id),
        host=services.addresses.host,
    )
    return framed_anywhere(answer)


@router.get("/verifier/integrer")
@public
def checker_frame(request: Request) -> HTMLResponse:
    """The checker form for other sites; the result opens on our own page, where no other site can restyle
    it."""
    return framed_anywhere(page(request, "verification/verifier_frame.html"))


@router.get("/oembed", dependencies=[limited("verify")])
@public
def oembed(services: ReadingServices, url: str = "", format: str = "json") -> Response:
    """What a site may embed for the URL of an award or a portfolio (oEmbed 1.0, rich)."""
    portfolio_id = services.addresses.portfolio_named_by(url[:2000])
    if portfolio_id is not None and format == "json":
        return _embedded(oembed_of(services, portfolio_id))
    award_id = services.addresses.award_named_by(url[:2000])
    if award_id is None or format != "json":
        raise NotFound(N_("Il n’y a pas de badge à cette adresse."))
    record = services.publication.open_award(award_id)
    body: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "title": record.version.name,
        "author_name": record.campus.name,
        "author_url": services.addresses.campus(record.campus.slug),
        "provider_name": "Sceau",
        "provider_url": services.addresses.base_url,
        "cache_age": 60,
        "thumbnail_url": card_address(services, award_id),
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
        "html": frame_html(services, record),
        "width": WIDTH,
        "height": HEIGHT,
    }
    return _embedded(body)


def _embedded(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"Cache-Control": _ONE_MINUTE, "Access-Control-Allow-Origin": "*"})


def card_address(services: Services, award_id: uuid.UUID) -> str:
    return f"{services.addresses.award(award_id)}/carte.png"


def frame_html(services: Services, record: AwardRecord) -> str:
    """One line of HTML to paste into a site, without any script."""
    address = escape(f"{services.addresses.award(record.award.id)}/integrer")
    title = escape(translated(N_("Badge « {title} »")).format(title=record.version.name))
    return (
        f'<iframe src="{address}" title="{title}" width="{WIDTH}" height="{HEIGHT}" '
        'loading="lazy" style="border:0;max-width:100%"></iframe>'
    )


def checker_html(addresses: Addresses) -> tuple[str, str]:
    """The checker for other sites: as a frame without any script, and as a custom element."""
    title = escape(translated(N_("Vérifier un badge")))
    frame = (
        f'<iframe src="{escape(addresses.verifier())}/integrer" title="{title}" width="{WIDTH}" height="280" '
        'style="border:0;max-width:100%"></iframe>'
    )
    script = f"{escape(addresses.base_url)}/static/js/sceau-verifier.js"
    return frame, f'<script src="{script}"></script> <sceau-verifier title="{title}"></sceau-verifier>'


def structured(services: Services, record: AwardRecord, title: str, description: str) -> dict[str, Any]:
    """schema.org data for search engines: badge and issuer, without any personal name."""
    campus, version = record.campus, record.version
    return {
        "@context": "https://schema.org",
        "@type": "EducationalOccupationalCredential",
        "name": title,
        "description": description,
        "inLanguage": version.language,
        "credentialCategory": translated(N_("Badge ouvert")),
        "url": services.addresses.award(record.award.id),
        "image": services.addresses.picture(record.badge.id, version.number, "png"),
        "recognizedBy": {
            "@type": "Organization",
            "name": translated(N_("Campus {name}")).format(name=campus.name),
            "url": services.addresses.campus(campus.slug),
        },
    }


def _card_words(services: Services, record: AwardRecord) -> CardWords:
    competencies = services.badges.competencies_of(record.version)
    return CardWords(
        kind=sentence_text(kind_words(record.campus, record.version, competencies)),
        title=record.version.name,
        campus=translated(N_("Campus {name}")).format(name=record.campus.name),
        when=day(record.award.awarded_at, record.campus.time_zone),
        where=translated(N_("Vérifier : {address}")).format(
            address=services.addresses.short_in_print(record.award.id)
        ),
    )
