"""The public view of an open portfolio: page, card, and embeddable frame."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.http.pages.render import page
from app.http.pages.words import StateLabel, day, listing, sentence_text
from app.http.request_scope import ReadingServices, public, sentence_of
from app.http.security_headers import as_private, framed_anywhere
from app.language import filled, speaking, translated, translated_plural
from app.services.awards.papers import CardWords
from app.services.badges import kind_words, picture_words
from app.services.frameworks import Mastered
from app.services.learners.portfolios import PieceOf, PortfolioPage, ShutPortfolio
from app.services.verification.verdicts import HeadlineKind, headline, issuer_named
from app.web.learners.my_badges import in_portfolio
from app.web.trust.endorsements import PeerShown, RecommendationShown, peer_shown, recommendations


@dataclass(frozen=True)
class BadgeInPortfolio:
    """`state` is the answer of the badge's own page, verified now."""

    id: str
    title: str
    language: str
    url: str
    short: str
    picture: str
    picture_words: str
    kind: str
    campus: str
    when: str
    state: StateLabel
    counts: bool
    description: str
    activity: str
    """Where its holder shows it."""
    hours: float | None
    quotes: Sequence[RecommendationShown]
    peers: Sequence[PeerShown]


@dataclass(frozen=True)
class SectionShown:
    title: str
    badges: Sequence[BadgeInPortfolio]


@dataclass(frozen=True)
class CompetencyShown:
    """`level` as text, empty where no badge has one; `hours` None where none are recorded."""

    statement: str
    framework: str
    level: str
    rank: int
    levels: Sequence[str]
    badges: Sequence[tuple[str, str]]
    hours: float | None


@dataclass(frozen=True)
class PortfolioShown:
    name: str
    line: str
    sections: Sequence[SectionShown]
    competencies: Sequence[CompetencyShown]
    when: str
    url: str
    layout: str
    quotes: Sequence[tuple[str, RecommendationShown]]
    """Title of the badge, and what an organisation wrote; each once."""
    peers: Sequence[tuple[str, PeerShown]]
    """The same for people who worked with the owner."""

    @property
    def badges(self) -> list[BadgeInPortfolio]:
        return list({each.id: each for section in self.sections for each in section.badges}.values())


def portfolio_shown(services: Services, page: PortfolioPage) -> PortfolioShown:
    badges = {each.piece.id: badge_shown(services, each) for each in page.pieces}
    counted = [each.record for each in page.pieces if badges[each.piece.id].counts]
    return PortfolioShown(
        name=page.name,
        line=page.portfolio.line,
        sections=[
            SectionShown(section.title, [badges[each.piece.id] for each in section.pieces])
            for section in page.sections
        ],
        competencies=[_competency(services, each) for each in services.portfolios.overview(counted)],
        when=day(services.clock()),
        url=services.addresses.portfolio(page.portfolio.id),
        layout=page.portfolio.layout,
        quotes=list(
            {
                each.id: (badge.title, each)
                for badge in badges.values()
                for each in badge.quotes
                if each.lines
            }.values()
        )[:_MOST_QUOTES],
        peers=[(badge.title, each) for badge in badges.values() for each in badge.peers][:_MOST_QUOTES],
    )


def badge_shown(services: Services, piece: PieceOf) -> BadgeInPortfolio:
    record = piece.record
    zone = record.campus.time_zone
    answer = services.verification.verify_award(record)
    head = headline(answer)
    competencies = services.badges.competencies_of(record.version)
    return BadgeInPortfolio(
        id=str(piece.piece.id),
        title=record.version.name,
        language=record.version.language,
        url=services.addresses.award(record.award.id),
        short=services.addresses.short_in_print(record.award.id),
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=sentence_text(picture_words(record.campus, record.version, competencies)),
        kind=sentence_text(kind_words(record.campus, record.version, competencies)),
        campus=issuer_named(answer.report, record.campus),
        when=day(record.award.awarded_at, zone),
        state=StateLabel(sentence_text(head.heading, zone), head.state),
        counts=head.kind is HeadlineKind.VALID,
        description=record.version.description,
        activity=services.portfolios.shown_activity(record),
        hours=services.portfolios.shown_hours(record),
        quotes=recommendations(
            services.endorsements.about_award(record), zone, contact=record.campus.contact_email
        ),
        peers=[peer_shown(each, zone) for each in services.peer_recommendations.shown_about(record)],
    )


def _competency(services: Services, mastered: Mastered) -> CompetencyShown:
    levels, rank = mastered.competency.levels, mastered.level or 0
    return CompetencyShown(
        statement=mastered.competency.statement,
        framework=mastered.framework.name,
        level=levels[rank - 1] if 0 < rank <= len(levels) else "",
        rank=rank,
        levels=levels,
        badges=[(each.version.name, services.addresses.award(each.award.id)) for each in mastered.records],
        hours=mastered.hours,
    )


def title_of(shown: PortfolioShown) -> str:
    if shown.name:
        return filled(translated("Les badges de {name}"), {"name": shown.name})
    return translated("Un portfolio de badges")


_MOST_QUOTES = 6
router = APIRouter()
WIDTH, HEIGHT = 420, 420
_ONE_MINUTE = "public, max-age=60"
_IN_FRAME = 6
_NO_ROBOTS = "noindex, nofollow"


@dataclass(frozen=True)
class Share:
    """Content of a link preview: number of badges and origin, never the person, who may close the page
    later."""

    title: str
    description: str
    url: str
    card: str
    oembed: str


