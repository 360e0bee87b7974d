"""Public rankings of badges, by holders and by ratings; people are never ranked."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.campus.campus import Campus
from app.domain.campus.places import REGIONS, region_of
from app.domain.learners.ratings import EVER, FEWEST_RATINGS, SCORES, BadgeTally, Distribution
from app.domain.publishing.catalogue import CatalogueEntry
from app.domain.reports.indicators import SMALL
from app.http.pages.previews import preview
from app.http.pages.render import page
from app.http.pages.words import number, people_words, percent
from app.http.request_scope import ReadingServices, public
from app.language import translated, translated_plural

router = APIRouter(include_in_schema=False)
_TALLEST = 32.0


@dataclass(frozen=True)
class RatingsShown:
    """`bars`: (score, x, y, height) of a drawing of 110 × 52; `twin` is the same as text."""

    count: str
    mean: str
    useful: str
    bars: Sequence[tuple[int, int, float, float]]
    twin: str
    is_enough: bool
    fewest: int = FEWEST_RATINGS
    sentences: Sequence[str] = ()


@dataclass(frozen=True)
class RankedBadge:
    title: str
    language: str
    path: str
    picture: str
    campus: str
    holders: str
    share: float
    """Of the first badge's holders, in per cent."""
    ratings: RatingsShown | None = None


@dataclass(frozen=True)
class Scope:
    """What is ranked together: `campuses` is None for all."""

    key: str
    name: str
    campuses: Collection[uuid.UUID] | None


def ratings_shown(distribution: Distribution, sentences: Sequence[str] = ()) -> RatingsShown:
    counted = translated_plural("{n} avis", "{n} avis", distribution.votes).format(
        n=number(distribution.votes)
    )
    if distribution.votes < FEWEST_RATINGS:
        return RatingsShown(counted, "", "", (), "", is_enough=False, sentences=sentences)
    most = max(distribution.scores)
    pairs = [*zip(SCORES, distribution.scores, strict=True)]
    heights = [round(_TALLEST * count / most, 1) for _, count in pairs]
    times = translated("{count} fois {score}")
    return RatingsShown(
        counted,
        number(round(distribution.mean, 1)),
        percent(distribution.bound),
        [
            (score, 3 + 22 * (score - 1), round(34 - height, 1), height)
            for (score, _), height in zip(pairs, heights, strict=True)
        ],
        ", ".join(times.format(count=number(count), score=score) for score, count in pairs),
        is_enough=True,
        sentences=sentences,
    )


@router.get("/classements")
@public
def rankings(request: Request, services: ReadingServices) -> HTMLResponse:
    """`de` is a campus, a network or a region; `annee` a school year, without which all awards count."""
    asked = request.query_params
    campuses = [each for each in services.campuses.list_all() if each.suspended_at is None]
    groups = _scopes(services, campuses)
    scope = next(
        (each for _, scopes in groups for each in scopes if each.key == asked.get("de", "")), groups[0][1][0]
    )
    years = services.ratings.school_years()
    year = next((each for each in years if str(each) == asked.get("annee")), EVER)
    found = services.ratings.ranking(year, scope.campuses)
    by_id = {campus.id: campus for campus in campuses}
    most = max((tally.holders for tally, _ in found.most_held), default=0)
    return page(
        request,
        "badges/catalogue/rankings.html",
        wide=True,
        scope=scope,
        groups=groups,
        year=year,
        years=[(str(each), _year_name(each)) for each in years],
        period=_year_name(year) if year else translated("Depuis le début"),
        most_held=[_ranked(each, by_id, most) for each in found.most_held],
        best_rated=[_ranked(each, by_id, most) for each in found.best_rated],
        unranked=found.unranked,
        fewest=FEWEST_RATINGS,
        link_preview=preview(
            services,
            "/classements" + (f"?{urlencode({'de': scope.key})}" if scope.key else ""),
            translated("Classements : {scope}").format(scope=scope.name),
            translated(
                "Les badges les plus reçus et les mieux notés. Des badges sont classés, jamais des personnes."
            ),
        ),
    )


def _scopes(services: Services, campuses: Sequence[Campus]) -> list[tuple[str, list[Scope]]]:
    regions: dict[str, list[uuid.UUID]] = {}
    networks: dict[str, tuple[str, list[uuid.UUID]]] = {}
    for campus in campuses:
        if region := region_of(campus.department):
            regions.setdefault(region, []).append(campus.id)
        for network in services.campuses.networks_of(campus):
            networks.setdefault(network.slug, (network.name, []))[1].append(campus.id)
    groups = [
        ("", [Scope("", translated("Tous les campus"), None)]),
        (
            translated("Régions"),
            sorted(
                (Scope(f"region-{code}", REGIONS[code], ids) for code, ids in regions.items()),
                key=lambda each: each.name,
            ),
        ),
        (
            translated("Réseaux"),
            sorted(
                (Scope(f"reseau-{slug}", name, ids) for slug, (name, ids) in networks.items()),
                key=lambda each: each.name,
            ),
        ),
        (
            translated("Campus"),
            [Scope(f"campus-{campus.slug}", campus.short_name, [campus.id]) for campus in campuses],
        ),
    ]
    return [group for group in groups if group[1]]


def _year_name(year: int) -> str:
    return translated("Année scolaire {first}-{last}").format(first=year, last=year + 1)


def _ranked(
    found: tuple[BadgeTally, CatalogueEntry], campuses: dict[uuid.UUID, Campus], most: int
) -> RankedBadge:
    tally, entry = found
    campus = campuses.get(entry.campus_id)
    return RankedBadge(
        entry.title,
        entry.language,
        entry.path,
        f"{entry.path}/v{entry.version}/image.svg",
        campus.short_name if campus else "",
        people_words(tally.holders),
        round(100 * max(tally.holders, SMALL) / max(most, SMALL), 1) if most else 0.0,
        ratings_shown(Distribution(tally.scores)) if tally.scores else None,
    )
