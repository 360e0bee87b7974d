"""The badges of a set of modules in one action: those of each module for an activity, then that of the whole."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import in_words
from app.domain.awards.batches import key_of_page
from app.domain.badges.shared_definitions import TrainingModule
from app.domain.core import plain_text
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, Unavailable
from app.http.pages.forms import DRAFT_NOTE, SafeForm, draft_form, save_draft, text_of, texts_of
from app.http.pages.words import day, days
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    process_of,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import translated
from app.services.awards.awards import AwardRequest, Preview
from app.services.badges.modules import Grid
from app.web.awards.awarding import (
    CHOOSE_AGAIN,
    CONTENT_SEEN,
    GIVE,
    SEEN,
    TICKED,
    ids_in,
)
from app.web.awards.rule_awarding import (
    Again,
    Origin,
    award_or_preview,
    chosen_people,
    draft_page,
    request_for,
)
from app.web.campus.dashboard import BadgeTile

router = APIRouter(prefix="/gestion/{slug}/modules/{set_id:uuid}/ensemble", dependencies=[CROSS_TENANT])
_WHOLE = "-ensemble"
_MOST_ACTIVITIES = 100


@dataclass(frozen=True)
class PlannedModule:
    module: TrainingModule
    request: AwardRequest
    checked: Preview


@dataclass
class PersonPlan:
    """One person: what each module becomes, by module, and the whole."""

    name: str
    cells: dict[uuid.UUID, str] = field(default_factory=dict)
    counted: set[uuid.UUID] = field(default_factory=set)
    """Modules attested already, or now."""
    has_whole: bool = False


@dataclass(frozen=True)
class SetPlan:
    grid: Grid
    modules: Sequence[PlannedModule]
    people: dict[uuid.UUID, PersonPlan]
    others: Sequence[tuple[str, str, str]]
    """Module, name and reason of lines without a recorded person."""
    content: str
    """Of each badge and activity, as `BadgeService.content_mark`."""

    @property
    def ready(self) -> int:
        return sum(len(each.checked.ready) for each in self.modules)

    @property
    def completing(self) -> list[uuid.UUID]:
        """Those who will have every module and do not have the whole."""
        return [
            person_id
            for person_id, each in self.people.items()
            if len(each.counted) == len(self.grid.modules) and not each.has_whole
        ]


def _requests_in(grid: Grid, form: FormData) -> list[tuple[TrainingModule, AwardRequest]]:
    found = []
    for module in grid.modules:
        chosen = ids_in(text_of(form, f"activite-{module.id}"))
        if chosen and module.badge_id:
            key = key_of_page(text_of(form, "cle")[:60])
            found.append(
                (
                    module,
                    AwardRequest(
                        module.badge_id,
                        chosen[0],
                        everybody=True,
                        evidence=text_of(form, f"preuve-{module.id}"),
                        idempotency_key=f"{key}-{module.id}" if key else None,
                    ),
                )
            )
    if not found:
        raise InvalidInput("Choisissez l’activité d’au moins un module.")
    return found


def plan_of(services: Services, work: AtWork, grid: Grid, form: FormData) -> SetPlan:
    people: dict[uuid.UUID, PersonPlan] = {}
    for person, each in services.modules.followed(grid):
        cells = dict.fromkeys(each.done, translated("A déjà ce badge"))
        people[person.id] = PersonPlan(
            person.name, cells, set(each.done), each.has_whole or each.is_whole_suspended
        )
    planned, others = [], []
    for module, wanted in _requests_in(grid, form):
        checked = services.awards.preview(work.campus, wanted, by=work.actor)
        planned.append(PlannedModule(module, wanted, checked))
        for line in checked.lines:
            result = line.eligibility
            words = (
                translated("Badge attribué maintenant")
                if result.is_ready
                else translated(result.sentence).format(**in_words(result.values))
            )
            if line.person is None:
                others.append((module.title, line.line.name, words))
                continue
            found = people.setdefault(line.person.id, PersonPlan(line.person.name))
            if module.id in found.counted:
                continue
            found.cells[module.id] = words
            if result.is_ready:
                found.counted.add(module.id)
    marks = [each.checked.content for each in planned]
    if grid.whole is not None:
        marks.append(services.badges.content_mark(work.campus, grid.whole[1], None))
    return SetPlan(grid, planned, people, others, "-".join(marks))


@router.get("", dependencies=[staff(Permission.AWARD)])
def choose_activities(set_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return _choice_page(request, services, work, services.modules.grid(work.campus, set_id), FormData())


@router.post("", dependencies=[staff(Permission.AWARD)])
def check_or_award(
    set_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Awards what the preview showed unchanged, judged again; anything else leads to the preview."""
    work, note = at_work(request), ""
    grid = services.modules.grid(work.campus, set_id)
    if text_of(form, "geste") == GIVE:
        try:
            plan = plan_of(services, work, grid, form)
            key = text_of(form, "cle")[:60]
            # A page from before an undo leads to its preview first.
            is_new = services.award_batches.free_key(work.campus, key, _endings(grid)) == key
            is_seen = text_of(form, CONTENT_SEEN) in ("", plan.content)
            if is_new and is_seen and plan.ready and text_of(form, SEEN) == str(plan.ready):
                return _give(request, work, plan, form)
        except (InvalidInput, Conflict, NotAllowed, Unavailable) as error:
            note = sentence_of(error)
    return save_draft(request, form, _here(work, set_id), note=note)


