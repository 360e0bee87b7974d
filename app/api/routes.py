"""Every route of the JSON interface, by noun; `documents` are matched first."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from app.api import activities, activity_log, awards, badges, campus, operations, people, reports
from app.api import frameworks as competencies
from app.api.imports import calendars, imports, lists, xapi
from app.api.programs import FORMER_ADDRESS, Writing, check_members
from app.api.publishing import connected_apps, public, wallets
from app.api.publishing import frameworks as case
from app.api.trust import endorsements, networks
from app.api.verification import presentations, vc_api, verification
from app.http.problems import documented
from app.http.request_scope import WITH_ORGANISERS

documents = public.documents
router = APIRouter()
former = APIRouter(
    prefix="/campuses/{slug}", route_class=Writing, dependencies=[WITH_ORGANISERS, FORMER_ADDRESS]
)
former.put("/people/by-external-id/{external:path}", include_in_schema=False)(people.upsert_person)
former.put("/activities/by-external-id/{external:path}", include_in_schema=False)(activities.upsert_activity)
v1 = APIRouter(prefix="/api/v1", dependencies=[Depends(check_members)])
for each in (
    competencies.router,
    competencies.search_router,
    competencies.pathways_router,
    badges.router,
    former,
    activities.router,
    activities.by_external_id,
    activities.sessions_router,
    activities.participations_router,
    reports.router,
    reports.surveys_router,
    imports.router,
    xapi.xapi_router,
    xapi.record_store,
    calendars.router,
    lists.router,
    awards.router,
    people.router,
    people.of_campus,
    people.by_external_id,
    campus.changes,
    campus.webhooks,
    endorsements.of_campus,
):
    v1.include_router(each, responses=documented(400, 401, 403, 404, 409, 410, 413, 415, 422, 503))
v1.include_router(verification.router, responses=documented(400, 413, 422))
v1.include_router(activity_log.hand_in, responses=documented(400, 403, 404, 409, 413, 422))
router.include_router(v1)
router.include_router(vc_api.router)
for each in (
    activity_log.router,
    activity_log.preflights,
    public.in_version_2,
    wallets.router,
    presentations.router,
    connected_apps.router,
    endorsements.router,
    endorsements.with_page,
    endorsements.preflights,
    activity_log.evidence_router,
    networks.with_page,
    networks.router,
    networks.preflights,
    public.preflights,
    verification.preflights,
    case.with_page,
    case.router,
    operations.router,
    operations.metrics_router,
):
    router.routes.extend(each.routes)