@router.get("/portfolio/{portfolio_id:uuid}")
@public
def show(portfolio_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Verifies each badge on every request."""
    try:
        opened = services.portfolios.open_page(portfolio_id)
    except ShutPortfolio:
        return _shut(request)
    answer = show_page(request, services, opened, share=_share(services, opened))
    return answer if opened.portfolio.is_findable else _kept_out(answer)


def _shut(request: Request, link: str = "") -> HTMLResponse:
    """`link`: what is wrong with the link for one reader that was opened."""
    return _kept_out(page(request, "learners/portfolios/shut.html", status=403, private=True, link=link))


@router.get("/portfolio/{portfolio_id:uuid}/pour/{link}")
@public
def show_to_one_reader(
    portfolio_id: uuid.UUID, link: str, request: Request, services: ReadingServices
) -> HTMLResponse:
    """By a link with an end, for one employer: the page may be closed to everyone else."""
    try:
        opened = services.portfolios.open_by_link(portfolio_id, link)
    except ShutPortfolio as error:
        return _shut(request, sentence_of(error))
    return _kept_out(as_private(show_page(request, services, opened, share=None)))


@router.get("/portfolio/{portfolio_id:uuid}/code.svg")
@public
def code(portfolio_id: uuid.UUID, services: ReadingServices) -> Response:
    services.portfolios.open_page(portfolio_id)
    drawn = services.papers.portfolio_code(portfolio_id, "svg")
    return Response(drawn.body, media_type=drawn.media_type, headers={"Cache-Control": _ONE_MINUTE})


@router.get("/portfolio/{portfolio_id:uuid}/carte.png")
@public
def card(portfolio_id: uuid.UUID, services: ReadingServices) -> Response:
    """In French, the default language: programs that unfold links send no language."""
    opened = services.portfolios.open_page(portfolio_id)
    with speaking("fr"):
        drawn = services.award_pictures.portfolio_card(
            [each.record for each in opened.pieces], _card_words(services, opened)
        )
    return Response(
        drawn,
        media_type="image/png",
        headers={"Cache-Control": _ONE_MINUTE, "Cross-Origin-Resource-Policy": "cross-origin"},
    )


@router.get("/portfolio/{portfolio_id:uuid}/integrer")
@public
def frame(portfolio_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """The first badges, verified on every request, as a frame for any site."""
    shown = portfolio_shown(services, services.portfolios.open_page(portfolio_id))
    return framed_anywhere(
        page(
            request,
            "learners/portfolios/frame.html",
            private=True,
            p=shown,
            title=title_of(shown),
            badges=shown.badges[:_IN_FRAME],
            more=max(0, len(shown.badges) - _IN_FRAME),
            host=services.addresses.host,
        )
    )


def show_page(
    request: Request, services: Services, opened: PortfolioPage, *, share: Share | None, preview: str = ""
) -> HTMLResponse:
    """`preview` is the URL its owner returns to, empty for everyone else."""
    return page(
        request,
        "learners/portfolios/show.html",
        private=not opened.portfolio.is_findable,
        share=share,
        preview=preview,
        **everything_shown(services, opened),
    )


def everything_shown(services: Services, opened: PortfolioPage) -> dict[str, Any]:
    """The view of `learners/portfolios/show.html`."""
    shown = portfolio_shown(services, opened)
    imported = in_portfolio(services, opened.portfolio.person_id, opened.portfolio.id)
    return {"p": shown, "title": title_of(shown), "elsewhere": imported}


def oembed_of(services: Services, portfolio_id: uuid.UUID) -> dict[str, Any]:
    """oEmbed 1.0, rich: what a site may embed for the URL."""
    opened = services.portfolios.open_page(portfolio_id)
    return {
        "version": "1.0",
        "type": "rich",
        "title": _share(services, opened).title,
        "provider_name": "Sceau",
        "provider_url": services.addresses.base_url,
        "cache_age": 60,
        "thumbnail_url": f"{services.addresses.portfolio(portfolio_id)}/carte.png",
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
        "html": frame_html(services, portfolio_id),
        "width": WIDTH,
        "height": HEIGHT,
    }


def frame_html(services: Services, portfolio_id: uuid.UUID) -> str:
    """One line of HTML to paste into a site, without any script."""
    address = escape(f"{services.addresses.portfolio(portfolio_id)}/integrer")
    title = escape(translated("Un portfolio de badges"))
    return (
        f'<iframe src="{address}" title="{title}" width="{WIDTH}" height="{HEIGHT}" '
        'loading="lazy" style="border:0;max-width:100%"></iframe>'
    )


def _share(services: Services, opened: PortfolioPage) -> Share:
    url = services.addresses.portfolio(opened.portfolio.id)
    return Share(
        title=_how_many(opened),
        description=translated("Chaque badge est vérifié quand la page s’ouvre."),
        url=url,
        card=f"{url}/carte.png",
        oembed=f"{services.addresses.base_url}/oembed?{urlencode({'url': url})}",
    )


def _how_many(opened: PortfolioPage) -> str:
    count = len(opened.pieces)
    return translated_plural(
        "Un portfolio de {n} badge vérifiable", "Un portfolio de {n} badges vérifiables", count
    ).format(n=count)


def _card_words(services: Services, opened: PortfolioPage) -> CardWords:
    campuses = list(dict.fromkeys(each.record.campus.short_name for each in opened.pieces))
    return CardWords(
        kind=translated("Portfolio"),
        title=_how_many(opened),
        campus=translated("Donnés par : {campuses}").format(campuses=listing(campuses)) if campuses else "",
        when=translated("Chaque badge est vérifié quand la page s’ouvre."),
        where=services.addresses.host,
    )


def _kept_out(answer: HTMLResponse) -> HTMLResponse:
    answer.headers["X-Robots-Tag"] = _NO_ROBOTS
    return answer
