"""A campus as the world sees it: who it is, its label, what it recognises, and the keys it signs with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus, Network
from app.domain.campus.keys import SealedKey
from app.http.negotiation import ForPeople
from app.http.pages.render import page
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.pages.words import BADGE_KINDS, KEY_STATES, Word
from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.http.workplaces import look_of
from app.services.badges.pictures import picture_words
from app.services.campus.campuses import CampusPage
from app.web.trust.issuers import IssuerShown, campus_issuer
from app.web.trust.recommendations import RecommendationShown, recommendations

router = APIRouter(route_class=ForPeople)


@dataclass(frozen=True)
class BadgeLine:
    title: str
    kind: str
    description: str
    url: str
    picture: str
    picture_words: str


@dataclass(frozen=True)
class CompetencyLine:
    """`anchor` is where the alignments of badges point."""

    anchor: str
    code: str
    statement: str
    levels: Sequence[str]


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
    state: Word


@dataclass(frozen=True)
class CampusShown:
    issuer: IssuerShown
    sector: str
    site: str
    networks: Sequence[Network]
    badges: Sequence[BadgeLine]
    frameworks: Sequence[FrameworkShown]
    keys: Sequence[KeyLine]
    did_url: str
    recommendations: Sequence[RecommendationShown]


@router.get("/campus/{slug}")
@public
def show_campus(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.campuses.page(slug)
    return page(request, "campus/show.html", campus=look_of(found.campus), c=campus_shown(services, found))


def campus_shown(services: Services, found: CampusPage) -> CampusShown:
    campus = found.campus
    return CampusShown(
        issuer=campus_issuer(services, campus),
        sector=campus.sector,
        site=campus.site,
        networks=found.networks,
        badges=[_badge(campus, badge, version) for badge, version in found.badges],
        frameworks=_frameworks(found),
        keys=_keys(services, campus),
        did_url=f"/campus/{campus.slug}/did.json",
        recommendations=recommendations(
            services.endorsements.about_campus(campus), campus.time_zone, contact=campus.contact_email
        ),
    )


def _keys(services: Services, campus: Campus) -> list[KeyLine]:
    every = services.campuses.keys()
    return [_key(key, campus) for key, owner in every if owner.id == campus.id]


def _badge(campus: Campus, badge: Badge, version: BadgeVersion) -> BadgeLine:
    return BadgeLine(
        title=version.name,
        kind=say(BADGE_KINDS[version.kind]),
        description=version.description,
        url=f"/badges/{badge.id}",
        picture=f"/badges/{badge.id}/v{version.number}/image.svg",
        picture_words=said(picture_words(campus, version)),
    )


def _frameworks(found: CampusPage) -> list[FrameworkShown]:
    shown: dict[str, FrameworkShown] = {}
    lines: dict[str, list[CompetencyLine]] = {}
    for competency, framework in found.competencies:
        into = lines.setdefault(framework.code, [])
        shown.setdefault(framework.code, FrameworkShown(framework.name, framework.description, into))
        anchor = f"{framework.code}-{competency.code}"
        into.append(CompetencyLine(anchor, competency.code, competency.statement, competency.levels))
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
