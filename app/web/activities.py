"""Activities: created, shown with who took part, and corrected."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.domain.activities import Activity, Participation, PartKind
from app.domain.participant_lists import hours_in
from app.domain.people import Person
from app.domain.permissions import Deed
from app.errors import InvalidInput
from app.language import N_
from app.request_scope import ReadingServices, deed
from app.services.awards import GivenBadge
from app.web.activity_form import AUDIENCES, ActivityForm
from app.web.forms import SafeForm, text_of
from app.web.people_lists import given_list, hours_text
from app.web.render import page
from app.web.typography import say
from app.web.words import ACTIVITY_KINDS, PARTS
from app.web.workplaces import AtWork, at_work, look_of, sentence_of, staff
from app.wiring import Services

PEOPLE_A_PAGE = 100
router = APIRouter(prefix="/gestion/{slug}/activites")


@dataclass(frozen=True)
class ParticipantLine:
    id: uuid.UUID
    name: str
    address: str
    part: str
    hours: float | None
    contribution: str
    badges: Sequence[GivenBadge]


@dataclass(frozen=True)
class ActivityView:
    id: uuid.UUID
    href: str
    title: str
    kind: str
    description: str
    starts_on: date
    ends_on: date
    place: str
    hours: float | None
    audience: str
    campuses: Sequence[str]

    @staticmethod
    def of(work: AtWork, activity: Activity, campuses: Sequence[str] = ()) -> ActivityView:
        return ActivityView(
            activity.id,
            f"{work.home}/activites/{activity.id}",
            activity.title,
            ACTIVITY_KINDS[activity.kind],
            activity.description,
            activity.starts_on,
            activity.ends_on,
            activity.place,
            activity.hours,
            activity.audience,
            campuses,
        )


@dataclass(frozen=True)
class Adding:
    """The form that adds people: what it holds, and why it came back."""

    text: str = ""
    trouble: str = ""
    faults: Sequence[tuple[int, str, str]] = ()
    """(line, name, reason) of each line that needs a person."""
    added: int = 0
    known: int = 0
    answers: bool = False


@dataclass(frozen=True)
class Correction:
    """The form that corrects one participation."""

    part: str
    hours: str
    contribution: str
    errors: dict[str, str] = field(default_factory=dict)


@router.get("/nouvelle", dependencies=[staff(Deed.WORK)])
def new_activity(request: Request, services: ReadingServices) -> HTMLResponse:
    return _form_page(request, services, at_work(request), ActivityForm())


@router.post("/nouvelle", dependencies=[staff(Deed.WORK)])
def create_activity(slug: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    filled = ActivityForm.of(form)
    try:
        activity = filled.activity()
        others = [services.campuses.get(other) for other in filled.campuses if other != slug]
        with deed(request) as writing:
            writing.activities.create(activity, [work.campus, *others], by=work.actor)
    except InvalidInput as error:
        filled.errors.setdefault("titre", sentence_of(error))
    if filled.errors:
        return _form_page(request, services, work, filled, status=422)
    return RedirectResponse(f"{work.home}/activites/{activity.id}", status_code=303)


@router.get("/{activity_id}", dependencies=[staff(Deed.VIEW)])
def show_activity(
    activity_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    q: str = "",
    debut: int = 0,
    ajoutees: int = -1,
    connues: int = 0,
) -> HTMLResponse:
    work = at_work(request)
    told = Adding(added=ajoutees, known=connues, answers=ajoutees >= 0)
    return _activity_page(request, services, work, activity_id, told, words=q, start=max(debut, 0))


@router.post("/{activity_id}/participants", dependencies=[staff(Deed.WORK)])
def add_people(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Everybody readable is recorded; the other lines come back as they were, each with its reason."""
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    given = given_list(form)
    if given.trouble or not given.lines:
        empty = say(N_("La liste est vide : une personne par ligne."))
        refused = Adding(text=given.text, trouble=given.trouble or empty)
        return _activity_page(request, services, work, activity_id, refused, status=422)
    with deed(request) as writing:
        recorded = writing.activities.record(work.campus, activity_id, given.lines, by=work.actor)
        if recorded.refused:
            told = Adding(
                text=given.only([line.line for line, _ in recorded.refused]),
                faults=[(line.line, line.name, say(fault.sentence)) for line, fault in recorded.refused],
                added=recorded.added,
                known=recorded.known,
                answers=True,
            )
            return _activity_page(request, writing, work, activity_id, told, status=422)
    counts = f"ajoutees={recorded.added}&connues={recorded.known}"
    return RedirectResponse(f"{work.home}/activites/{activity_id}?{counts}", status_code=303)


