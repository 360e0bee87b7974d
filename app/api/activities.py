"""Activities of a campus and their participants, for programs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.api.programs import ActivityWriter, Program, Reader
from app.api.shapes import Shape, example
from app.domain.activities.activities import (
    Activity,
    ActivityKind,
    ActivitySession,
    Participation,
    PartKind,
    SessionFacts,
)
from app.domain.activities.listed_people import ListedPerson
from app.domain.people.parental_consent import needs_parent
from app.domain.people.people import Person, normal_address
from app.http.request_scope import WITH_ORGANISERS
from app.language import gettext as _
from app.services.activities.activities import PRESENCE, ActivityPage, RecordedList
from app.services.campus.dashboard import Start

router = APIRouter(prefix="/campuses/{slug}/activities", tags=["activities"], dependencies=[WITH_ORGANISERS])

WithAbsent = Annotated[bool, Query(description="Also whoever was noted absent.")]
Name = Annotated[str, Field(max_length=120)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["13:30"])]


_WORKSHOP = {
    "kind": "workshop",
    "title": "Robotique pour tous",
    "description": "Monter un robot, puis le programmer.",
    "starts_on": "2026-11-25",
    "ends_on": "2026-11-25",
    "place": "Le Creusot",
    "hours": 3,
    "audience": "lycéens",
    "declared_size": 24,
    "start_time": "13:30",
    "end_time": "16:30",
}
_LEARNER = {
    "given_name": "Anne-Gaëlle",
    "family_name": "Le Bœuf",
    "address": "anne-gaelle.leboeuf@exemple.fr",
    "part": "apprenant",
    "hours": 3,
    "contribution": "A réglé les capteurs de son équipe.",
    "under_15": False,
}


class ActivityRequest(Shape):
    model_config = example(**_WORKSHOP)
    kind: ActivityKind
    title: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2000)
    starts_on: date
    ends_on: date
    place: str = Field("", max_length=200)
    hours: float | None = Field(None, gt=0, le=10_000)
    audience: str = Field("", max_length=200)
    declared_size: int | None = Field(None, ge=0, le=10_000_000)
    start_time: TimeOfDay | None = Field(
        None, description="When the first day begins, on the clocks of the campus."
    )
    end_time: TimeOfDay | None = Field(
        None, description="When the last day ends, on the clocks of the campus."
    )

    def activity(self, at: datetime) -> Activity:
        facts = self.model_dump(exclude={"start_time", "end_time"})
        return Activity(
            **facts,
            start_time=time.fromisoformat(self.start_time) if self.start_time else None,
            end_time=time.fromisoformat(self.end_time) if self.end_time else None,
            created_at=at,
        )


class ActivityView(BaseModel):
    model_config = example(id="8f0d2f8e-3a63-4a8e-8a3f-52f0a4d7b0de", people=24, **_WORKSHOP)
    id: uuid.UUID
    kind: ActivityKind
    title: str
    description: str
    starts_on: date
    ends_on: date
    place: str
    hours: float | None
    audience: str
    declared_size: int | None
    start_time: TimeOfDay | None
    end_time: TimeOfDay | None
    people: int

    @staticmethod
    def of(activity: Activity, people: int) -> ActivityView:
        facts = {name: getattr(activity, name) for name in ActivityView.model_fields if name != "people"}
        for name in ("start_time", "end_time"):
            facts[name] = f"{facts[name]:%H:%M}" if facts[name] else None
        return ActivityView(**facts, people=people)


class ParticipantRequest(Shape):
    model_config = example(**_LEARNER)
    given_name: Name = ""
    family_name: Name
    address: str = Field("", max_length=254)
    part: PartKind = PartKind.LEARNER
    hours: float | None = Field(None, ge=0, le=10_000)
    contribution: str = Field("", max_length=1000)
    under_15: bool | None = Field(
        None,
        description="The age band, where the campus knows it: before 15, a parent agrees before a badge's page"
        " opens. Never an age or a birth date; nothing said changes nothing.",
    )
    same_person: bool | None = Field(
        None,
        description="Where the campus knows this name at another address, or this address under another name:"
        " `true` for the person already known, `false` for another. Without an answer the line is refused"
        " (`several_of_name`).",
    )

    def line(self, number: int) -> ListedPerson:
        return ListedPerson(
            number,
            given_name=" ".join(self.given_name.split()),
            family_name=" ".join(self.family_name.split()),
            address=normal_address(self.address),
            hours=self.hours,
            part=self.part,
            contribution=self.contribution,
            under_15=self.under_15,
        )


class ParticipantView(BaseModel):
    model_config = example(id="2f0c7a52-8d38-4b43-9ad4-6a0a2f8c1f6d", present=True, **_LEARNER)
    id: uuid.UUID
    given_name: str
    family_name: str
    address: str
    part: PartKind
    hours: float | None
    contribution: str
    present: bool = Field(
        description="False of somebody who was noted absent: no badge is given to them there."
    )
    under_15: bool = Field(description="Whether somebody said that the person is under 15.")


class PresenceRequest(Shape):
    model_config = example(present=False, reason="Partie avant le début de l’atelier.")
    present: bool
    reason: str = Field(
        "", max_length=300, description="It stands in the activity log beside the correction."
    )


class RefusedLine(BaseModel):
    line: int
    outcome: str
    message: str


class RecordedView(BaseModel):
    model_config = example(
        added=23,
        known=1,
        refused=[
            {
                "line": 7,
                "outcome": "invalid_address",
                "message": "Cette adresse e-mail n’est pas valable.",
            }
        ],
    )
    added: int
    known: int
    refused: list[RefusedLine]

    @staticmethod
    def of(recorded: RecordedList) -> RecordedView:
        return RecordedView(
            added=recorded.added,
            known=recorded.known,
            refused=[
                RefusedLine(line=line.line, outcome=fault.outcome.value, message=_(fault.sentence))
                for line, fault in recorded.refused
            ],
        )


def _participants(
    page: ActivityPage, people: Sequence[tuple[Participation, Person]]
) -> list[ParticipantView]:
    return [
        ParticipantView(
            id=participation.id,
            given_name=person.given_name,
            family_name=person.family_name,
            address=page.addresses.get(person.id, ""),
            part=participation.part,
            hours=participation.hours,
            contribution=participation.contribution,
            present=participation.is_present,
            under_15=needs_parent(person),
        )
        for participation, person in people
    ]


def known_people(
    program: Program, activity_id: uuid.UUID | None, people: Sequence[ParticipantRequest]
) -> list[ListedPerson]:
    """The lines with the caller's answers about people whom the campus already knows."""
    answers = {number: one.same_person for number, one in enumerate(people, 1) if one.same_person is not None}
    lines = [one.line(number) for number, one in enumerate(people, 1)]
    return program.services.participants.with_known(program.campus, activity_id, lines, answers)