@router.get("/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def show_plan(
    set_id: uuid.UUID, draft_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    work = at_work(request)
    grid = services.modules.grid(work.campus, set_id)
    form = draft_form(request, services, draft_id, _here(work, set_id))
    note = text_of(form, DRAFT_NOTE)
    if note or text_of(form, "geste") == CHOOSE_AGAIN:
        return _choice_page(request, services, work, grid, form, note)
    try:
        plan = plan_of(services, work, grid, form)
    except AppError as error:
        return _choice_page(request, services, work, grid, form, sentence_of(error))
    sent = [
        (f"{name}-{each.module.id}", text_of(form, f"{name}-{each.module.id}"))
        for each in plan.modules
        for name in ("activite", "preuve")
    ]
    completing = set(plan.completing)
    return work.page(
        request,
        "badges/modules/award_set.html",
        here=f"{work.home}/modules/{set_id}",
        title=grid.found.title,
        plan=plan,
        whole=grid.whole[1].name if grid.whole else "",
        modules=grid.modules,
        people=[
            (each.name, [each.cells.get(module.id, "–") for module in grid.modules], person_id in completing, each.has_whole)
            for person_id, each in sorted(plan.people.items(), key=lambda pair: plain_text(pair[1].name))
        ],
        completing=len(completing),
        lacks_evidence=bool(
            grid.whole and grid.whole[1].kind.is_assessed and not text_of(form, "preuve-ensemble")
        ),
        sent=[*sent, ("preuve-ensemble", text_of(form, "preuve-ensemble"))],
        changed=text_of(form, "geste") == GIVE,
        key=services.award_batches.free_key(work.campus, str(draft_id), _endings(grid)),
    )  # fmt: skip


def _here(work: AtWork, set_id: uuid.UUID) -> str:
    return f"{work.home}/modules/{set_id}/ensemble"


def _endings(grid: Grid) -> list[str]:
    """Of the keys of what one form gives."""
    return [*(f"-{module.id}" for module in grid.modules), _WHOLE]


def _give(request: Request, work: AtWork, plan: SetPlan, form: FormData) -> Response:
    """One transaction. The whole goes to people who then have every module; longer batches leave it proposed."""
    process, grid = process_of(request), plan.grid
    with write_transaction(request) as writing:
        batches = [
            writing.awards.give(work.campus, each.request, by=work.actor, undo_for=process.undo_for)
            for each in plan.modules
            if each.checked.ready
        ]
        if grid.found.badge_id and plan.completing:
            complete = writing.modules.proposed(grid, plan.completing)
            key = key_of_page(text_of(form, "cle")[:60])
            wanted = AwardRequest(
                grid.found.badge_id,
                person_ids=tuple(complete),
                evidence=text_of(form, "preuve-ensemble"),
                idempotency_key=f"{key}{_WHOLE}" if key else None,
            )
            if complete and writing.awards.preview(work.campus, wanted, by=work.actor).ready:
                batches.append(
                    writing.awards.give(work.campus, wanted, by=work.actor, undo_for=process.undo_for)
                )
    process.on_enqueue()
    query = "&".join(f"lot={each.id}" for each in batches)
    return RedirectResponse(f"{work.home}/modules/{grid.found.id}/personnes?{query}", status_code=303)


def _choice_page(
    request: Request, services: Services, work: AtWork, grid: Grid, form: FormData, trouble: str = ""
) -> HTMLResponse:
    listed = services.activities.list_in(work.campus)[:_MOST_ACTIVITIES]
    choices = [("", translated("Aucune : ne pas attribuer ce module"))]
    choices += [
        (str(each.id), f"{each.title}, {days(each.starts_on, each.ends_on)} ({people})")
        for each, people in listed
    ]
    whole = grid.whole
    return work.page(
        request,
        "badges/modules/choose_set.html",
        here=f"{work.home}/modules/{grid.found.id}",
        title=grid.found.title,
        trouble=trouble,
        choices=choices,
        modules=[
            (
                each.id,
                each.title,
                badge[1].name if badge else "",
                bool(badge and badge[1].kind.is_assessed),
                text_of(form, f"activite-{each.id}"),
                text_of(form, f"preuve-{each.id}"),
            )
            for each in grid.modules
            for badge in [grid.badge_of(each)]
        ],
        whole=whole[1].name if whole else "",
        whole_is_assessed=bool(whole and whole[1].kind.is_assessed),
        evidence=text_of(form, "preuve-ensemble"),
    )


# --- The badge of a whole set of modules: people who have every module are proposed, a trainer confirms

whole_set_router = APIRouter(prefix="/gestion/{slug}/modules/{set_id:uuid}", dependencies=[CROSS_TENANT])


@whole_set_router.get("/personnes", dependencies=[staff(Permission.VIEW)])
def show_people(
    set_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    lot: Annotated[list[uuid.UUID], Query()] = [],  # noqa: B006
) -> HTMLResponse:
    """`lot`: batches that were just awarded, to link to their results."""
    work = at_work(request)
    return _people_page(request, services, work, services.modules.grid(work.campus, set_id), batches=lot[:21])


@whole_set_router.post("/attribuer", dependencies=[staff(Permission.AWARD)])
def check_or_award_whole_set(
    set_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Counts the modules of the chosen people again before awarding."""
    work = at_work(request)
    grid = services.modules.grid(work.campus, set_id)
    return award_or_preview(
        request, form, services, lambda: _request_in(services, grid, form), _set_home(work, set_id)
    )


@whole_set_router.get("/attribuer/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def show_draft(
    set_id: uuid.UUID, draft_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    work = at_work(request)
    grid = services.modules.grid(work.campus, set_id)
    return draft_page(
        request,
        services,
        draft_id,
        _set_home(work, set_id),
        lambda form: _request_in(services, grid, form),
        lambda again: _people_page(request, services, work, grid, again),
        Origin(grid.found.title, f"{work.home}/modules/{set_id}"),
    )


def _set_home(work: AtWork, set_id: uuid.UUID) -> str:
    return f"{work.home}/modules/{set_id}/attribuer"


def _request_in(services: Services, grid: Grid, form: FormData) -> AwardRequest:
    if grid.found.badge_id is None:
        raise Conflict("Cet ensemble n’a pas encore de badge.")
    people = services.modules.proposed(grid, chosen_people(texts_of(form, "personne")))
    if not people:
        raise InvalidInput("Choisissez au moins une personne qui a tous les modules.")
    return request_for(grid.found.badge_id, form, people)


def _people_page(
    request: Request,
    services: Services,
    work: AtWork,
    grid: Grid,
    again: Again = Again(),
    batches: Sequence[uuid.UUID] = (),
) -> HTMLResponse:
    here = f"{work.home}/modules/{grid.found.id}"
    zone = work.campus.time_zone
    followed = services.modules.followed(grid)
    whole = grid.whole
    return work.page(
        request,
        "badges/modules/people.html",
        here=here,
        title=grid.found.title,
        modules=[each.title for each in grid.modules],
        badge=BadgeTile.of(*whole) if whole else None,
        awards=work.may(Permission.AWARD) and whole is not None,
        assessed=whole is not None and whole[1].kind.is_assessed,
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
        again=again,
        status=status_for(again.trouble, again.errors),
        batches=[
            (f"{work.home}/resultats/{each}", services.award_batches.result(work.campus, each).version.name)
            for each in batches
        ],
        gives=work.may(Permission.AWARD),
    )
