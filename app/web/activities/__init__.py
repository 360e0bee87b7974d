"""An activity and its participants."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import Activity, ActivitySession, Participation, disambiguated
from app.domain.people import AgeGroup, Person
from app.errors import InvalidInput
from app.http.pages.forms import Count, SafeForm, ids_in, text_of, texts_of
from app.http.pages.words import ACTIVITY_KINDS, PARTS, moment
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import translated
from app.services.activities.activities import JournalLine
from app.services.activities.plans import Planned
from app.services.awards.awards import GivenBadge
from app.web.activity_log import facts_of, kind_of
from app.web.awards.delivery_states import deliveries_of
from app.web.campus.dashboard import planned_for
from app.web.people.directory import age_group_in
from app.web.people.names import outcome_words

PEOPLE_A_PAGE = 100
router = APIRouter(prefix="/gestion/{slug}/activites", dependencies=[WITH_ORGANISERS])


@dataclass(frozen=True)
class ParticipantLine:
    id: uuid.UUID
    person_id: uuid.UUID
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
    """For an activity for pupils: participants by age group, and how many have none."""

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
    """The form that adds people: its contents, and why it was refused."""

    text: str = ""
    trouble: str = ""
    faults: Sequence[tuple[int, str, str]] = ()
    """(line, name, reason) of each line that needs a person."""
    added: int = 0
    known: int = 0
    completed: int = 0
    answers: bool = False
    is_copy: bool = False
    """Whether the activity was just copied from an earlier one."""
    field: str = "liste"
    """Which one `trouble` is about."""


@dataclass(frozen=True)
class PlanView:
    leads: bool
    trainers: Sequence[str]
    competencies: Sequence[str]
    badges: Sequence[str]
    waiting: Sequence[str]
    """Invited campuses that have not answered."""
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


@router.get("/{activity_id}", dependencies=[staff(Permission.VIEW)])
def show_activity(
    activity_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    q: str = "",
    debut: Count = 0,
    ajoutees: Count = -1,
    connues: Count = 0,
    completees: Count = 0,
    copie: str = "",
) -> HTMLResponse:
    work = at_work(request)
    adding = Adding(
        added=ajoutees,
        known=connues,
        completed=completees,
        answers=ajoutees >= 0,
        is_copy=copie == "oui",
    )
    return activity_page(request, services, work, activity_id, adding, words=q, start=max(debut, 0))


@router.post("/{activity_id:uuid}/ages", dependencies=[staff(Permission.WORK)])
def set_age_group_of_all(activity_id: uuid.UUID, request: Request, form: SafeForm) -> RedirectResponse:
    """For all participants without an age group in an activity for pupils."""
    work, group = at_work(request), age_group_in(form)
    if group is not None:
        with write_transaction(request) as writing:
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
    return work.page(
        request,
        "activities/show.html",
        status=status,
        activity=ActivityView.of(work, found.activity, [campus.name for campus in found.campuses]),
        people=people,
        handed=deliveries_of(
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
        corrected=outcome_words(request.query_params.get("fait", "")),
        waiting=services.room_signatures.how_many_wait(work.campus, activity_id),
        absent=[(one.id, disambiguated(one, person.name)) for one, person in found.absent],
        plan=PlanView.of(services.activity_plans.planned(work.campus, activity_id)),
        awardings=planned_for(services, work, activity_id),
        survey=services.surveys.glance(work.campus, activity_id),
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
        person.id,
        disambiguated(participation, person.name),
        addresses.get(person.id, ""),
        PARTS[participation.part],
        participation.hours,
        participation.contribution,
        given.get(person.id, ()),
    )


absences_router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}/presences", dependencies=[WITH_ORGANISERS]
)


@absences_router.get("", dependencies=[staff(Permission.WORK)])
def show_presences(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, note: str = "", autres: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    sessions, _ = services.activity_sessions.list_of(work.campus, activity_id)
    return work.page(
        request,
        "activities/presences.html",
        activity=ActivityView.of(work, found.activity),
        people=[
            (participation.id, disambiguated(participation, person.name), participation.is_present)
            for participation, person in sorted(
                (*found.participants, *found.absent),
                key=lambda pair: (pair[1].listed_as, pair[1].id),
            )
        ],
        present=len(found.participants),
        absent=len(found.absent),
        sessions=sessions,
        noted=note == "oui",
        others=ids_in(autres.split(".")),
    )


def changed_ticks(form: FormData, ticked: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """The people of the page with another tick than it showed: who was added or checked in since, by phone or by
    another trainer, stays as they are."""
    shown = ids_in(text_of(form, "montrees").split())
    if "etaient" not in form:
        return list(shown)
    were = set(ids_in(text_of(form, "etaient").split()))
    return [each for each in shown if (each in were) is not (each in ticked)]


def noted_otherwise(form: FormData, ticked: Collection[uuid.UUID], present: Collection[uuid.UUID]) -> str:
    """For the URL of the page that follows: who of a sent page is stored otherwise than it was ticked. A page that is
    sent a second time, after « Back », does not undo what it changed first."""
    shown = ids_in(text_of(form, "montrees").split())
    others = [str(each) for each in shown if (each in ticked) is not (each in present)]
    return f"&autres={'.'.join(others[:_MOST_NAMED])}" if others else ""


_MOST_NAMED = 30


@absences_router.post("", dependencies=[staff(Permission.WORK)])
def note_presences(activity_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work, present = at_work(request), ids_in(texts_of(form, "present"))
    shown = changed_ticks(form, present)
    with write_transaction(request) as writing:
        writing.activities.note_presences(work.campus, activity_id, present, shown=shown, by=work.actor)
        found = writing.activities.page(work.campus, activity_id)
    others = noted_otherwise(form, present, [each.id for each, _ in found.participants])
    return RedirectResponse(
        f"{work.home}/activites/{activity_id}/presences?note=oui{others}", status_code=303
    )


journal_router = APIRouter(
    prefix="/gestion/{slug}/activites/{activity_id}/journal", dependencies=[WITH_ORGANISERS]
)
BETWEEN_LOOKS = 4_000
"""Milliseconds."""


@dataclass(frozen=True)
class LineShown:
    number: int
    when: str
    who: str
    kind: str
    facts: Sequence[tuple[str, str]]
    href: str
    replaced: bool


@dataclass(frozen=True)
class DisputeShown:
    id: uuid.UUID
    line: LineShown
    said: str
    typed: str = ""
    trouble: str = ""


@journal_router.get("", dependencies=[staff(Permission.VIEW)])
def show_journal(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), activity_id)


@journal_router.get("/suivi", dependencies=[staff(Permission.VIEW)])
def follow_journal(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """SSE stream of a version that changes with each log line, without names; the browser reconnects by
    itself."""
    version = services.activity_journal.of(at_work(request).campus, activity_id).version
    return Response(
        f"retry: {BETWEEN_LOOKS}\nevent: change\ndata: {version}\n\n",
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


@journal_router.post("/contestations/{dispute_id}", dependencies=[staff(Permission.WORK)])
def answer_dispute(
    activity_id: uuid.UUID,
    dispute_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,
) -> Response:
    work, typed = at_work(request), text_of(form, "reponse")
    services.activities.get(work.campus, activity_id)
    try:
        with write_transaction(request) as writing:
            writing.log_disputes.answer(work.campus, dispute_id, typed, by=work.actor)
    except InvalidInput as error:
        return _page(
            request, services, work, activity_id, refused=(dispute_id, typed, sentence_of(error)), status=422
        )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/journal", status_code=303)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    *,
    refused: tuple[uuid.UUID, str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    activity = ActivityView.of(work, services.activities.get(work.campus, activity_id))
    journal = services.activity_journal.of(work.campus, activity_id)
    return work.page(
        request,
        "activities/journal.html",
        status=status,
        activity=activity,
        here=f"{activity.href}/journal",
        version=journal.version,
        lines=[_line(line, work, activity) for line in journal.lines],
        total=journal.total,
        disputes=[
            DisputeShown(each.id, _line(line, work, activity), each.said, *_typed(each.id, refused))
            for line, each in journal.open_disputes
        ],
    )


def _typed(dispute_id: uuid.UUID, refused: tuple[uuid.UUID, str, str] | None) -> tuple[str, str]:
    return refused[1:] if refused and refused[0] == dispute_id else ("", "")


def _line(line: JournalLine, work: AtWork, activity: ActivityView) -> LineShown:
    own = {"activity", "activityKind", "startsOn", "endsOn", "place"}
    is_file = line.participation_id is None
    return LineShown(
        line.number,
        moment(line.at, work.campus.time_zone),
        translated("Photo ou fichier") if is_file else line.who,
        kind_of(line.kind, line.facts),
        facts_of(
            {name: value for name, value in line.facts.items() if name not in own}, work.campus.time_zone
        ),
        f"{activity.href}/pieces" if is_file else f"{activity.href}/participants/{line.participation_id}",
        line.replaced,
    )
