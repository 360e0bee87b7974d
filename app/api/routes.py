"""Every address of the JSON face, by noun; `documents` are to be asked first."""

from __future__ import annotations

from fastapi import APIRouter

from app.api import (
    activities,
    activity_log,
    awards,
    badges,
    competencies,
    endorsements,
    evidence,
    health,
    metrics,
    networks,
    older_badges,
    participations,
    public,
    sessions,
    vc_api,
    verification,
    xapi,
)
from app.api.problems import documented

documents = public.documents
router = APIRouter()
v1 = APIRouter(prefix="/api/v1")
for each in (
    *(noun.router for noun in (competencies, badges, activities, sessions, participations, xapi, awards)),
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
