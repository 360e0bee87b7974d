"""A bulk award while it is not settled: planned, under way, taken back; watched live, or by loading the page again."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.awards.batches import BatchState
from app.errors import Conflict
from app.http.pages.forms import SafeForm
from app.http.pages.live_progress import ProgressView, told_live
from app.http.pages.render import page
from app.http.request_scope import ReadingServices, deed, process_of
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.services.awards.batches import Progress
from app.web.activities.activities import ActivityView
from app.web.awards.results import name_of, result_page
from app.web.campus.desk import BadgeTile

LATEST = 4
UNSETTLED = (BatchState.RUNNING, BatchState.UNDOING)
router = APIRouter(prefix="/gestion/{slug}/resultats/{batch_id}")


@router.get("", dependencies=[staff(Deed.AWARD)])
def show(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), batch_id)


def _page(
    request: Request, services: Services, work: AtWork, batch_id: uuid.UUID, trouble: str = ""
) -> HTMLResponse:
    progress = services.award_batches.progress(work.campus, batch_id, latest=LATEST)
    if progress.batch.state in (BatchState.DONE, BatchState.UNDONE):
        return result_page(request, services, work, batch_id, trouble)
    overview = services.award_batches.overview(work.campus, batch_id)
    return page(
        request,
        "awards/progress.html",
        campus=work.look,
        private=True,
        status=409 if trouble else 200,
        home=work.home,
        here=f"{work.home}/resultats/{batch_id}",
        zone=work.campus.time_zone,
        badge=BadgeTile.of(overview.badge, overview.version),
        activity=ActivityView.of(work, overview.activity) if overview.activity else None,
        batch=progress.batch,
        progress=_progress_of(progress),
        latest=[name_of(line) for line in progress.latest],
        trouble=trouble,
    )


@router.get("/avancement", dependencies=[staff(Deed.AWARD)])
def watch(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """How far it is, each time it gets further, until it is settled."""
    campus = at_work(request).campus
    services.award_batches.progress(campus, batch_id)

    def look(services: Services) -> tuple[ProgressView, bool]:
        progress = services.award_batches.progress(campus, batch_id)
        return _progress_of(progress), progress.batch.state not in UNSETTLED

    return told_live(request, look)


def _progress_of(progress: Progress) -> ProgressView:
    return ProgressView.of(progress.answered, progress.total)


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
