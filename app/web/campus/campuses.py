"""Public pages of a campus: identity, label, recognitions, signing keys, and what its badges attest."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.badges import Badge, BadgeKind, BadgeVersion
from app.domain.campus.campus import Campus, CampusColours, KeyPurpose, KeyState, Network, SealedKey
from app.domain.core import plain_text
from app.domain.publishing.catalogue import CatalogueEntry, EntryKind
from app.http.negotiation import ForPeople
from app.http.pages.maps import MapShown, map_of
from app.http.pages.previews import Preview, campus_data, preview, service_data
from app.http.pages.render import CampusLook, page
from app.http.pages.words import (
    BADGE_KINDS,
    KEY_STATES,
    KIND_NAMES,
    StateLabel,
    day,
    holders_words,
    number,
    short_month,
    stages_words,
)
from app.http.request_scope import ReadingServices, process_of, public, visit
from app.http.workplaces import look_of
from app.language import N_, translated
from app.services.campus import CampusPage
from app.services.verification.verdicts import claims_of
from app.web.badges.rules import pieces_of
from app.web.trust.endorsements import RecommendationShown, recommendations
from app.web.trust.issuers import IssuerShown, campus_issuer
from sceau_credentials.values import parse_json_object

router = APIRouter(route_class=ForPeople)
_MOST_BADGES = 12


@dataclass(frozen=True)
class Card:
    """One badge of a gallery."""

    title: str
    language: str
    path: str
    lines: Sequence[str]
    picture: str
    next_day: str = ""


@dataclass(frozen=True)
class CompetencyLine:
    """`anchor` is the target of badge alignments."""

    anchor: str
    code: str
    statement: str
    levels: Sequence[str]
    url: str
    """Its own page; empty once archived."""


@dataclass(frozen=True)
class FrameworkShown:
    name: str
    description: str
    competencies: Sequence[CompetencyLine]


@dataclass(frozen=True)
class KeyLine:
    fingerprint: str
    algorithm: str
    since: str
    until: str
    state: StateLabel


@dataclass(frozen=True)
class Coming:
    """An announced activity; `day` and `month` are large and repeat a part of `when`."""

    title: str
    path: str
    day: str
    month: str
    when: str


@dataclass(frozen=True)
class CampusShown:
    slug: str
    short: str
    issuer: IssuerShown
    sector: str
    site: str
    networks: Sequence[Network]
    badges: Sequence[Card]
    more_badges: int
    """Those that the catalogue has and this page does not show."""
    frameworks: Sequence[FrameworkShown]
    keys: Sequence[KeyLine]
    did_url: str
    recommendations: Sequence[RecommendationShown]
    map: MapShown | None
    gallery: Sequence[tuple[str, str, int, int]]
    activities: Sequence[Coming]
    pathways: Sequence[Card]
    figures: Sequence[tuple[str, str]]


@router.get("/campus/{slug}")
@public
def show_campus(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.campuses.page(slug)
    campus = found.campus
    return page(
        request,
        "campus/show.html",
        campus=look_of(campus),
        c=campus_shown(services, found, most=_MOST_BADGES),
        has_booklet=services.trades.leads_to_trades(
            each.id for each, _ in found.competencies if each.archived_at is None
        ),
        link_preview=preview(
            services,
            f"/campus/{campus.slug}",
            campus.name,
            campus.description or campus.name,
            entry=services.catalogue.find(campus.id),
            campus=campus,
            structured=campus_data(services, campus, found.networks),
        ),
    )


def campus_shown(services: Services, found: CampusPage, *, most: int | None = None) -> CampusShown:
    """With at most so many badges; all of them where no catalogue has the others."""
    campus = found.campus
    coming = [_coming(entry) for entry in services.catalogue.activities_of(campus) if entry.starts_on]
    derived = services.catalogue.entries_of(campus)
    return CampusShown(
        slug=campus.slug,
        short=campus.short_name,
        issuer=campus_issuer(services, campus),
        sector=campus.sector,
        site=campus.site,
        map=map_of([campus]),
        gallery=[
            (f"/campus/{campus.slug}/images/{each.id}", each.alternative, each.width, each.height)
            for each in services.campus_pictures.list_of(campus)
        ],
        networks=found.networks,
        badges=_cards(derived, found)[:most],
        more_badges=max(len(found.badges) - most, 0) if most is not None else 0,
        frameworks=_frameworks(found),
        keys=_keys(services, campus),
        did_url=f"/campus/{campus.slug}/did.json",
        recommendations=recommendations(
            services.endorsements.about_campus(campus), campus.time_zone, contact=campus.contact_email
        ),
        activities=coming,
        pathways=_pathways(derived.values()),
        figures=_figures(found, len(coming)),
    )


def _coming(entry: CatalogueEntry) -> Coming:
    starts = entry.starts_on
    assert starts is not None
    when = ", ".join(filter(None, (day(starts), entry.place)))
    return Coming(entry.title, entry.path, str(starts.day), short_month(starts), when)


def _figures(found: CampusPage, coming: int) -> list[tuple[str, str]]:
    """What stands on the page, counted."""
    competencies = sum(competency.archived_at is None for competency, _ in found.competencies)
    counted = (
        (N_("Badges"), len(found.badges)),
        (N_("Compétences"), competencies),
        (N_("Activités à venir"), coming),
    )
    return [(translated(name), number(count)) for name, count in counted if count]


def _keys(services: Services, campus: Campus) -> list[KeyLine]:
    every = services.campuses.keys()
    return [_key(key, campus) for key, owner in every if owner.id == campus.id]


def _pathways(entries: Iterable[CatalogueEntry]) -> list[Card]:
    found = sorted(
        (each for each in entries if each.kind is EntryKind.PATHWAY), key=lambda each: plain_text(each.title)
    )
    return [Card(each.title, each.language, each.path, [stages_words(each.level or 0)], "") for each in found]


def _cards(derived: Mapping[uuid.UUID, CatalogueEntry], found: CampusPage) -> list[Card]:
    """The catalogue derives how many hold a badge, and its next activity; it may lag behind."""
    cards = []
    for badge, version in found.badges:
        entry = derived.get(badge.id)
        cards.append(
            Card(
                title=version.name,
                language=version.language,
                path=f"/badges/{badge.id}",
                lines=[
                    translated(BADGE_KINDS[version.kind]),
                    *([holders_words(entry.holders)] if entry is not None and entry.holders else ()),
                ],
                picture=f"/badges/{badge.id}/v{version.number}/image.svg",
                next_day=day(entry.starts_on) if entry is not None and entry.starts_on else "",
            )
        )
    return cards


def _frameworks(found: CampusPage) -> list[FrameworkShown]:
    shown: dict[str, FrameworkShown] = {}
    lines: dict[str, list[CompetencyLine]] = {}
    for competency, framework in found.competencies:
        into = lines.setdefault(framework.code, [])
        shown.setdefault(framework.code, FrameworkShown(framework.name, framework.description, into))
        anchor = f"{framework.code}-{competency.code}"
        url = "" if competency.archived_at else f"/competences/{competency.id}"
        into.append(CompetencyLine(anchor, competency.code, competency.statement, competency.levels, url))
    return list(shown.values())


def _key(key: SealedKey, campus: Campus) -> KeyLine:
    ended = key.revoked_at or key.retired_at
    return KeyLine(
        fingerprint=key.method_id.partition("#")[2],
        algorithm="Ed25519" if key.algorithm == "EdDSA" else key.algorithm,
        since=day(key.activated_at or key.created_at, campus.time_zone),
        until=day(ended, campus.time_zone) if ended else "",
        state=KEY_STATES[key.state],
    )


def render_campus_css(slug: str, hue: float, liveliness: float) -> str:
    """CSS of `[data-campus=slug]`; `paper` (certificate, projection) is always light, as in print."""
    light = _declarations(CampusColours.of(hue, liveliness))
    dark = _declarations(CampusColours.of(hue, liveliness, dark=True))
    return (
        f'[data-campus="{slug}"]{{{light}}}\n'
        f'@media screen and (prefers-color-scheme:dark){{[data-campus="{slug}"]:not(.paper){{{dark}}}}}\n'
    )


def _declarations(colours: CampusColours) -> str:
    return (
        f"--accent:{colours.accent};--accent-deep:{colours.accent_deep};"
        f"--accent-line:{colours.accent_line};--accent-tint:{colours.accent_tint}"
    )


@dataclass(frozen=True)
class Shape:
    """One badge shape and what it means to a reader before any text."""

    key: str
    name: str
    meaning: str


SHAPES = (
    Shape("appartenance", N_("Appartenance"), N_("Faire partie d’un lieu ou d’un groupe.")),
    Shape("participation", N_("Participation"), N_("Avoir été là : date et durée.")),
    Shape("engagement", N_("Engagement"), N_("Avoir tenu un rôle.")),
    Shape("savoir-etre", N_("Savoir-être"), N_("Une manière de faire, observée.")),
    Shape("competence", N_("Compétence"), N_("Savoir faire, jugé sur critères.")),
    Shape("realisation", N_("Réalisation"), N_("Une œuvre ou un projet mené à bien.")),
)


def home_page(
    request: Request,
    *,
    campuses: Sequence[CampusLook],
    example_url: str = "",
    cards: Sequence[Card] = (),
    badges: str = "",
    map: MapShown | None = None,
    link_preview: Preview | None = None,
) -> HTMLResponse:
    """`campuses` in display order; `example_url` is a public badge to show, or empty; `badges` how many there are."""
    return page(
        request,
        "campus/home.html",
        campuses=campuses,
        example_url=example_url,
        cards=cards,
        badges=badges,
        map=map,
        shapes=SHAPES,
        link_preview=link_preview,
    )


_SHOWN_AT_HOME = 8
_FOR_TEN_MINUTES = "public, max-age=600"
entrance_router = APIRouter(include_in_schema=False)


@entrance_router.get("/")
@public
def home(request: Request, services: ReadingServices) -> HTMLResponse:
    campuses = services.campuses.list_all()
    looks = [CampusLook(c.slug, c.short_name, c.name) for c in campuses]
    link_preview = preview(
        services,
        "/",
        translated("Ce que vous savez faire, attesté par votre campus"),
        translated(
            "Des badges signés par les Campus des métiers et des qualifications, que chacun peut vérifier sans compte."
        ),
        structured=service_data(services),
    )
    listed = {campus.id: campus for campus in campuses if campus.suspended_at is None}
    found = services.catalogue.by_turns(_SHOWN_AT_HOME)
    return home_page(
        request,
        campuses=looks,
        example_url=_example(request, services),
        cards=[_card_of(entry, listed[entry.campus_id]) for entry in found if entry.campus_id in listed],
        badges=number(services.catalogue.count(EntryKind.BADGE)),
        map=map_of(listed.values(), closer=True),
        link_preview=link_preview,
    )


def _card_of(entry: CatalogueEntry, campus: Campus) -> Card:
    kind = translated(KIND_NAMES[BadgeKind(entry.badge_kind)])
    return Card(
        title=entry.title,
        language=entry.language,
        path=entry.path,
        lines=[kind, translated("Campus {name}").format(name=campus.short_name)],
        picture=f"{entry.path}/v{entry.version}/image.svg",
    )


def _example(request: Request, services: Services) -> str:
    """Only in local development: learners open a page for those they give the link to, not for the home
    page."""
    award_id = services.awards.example() if process_of(request).settings.is_local else None
    return f"/attributions/{award_id}" if award_id else ""


@entrance_router.get("/couleurs/tous.css")
@public
def every_campus(services: ReadingServices) -> Response:
    """For pages that show several campuses together."""
    return _stylesheet(services.campuses.list_all())


@entrance_router.get("/couleurs/{slug}.css")
@public
def one_campus(slug: str, request: Request) -> Response:
    """Every phone of a check-in asks for it at once: the connection is opened and closed in one thread."""
    with visit(request, reading=True) as services:
        campus = services.campuses.get(slug)
    return _stylesheet([campus])


def _stylesheet(campuses: Iterable[Campus]) -> Response:
    css = "".join(render_campus_css(campus.slug, campus.hue, campus.liveliness) for campus in campuses)
    return Response(css, media_type="text/css", headers={"Cache-Control": _FOR_TEN_MINUTES})


attesting_router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class AttestedBadge:
    title: str
    language: str
    path: str
    assessed: str
    assessed_language: str


@dataclass(frozen=True)
class AttestedKind:
    name: str
    meaning: str
    badges: Sequence[AttestedBadge]


@attesting_router.get("/campus/{slug}/atteste")
@public
def show_attested(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.campuses.page(slug)
    campus = found.campus
    meanings = {shape.key: shape.meaning for shape in SHAPES}
    every_key = services.campuses.keys()
    kinds: dict[BadgeKind, list[AttestedBadge]] = {}
    for badge, version in found.badges:
        kinds.setdefault(version.kind, []).append(_attested(campus, badge, version))
    title = translated("Ce que le campus {name} atteste").format(name=campus.short_name)
    return page(
        request,
        "campus/attested.html",
        campus=look_of(campus),
        title=title,
        kinds=[
            AttestedKind(
                translated(KIND_NAMES[kind]),
                translated(meanings[kind.value]) if kind.value in meanings else "",
                kinds[kind],
            )
            for kind in BadgeKind
            if kind in kinds
        ],
        issuer=campus_issuer(services, campus),
        networks=found.networks,
        keys=[
            (key.method_id.partition("#")[2], day(key.activated_at or key.created_at, campus.time_zone))
            for key, owner in every_key
            if owner.id == campus.id and key.state is KeyState.ACTIVE and key.purpose is KeyPurpose.CREDENTIAL
        ],
        url=services.addresses.campus(slug),
        contact=campus.contact_email,
        link_preview=preview(
            services,
            f"/campus/{slug}/atteste",
            title,
            translated("Comment il juge, qui signe, et comment le vérifier."),
            entry=services.catalogue.find(campus.id),
            campus=campus,
            structured=campus_data(services, campus, found.networks),
        ),
    )


def _attested(campus: Campus, badge: Badge, version: BadgeVersion) -> AttestedBadge:
    claims = claims_of({"credentialSubject": {"achievement": parse_json_object(version.definition)}})
    pieces = pieces_of(claims, is_ours=True, zone=campus.time_zone)
    return AttestedBadge(
        version.name, version.language, f"/badges/{badge.id}", pieces.assessed, pieces.assessed_language
    )
