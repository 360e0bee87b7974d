"""One award's own page: open, it answers an employer; shut, it says only that it is shut."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from app.container import Services
from app.domain.awards.awards import Visibility
from app.domain.core.snapshots import UNSHARED, Snapshot
from app.http.compression import press, takes_gzip
from app.http.held_badges import find_holder
from app.http.negotiation import ForPeople, ForStrangers
from app.http.pages.typography import say
from app.http.policies import public
from app.http.recent_pages import recent_pages
from app.http.request_scope import ReadingServices, process_of, visit
from app.language import N_, current_locale
from app.web.publishing.embeds import card_address, structured
from app.web.verification.answers import answer_page, closed_page

router = APIRouter(route_class=ForPeople)
for_strangers = APIRouter(route_class=ForStrangers)


@dataclass(frozen=True)
class Share:
    """What a link preview may show: the badge and the campus, never the person, whose mind may change."""

    title: str
    description: str
    url: str
    path: str
    card: str
    oembed: str
    structured: dict[str, Any]
    mine: str
    short: str
    """The address that the code on the page contains, as people type it."""
    older: str
    """Where the same award is in Open Badges 2.0; empty once it was withdrawn."""


@for_strangers.get("/attributions/{award_id:uuid}")
@public
async def show_award_to_a_stranger(award_id: uuid.UUID, request: Request) -> Response:
    """The same page for all who show no cookie of ours, made once for each second and each version of the database."""
    snapshot = await process_of(request).snapshot()
    pressed = takes_gzip(request.headers)
    make = _shown_and_pressed if pressed else _shown
    if snapshot is None:
        return await run_in_threadpool(make, award_id, request, UNSHARED)
    key = (award_id, current_locale(), snapshot.key, pressed)
    return await recent_pages(request).get(key, lambda: run_in_threadpool(make, award_id, request, snapshot))


def _shown(award_id: uuid.UUID, request: Request, snapshot: Snapshot) -> Response:
    with visit(request, reading=True, snapshot=snapshot) as services:
        return _award(award_id, request, services, is_held=False)


def _shown_and_pressed(award_id: uuid.UUID, request: Request, snapshot: Snapshot) -> Response:
    return press(_shown(award_id, request, snapshot))


@router.get("/attributions/{award_id:uuid}")
@public
def show_award(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    is_held = find_holder(award_id, request, services) is not None
    return _award(award_id, request, services, is_held=is_held)


def _award(award_id: uuid.UUID, request: Request, services: Services, *, is_held: bool) -> HTMLResponse:
    record = services.publication.record(award_id)
    mine = f"/mes-badges/{award_id}" if is_held else ""
    if record.award.visibility is not Visibility.OPEN:
        return closed_page(request, services, mine=mine)
    answer = services.verification.verify_award(record)
    path = f"/attributions/{award_id}"
    share = Share(
        title=say(N_("« {title} », un badge du campus {campus}")).format(
            title=record.version.name, campus=record.campus.short_name
        ),
        description=say(N_("Ouvrez la page pour voir s’il est authentique et encore valable.")),
        url=services.addresses.award(award_id),
        path=path,
        card=card_address(services, award_id),
        oembed=f"{services.addresses.base_url}/oembed?{urlencode({'url': services.addresses.award(award_id)})}",
        structured=structured(services, record, record.version.name, record.version.description),
        mine=mine,
        short=services.addresses.short_in_print(award_id),
        older="" if record.award.revoked_at else f"/ob2/attributions/{award_id}",
    )
    findable = record.award.is_findable
    page = answer_page(request, services, answer, again=path, share=share, findable=findable)
    if not findable:
        page.headers["X-Robots-Tag"] = "noindex, nofollow"
    page.headers.add_vary_header("Accept")
    return page
