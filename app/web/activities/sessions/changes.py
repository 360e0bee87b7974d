"""The sessions of a series begun, added, moved and cancelled from one small form, and what changed said in words."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import Activity
from app.domain.activities.days_as_written import day_in
from app.domain.activities.participant_lists import hours_in
from app.domain.activities.plans import ActivitySession
from app.domain.activities.series import DayTaken, SessionFacts
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import hours_text
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.web.activities.activities import ActivityView
from app.web.activities.sessions.days import RHYTHMS, DaysTyped

router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}/seances",
    dependencies=[WITH_ORGANISERS, staff(Deed.WORK)],
)
ADDED, CHANGED, CANCELLED, RESTORED = "ajoutee", "changee", "annulee", "retablie"
_A_WEEK = timedelta(days=7)


@dataclass
class SessionForm:
    day: str = ""
    hours: str = ""
    place: str = ""
    when: DaysTyped = field(default_factory=DaysTyped)
    errors: dict[str, str] = field(default_factory=dict)

    def all_facts(self) -> list[SessionFacts]:
        """Of every session that is to be added."""
        first = self.facts()
        days = self.when.read(first.held_on, self.errors)
        if self.errors:
            raise InvalidInput(N_("Un champ est à corriger."))
        return [replace(first, held_on=day) for day in days]

    def facts(self) -> SessionFacts:
        """What was typed; raises InvalidInput when a field cannot be read, and says so beside the field."""
        hours, fault = hours_in(self.hours)
        if fault:
            self.errors["heures"] = say(N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5."))
        elif hours is not None and not 0 < hours <= 24:
            self.errors["heures"] = say(N_("Une séance dure 24 heures au plus."))
        held_on = day_in(self.day)
        if held_on is None:
            self.errors["jour"] = say(N_("Cette date n’est pas lisible : écrivez 24/11/2026."))
        if len(self.place) > 200:
            self.errors["lieu"] = say(N_("Le lieu tient en 200 signes."))
        if self.errors or held_on is None:
            raise InvalidInput(N_("Un champ est à corriger."))
        return SessionFacts(held_on, hours, self.place)


@router.get("/nouvelle")
def new_session(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    sessions, _ = services.activity_sessions.list_of(work.campus, activity_id)
    activity = services.activities.get(work.campus, activity_id)
    return _page(
        request, services, work, activity_id, _next_of(sessions) if sessions else _second_of(activity)
    )


@router.post("/nouvelle")
def add_session(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, typed = at_work(request), _typed(form)
    services.activities.get(work.campus, activity_id)
    try:
        wanted = typed.all_facts()
        with deed(request) as writing:
            made = writing.series.add_all(work.campus, activity_id, wanted, by=work.actor)
            first = made[0].id
    except (InvalidInput, DayTaken) as error:
        return _again(request, services, work, activity_id, typed, error)
    except Conflict as error:
        told = sentence_of(error)
        return _page(request, services, work, activity_id, typed, trouble=told, status=409)
    return _told(work, activity_id, first, ADDED, f"&ajoutees={len(made)}&deja={len(wanted) - len(made)}")


@router.get("/{session_id:uuid}/changer")
def edit_session(
    activity_id: uuid.UUID, session_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    work = at_work(request)
    session, _ = services.series.session(work.campus, activity_id, session_id)
    filled = SessionForm(session.held_on.isoformat(), hours_text(session.hours), session.place)
    return _page(request, services, work, activity_id, filled, session_id)


@router.post("/{session_id:uuid}/changer")
def change_session(
    activity_id: uuid.UUID,
    session_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    work, typed = at_work(request), _typed(form)
    services.series.session(work.campus, activity_id, session_id)
    try:
        facts = typed.facts()
        with deed(request) as writing:
            writing.series.change(work.campus, activity_id, session_id, facts, by=work.actor)
    except (InvalidInput, DayTaken) as error:
        return _again(request, services, work, activity_id, typed, error, session_id)
    return _told(work, activity_id, session_id, CHANGED)


@router.post("/{session_id:uuid}/annuler")
def cancel_session(
    activity_id: uuid.UUID,
    session_id: uuid.UUID,
    request: Request,
    form: SafeForm,  # noqa: ARG001 - its check is the point
    services: ReadingServices,
) -> Response:
    work = at_work(request)
    session, _ = services.series.session(work.campus, activity_id, session_id)
    try:
        with deed(request) as writing:
            writing.series.cancel(work.campus, activity_id, session_id, by=work.actor)
    except Conflict as error:
        filled = SessionForm(session.held_on.isoformat(), hours_text(session.hours), session.place)
        return _page(
            request, services, work, activity_id, filled, session_id, trouble=sentence_of(error), status=409
        )
    return _told(work, activity_id, session_id, CANCELLED)


@router.post("/{session_id:uuid}/retablir")
def restore_session(
    activity_id: uuid.UUID,
    session_id: uuid.UUID,
    request: Request,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> Response:
    work = at_work(request)
    with deed(request) as writing:
        writing.series.restore(work.campus, activity_id, session_id, by=work.actor)
    return _told(work, activity_id, session_id, RESTORED)


def _typed(form: SafeForm) -> SessionForm:
    return SessionForm(
        text_of(form, "jour"), text_of(form, "heures"), text_of(form, "lieu"), DaysTyped.of(form)
    )


def _next_of(sessions: Sequence[ActivitySession]) -> SessionForm:
    """As long as the last one, and as long after it as that one came after the one before."""
    last = sessions[-1]
    gap = last.held_on - sessions[-2].held_on if len(sessions) > 1 else _A_WEEK
    return SessionForm((last.held_on + gap).isoformat(), hours_text(last.hours), last.place)


def _second_of(activity: Activity) -> SessionForm:
    """Of an activity that meets once so far."""
    return SessionForm((activity.ends_on + _A_WEEK).isoformat(), hours_text(activity.hours))


def _told(
    work: AtWork, activity_id: uuid.UUID, session_id: uuid.UUID, done: str, more: str = ""
) -> RedirectResponse:
    here = f"{work.home}/activites/{activity_id}/seances/{session_id}"
    return RedirectResponse(f"{here}?fait={done}{more}", status_code=303)


def _again(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    typed: SessionForm,
    error: InvalidInput | DayTaken,
    session_id: uuid.UUID | None = None,
) -> HTMLResponse:
    if not typed.errors:
        typed.errors["jour"] = sentence_of(error)
    return _page(request, services, work, activity_id, typed, session_id, status=422)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    filled: SessionForm,
    session_id: uuid.UUID | None = None,
    *,
    trouble: str = "",
    status: int = 200,
) -> HTMLResponse:
    session, came = services.series.session(work.campus, activity_id, session_id) if session_id else (None, 0)
    return page(
        request,
        "activities/session_form.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        session=session,
        came=came,
        begins=session is None and not services.activity_sessions.list_of(work.campus, activity_id)[0],
        form=filled,
        rhythms=[(value, say(words)) for value, words in RHYTHMS.items()],
        trouble=trouble,
    )
