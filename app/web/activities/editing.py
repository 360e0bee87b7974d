"""Activities created, changed and done once more from one form; campuses that answer when they are asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import Activity
from app.domain.activities.plans import WHY_IT_STAYS
from app.errors import Conflict, InvalidInput, NotFound
from app.http.pages.forms import SafeForm, press_id, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import ACTIVITY_KINDS
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import AtWork, at_work, look_of, sentence_of, staff, today_in
from app.language import N_
from app.web.activities.activities import ActivityView
from app.web.activities.form import AUDIENCES, ActivityForm
from app.web.activities.sessions.days import RHYTHMS

router = APIRouter(prefix="/gestion/{slug}/activites", dependencies=[WITH_ORGANISERS])


@router.get("/nouvelle", dependencies=[staff(Deed.WORK)])
def new_activity(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    blank = ActivityForm()
    blank.chosen["formateur"] = [str(work.who.person.id)]
    blank.fields["debut"] = today_in(services, work.campus).isoformat()
    return _form_page(request, services, work, blank)


@router.post("/nouvelle", dependencies=[staff(Deed.WORK)])
def create_activity(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)

    def create(filled: ActivityForm) -> uuid.UUID:
        activity = filled.activity()
        activity.id = press_id(form, work.who.person.id)
        with deed(request) as writing:
            plan = filled.plan()
            return writing.activity_plans.create(work.campus, activity, plan, by=work.actor).id

    return _tried(request, services, work, ActivityForm.of(form), create)


@router.get("/{activity_id}/modifier", dependencies=[staff(Deed.WORK)])
def edit_activity(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return _edit_page(request, services, work, services.activities.get(work.campus, activity_id))


def _edit_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity: Activity,
    *,
    trouble: str = "",
    stays: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The form with what is true now; `trouble` and `stays` say why it was not deleted just now."""
    planned = services.activity_plans.planned(work.campus, activity.id)
    filled = ActivityForm.filled(activity, planned, own_slug=work.campus.slug)
    shown = ActivityView.of(work, activity)
    return _form_page(request, services, work, filled, shown, trouble=trouble, stays=stays, status=status)


@router.post("/{activity_id}/modifier", dependencies=[staff(Deed.WORK)])
def amend_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    shown = ActivityView.of(work, services.activities.get(work.campus, activity_id))
    typed = ActivityForm.of(form)
    typed.follows_sessions = bool(services.activity_sessions.list_of(work.campus, activity_id)[0])

    def amend(filled: ActivityForm) -> uuid.UUID:
        told = filled.activity()
        with deed(request) as writing:
            plan = filled.plan()
            return writing.activity_plans.amend(work.campus, activity_id, told, plan, by=work.actor).id

    return _tried(request, services, work, typed, amend, shown)


@router.post("/{activity_id}/supprimer", dependencies=[staff(Deed.WORK)])
def delete_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Only what was ticked as meant; the page says why an activity stays."""
    work = at_work(request)
    activity = services.activities.get(work.campus, activity_id)
    if text_of(form, "confirme") != "oui":
        sentence = say(N_("Cochez la case pour confirmer. Rien n’a été supprimé."))
        return _edit_page(request, services, work, activity, trouble=sentence, status=422)
    try:
        with deed(request) as writing:
            writing.activity_plans.delete(work.campus, activity_id, by=work.actor)
    except Conflict as error:
        return _edit_page(request, services, work, activity, stays=sentence_of(error), status=409)
    return RedirectResponse(f"{work.home}/activites", status_code=303)


def _tried(
    request: Request,
    services: Services,
    work: AtWork,
    filled: ActivityForm,
    doing: Callable[[ActivityForm], uuid.UUID],
    activity: ActivityView | None = None,
) -> Response:
    """The deed done, or the form again with what is wrong."""
    try:
        activity_id = doing(filled)
    except (InvalidInput, NotFound) as error:
        if not filled.errors:
            filled.errors["titre"] = sentence_of(error)
        return _form_page(request, services, work, filled, activity, status=422)
    return RedirectResponse(f"{work.home}/activites/{activity_id}", status_code=303)


@router.post("/{activity_id}/dupliquer", dependencies=[staff(Deed.WORK)])
def duplicate(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    copy_id = press_id(form, work.who.person.id)
    with deed(request) as writing:
        today = today_in(writing, work.campus)
        copy = writing.activity_plans.duplicate(work.campus, activity_id, copy_id, today=today, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{copy.id}?copie=oui", status_code=303)


@router.post("/{activity_id}/invitation", dependencies=[staff(Deed.MANAGE)])
def answer(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    """Only the administration speaks for the campus."""
    work, accepts = at_work(request), text_of(form, "geste") == "accepter"
    with deed(request) as writing:
        writing.activity_plans.answer(work.campus, activity_id, accepts=accepts, by=work.actor)
    back = f"{work.home}/activites/{activity_id}" if accepts else f"{work.home}/activites"
    return RedirectResponse(back, status_code=303)


def _form_page(
    request: Request,
    services: Services,
    work: AtWork,
    filled: ActivityForm,
    activity: ActivityView | None = None,
    *,
    trouble: str = "",
    stays: str = "",
    status: int = 200,
) -> HTMLResponse:
    holding = services.activity_plans.holding(work.campus, activity.id) if activity else None
    choices = services.activity_plans.choices(work.campus)
    return page(
        request,
        "activities/form.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=activity,
        form=filled,
        trouble=trouble,
        is_refused=bool(stays),
        stays=stays or (say(WHY_IT_STAYS[holding]) if holding else ""),
        kinds=[(kind.value, say(words)) for kind, words in ACTIVITY_KINDS.items()],
        rhythms=[(value, say(words)) for value, words in RHYTHMS.items()],
        audiences=[say(words) for words in AUDIENCES],
        trainers=[(str(person.id), person.name) for person in choices.trainers],
        competencies=[(str(one.id), f"{one.code} – {one.statement}") for one in choices.competencies],
        badges=[(str(badge.id), version.name) for badge, version in choices.badges],
        others=[look_of(campus) for campus in choices.campuses],
    )
