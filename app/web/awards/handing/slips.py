"""Slips to print and hand out, as one PDF."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import islice

from fastapi import APIRouter, Request, Response

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.awards.awards import LineOutcome
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of, texts_of
from app.http.pages.wording import day
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language.catalogues import locales
from app.services.awards.handing.slips import AT_ONCE
from app.web.awards.handing.handing import MOST_SHOWN, activity_page, award_page
from app.web.awards.results import files_of, result_page

router = APIRouter(prefix="/gestion/{slug}")


@router.post("/activites/{activity_id}/bulletins", dependencies=[staff(Deed.AWARD)])
def of_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Of the ticked badges, or of all that wait to be claimed."""
    work = at_work(request)
    there = [
        record.award.id
        for record in services.awards.list_in(work.campus, activity_id=activity_id, limit=MOST_SHOWN)
    ]
    ticked = set(texts_of(form, "attribution"))
    wanted = [award_id for award_id in there if not ticked or str(award_id) in ticked]
    try:
        return _pdf(request, services, work, wanted, text_of(form, "langue"))
    except (Conflict, InvalidInput) as error:
        return activity_page(request, services, work, activity_id, trouble=sentence_of(error), status=409)


@router.post("/resultats/{batch_id}/bulletins", dependencies=[staff(Deed.AWARD)])
def of_batch(batch_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Of all that were given at once, with an activity or without; of very many, one file after the other."""
    work = at_work(request)
    overview = services.award_batches.overview(work.campus, batch_id)
    number = text_of(form, "fichier")
    before = int(number) - 1 if number in files_of(overview.count(LineOutcome.AWARDED)) else 0
    files = services.award_batches.lines_in_turn(overview.batch, (LineOutcome.AWARDED,), at_a_time=AT_ONCE)
    given = [line.award_id for line in next(islice(files, before, None), ()) if line.award_id]
    try:
        return _pdf(request, services, work, given, text_of(form, "langue"))
    except Conflict as error:
        return result_page(request, services, work, batch_id, sentence_of(error))


@router.post("/attributions/{award_id}/bulletin", dependencies=[staff(Deed.AWARD)])
def of_award(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    try:
        return _pdf(request, services, work, [award_id], text_of(form, "langue"))
    except Conflict as error:
        return award_page(request, services, work, award_id, error=error)


def _pdf(
    request: Request, services: Services, work: AtWork, award_ids: Sequence[uuid.UUID], language: str
) -> Response:
    spoken = language if language in locales() else work.campus.language
    with deed(request) as writing:
        sheet = writing.slips.prepare(work.campus, award_ids, language=spoken, day=day, by=work.actor)
    return Response(
        services.slips.printed(sheet),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="bulletins-{len(sheet.slips)}.pdf"',
            "Cache-Control": "no-store",
        },
    )
