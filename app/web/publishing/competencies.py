"""Competencies for everybody: one page each, and one for each version that a credential refers to."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.frameworks import Competency
from app.http.negotiation import ForPeople
from app.http.pages.render import page
from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.http.workplaces import look_of
from app.services.publishing.catalogue import PublicCompetency
from app.web.publishing.catalogue import Card, card_of

router = APIRouter(include_in_schema=False)
version_router = APIRouter(include_in_schema=False, route_class=ForPeople)


@router.get("/competences/{competency_id:uuid}")
@public
def show_competency(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.catalogue.competency(competency_id)
    return _page(request, services, found, found.competency)


@version_router.get("/competences/{competency_id:uuid}/v{number}")
@public
def show_version(
    competency_id: uuid.UUID,
    number: Annotated[int, Path(ge=1, le=100_000)],
    request: Request,
    services: ReadingServices,
) -> HTMLResponse:
    """Also of an archived competency: badges given before still refer to it."""
    _writer, shown = services.frameworks.published_version(competency_id, number)
    found = services.catalogue.competency(competency_id, archived=True)
    return _page(request, services, found, shown, version=number)


def _page(
    request: Request, services: Services, found: PublicCompetency, shown: Competency, version: int = 0
) -> HTMLResponse:
    campuses = {found.campus.id: found.campus}
    badges: dict[int, list[Card]] = {}
    for entry, level in found.badges:
        badges.setdefault(level or 0, []).append(card_of(entry, campuses))
    rubric = [*shown.rubric, *[""] * len(shown.levels)]
    differs = version and (shown.statement, shown.levels, shown.rubric) != (
        found.competency.statement,
        found.competency.levels,
        found.competency.rubric,
    )
    return page(
        request,
        "frameworks/competency.html",
        campus=look_of(found.campus),
        wide=True,
        found=found,
        shown=shown,
        version=version,
        differs=differs,
        levels=[
            (rank, name, rubric[rank - 1], badges.get(rank, []))
            for rank, name in enumerate(shown.levels, start=1)
        ],
        badges=badges.get(0, []),
        activities=[card_of(entry, campuses) for entry in found.activities],
        url=services.addresses.competency(found.competency.id),
    )