@router.get("", summary="The activities of a campus, latest first, page by page")
def list_activities(
    program: Reader,
    request: Request,
    response: Response,
    after: Annotated[uuid.UUID | None, Query(description="The last activity of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> list[ActivityView]:
    """If there are more, the header `Link` contains the URL of the next page."""
    directory = program.services.directory
    found = directory.find_activities(program.campus, "", Start(after, limit))
    shown, people = found[:limit], directory.people_in(found[:limit])
    if len(found) > limit:
        query = request.url.include_query_params(after=str(shown[-1].id)).query
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return [ActivityView.of(activity, people.get(activity.id, 0)) for activity in shown]


@router.get("/{activity_id}", summary="One activity")
def get_activity(activity_id: uuid.UUID, program: Reader) -> ActivityView:
    page = program.services.activities.page(program.campus, activity_id)
    return ActivityView.of(page.activity, len(page.participants))


@router.post("", status_code=201, summary="Record an activity")
def create_activity(body: ActivityRequest, program: ActivityWriter) -> ActivityView:
    activity = body.activity(program.services.clock())
    created = program.services.activities.create(activity, [program.campus], by=program.actor)
    return ActivityView.of(created, 0)


@router.get("/{activity_id}/participations", summary="Who took part")
def list_participations(
    activity_id: uuid.UUID, program: Reader, with_absent: WithAbsent = False
) -> list[ParticipantView]:
    page = program.services.activities.page(program.campus, activity_id)
    return _participants(page, [*page.participants, *(page.absent if with_absent else ())])


@router.put(
    "/{activity_id}/participations/{participation_id}/presence", summary="Note somebody present or absent"
)
def note_presence(
    activity_id: uuid.UUID, participation_id: uuid.UUID, body: PresenceRequest, program: ActivityWriter
) -> PresenceRequest:
    """The activity log gets a correction with the reason; badges already awarded are unchanged."""
    program.services.activities.set_present(
        program.campus,
        activity_id,
        participation_id,
        present=body.present,
        by=program.actor,
        reason=body.reason.strip() or PRESENCE,
    )
    return body


@router.post("/{activity_id}/participations", summary="Record who took part; safe to repeat")
def record_participations(
    activity_id: uuid.UUID,
    body: Annotated[list[ParticipantRequest], Field(min_length=1, max_length=10_000)],
    program: ActivityWriter,
) -> RecordedView:
    """Lines are counted from 1. People already recorded are reported as known, and never recorded twice."""
    lines = known_people(program, activity_id, body)
    recorded = program.services.activities.record(program.campus, activity_id, lines, by=program.actor)
    return RecordedView.of(recorded)


sessions_router = APIRouter(
    prefix="/campuses/{slug}/activities/{activity_id}/sessions",
    tags=["activities"],
    dependencies=[WITH_ORGANISERS],
)
_SESSION = {"held_on": "2026-12-08", "hours": 2, "place": "Fablab, salle 2"}


class SessionRequest(Shape):
    model_config = example(**_SESSION)
    held_on: date
    hours: float | None = Field(None, gt=0, le=24)
    place: str = Field("", max_length=200, description="Empty where it is the activity's.")


class SessionChange(Shape):
    """The complete new state of the session."""

    model_config = example(cancelled=False, **_SESSION)
    held_on: date
    hours: float | None = Field(None, gt=0, le=24)
    place: str = Field("", max_length=200)
    cancelled: bool = False


class SessionView(BaseModel):
    model_config = example(
        id="5b5c2f3e-2c57-4f4e-8a52-3d6c1f0e9b77",
        planned_for="2026-12-01",
        cancelled=False,
        people=12,
        **_SESSION,
    )
    id: uuid.UUID
    held_on: date
    hours: float | None
    place: str
    planned_for: date | None = Field(description="The day it was planned for at first, where it was moved.")
    cancelled: bool
    people: int = Field(description="How many were noted as having come.")

    @staticmethod
    def of(session: ActivitySession, people: int) -> SessionView:
        return SessionView(
            id=session.id,
            held_on=session.held_on,
            hours=session.hours,
            place=session.place,
            planned_for=session.planned_for,
            cancelled=session.cancelled_at is not None,
            people=people,
        )


@sessions_router.get("", summary="The sessions of a series, in order; none of an activity that is held once")
def list_sessions(activity_id: uuid.UUID, program: Reader) -> list[SessionView]:
    sessions, came = program.services.activity_sessions.list_of(program.campus, activity_id)
    return [SessionView.of(session, came.get(session.id, 0)) for session in sessions]


@sessions_router.post("", status_code=201, summary="Add a session")
def add_session(activity_id: uuid.UUID, body: SessionRequest, program: ActivityWriter) -> SessionView:
    """An activity of one day that was planned as a single meeting becomes a series: its first session is that
    meeting, with its participants and their hours. One of several days cannot (409)."""
    facts = SessionFacts(body.held_on, body.hours, body.place.strip())
    made = program.services.series.add(program.campus, activity_id, facts, by=program.actor)
    return SessionView.of(made, 0)


@sessions_router.put("/{session_id}", summary="Move, cancel or restore a session; safe to repeat")
def change_session(
    activity_id: uuid.UUID, session_id: uuid.UUID, body: SessionChange, program: ActivityWriter
) -> SessionView:
    """Recorded participants are unchanged. The dates and hours of the series follow, and so does the activity
    log."""
    series, facts = program.services.series, SessionFacts(body.held_on, body.hours, body.place.strip())
    series.change(program.campus, activity_id, session_id, facts, by=program.actor)
    if body.cancelled:
        series.cancel(program.campus, activity_id, session_id, by=program.actor)
    else:
        series.restore(program.campus, activity_id, session_id, by=program.actor)
    return SessionView.of(*series.session(program.campus, activity_id, session_id))
