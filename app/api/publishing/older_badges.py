"""Awards in Open Badges 2.0, hosted: assertion, badge class, issuer, and the picture with the baked
assertion."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response

from app.api.publishing.public import FIVE_MINUTES, ONE_MINUTE, CampusSlug, Number, answer, shown
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices
from app.services.publishing.publication import Withdrawn

router = APIRouter(prefix="/ob2", tags=["Open Badges 2.0"], responses=documented(404))

_GONE = {410: {"description": "The campus withdrew the award; the body says so too."}}
_AN_AWARD = documented(403) | _GONE
_LINKED_DATA = shown("application/ld+json", about="The document, in the words of Open Badges 2.0.")
_ASSERTION = shown("application/ld+json", about="The award, in the words of Open Badges 2.0.")
_PICTURE = shown("image/png", about="The picture of the badge, which carries its assertion.")
for _shown in (_ASSERTION, _PICTURE):
    _shown["responses"] |= _AN_AWARD


@router.get("/attributions/{award_id:uuid}", summary="An award as an assertion", **_ASSERTION)
@public
def assertion(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    try:
        return answer(request, services.older_badges.assertion(award_id), cache=ONE_MINUTE)
    except Withdrawn as withdrawn:
        return _gone(withdrawn)


@router.get("/attributions/{award_id:uuid}.png", summary="An award as a baked picture", **_PICTURE)
@public
def baked_picture(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    try:
        return answer(request, services.older_badges.picture(award_id), cache=ONE_MINUTE)
    except Withdrawn as withdrawn:
        return _gone(withdrawn)


@router.get("/badges/{badge_id:uuid}/v{number}", summary="A badge definition", **_LINKED_DATA)
@public
def badge_class(badge_id: uuid.UUID, number: Number, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.older_badges.badge_class(badge_id, number), cache=FIVE_MINUTES)


@router.get("/campus/{slug}", summary="A campus as an issuer", **_LINKED_DATA)
@public
def issuer(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.older_badges.issuer(slug), cache=FIVE_MINUTES)


def _gone(withdrawn: Withdrawn) -> Response:
    headers = {"Cache-Control": ONE_MINUTE, "Access-Control-Allow-Origin": "*"}
    return Response(withdrawn.body, status_code=410, media_type="application/ld+json", headers=headers)
