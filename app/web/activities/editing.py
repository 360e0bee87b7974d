"""Create, edit and copy activities with one form; answers of campuses invited to co-organise."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import (
    WHY_IT_STAYS,
    Activity,
    ActivityKind,
    Plan,
    faults_of_activity,
    longest_hours,
)
from app.domain.activities.days_as_written import FAR_YEAR, day_in, is_of_a_far_year
from app.domain.campus.campus import Campus
from app.domain.core import ChangedMeanwhile, mark_of
from app.domain.frameworks import Competency
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import (
    WRITTEN_MEANWHILE,
    SafeForm,
    hours_typed,
    idempotency_key,
    is_in_doubt,
    text_of,
    texts_of,
    written_meanwhile,
)
from app.http.pages.words import ACTIVITY_KINDS, hours_text, out_of_use
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, look_of, staff, today_in
from app.language import N_, translated
from app.services.activities.plans import Planned
from app.web.activities import ActivityView
from app.web.activities.sessions import RHYTHMS, DaysTyped
from app.web.frameworks.search import search_view

AUDIENCES = (
    N_("Collégiens"),
    N_("Lycéens"),
    N_("Étudiants"),
    N_("Salariés"),
    N_("Demandeurs d’emploi"),
    N_("Enseignants"),
    N_("Tous publics"),
)
_LENGTHS = {
    "titre": (200, N_("Le titre tient en 200 signes.")),
    "lieu": (200, N_("Le lieu tient en 200 signes.")),
    "public": (200, N_("Le public tient en 200 signes.")),
    "description": (2000, N_("La description tient en 2 000 signes.")),
}
_FIELDS = (
    "type", "titre", "debut", "fin", "heure-debut", "heure-fin", "heures", "lieu", "public", "description",
)  # fmt: skip
_BY_PARAMETER = {
    "title": "titre", "starts_on": "debut", "ends_on": "fin", "hours": "heures", "start_time": "heure-debut",
    "end_time": "heure-fin", "trainers": "formateur", "competencies": "competence", "badges": "badge",
    "campuses": "campus",
}  # fmt: skip
_UNREAD = date(2000, 1, 1)
"""Stands for days that the form lacks, to find the other faults."""
_OF_SESSIONS = frozenset({"debut", "fin", "heure-debut", "heure-fin", "heures"})
_CHOICES = ("campus", "formateur", "competence", "badge")
_ADD = "ajouter "
_FEW = 12
"""The campus's competencies are all listed up to so many; beyond, they are searched as any."""


