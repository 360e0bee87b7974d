"""The badge of a whole set of modules: people who have every module are proposed, a trainer confirms."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, Unavailable
from app.http.pages.forms import DRAFT_NOTE, SafeForm, draft_form, save_draft, text_of, texts_of
from app.http.pages.words import day
from app.http.request_scope import CROSS_TENANT, ReadingServices
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.awards.awards import AwardRequest
from app.services.badges.modules import Grid
from app.web.awards.awarding import CHOOSE_AGAIN, EVIDENCE, GIVE, GIVE_LATER, SEEN, TICKED, Hour, Ticks, give
from app.web.awards.rule_awarding import Origin, chosen_people, preview_page, request_for
from app.web.campus.dashboard import BadgeTile

router = APIRouter(prefix="/gestion/{slug}/modules/{set_id:uuid}", dependencies=[CROSS_TENANT])


@router.get("/personnes", dependencies=[staff(Permission.VIEW)])
def show_people(
    set_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    lot: Annotated[list[uuid.UUID], Query()] = [],  # noqa: B006
) -> HTMLResponse:
    """`lot`: batches that were just awarded, to link to their results."""
    work = at_work(request)
    return _people_page(request, services, work, services.modules.grid(work.campus, set_id), batches=lot[:21])


@router.post("/attribuer", dependencies=[staff(Permission.AWARD)])
def check_or_award(
    set_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Counts the modules of the chosen people again before awarding."""
    work, note = at_work(request), ""
    grid = services.modules.grid(work.campus, set_id)
    hour = Hour.of(form, work, at=services.clock())
    if not hour.trouble and text_of(form, "geste") in (GIVE, GIVE_LATER):
        try:
            wanted = _request_in(services, grid, form)
            judged = services.awards.preview(work.campus, wanted, by=work.actor)
            is_seen = text_of(form, SEEN) == str(len(judged.ready))
            if is_seen and (awarded := give(request, work, wanted, hour)):
                return awarded
        except (InvalidInput, Conflict, NotAllowed, Unavailable) as error:
            note = sentence_of(error)
    return save_draft(request, form, _here(work, set_id), note=note)


@router.get("/attribuer/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def show_draft(
    set_id: uuid.UUID, draft_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    work = at_work(request)
    grid = services.modules.grid(work.campus, set_id)
    form = draft_form(request, services, draft_id, _here(work, set_id))
    evidence, note = text_of(form, EVIDENCE), text_of(form, DRAFT_NOTE)
    if note or text_of(form, "geste") == CHOOSE_AGAIN:
        return _people_page(request, services, work, grid, evidence, note)
    try:
        wanted = _request_in(services, grid, form)
        judged = services.awards.preview(work.campus, wanted, by=work.actor)
    except AppError as error:
        return _people_page(request, services, work, grid, evidence, sentence_of(error))
    hour = Hour.of(form, work, at=services.clock())
    held_back = not hour.trouble and text_of(form, "geste") in (GIVE, GIVE_LATER)
    return preview_page(
        request, services, work, judged, wanted.person_ids, evidence, Ticks.of(form), hour, held_back,
        key=services.award_batches.free_key(work.campus, str(draft_id)),
        origin=Origin(grid.found.title, f"{work.home}/modules/{set_id}"),
    )  # fmt: skip


def _here(work: AtWork, set_id: uuid.UUID) -> str:
    return f"{work.home}/modules/{set_id}/attribuer"


def _request_in(services: Services, grid: Grid, form: FormData) -> AwardRequest:
    if grid.found.badge_id is None:
        raise Conflict(N_("Cet ensemble n’a pas encore de badge."))
    people = services.modules.proposed(grid, chosen_people(texts_of(form, "personne")))
    if not people:
        raise InvalidInput(N_("Choisissez au moins une personne qui a tous les modules."))
    return request_for(grid.found.badge_id, form, people)


def _people_page(
    request: Request,
    services: Services,
    work: AtWork,
    grid: Grid,
    evidence: str = "",
    trouble: str = "",
    batches: Sequence[uuid.UUID] = (),
) -> HTMLResponse:
    here = f"{work.home}/modules/{grid.found.id}"
    zone = work.campus.time_zone
    followed = services.modules.followed(grid)
    whole = grid.whole
    return work.page(
        request,
        "badges/modules/people.html",
        status=422 if trouble else 200,
        here=here,
        title=grid.found.title,
        modules=[each.title for each in grid.modules],
        badge=BadgeTile.of(*whole) if whole else None,
        awards=work.may(Permission.AWARD) and whole is not None,
        judged=whole is not None and whole[1].kind.is_judged,
        ready=[(person.id, person.name) for person, each in followed if each.is_proposed],
        people=[
            (
                person.name,
                [
                    day(each.done[module.id], zone) if module.id in each.done else ""
                    for module in grid.modules
                ],
                each.has_whole,
                f"{here}/attestations/{person.id}.pdf",
            )
            for person, each in followed
        ],
        who=TICKED,
        evidence=evidence,
        trouble=trouble,
        batches=[
            (f"{work.home}/resultats/{each}", services.awards.batch(work.campus, each).version.name)
            for each in batches
        ],
        gives=work.may(Permission.AWARD),
    )
