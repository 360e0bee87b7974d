"""What a badge says, in the version that was given: its definition for people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.http.negotiation import ForPeople
from app.http.pages.render import page
from app.http.pages.saying import said
from app.http.pages.wording import day
from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.http.workplaces import look_of
from app.services.badges.pictures import picture_words
from app.services.publishing.publication import PublishedBadge
from app.services.verification.verdicts import claims_of
from app.web.badges.pieces import BadgePieces, pieces_of
from app.web.badges.words import validity_words
from app.web.trust.issuers import IssuerShown, campus_issuer
from app.web.trust.recommendations import RecommendationShown, recommendations
from sceau_credentials.values.json_text import parse_json_object

router = APIRouter(route_class=ForPeople)


Number = Annotated[int, Path(ge=1, le=100_000)]


@dataclass(frozen=True)
class VersionShown:
    number: int
    since: str
    url: str
    is_this: bool


@dataclass(frozen=True)
class DefinitionShown:
    pieces: BadgePieces
    picture: str
    picture_words: str
    issuer: IssuerShown
    number: int
    newest: int
    newest_url: str
    is_archived: bool
    validity: str
    required_hours: float | None
    versions: Sequence[VersionShown]
    json_url: str
    ask_url: str
    recommendations: Sequence[RecommendationShown]

    @property
    def is_superseded(self) -> bool:
        return self.number < self.newest


@router.get("/badges/{badge_id:uuid}")
@public
def show_current(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, services.publication.badge(badge_id, None))


@router.get("/badges/{badge_id:uuid}/v{number}")
@public
def show_version(
    badge_id: uuid.UUID, number: Number, request: Request, services: ReadingServices
) -> HTMLResponse:
    return _page(request, services, services.publication.badge(badge_id, number))


def _page(request: Request, services: Services, published: PublishedBadge) -> HTMLResponse:
    view = definition_shown(services, published)
    return page(request, "badges/public.html", campus=look_of(published.campus), d=view)


def definition_shown(services: Services, published: PublishedBadge) -> DefinitionShown:
    """Read from the published definition itself, so that page and document cannot differ."""
    campus, version, base = published.campus, published.version, f"/badges/{published.badge.id}"
    claims = claims_of({"credentialSubject": {"achievement": parse_json_object(version.definition)}})
    return DefinitionShown(
        pieces=pieces_of(claims, is_ours=True, zone=campus.time_zone, base_url=services.addresses.base_url),
        picture=f"{base}/v{version.number}/image.svg",
        picture_words=said(picture_words(campus, version, services.badges.competencies_of(version))),
        issuer=campus_issuer(services, campus),
        number=version.number,
        newest=published.newest.number,
        newest_url=f"{base}/v{published.newest.number}",
        is_archived=published.badge.archived_at is not None,
        validity=validity_words(version.validity_days),
        required_hours=version.required_hours,
        versions=[
            VersionShown(
                each.number,
                day(each.frozen_at, campus.time_zone) if each.frozen_at else "",
                f"{base}/v{each.number}",
                each.number == version.number,
            )
            for each in reversed(published.versions)
        ],
        json_url=services.addresses.version(published.badge.id, version.number),
        ask_url=f"{base}/demande"
        if published.badge.accepts_requests and published.badge.archived_at is None
        else "",
        recommendations=recommendations(
            services.endorsements.about_version(version), campus.time_zone, contact=campus.contact_email
        ),
    )
