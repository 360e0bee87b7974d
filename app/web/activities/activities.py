"""An activity shown with who took part."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import Activity, Participation, told_apart
from app.domain.activities.plans import ActivitySession
from app.domain.people.people import AgeGroup, Person
from app.http.pages.forms import SafeForm
from app.http.pages.render import page
from app.http.pages.words import ACTIVITY_KINDS, PARTS
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import AtWork, at_work, staff
from app.services.activities.plans import Planned
from app.services.awards.awards import GivenBadge
from app.web.awards.handing.words import handings_of
from app.web.campus.promised_awards import promised_for
from app.web.people.age_groups import age_group_in

PEOPLE_A_PAGE = 100
router = APIRouter(prefix="/gestion/{slug}/activites", dependencies=[WITH_ORGANISERS])


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
class Ages:
    """Of an activity for pupils: of how many participants the age group is known, and of how many not."""

    is_asked: bool
    unknown: int
    under_15: int
    from_15: int
    adults: int

    @staticmethod
    def of(activity: Activity, people: Sequence[Person]) -> Ages:
        groups = Counter(person.age_group for person in people)
        return Ages(
            activity.is_for_pupils and bool(people),
            groups[AgeGroup.PUPIL] + groups[None],
            groups[AgeGroup.UNDER_15],
            groups[AgeGroup.FROM_15],
            groups[AgeGroup.ADULT],
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
    completed: int = 0
    answers: bool = False
    is_copy: bool = False
    """Whether the activity was just made from an earlier one."""


@dataclass(frozen=True)
class PlanView:
    leads: bool
    trainers: Sequence[str]
    competencies: Sequence[str]
    badges: Sequence[str]
    waiting: Sequence[str]
    """Campuses that were asked and have not answered."""
    sessions: Sequence[ActivitySession]

    @staticmethod
    def of(planned: Planned) -> PlanView:
        return PlanView(
            planned.leads,
            [person.name for person in planned.trainers],
            [competency.statement for competency in planned.competencies],
            [version.name for _, version in planned.badges],
            [campus.short_name for campus in planned.waiting],
            planned.sessions,
        )


@router.get("/{activity_id}", dependencies=[staff(Deed.VIEW)])
def show_activity(
    activity_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    q: str = "",
    debut: int = 0,
    ajoutees: int = -1,
    connues: int = 0,
    completees: int = 0,
    copie: str = "",
) -> HTMLResponse:
    work = at_work(request)
    told = Adding(
        added=ajoutees,
        known=connues,
        completed=completees,
        answers=ajoutees >= 0,
        is_copy=copie == "oui",
    )
    return activity_page(request, services, work, activity_id, told, words=q, start=max(debut, 0))


@router.post("/{activity_id:uuid}/ages", dependencies=[staff(Deed.WORK)])
def set_age_group_of_all(activity_id: uuid.UUID, request: Request, form: SafeForm) -> RedirectResponse:
    """Of all participants of an activity for pupils whose age group nobody gave."""
    work, group = at_work(request), age_group_in(form)
    if group is not None:
        with deed(request) as writing:
            writing.activities.set_age_group(work.campus, activity_id, group, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{activity_id}#ages", status_code=303)


def activity_page(
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
    people = [
        _participant(participation, person, found.addresses, given)
        for participation, person in chosen[start : start + PEOPLE_A_PAGE]
    ]
    return page(
        request,
        "activities/show.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        activity=ActivityView.of(work, found.activity, [campus.name for campus in found.campuses]),
        people=people,
        handed=handings_of(
            services, work.home, [badge.award_id for one in people for badge in one.badges], work.campus.id
        ),
        total=len(found.participants),
        matching=len(chosen),
        start=start,
        a_page=PEOPLE_A_PAGE,
        words=words.strip(),
        awarded=sum(1 for person_id in given),
        ages=Ages.of(found.activity, [person for _, person in (*found.participants, *found.absent)]),
        adding=adding,
        waiting=services.room_signatures.how_many_wait(work.campus, activity_id),
        absent=[(one.id, told_apart(one, person.name)) for one, person in found.absent],
        plan=PlanView.of(services.activity_plans.planned(work.campus, activity_id)),
        awardings=promised_for(services, work, activity_id),
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
        told_apart(participation, person.name),
        addresses.get(person.id, ""),
        PARTS[participation.part],
        participation.hours,
        participation.contribution,
        given.get(person.id, ()),
    )
