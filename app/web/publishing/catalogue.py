"""The public catalogue: badges, competencies, pathways, activities to come, campuses; search and facets."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from app.container import Services
from app.domain.badges import BadgeKind
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import LABEL_NAMES
from app.domain.publishing.catalogue import (
    AUDIENCES,
    CatalogueEntry,
    CatalogueOrder,
    CatalogueQuery,
    EntryKind,
)
from app.http.pages.maps import map_of
from app.http.pages.previews import preview
from app.http.pages.render import page
from app.http.pages.words import (
    KIND_NAMES,
    LABEL_STATES,
    StateLabel,
    day,
    holders_words,
    number,
    stages_words,
)
from app.http.request_scope import (
    ReadingServices,
    public,
)
from app.language import N_, current_locale, translated, translated_plural
from app.services.publishing.catalogue import CatalogueResult
from app.web.frameworks.pathway_view import picture_of

router = APIRouter(include_in_schema=False)

TITLES: Final = {
    EntryKind.BADGE: N_("Découvrir les badges"),
    EntryKind.COMPETENCY: N_("Découvrir les compétences"),
    EntryKind.PATHWAY: N_("Découvrir les parcours"),
    EntryKind.ACTIVITY: N_("Activités à venir"),
    EntryKind.CAMPUS: N_("Les campus"),
    EntryKind.NETWORK: N_("Réseaux de campus"),
    EntryKind.LABEL: N_("Labels des campus"),
}
PATHS: Final = {
    EntryKind.BADGE: "/badges",
    EntryKind.COMPETENCY: "/competences",
    EntryKind.PATHWAY: "/parcours",
    EntryKind.ACTIVITY: "/activites",
    EntryKind.CAMPUS: "/campus",
    EntryKind.NETWORK: "/reseaux",
    EntryKind.LABEL: "/labels",
}
ABOUT: Final = N_(
    "Des badges signés par les Campus des métiers et des qualifications, que chacun peut vérifier sans compte."
)
TABS: Final = {
    EntryKind.BADGE: N_("Badges"),
    EntryKind.COMPETENCY: N_("Compétences"),
    EntryKind.PATHWAY: N_("Parcours"),
    EntryKind.ACTIVITY: N_("Activités"),
    EntryKind.CAMPUS: N_("Campus"),
    EntryKind.NETWORK: N_("Réseaux"),
    EntryKind.LABEL: N_("Labels"),
}
AUDIENCE_NAMES: Final = {
    "collegiens": N_("Collégiens"),
    "lyceens": N_("Lycéens"),
    "apprentis": N_("Apprentis"),
    "etudiants": N_("Étudiants"),
    "salaries": N_("Salariés"),
    "demandeurs": N_("Demandeurs d’emploi"),
    "enseignants": N_("Enseignants"),
    "tous": N_("Tous publics"),
}
ORDERS: Final = {
    CatalogueOrder.RELEVANCE: N_("Pertinence"),
    CatalogueOrder.HOLDERS: N_("Détenteurs"),
    CatalogueOrder.DAY: N_("Prochaine activité"),
    CatalogueOrder.TITLE: N_("Titre"),
}
_MOST_CHOSEN: Final = 20
_MOST_SHOWN: Final = 12
_MOST_COMPETENCIES: Final = 5
"""Values of one facet."""
_LONGEST_PLACE: Final = 200
_WRITTEN: Final = "fr"
"""The language of what campuses write without naming one."""


@dataclass(frozen=True)
class Option:
    """One value of a facet; `without` is the address that no longer asks for it."""

    value: str
    label: str
    count: int
    is_chosen: bool
    without: str
    language: str = ""
    """Of what a campus wrote."""


@dataclass(frozen=True)
class Facet:
    name: str
    title: str
    options: Sequence[Option]


@dataclass(frozen=True)
class Card:
    title: str
    language: str
    path: str
    lines: Sequence[str]
    """HTML where a campus wrote a part of them."""
    picture: str
    next_day: str


@dataclass(frozen=True)
class CatalogueShown:
    kind: EntryKind
    title: str
    text: str
    corrected: str
    exact_url: str
    tabs: Sequence[tuple[str, str, int, bool]]
    facets: Sequence[Facet]
    chips: Sequence[Option]
    none_chosen: str
    orders: Sequence[tuple[str, str, bool]]
    cards: Sequence[Card]
    count: str
    previous: str
    following: str
    hidden: Sequence[tuple[str, str]]
    """Hidden fields of the facets' form: the search text."""
    chosen: Sequence[tuple[str, str]]
    """Hidden fields of the other forms: the facets."""


