"""Sessions of a series: created, added, moved and cancelled from one small form, with a summary of the
change."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import Activity, ActivitySession, DayTaken, SessionFacts, disambiguated
from app.domain.activities.days_as_written import (
    FAR_YEAR,
    MOST_SESSIONS,
    Rhythm,
    day_in,
    days_in,
    days_of,
    is_of_a_far_year,
)
from app.domain.core import mark_of
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import (
    CHECKED_FORM,
    Count,
    SafeForm,
    SavedMeanwhile,
    check_saved,
    ids_in,
    text_of,
    texts_of,
)
from app.http.pages.words import hours_text
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.web.activities import ActivityView, changed_ticks, noted_otherwise

ONCE = "0"
RHYTHMS = {
    ONCE: N_("Une seule fois"),
    "7": N_("Chaque semaine"),
    "14": N_("Toutes les deux semaines"),
    "1": N_("Chaque jour"),
}


@dataclass(frozen=True)
class DaysTyped:
    rhythm: str = ""
    times: str = ""
    until: str = ""
    others: str = ""

    @staticmethod
    def of(form: FormData) -> DaysTyped:
        return DaysTyped(*(text_of(form, name) for name in ("rythme", "seances", "jusquau", "jours")))

    @property
    def repeats(self) -> bool:
        return self.rhythm in RHYTHMS and self.rhythm != ONCE

    @property
    def says_more(self) -> bool:
        """Whether it contains more than one day."""
        return self.repeats or bool(self.others)

    def until_unless_said(self, day: str) -> DaysTyped:
        return self if self.times or self.until else replace(self, until=day)

    def read(self, first: date, errors: dict[str, str]) -> list[date]:
        """Every day, including the first; `errors` maps fields to what cannot be parsed."""
        rhythm = self._rhythm(errors) if self.repeats else None
        others = list[date]()
        try:
            others = days_in(self.others, after=first)
        except InvalidInput as error:
            errors["jours"] = sentence_of(error)
        if errors:
            return []
        try:
            return days_of(first, rhythm, others)
        except InvalidInput as error:
            errors["seances" if self.repeats else "jours"] = sentence_of(error)
            return []

    def _rhythm(self, errors: dict[str, str]) -> Rhythm:
        times, until = None, None
        if self.times:
            good = self.times.isascii() and self.times.isdecimal() and len(self.times) < 4
            if not good or not 1 <= int(self.times) <= MOST_SESSIONS:
                errors["seances"] = translated("Une série a de 1 à 60 séances.")
            else:
                times = int(self.times)
        if self.until:
            until = day_in(self.until)
            if until is None:
                errors["jusquau"] = _day_fault(self.until)
        return Rhythm(int(self.rhythm), times, until)


def _day_fault(typed: str) -> str:
    unread = N_("Cette date n’est pas lisible : écrivez 24/11/2026.")
    return translated(FAR_YEAR if is_of_a_far_year(typed) else unread)


router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}/seances",
    dependencies=[WITH_ORGANISERS, staff(Permission.WORK)],
)
ADDED, CHANGED, CANCELLED, RESTORED = "ajoutee", "changee", "annulee", "retablie"
_A_WEEK = timedelta(days=7)


@dataclass
class SessionForm:
    day: str = ""
    hours: str = ""
    place: str = ""
    when: DaysTyped = field(default_factory=DaysTyped)
    seen: str = ""
    """The mark of what the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(session: ActivitySession | SessionFacts) -> SessionForm:
        found = SessionForm(session.held_on.isoformat(), hours_text(session.hours), session.place)
        return replace(found, seen=mark_of(*found.fields.values()))

    @property
    def fields(self) -> dict[str, str]:
        return {"jour": self.day, "heures": self.hours, "lieu": self.place}

    def all_facts(self) -> list[SessionFacts]:
        """Data of every session to add."""
        first = self.facts()
        days = self.when.read(first.held_on, self.errors)
        if self.errors:
            raise InvalidInput("Un champ est à corriger.")
        return [replace(first, held_on=day) for day in days]

    def facts(self) -> SessionFacts:
        """The typed values; raises InvalidInput, with the problem in `errors`, when a field cannot be
        parsed."""
        hours, _ = hours_in(self.hours)
        too_long = N_("Une séance dure 24 heures au plus.")
        if fault := hours_fault(self.hours, most=24, out_of_range=too_long):
            self.errors["heures"] = translated(fault)
        held_on = day_in(self.day)
        if held_on is None:
            self.errors["jour"] = _day_fault(self.day)
        if len(self.place) > 200:
            self.errors["lieu"] = translated("Le lieu tient en 200 signes.")
        if self.errors or held_on is None:
            raise InvalidInput("Un champ est à corriger.")
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
        with write_transaction(request) as writing:
            made = writing.series.add_all(work.campus, activity_id, wanted, by=work.actor)
            first = made[0].id
    except (InvalidInput, DayTaken) as error:
        return _again(request, services, work, activity_id, typed, error)
    except Conflict as error:
        trouble = sentence_of(error)
        return _page(request, services, work, activity_id, typed, trouble=trouble, status=409)
    return _result(work, activity_id, first, ADDED, f"&ajoutees={len(made)}&deja={len(wanted) - len(made)}")