@dataclass
class ActivityForm:
    """Every field as typed; `errors` maps fields to problems, in the reader's language."""

    fields: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_FIELDS, ""))
    chosen: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _CHOICES})
    when: DaysTyped = field(default_factory=DaysTyped)
    errors: dict[str, str] = field(default_factory=dict)
    follows_sessions: bool = False
    """Dates and hours come from the sessions, which are edited one by one."""
    days: list[date] = field(default_factory=list)
    """Of a series, once parsed."""
    sought: str = ""
    """The terms of the search in frameworks."""
    gesture: str = ""
    """The button: a search, an item to add, or the ones that save."""
    seen: str = ""
    """The mark of the activity that the person started from."""

    @staticmethod
    def of(request: Request, form: FormData, *, present: float | None = None) -> ActivityForm:
        """`present`: the recorded hours, which are not asked about."""
        typed = ActivityForm({name: text_of(form, name) for name in _FIELDS})
        starts_on, ends_on = (day_in(typed.fields[name]) for name in ("debut", "fin"))
        longest = longest_hours(typed._kind(), starts_on, ends_on)
        typed.fields["heures"] = hours_typed(request, form, longest, present=hours_text(present))
        return ActivityForm(
            typed.fields,
            {name: list(dict.fromkeys(texts_of(form, name))) for name in _CHOICES},
            DaysTyped.of(form),
            sought=text_of(form, "mot"),
            gesture=text_of(form, "geste"),
            seen=text_of(form, "vu"),
        )

    def check_as_shown(self, today: ActivityForm, wanted: Activity) -> None:
        """Raises where another person has saved the activity meanwhile; saved again, the form replaces that."""
        written = replace(self, fields=_fields_of(wanted), follows_sessions=today.follows_sessions)
        if self.seen not in ("", today.seen) and written.mark() != today.seen:
            self.seen, self.errors = today.seen, written_meanwhile(today.fields, written.fields)
            raise ChangedMeanwhile(WRITTEN_MEANWHILE)

    @property
    def is_searching(self) -> bool:
        """Enter, with terms in the search field, searches."""
        return self.gesture == "chercher" or (self.gesture == "entree" and bool(self.sought))

    def take_in(self) -> bool:
        """Adds the chosen item, if the button was one of those."""
        if not self.gesture.startswith(_ADD):
            return False
        chosen = self.chosen["competence"]
        self.chosen["competence"] = list(dict.fromkeys([*chosen, self.gesture.removeprefix(_ADD)]))
        return True

    @staticmethod
    def filled(activity: Activity, planned: Planned, *, own_slug: str) -> ActivityForm:
        filled = ActivityForm(
            _fields_of(activity),
            {
                "campus": [
                    campus.slug for campus in (*planned.accepted, *planned.waiting) if campus.slug != own_slug
                ],
                "formateur": [str(person.id) for person in planned.trainers],
                "competence": [str(competency.id) for competency in planned.competencies],
                "badge": [str(badge.id) for badge, _ in planned.badges],
            },
            follows_sessions=bool(planned.sessions),
        )
        filled.seen = filled.mark()
        return filled

    def mark(self) -> str:
        """Of what this page can change."""
        of_sessions = _OF_SESSIONS if self.follows_sessions else ()
        fields = [value for name, value in self.fields.items() if name not in of_sessions]
        return mark_of(fields, *map(sorted, self.chosen.values()))

    def activity(self) -> Activity:
        """The activity as typed; raises InvalidInput, with the problem in `errors`, when a field cannot be
        parsed."""
        starts_on = self._day("debut", N_("Le premier jour n’est pas une date lisible : écrivez 24/11/2026."))
        ends_on = starts_on
        if self.fields["fin"]:
            ends_on = self._day("fin", N_("Le dernier jour n’est pas une date lisible : écrivez 24/11/2026."))
        hours, _ = hours_in(self.fields["heures"])
        if fault := hours_fault(self.fields["heures"]):
            self._refuse("heures", fault)
        start_time, end_time = self._time("heure-debut"), self._time("heure-fin")
        for name, (most, sentence) in _LENGTHS.items():
            if len(self.fields[name]) > most:
                self._refuse(name, sentence)
        if self.when.says_more and starts_on:
            # Weekly recurrence between a first and a last day already defines the end.
            self.days = self.when.until_unless_said(self.fields["fin"]).read(starts_on, self.errors)
        activity = Activity(
            kind=self._kind(),
            title=self.fields["titre"],
            description=self.fields["description"],
            starts_on=starts_on or ends_on or _UNREAD,
            ends_on=ends_on or starts_on or _UNREAD,
            place=self.fields["lieu"],
            hours=hours,
            audience=self.fields["public"],
            start_time=start_time,
            end_time=end_time,
            # The service sets the real datetime.
            created_at=datetime.min.replace(tzinfo=UTC),
        )
        self.refuse(faults_of_activity(activity, sessions=max(1, len(self.days))))
        if self.errors:
            raise InvalidInput("Un champ est à corriger.")
        return activity

    def refuse(self, faults: Mapping[str, AppError]) -> None:
        """Those of the activity and of its plan, by parameter."""
        for name, fault in faults.items():
            self.errors.setdefault(_BY_PARAMETER[name], sentence_of(fault))

    def plan(self) -> Plan:
        return Plan(
            self.chosen["campus"],
            _ids(self.chosen["formateur"]),
            _ids(self.chosen["competence"]),
            _ids(self.chosen["badge"]),
            self.days if len(self.days) > 1 else (),
        )

    def _kind(self) -> ActivityKind:
        known = {kind.value: kind for kind in ActivityKind}
        return known.get(self.fields["type"], ActivityKind.WORKSHOP)

    def _day(self, name: str, sentence: str) -> date | None:
        day = day_in(self.fields[name])
        if day is None:
            self._refuse(name, FAR_YEAR if is_of_a_far_year(self.fields[name]) else sentence)
        return day

    def _time(self, name: str) -> time | None:
        typed = self.fields[name].strip().lower().replace("h", ":").replace(" ", "")
        if not typed:
            return None
        hour, _, minutes = typed.partition(":")
        try:
            return time(int(hour), int(minutes or 0))
        except (ValueError, OverflowError):
            self._refuse(name, N_("L’heure n’est pas lisible : écrivez 13:30."))
            return None

    def _refuse(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, translated(sentence))


