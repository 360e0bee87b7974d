"""A bulk award while it is not settled: planned, under way, taken back; watched live, or by loading the page again."""

from __future__ import annotations

import json
import uuid
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from app.domain.batches import BatchState
from app.domain.campus import Campus
from app.domain.permissions import Deed
from app.errors import Conflict
from app.language import N_, current_locale, speaking
from app.request_scope import ReadingServices, deed, process_of
from app.services.award_batches import Progress
from app.web.award_results import name_of, result_page
from app.web.desk import BadgeTile
from app.web.forms import SafeForm
from app.web.render import page
from app.web.typography import say
from app.web.wording import number
from app.web.workplaces import AtWork, at_work, sentence_of, staff
from app.wiring import Process, Services

LOOK_EVERY = 0.5
LATEST = 4
_DONE = N_("Lignes traitées : {done} sur {total}")
UNSETTLED = (BatchState.RUNNING, BatchState.UNDOING)
router = APIRouter(prefix="/gestion/{slug}/resultats/{batch_id}")


@dataclass(frozen=True)
class ProgressView:
    done: int
    total: int
    heading: str

    @staticmethod
    def of(progress: Progress) -> ProgressView:
        done, total = progress.answered, progress.total
        heading = say(_DONE).format(done=number(done), total=number(total))
        return ProgressView(done, total, heading)


@router.get("", dependencies=[staff(Deed.AWARD)])
def show(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), batch_id)


def _page(
    request: Request, services: Services, work: AtWork, batch_id: uuid.UUID, trouble: str = ""
) -> HTMLResponse:
    progress = services.award_batches.progress(work.campus, batch_id, latest=LATEST)
    if progress.batch.state in (BatchState.DONE, BatchState.UNDONE):
        return result_page(request, services, work, batch_id, trouble)
    badge, version = services.award_batches.badge_of(progress.batch)
    return page(
        request,
        "awarding/progress.html",
        campus=work.look,
        private=True,
        status=409 if trouble else 200,
        home=work.home,
        here=f"{work.home}/resultats/{batch_id}",
        zone=work.campus.time_zone,
        badge=BadgeTile.of(badge, version),
        batch=progress.batch,
        progress=ProgressView.of(progress),
        latest=[name_of(line) for line in progress.latest],
        trouble=trouble,
    )


@router.get("/avancement", dependencies=[staff(Deed.AWARD)])
def watch(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """How far it is, each time it gets further, until it is settled."""
    campus = at_work(request).campus
    services.award_batches.progress(campus, batch_id)
    return StreamingResponse(
        _steps(process_of(request), campus, batch_id, current_locale()),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _steps(process: Process, campus: Campus, batch_id: uuid.UUID, language: str) -> AsyncIterator[str]:
    told: dict[str, Any] | None = None
    while True:
        step, settled = await to_thread(_step, process, campus, batch_id, language)
        if step != told:
            yield f"event: pas\ndata: {json.dumps(step)}\n\n"
            told = step
        if settled:
            yield "event: fin\ndata: {}\n\n"
            return
        await sleep(LOOK_EVERY)


def _step(
    process: Process, campus: Campus, batch_id: uuid.UUID, language: str
) -> tuple[dict[str, Any], bool]:
    with process.unit_of_work(reading=True) as services, speaking(language):
        progress = services.award_batches.progress(campus, batch_id)
        view = ProgressView.of(progress)
    step = {"done": view.done, "total": view.total, "heading": view.heading}
    return step, progress.batch.state not in UNSETTLED


@router.post("/annuler", dependencies=[staff(Deed.AWARD)])
def take_back(batch_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    """Before its hour, nothing is awarded; after it, what was awarded is withdrawn before it leaves."""
    work = at_work(request)
    try:
        with deed(request) as writing:
            writing.award_batches.take_back(work.campus, batch_id, by=work.actor)
    except Conflict as error:
        return _page(request, services, work, batch_id, sentence_of(error))
    process_of(request).on_promise()
    return _back(work, batch_id)


@router.post("/remettre", dependencies=[staff(Deed.AWARD)])
def hand_over(batch_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    try:
        with deed(request) as writing:
            writing.award_batches.hand_over(work.campus, batch_id, by=work.actor)
    except Conflict as error:
        return _page(request, services, work, batch_id, sentence_of(error))
    process_of(request).on_promise()
    return _back(work, batch_id)


def _back(work: AtWork, batch_id: uuid.UUID) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/resultats/{batch_id}", status_code=303)
