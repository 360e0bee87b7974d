"""Every address of the JSON face, by noun; `documents` are to be asked first."""

from __future__ import annotations

from fastapi import APIRouter

from app.api import frameworks as competencies
from app.api import health, metrics
from app.api.activities import activities, sessions
from app.api.activity_log import evidence
from app.api.activity_log import tiles as activity_log
from app.api.awards import awards
from app.api.badges import badges
from app.api.imports import participations, xapi
from app.api.publishing import older_badges, public
from app.api.trust import endorsements, networks
from app.api.verification import vc_api, verification
from app.http.problems import documented

documents = public.documents
router = APIRouter()
v1 = APIRouter(prefix="/api/v1")
for each in (
    competencies.router,
    badges.router,
    activities.router,
    sessions.router,
    participations.router,
    xapi.router,
    awards.router,
    endorsements.of_campus,
):
    v1.include_router(each, responses=documented(400, 401, 403, 404, 409, 413, 415, 422, 503))
v1.include_router(verification.router, responses=documented(400, 413, 422))
v1.include_router(activity_log.hand_in, responses=documented(400, 403, 404, 409, 413, 422))
router.include_router(v1)
router.include_router(vc_api.router)
for each in (
    activity_log.router,
    activity_log.preflights,
    older_badges.router,
    endorsements.router,
    endorsements.with_page,
    endorsements.preflights,
    evidence.router,
    evidence.preflights,
    networks.with_page,
    networks.router,
    networks.preflights,
    public.preflights,
    health.router,
    metrics.router,
):
    router.routes.extend(each.routes)