@router.get("/{activity_id}/participants/{participation_id}", dependencies=[staff(Deed.WORK)])
def show_participation(
    activity_id: uuid.UUID,
    participation_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
) -> HTMLResponse:
    work = at_work(request)
    participation, person = services.activities.participation(work.campus, activity_id, participation_id)
    noted = Correction(participation.part.value, hours_text(participation.hours), participation.contribution)
    return _correction_page(request, services, work, activity_id, person, noted)


@router.post("/{activity_id}/participants/{participation_id}", dependencies=[staff(Deed.WORK)])
def amend_participation(
    activity_id: uuid.UUID,
    participation_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    work = at_work(request)
    _, person = services.activities.participation(work.campus, activity_id, participation_id)
    typed = Correction(text_of(form, "role"), text_of(form, "heures"), text_of(form, "contribution"))
    hours, fault = hours_in(typed.hours)
    try:
        if fault:
            raise InvalidInput(N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5."))
        with deed(request) as writing:
            writing.activities.amend(
                work.campus,
                activity_id,
                participation_id,
                part=PartKind.RESOURCE if typed.part == PartKind.RESOURCE.value else PartKind.LEARNER,
                hours=hours,
                contribution=typed.contribution,
                by=work.actor,
            )
    except InvalidInput as error:
        place = "heures" if fault or (hours is not None and not 0 <= hours <= 10_000) else "contribution"
        typed.errors[place] = sentence_of(error)
        return _correction_page(request, services, work, activity_id, person, typed, status=422)
    return RedirectResponse(f"{work.home}/activites/{activity_id}#personne-{participation_id}", 303)


def _form_page(
    request: Request, services: Services, work: AtWork, filled: ActivityForm, *, status: int = 200
) -> HTMLResponse:
    return page(
        request,
        "activities/new.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        form=filled,
        kinds=[(kind.value, say(words)) for kind, words in ACTIVITY_KINDS.items()],
        audiences=[say(words) for words in AUDIENCES],
        others=[look_of(campus) for campus in services.campuses.list_all() if campus.id != work.campus.id],
    )


def _activity_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    adding: Adding,
    *,
    words: str = "",
    start: int = 0,
    status: int = 200,
) -> HTMLResponse:
    found = services.activities.page(work.campus, activity_id)
    given = services.awards.given_in(work.campus, activity_id)
    chosen = [pair for pair in found.participants if _matches(pair[1], words)]
    return page(
        request,
        "activities/show.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=ActivityView.of(work, found.activity, [campus.name for campus in found.campuses]),
        people=[
            _participant(participation, person, found.addresses, given)
            for participation, person in chosen[start : start + PEOPLE_A_PAGE]
        ],
        total=len(found.participants),
        matching=len(chosen),
        start=start,
        a_page=PEOPLE_A_PAGE,
        words=words.strip(),
        awarded=sum(1 for person_id in given),
        adding=adding,
    )


def _matches(person: Person, words: str) -> bool:
    return all(word in person.name.casefold() for word in words.casefold().split())


def _participant(
    participation: Participation,
    person: Person,
    addresses: dict[uuid.UUID, str],
    given: dict[uuid.UUID, list[GivenBadge]],
) -> ParticipantLine:
    return ParticipantLine(
        participation.id,
        person.name,
        addresses.get(person.id, ""),
        PARTS[participation.part],
        participation.hours,
        participation.contribution,
        given.get(person.id, ()),
    )


def _correction_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    person: Person,
    typed: Correction,
    *,
    status: int = 200,
) -> HTMLResponse:
    return page(
        request,
        "activities/participation.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=ActivityView.of(work, services.activities.get(work.campus, activity_id)),
        name=person.name,
        form=typed,
        parts=[(part.value, say(words)) for part, words in PARTS.items()],
    )