@router.get("/badges")
@public
def badges(request: Request, services: ReadingServices) -> Response:
    return _catalogue(request, services, EntryKind.BADGE)


@router.get("/competences")
@public
def competencies(request: Request, services: ReadingServices) -> Response:
    return _catalogue(request, services, EntryKind.COMPETENCY)


@router.get("/parcours")
@public
def pathways(request: Request, services: ReadingServices) -> Response:
    return _catalogue(request, services, EntryKind.PATHWAY)


@router.get("/activites")
@public
def activities(request: Request, services: ReadingServices) -> Response:
    return _catalogue(request, services, EntryKind.ACTIVITY)


@router.get("/campus")
@public
def campuses(request: Request, services: ReadingServices) -> Response:
    return _catalogue(request, services, EntryKind.CAMPUS)


def _catalogue(request: Request, services: Services, kind: EntryKind) -> HTMLResponse:
    asked = request.query_params
    known = {campus.slug: campus for campus in services.campuses.list_all() if campus.suspended_at is None}
    query = CatalogueQuery(
        text=asked.get("q", "").strip()[:200],
        kinds=(kind,),
        campuses=[known[slug].id for slug in _chosen(asked.getlist("campus"), known)],
        badge_kinds=_chosen(asked.getlist("type"), [each.value for each in BadgeKind]),
        levels=[
            int(each) for each in asked.getlist("niveau")[:_MOST_CHOSEN] if each.isdecimal() and len(each) < 3
        ],
        audiences=_chosen(asked.getlist("public"), AUDIENCES),
        places=[
            each
            for each in asked.getlist("lieu")[:_MOST_CHOSEN]
            if len(each) <= _LONGEST_PLACE and "\0" not in each
        ],
        competencies=_numbers(asked.getlist("competence")),
        order=_order(asked.get("tri", ""), kind),
        page=int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 5 else 1,
    )
    found = services.catalogue.search(query, exactly="exact" in asked)
    return page(
        request,
        "badges/catalogue/list.html",
        wide=True,
        c=_shown(
            query,
            found,
            kind,
            known,
            _pictures(services, found) if kind is EntryKind.PATHWAY else {},
            _titles(services, query, found),
            _states(services, found) if kind is EntryKind.LABEL else {},
        ),
        map=map_of(known.values()) if kind is EntryKind.CAMPUS and not request.query_params else None,
        link_preview=preview(services, PATHS[kind], translated(TITLES[kind]), translated(ABOUT)),
    )


def _chosen(values: Sequence[str], known: Any) -> list[str]:
    return [each for each in dict.fromkeys(values[:_MOST_CHOSEN]) if each in known]


def _numbers(values: Sequence[str]) -> list[str]:
    found = []
    for each in dict.fromkeys(values[:_MOST_CHOSEN]):
        with suppress(ValueError):
            found.append(str(uuid.UUID(each)))
    return found


def _titles(services: Services, query: CatalogueQuery, found: CatalogueResult) -> Mapping[str, str]:
    """Of the competencies that most entries have, and of those that are chosen."""
    counts = found.facets.get("competencies", {})
    most = nsmallest(_MOST_COMPETENCIES, counts, key=lambda each: (-counts[each], each))
    titles = services.catalogue.titles_of(uuid.UUID(each) for each in {*most, *query.competencies})
    return {str(subject): title for subject, title in titles.items()}


