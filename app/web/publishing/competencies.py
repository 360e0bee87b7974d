"""Competencies and trades for everybody: a page each, and the booklet of a campus on paper too."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.campus.campus import CampusColours
from app.domain.core import plain_text
from app.domain.frameworks import Competency, PublicFramework
from app.errors import NotFound
from app.http.negotiation import ForPeople
from app.http.pages.previews import competency_data, preview
from app.http.pages.render import page
from app.http.pages.words import day
from app.http.request_scope import ReadingServices, public
from app.http.workplaces import look_of, today_in
from app.language import current_locale, translated
from app.services.frameworks.importing import Standing
from app.services.frameworks.trades import Booklet, Related
from app.services.publishing.catalogue import PublicCompetency
from app.web.badges import shared_by_network
from app.web.publishing.catalogue import Card, card_of

CampusSlug = Annotated[str, Path(pattern="^[a-z0-9-]{1,60}$")]

router = APIRouter(include_in_schema=False)
version_router = APIRouter(include_in_schema=False, route_class=ForPeople)


@router.get("/competences/{competency_id:uuid}")
@public
def show_competency(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.catalogue.competency(competency_id)
    return _page(request, services, found, found.competency)


@version_router.get("/competences/{competency_id:uuid}/v{number}")
@public
def show_version(
    competency_id: uuid.UUID,
    number: Annotated[int, Path(ge=1, le=100_000)],
    request: Request,
    services: ReadingServices,
) -> HTMLResponse:
    """Also of an archived competency: badges given before still refer to it."""
    _writer, shown = services.frameworks.published_version(competency_id, number)
    found = services.catalogue.competency(competency_id, archived=True)
    return _page(request, services, found, shown, version=number)


def _page(
    request: Request, services: Services, found: PublicCompetency, shown: Competency, version: int = 0
) -> HTMLResponse:
    campuses = {found.campus.id: found.campus}
    badges: dict[int, list[Card]] = {}
    for entry, level in found.badges:
        badges.setdefault(level or 0, []).append(card_of(entry, campuses))
    rubric = [*shown.rubric, *[""] * len(shown.levels)]
    differs = version and (shown.statement, shown.levels, shown.rubric) != (
        found.competency.statement,
        found.competency.levels,
        found.competency.rubric,
    )
    return page(
        request,
        "frameworks/competency.html",
        campus=look_of(found.campus),
        wide=True,
        found=found,
        shown=shown,
        version=version,
        differs=differs,
        levels=[
            (rank, name, rubric[rank - 1], badges.get(rank, []))
            for rank, name in enumerate(shown.levels, start=1)
        ],
        badges=badges.get(0, []),
        activities=[card_of(entry, campuses) for entry in found.activities],
        pathways=[
            (each.title, each.path)
            for each in services.catalogue.pathways_with(
                [found.competency.id, *(entry.subject_id for entry, _ in found.badges)]
            )
        ],
        relations=_relations_shown(services, found),
        shared=shared_by_network(
            services.shared_definitions.about_competencies([found.competency.id]).get(found.competency.id)
        ),
        link_preview=preview(
            services,
            f"/competences/{found.competency.id}" + (f"/v{version}" if version else ""),
            shown.statement,
            found.framework.name,
            entry=services.catalogue.find(found.competency.id),
            campus=found.campus,
            structured=competency_data(
                services, found.competency.id, shown.statement, shown.code, found.framework.name
            ),
        ),
    )


@dataclass(frozen=True)
class RelatedShown:
    code: str
    label: str
    domain: str
    state: str
    href: str
    by: str


def _shown(each: Related) -> RelatedShown:
    standing, alignment = each.standing, each.alignment
    is_trade = alignment.framework is PublicFramework.ROME
    return RelatedShown(
        "" if alignment.framework is PublicFramework.ESCO else alignment.code,
        alignment.name if alignment.name != alignment.code else standing.label_now or alignment.code,
        each.domain,
        _state(standing),
        f"/metiers/{alignment.code}" if is_trade else alignment.url,
        each.by_badge,
    )


def _state(standing: Standing) -> str:
    """« Fiche éteinte le …, remplacée par … », or the label of today."""
    if standing.ended_on:
        ended = translated("fiche éteinte le {day}").format(day=day(standing.ended_on))
        if not standing.successors:
            return ended
        names = ", ".join(code for code, _label in standing.successors)
        return translated("{ended}, remplacée par {names}").format(ended=ended, names=names)
    if standing.label_now and standing.alignment.name != standing.alignment.code:
        return translated("aujourd’hui : « {label} »").format(label=standing.label_now)
    return ""


def _relations_shown(services: Services, found: PublicCompetency) -> dict[str, list[RelatedShown]]:
    relations = services.trades.relations_of(found.competency.id)
    return {
        "trades": [_shown(each) for each in relations.trades],
        "skills": [_shown(each) for each in relations.skills],
        "certifications": [_shown(each) for each in relations.certifications],
    }


@router.get("/metiers")
@public
def list_trades(request: Request, services: ReadingServices) -> HTMLResponse:
    return page(
        request,
        "frameworks/trades.html",
        domains=[
            (
                domain,
                [
                    (each.alignment.code, each.item.statement if each.item else each.alignment.code, count)
                    for each, count in trades
                ],
            )
            for domain, trades in services.trades.trades()
        ],
    )


@router.get("/metiers/{code}")
@public
def show_trade(
    code: Annotated[str, Path(max_length=10)],
    request: Request,
    services: ReadingServices,
    campus: Annotated[str, Query(max_length=60)] = "",
    reseau: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    found = services.trades.trade(code, campus=campus, network=reseau)
    cards = {each.id: each for each in services.catalogue.campuses.list_all()}
    item = found.standing.item
    return page(
        request,
        "frameworks/trade.html",
        code=code,
        label=item.statement if item else code,
        domain=found.domain,
        state=_state(found.standing),
        others=found.other_labels[:12],
        leading=[
            (each, [(card_of(entry, cards), level) for entry, level in each.badges]) for each in found.leading
        ],
        missing=found.missing,
        badges=[card_of(entry, cards) for entry in found.badges],
        campuses=[("", translated("Tous les campus"))]
        + [(each.slug, each.short_name) for each in cards.values() if each.suspended_at is None],
        networks=[("", translated("Tous les réseaux"))]
        + [(each.slug, each.name) for each in services.trades.networks.networks()],
        campus_slug=campus,
        network=reseau,
        source=found.standing.alignment.url,
        version=found.standing.framework.version if found.standing.framework else "",
    )


@router.get("/campus/{slug}/livret")
@public
def show_booklet(
    slug: CampusSlug,
    request: Request,
    services: ReadingServices,
    referentiel: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    booklet = _booklet(services, slug, referentiel)
    return page(
        request,
        "frameworks/booklet.html",
        campus=look_of(booklet.campus),
        wide=True,
        booklet=booklet,
        trades=[(_shown(each.related), each) for each in booklet.trades],
        slug=slug,
    )


@router.get("/campus/{slug}/livret.pdf")
@public
def print_booklet(
    slug: CampusSlug, services: ReadingServices, referentiel: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    booklet = _booklet(services, slug, referentiel)
    address = f"{services.addresses.base_url}/campus/{slug}/livret"
    if booklet.framework != booklet.frameworks[0]:
        address += f"?referentiel={quote(booklet.framework.code)}"
    values = _printed(booklet, address, day(today_in(services, booklet.campus)))
    published = services.papers.printed("booklet", values, code=address)
    headers = {"Content-Disposition": f'inline; filename="livret-{slug}.pdf"', "Cache-Control": "no-cache"}
    return Response(published.body, media_type=published.media_type, headers=headers)


def _booklet(services: Services, slug: str, code: str) -> Booklet:
    campus = services.campuses.get(slug)
    if campus.suspended_at is not None:
        raise NotFound("Ce campus n’existe pas ici.")
    return services.trades.booklet(campus, code)


_COLUMNS = 8
"""Trades side by side on an A4 page."""


def _printed(booklet: Booklet, address: str, today: str) -> dict[str, Any]:
    shown = [(_shown(each.related), each) for each in booklet.trades]
    groups = [shown[start : start + _COLUMNS] for start in range(0, len(shown), _COLUMNS)]
    rubrics = {each.id: [*each.rubric, *[""] * len(each.levels)] for each in booklet.competencies}
    return {
        "title": translated("Livret des compétences et des métiers"),
        "author": booklet.campus.name,
        "lang": current_locale(),
        "accent": CampusColours.of(booklet.campus.hue, booklet.campus.liveliness).accent,
        "made": translated("Édité le {day}").format(day=today),
        "intro": translated(
            "Ce livret dit quelles compétences servent à quels métiers, et quels badges les attestent."
        ),
        "plate": address.partition("://")[2],
        "code-words": translated("Code QR qui ouvre le livret"),
        "online": translated("Le livret à jour, avec les badges :"),
        "campus": translated("Campus {name}").format(name=booklet.campus.name),
        "framework": booklet.framework.name,
        "description": booklet.framework.description,
        "matrix": translated("Quelles compétences pour quels métiers"),
        "competency": translated("Compétence"),
        "yes": translated("oui"),
        "tables": [
            {
                "heads": [f"{each.code} {each.label}" for each, _ in group],
                "rows": [
                    [
                        f"{competency.code} {competency.statement}",
                        [booklet.serves(competency, trade) for _, trade in group],
                    ]
                    for competency in booklet.competencies
                ],
            }
            for group in groups
        ],
        "competencies-title": translated("Les compétences, niveau par niveau"),
        "competencies": [
            {
                "code": each.code,
                "statement": each.statement,
                "description": each.description,
                "levels": [
                    [name, rubrics[each.id][rank - 1]] for rank, name in enumerate(each.levels, start=1)
                ],
                "badges": sorted(
                    {entry.title for entry, _level in booklet.badges.get(each.id, ())}, key=plain_text
                ),
                "certifications": [
                    f"{one.code} {one.label}".strip() + (f" ({one.state})" if one.state else "")
                    for one in map(_shown, booklet.certifications.get(each.id, ()))
                ],
            }
            for each in booklet.competencies
        ],
        "badges": translated("Badges qui l’attestent"),
        "certifications": translated("En lien avec"),
        "no-badge": translated("Aucun badge ne l’atteste encore."),
        "trades-title": translated("Les métiers"),
        "trades": [
            {
                "name": f"{each.code} {each.label}",
                "domain": each.domain,
                "state": each.state,
                "competencies": [f"{one.code} {one.statement}" for one in trade.competencies],
            }
            for each, trade in shown
        ],
        "foot": translated(
            "Source des métiers : ROME 4.0, France Travail. Un badge ne donne ni un métier ni une certification."
        ),
    }