@router.get("/{session_id:uuid}/changer")
def edit_session(
    activity_id: uuid.UUID, session_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    work = at_work(request)
    session, _ = services.series.session(work.campus, activity_id, session_id)
    return _page(request, services, work, activity_id, SessionForm.of(session), session_id)


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
        with write_transaction(request) as writing:
            today, _ = writing.series.session(work.campus, activity_id, session_id)
            check_saved(typed.seen, SessionForm.of(today).fields, SessionForm.of(facts).fields)
            writing.series.change(work.campus, activity_id, session_id, facts, by=work.actor)
    except SavedMeanwhile as error:
        beside = replace(typed, seen=error.seen, errors=error.beside)
        return _page(
            request, services, work, activity_id, beside, session_id, trouble=sentence_of(error), status=409
        )
    except (InvalidInput, DayTaken) as error:
        return _again(request, services, work, activity_id, typed, error, session_id)
    return _result(work, activity_id, session_id, CHANGED)


@router.post("/{session_id:uuid}/annuler", dependencies=[CHECKED_FORM])
def cancel_session(
    activity_id: uuid.UUID, session_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    work = at_work(request)
    session, _ = services.series.session(work.campus, activity_id, session_id)
    try:
        with write_transaction(request) as writing:
            writing.series.cancel(work.campus, activity_id, session_id, by=work.actor)
    except Conflict as error:
        filled = SessionForm.of(session)
        return _page(
            request, services, work, activity_id, filled, session_id, trouble=sentence_of(error), status=409
        )
    return _result(work, activity_id, session_id, CANCELLED)


@router.post("/{session_id:uuid}/retablir", dependencies=[CHECKED_FORM])
def restore_session(activity_id: uuid.UUID, session_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.series.restore(work.campus, activity_id, session_id, by=work.actor)
    return _result(work, activity_id, session_id, RESTORED)


def _typed(form: SafeForm) -> SessionForm:
    return SessionForm(
        text_of(form, "jour"),
        text_of(form, "heures"),
        text_of(form, "lieu"),
        DaysTyped.of(form),
        text_of(form, "vu"),
    )


def _next_of(sessions: Sequence[ActivitySession]) -> SessionForm:
    """Same duration as the last session, same interval as between the previous two."""
    last = sessions[-1]
    gap = last.held_on - sessions[-2].held_on if len(sessions) > 1 else _A_WEEK
    return SessionForm((last.held_on + gap).isoformat(), hours_text(last.hours), last.place)


def _second_of(activity: Activity) -> SessionForm:
    """Next session of an activity that has one so far."""
    return SessionForm((activity.ends_on + _A_WEEK).isoformat(), hours_text(activity.hours))


def _result(
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
    return work.page(
        request,
        "activities/session_form.html",
        status=status,
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        session=session,
        came=came,
        begins=session is None and not services.activity_sessions.list_of(work.campus, activity_id)[0],
        form=filled,
        rhythms=[(value, translated(words)) for value, words in RHYTHMS.items()],
        trouble=trouble,
    )


sheets_router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/seances/{session_id}")


@sheets_router.get("", dependencies=[staff(Permission.WORK)])
def show_sheet(
    activity_id: uuid.UUID,
    session_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    note: str = "",
    autres: str = "",
    fait: str = "",
    ajoutees: Count = 1,
    deja: Count = 0,
) -> HTMLResponse:
    work = at_work(request)
    found = services.activity_sessions.sheet(work.campus, activity_id, session_id)
    return work.page(
        request,
        "activities/session.html",
        activity=ActivityView.of(work, found.activity),
        session=found.session,
        others=[each for each in found.sessions if each.id != found.session.id],
        people=[
            (participation.id, disambiguated(participation, person.name), participation.id in found.came)
            for participation, person in found.participants
        ],
        came=len(found.came),
        noted=note == "oui",
        otherwise=ids_in(autres.split(".")),
        done=fait,
        added=ajoutees,
        kept=deja,
        leads=services.activity_plans.planned(work.campus, activity_id).leads,
        sessions_held=sum(1 for each in found.sessions if each.cancelled_at is None),
    )


@sheets_router.post("", dependencies=[staff(Permission.WORK)])
def note_sheet(activity_id: uuid.UUID, session_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    shown = ids_in(text_of(form, "montrees").split())
    ticked = set(shown if text_of(form, "geste") == "tous" else ids_in(texts_of(form, "present")))
    changed = changed_ticks(form, ticked)
    came = ticked.intersection(changed)
    with write_transaction(request) as writing:
        writing.activity_sessions.note(
            work.campus, activity_id, session_id, came, shown=changed, by=work.actor
        )
        present = writing.activity_sessions.sheet(work.campus, activity_id, session_id).came
    here = f"{work.home}/activites/{activity_id}/seances/{session_id}"
    others = noted_otherwise(form, ticked, present)
    return RedirectResponse(f"{here}?note=oui{others}", status_code=303)