def _states(services: Services, found: CatalogueResult) -> dict[uuid.UUID, str]:
    """Of the labels found: what each is worth today."""
    campuses = {each.campus_id for each in found.entries}
    return {
        each.label.id: LABEL_STATES[each.state].text
        for campus in map(services.campuses.campuses.get_by_id, campuses)
        for each in services.campuses.labels_of(campus, on=campus.day_of(services.clock()))
    }


def _order(wanted: str, kind: EntryKind) -> CatalogueOrder:
    if wanted in list(CatalogueOrder):
        return CatalogueOrder(wanted)
    match kind:
        case EntryKind.ACTIVITY:
            return CatalogueOrder.DAY
        case EntryKind.BADGE:
            return CatalogueOrder.RELEVANCE
        case _:
            return CatalogueOrder.TITLE


def _pictures(services: Services, found: CatalogueResult) -> dict[uuid.UUID, str]:
    """Of the badge of each pathway's whole."""
    badges = services.pathways.whole_badges(entry.subject_id for entry in found.entries)
    return {number: picture_of(badge) for number, badge in badges.items()}


def _shown(
    query: CatalogueQuery,
    found: CatalogueResult,
    kind: EntryKind,
    known: Mapping[str, Campus],
    pictures: Mapping[uuid.UUID, str],
    titles: Mapping[str, str],
    states: Mapping[uuid.UUID, str],
) -> CatalogueShown:
    by_id = {campus.id: campus for campus in known.values()}
    chosen = _parameters(query, by_id)

    def url(parameters: Sequence[tuple[str, str]], *, path: str = PATHS[kind], **more: str) -> str:
        asked = [*([("q", query.text)] if query.text else ()), *parameters, *more.items()]
        return f"{path}?{urlencode(asked)}" if asked else path

    facets = _facets(found, kind, by_id, titles, chosen, url)
    order = [("tri", query.order.value)] if query.order is not _order("", kind) else []
    kept = [*chosen, *order]
    counts = found.facets.get("kind", {})
    return CatalogueShown(
        kind=kind,
        title=translated(TITLES[kind]),
        text=query.text,
        corrected=found.corrected,
        exact_url=url(kept, exact="1"),
        tabs=[
            (translated(label), url([], path=PATHS[each]), int(counts.get(each, 0)), each is kind)
            for each, label in TABS.items()
        ],
        facets=facets,
        chips=[option for facet in facets for option in facet.options if option.is_chosen],
        none_chosen=url(order),
        orders=[
            (each.value, translated(label), each is query.order)
            for each, label in ORDERS.items()
            if kind is EntryKind.BADGE or each in (CatalogueOrder.RELEVANCE, _order("", kind))
        ],
        cards=[
            card_of(entry, by_id, pictures.get(entry.subject_id, ""), state=states.get(entry.subject_id, ""))
            for entry in found.entries
            if entry.campus_id in by_id or entry.kind is EntryKind.NETWORK
        ],
        count=_count(kind, found.total, is_capped=found.is_capped),
        previous=url(kept, page=str(query.page - 1)) if query.page > 1 else "",
        following=url(kept, page=str(query.page + 1)) if query.page < found.pages else "",
        hidden=[*([("q", query.text)] if query.text else ()), *order],
        chosen=chosen,
    )


def _parameters(query: CatalogueQuery, campuses: Mapping[uuid.UUID, Campus]) -> list[tuple[str, str]]:
    return [
        *(("type", each) for each in query.badge_kinds),
        *(("campus", campuses[each].slug) for each in query.campuses),
        *(("niveau", str(each)) for each in query.levels),
        *(("public", each) for each in query.audiences),
        *(("lieu", each) for each in query.places),
        *(("competence", each) for each in query.competencies),
    ]