def _fields_of(activity: Activity) -> dict[str, str]:
    return {
        "type": activity.kind.value,
        "titre": activity.title,
        "debut": activity.starts_on.isoformat(),
        "fin": activity.ends_on.isoformat() if activity.ends_on != activity.starts_on else "",
        "heure-debut": f"{activity.start_time:%H:%M}" if activity.start_time else "",
        "heure-fin": f"{activity.end_time:%H:%M}" if activity.end_time else "",
        "heures": hours_text(activity.hours),
        "lieu": activity.place,
        "public": activity.audience,
        "description": activity.description,
    }


def _ids(words: list[str]) -> set[uuid.UUID]:
    found = set()
    for word in words:
        try:
            found.add(uuid.UUID(word))
        except ValueError:
            continue
    return found


router = APIRouter(prefix="/gestion/{slug}/activites", dependencies=[WITH_ORGANISERS])


@router.get("/nouvelle", dependencies=[staff(Permission.WORK)])
def new_activity(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    blank = ActivityForm()
    blank.chosen["formateur"] = [str(work.who.person.id)]
    blank.fields["debut"] = today_in(services, work.campus).isoformat()
    return _form_page(request, services, work, blank)


@router.post("/nouvelle", dependencies=[staff(Permission.WORK)])
def create_activity(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)

    def create(filled: ActivityForm) -> uuid.UUID:
        activity = filled.activity()
        activity.id = idempotency_key(form, work.who.person.id)
        with write_transaction(request) as writing:
            plan = filled.plan()
            return writing.activity_plans.create(work.campus, activity, plan, by=work.actor).id

    return _tried(request, services, work, ActivityForm.of(request, form), create)


@router.get("/{activity_id}/modifier", dependencies=[staff(Permission.WORK)])
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
    """The form with current values; `trouble` and `stays` explain why it was just not deleted."""
    planned = services.activity_plans.planned(work.campus, activity.id)
    filled = ActivityForm.filled(activity, planned, own_slug=work.campus.slug)
    shown = ActivityView.of(work, activity)
    return _form_page(request, services, work, filled, shown, trouble=trouble, stays=stays, status=status)


@router.post("/{activity_id}/modifier", dependencies=[staff(Permission.WORK)])
def amend_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    found = services.activities.get(work.campus, activity_id)
    shown, typed = ActivityView.of(work, found), ActivityForm.of(request, form, present=found.hours)
    typed.follows_sessions = bool(services.activity_sessions.list_of(work.campus, activity_id)[0])

    def amend(filled: ActivityForm) -> uuid.UUID:
        wanted = filled.activity()
        with write_transaction(request) as writing:
            plan = filled.plan()
            today = writing.activities.get(work.campus, activity_id)
            planned = writing.activity_plans.planned(work.campus, activity_id)
            filled.check_as_shown(ActivityForm.filled(today, planned, own_slug=work.campus.slug), wanted)
            return writing.activity_plans.amend(work.campus, activity_id, wanted, plan, by=work.actor).id

    return _tried(request, services, work, typed, amend, shown)


@router.post("/{activity_id}/supprimer", dependencies=[staff(Permission.WORK)])
def delete_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Requires the confirmation checkbox; the page explains why an activity cannot be deleted."""
    work = at_work(request)
    activity = services.activities.get(work.campus, activity_id)
    if text_of(form, "confirme") != "oui":
        sentence = translated("Cochez la case pour confirmer. Rien n’a été supprimé.")
        return _edit_page(request, services, work, activity, trouble=sentence, status=422)
    try:
        with write_transaction(request) as writing:
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
    """Runs the action, or shows the form again: with a search, one more item, or the problem."""
    if filled.take_in() or filled.is_searching or is_in_doubt(request):
        return _form_page(request, services, work, filled, activity)
    plan, activity_id = filled.plan(), activity.id if activity else None
    filled.refuse(services.activity_plans.faults_of(work.campus, plan, activity_id))
    try:
        done = doing(filled)
    except (ChangedMeanwhile, InvalidInput) as error:
        is_in_form = bool(filled.errors) and not isinstance(error, ChangedMeanwhile)
        changed = "" if is_in_form else sentence_of(error)
        return _form_page(
            request, services, work, filled, activity, changed=changed, status=status_for(error)
        )
    return RedirectResponse(f"{work.home}/activites/{done}", status_code=303)


@router.post("/{activity_id}/dupliquer", dependencies=[staff(Permission.WORK)])
def duplicate(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    copy_id = idempotency_key(form, work.who.person.id)
    with write_transaction(request) as writing:
        today = today_in(writing, work.campus)
        copy = writing.activity_plans.duplicate(work.campus, activity_id, copy_id, today=today, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{copy.id}?copie=oui", status_code=303)


@router.post("/{activity_id}/invitation", dependencies=[staff(Permission.MANAGE)])
def answer(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    """Only the administration answers for the campus."""
    work, accepts = at_work(request), text_of(form, "geste") == "accepter"
    with write_transaction(request) as writing:
        writing.activity_plans.answer(
            work.campus, activity_id, accepts=accepts, by=work.actor, seen=text_of(form, "vu")
        )
    back = f"{work.home}/activites/{activity_id}" if accepts else f"{work.home}/activites"
    return RedirectResponse(back, status_code=303)


def _competencies(
    services: Services,
    campus: Campus,
    filled: ActivityForm,
    own: Sequence[Competency],
    activity_id: uuid.UUID | None,
) -> list[tuple[str, str]]:
    chosen = services.activity_plans.practised(campus, _ids(filled.chosen["competence"]), activity_id)
    listed = {one.id: one for one in (*(own if len(own) <= _FEW else ()), *chosen)}
    return [(str(one.id), _named(one)) for one in listed.values()]


def _named(one: Competency) -> str:
    return one.statement if one.code.startswith("http") else f"{one.code} – {one.statement}"


def _form_page(
    request: Request,
    services: Services,
    work: AtWork,
    filled: ActivityForm,
    activity: ActivityView | None = None,
    *,
    trouble: str = "",
    stays: str = "",
    changed: str = "",
    status: int = 200,
) -> HTMLResponse:
    holding = services.activity_plans.holding(work.campus, activity.id) if activity else None
    choices = services.activity_plans.choices(work.campus)
    present = services.activity_plans.planned(work.campus, activity.id) if activity else None
    trainers = {each.id: each for each in (*choices.trainers, *(present.trainers if present else ()))}
    badges = {
        each.id: (each, version) for each, version in (*choices.badges, *(present.badges if present else ()))
    }
    return work.page(
        request,
        "activities/form.html",
        status=status,
        activity=activity,
        form=filled,
        trouble=trouble,
        changed=changed,
        is_refused=bool(stays),
        stays=stays or (translated(WHY_IT_STAYS[holding]) if holding else ""),
        kinds=[(kind.value, translated(words)) for kind, words in ACTIVITY_KINDS.items()],
        rhythms=[(value, translated(words)) for value, words in RHYTHMS.items()],
        audiences=[translated(words) for words in AUDIENCES],
        trainers=[(str(person.id), person.name) for person in trainers.values()],
        competencies=_competencies(
            services, work.campus, filled, choices.competencies, activity.id if activity else None
        ),
        found=search_view(services, work, filled.sought),
        badges=[
            (str(badge.id), out_of_use(version.name, badge.archived_at)) for badge, version in badges.values()
        ],
        others=[look_of(campus) for campus in choices.campuses],
    )
