"""For recruiters: what a campus attests, how it judges, who signs, and how to verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.domain.badges.badges import Badge, BadgeKind, BadgeVersion
from app.domain.campus.campus import Campus, KeyPurpose, KeyState
from app.http.pages.previews import campus_data, preview
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import KIND_NAMES, day
from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.http.workplaces import look_of
from app.language import N_
from app.services.verification.verdicts import claims_of
from app.web.badges.rules import pieces_of
from app.web.campus.campuses import SHAPES
from app.web.trust.issuers import campus_issuer
from sceau_credentials.values.json_text import parse_json_object

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class AttestedBadge:
    title: str
    language: str
    path: str
    judged: str
    judged_language: str


@dataclass(frozen=True)
class AttestedKind:
    name: str
    meaning: str
    badges: Sequence[AttestedBadge]


@router.get("/campus/{slug}/atteste")
@public
def show_attested(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.campuses.page(slug)
    campus = found.campus
    meanings = {shape.key: shape.meaning for shape in SHAPES}
    every_key = services.campuses.keys()
    kinds: dict[BadgeKind, list[AttestedBadge]] = {}
    for badge, version in found.badges:
        kinds.setdefault(version.kind, []).append(_attested(campus, badge, version))
    title = translated(N_("Ce que le campus {name} atteste")).format(name=campus.short_name)
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
            translated(N_("Comment il juge, qui signe, et comment le vérifier.")),
            entry=services.catalogue.find(campus.id),
            campus=campus,
            structured=campus_data(services, campus, found.networks),
        ),
    )


def _attested(campus: Campus, badge: Badge, version: BadgeVersion) -> AttestedBadge:
    claims = claims_of({"credentialSubject": {"achievement": parse_json_object(version.definition)}})
    pieces = pieces_of(claims, is_ours=True, zone=campus.time_zone)
    return AttestedBadge(
        version.name, version.language, f"/badges/{badge.id}", pieces.judged, pieces.judged_language
    )