def _facets(
    found: CatalogueResult,
    kind: EntryKind,
    campuses: Mapping[uuid.UUID, Campus],
    titles: Mapping[str, str],
    chosen: Sequence[tuple[str, str]],
    url: Callable[..., str],
) -> list[Facet]:
    """Values that would find something, and those that are chosen."""
    titled: list[tuple[str, str, str, Callable[[Any], tuple[str, str]]]] = [
        (
            "type",
            "badge_kind",
            translated(N_("Badge de l’ensemble") if kind is EntryKind.PATHWAY else N_("Type")),
            lambda v: (str(v), translated(KIND_NAMES[BadgeKind(v)])),
        ),
        (
            "campus",
            "campus_id",
            translated("Campus"),
            lambda v: (campuses[v].slug, campuses[v].short_name),
        ),
        (
            "niveau",
            "level",
            translated("Niveau"),
            lambda v: (str(v), translated("Niveau {n}").format(n=v)),
        ),
        ("public", "audiences", translated("Pour qui"), lambda v: (v, translated(AUDIENCE_NAMES[v]))),
        ("lieu", "place", translated("Lieu"), lambda v: (v, v)),
        ("competence", "competencies", translated("Compétence"), lambda v: (v, titles[v])),
    ]
    if kind is EntryKind.PATHWAY:
        titled = [each for each in titled if each[0] not in ("niveau", "public")]
    elif kind is not EntryKind.BADGE:
        titled = [each for each in titled if each[0] not in ("type", "niveau")]
    known: Mapping[str, Container[object]] = {"campus_id": campuses, "competencies": titles}
    facets = []
    for name, column, title, words in titled:
        counts = found.facets.get(column, {})
        options = []
        most = nsmallest(_MOST_SHOWN, counts.items(), key=lambda each: (-each[1], str(each[0])))
        for value, count in most:
            if column in known and value not in known[column]:
                continue
            key, label = words(value)
            others = [each for each in chosen if each != (name, key)]
            language = _WRITTEN if column in ("place", "competencies") else ""
            options.append(Option(key, label, count, len(others) < len(chosen), url(others), language))
        if column == "level":
            options.sort(key=lambda each: each.value)
        if len(options) > 1 or any(each.is_chosen for each in options):
            facets.append(Facet(name, title, options))
    return facets


def written(text: str, language: str) -> Markup:
    """What a campus wrote, with its language where the page is in another."""
    if not text or language == current_locale():
        return escape(text)
    return Markup('<span lang="{}">{}</span>').format(language, text)


def card_of(
    entry: CatalogueEntry, campuses: Mapping[uuid.UUID, Campus], picture: str = "", *, state: str = ""
) -> Card:
    """`state`: of a label, what it is worth today."""
    if entry.kind is EntryKind.NETWORK:
        return Card(entry.title, entry.language, entry.path, [written(entry.summary, entry.language)], "", "")
    campus = campuses[entry.campus_id]
    name = Markup("{} {}").format(translated("campus"), campus.short_name)
    lines: list[str] = []
    match entry.kind:
        case EntryKind.BADGE:
            lines = [f"{translated(KIND_NAMES[BadgeKind(entry.badge_kind)])}, {name}"]
            if entry.level:
                lines.append(translated("Niveau {n}").format(n=entry.level))
            if entry.holders:
                lines.append(holders_words(entry.holders))
        case EntryKind.COMPETENCY:
            lines = [Markup("{}, {}").format(written(entry.summary, entry.language), name)]
        case EntryKind.PATHWAY:
            lines = [str(name), stages_words(entry.level or 0)]
        case EntryKind.ACTIVITY:
            place = written(entry.place, entry.language)
            lines = [Markup(", ").join(filter(None, (place, name)))]
        case EntryKind.CAMPUS:
            sector = written(campus.sector, campus.language)
            lines = [
                Markup(", ").join(filter(None, (campus.short_name, sector))),
                written(campus.site, campus.language),
            ]
        case EntryKind.LABEL:
            lines = [written(campus.name, campus.language), translated(state)]
    is_ours = entry.kind is EntryKind.LABEL
    return Card(
        title=translated(entry.title) if is_ours else entry.title,
        language=current_locale() if is_ours else entry.language,
        path=entry.path,
        lines=[line for line in lines if line],
        picture=f"{entry.path}/v{entry.version}/image.svg" if entry.kind is EntryKind.BADGE else picture,
        next_day=day(entry.starts_on) if entry.starts_on else "",
    )


def _count(kind: EntryKind, count: int, *, is_capped: bool) -> str:
    match kind:
        case EntryKind.BADGE:
            sentence = translated_plural("{n} badge", "{n} badges", count)
        case EntryKind.COMPETENCY:
            sentence = translated_plural("{n} compétence", "{n} compétences", count)
        case EntryKind.PATHWAY:
            sentence = translated_plural("{n} parcours", "{n} parcours", count)
        case EntryKind.ACTIVITY:
            sentence = translated_plural("{n} activité", "{n} activités", count)
        case EntryKind.CAMPUS:
            sentence = translated_plural("{n} campus", "{n} campus", count)
        case EntryKind.NETWORK:
            sentence = translated_plural("{n} réseau", "{n} réseaux", count)
        case EntryKind.LABEL:
            sentence = translated_plural("{n} label", "{n} labels", count)
    shown = sentence.format(n=number(count))
    return translated("Plus de {shown}").format(shown=shown) if is_capped else shown


# --- networks and labels


@dataclass(frozen=True)
class LabelLine:
    name: str
    state: StateLabel
    until: str
    href: str


@dataclass(frozen=True)
class LabelledCampus:
    name: str
    language: str
    href: str
    labels: Sequence[LabelLine]


@router.get("/reseaux")
@public
def networks(request: Request, services: ReadingServices) -> HTMLResponse:
    """Networks with their campuses, or those that a search finds."""
    if request.query_params.get("q", "").strip():
        return _catalogue(request, services, EntryKind.NETWORK)
    members: dict[str, list[LabelledCampus]] = {}
    labelled = _labelled(services)
    for campus in services.campuses.list_all():
        if campus.suspended_at is None:
            for network in services.campuses.networks_of(campus):
                members.setdefault(network.slug, []).append(labelled[campus.id])
    return page(
        request,
        "badges/catalogue/networks.html",
        wide=True,
        link_preview=preview(services, "/reseaux", translated("Réseaux et labels"), translated(ABOUT)),
        networks=[(network, members.get(network.slug, [])) for network in services.register.networks()],
    )


@router.get("/labels")
@public
def labels(request: Request, services: ReadingServices) -> HTMLResponse:
    """Campuses by the labels that networks gave them, with their state today; or the labels that a search finds."""
    if request.query_params.get("q", "").strip():
        return _catalogue(request, services, EntryKind.LABEL)
    found = [each for each in _labelled(services).values() if each.labels]
    return page(
        request,
        "badges/catalogue/labels.html",
        wide=True,
        campuses=found,
        link_preview=preview(services, "/labels", translated("Labels des campus"), translated(ABOUT)),
    )


def _labelled(services: Services) -> dict[uuid.UUID, LabelledCampus]:
    return {
        campus.id: LabelledCampus(
            campus.name,
            campus.language,
            f"/campus/{campus.slug}",
            [
                LabelLine(
                    translated(LABEL_NAMES[each.label.category]),
                    LABEL_STATES[each.state],
                    day(each.label.ends_on) if each.label.ends_on else "",
                    f"/labels/{each.label.id}",
                )
                for each in services.campuses.labels_of(campus, on=campus.day_of(services.clock()))
            ],
        )
        for campus in services.campuses.list_all()
        if campus.suspended_at is None
    }
