"""Activities of a campus and who took part in them, for programs."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.api.shapes import Shape, Slug
from app.domain.access import Scope
from app.domain.activities import Activity, ActivityKind, PartKind
from app.domain.participant_lists import ListedPerson
from app.domain.people import normal_address
from app.language import gettext as _
from app.request_scope import ReadingServices, WritingServices, token_of
from app.services.activities import ActivityPage, RecordedList

router = APIRouter(prefix="/campuses/{slug}/activities", tags=["activities"])

Name = Annotated[str, Field(max_length=120)]


class ActivityRequest(Shape):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "kind": "workshop",
                "title": "Robotique pour tous",
                "starts_on": "2026-11-25",
                "ends_on": "2026-11-25",
                "place": "Le Creusot",
                "hours": 3,
                "audience": "lycéens",
            }
        },
    )
    kind: ActivityKind
    title: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2000)
    starts_on: date
    ends_on: date
    place: str = Field("", max_length=200)
    hours: float | None = Field(None, gt=0, le=10_000)
    audience: str = Field("", max_length=200)
    declared_size: int | None = Field(None, ge=0, le=10_000_000)


class ActivityView(BaseModel):
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
    people: int

    @staticmethod
    def of(activity: Activity, people: int) -> ActivityView:
        facts = {name: getattr(activity, name) for name in ActivityView.model_fields if name != "people"}
        return ActivityView(**facts, people=people)


class ParticipantRequest(Shape):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "given_name": "Anne-Gaëlle",
                "family_name": "Le Bœuf",
                "address": "anne-gaelle.leboeuf@exemple.fr",
                "part": "apprenant",
                "hours": 3,
            }
        },
    )
    given_name: Name = ""
    family_name: Name
    address: str = Field("", max_length=254)
    part: PartKind = PartKind.LEARNER
    hours: float | None = Field(None, ge=0, le=10_000)
    contribution: str = Field("", max_length=1000)

    def line(self, number: int) -> ListedPerson:
        return ListedPerson(
            number,
            given_name=" ".join(self.given_name.split()),
            family_name=" ".join(self.family_name.split()),
            address=normal_address(self.address),
            hours=self.hours,
            part=self.part,
            contribution=self.contribution,
        )


class ParticipantView(BaseModel):
    id: uuid.UUID
    given_name: str
    family_name: str
    address: str
    part: PartKind
    hours: float | None
    contribution: str


class RefusedLine(BaseModel):
    line: int
    outcome: str
    message: str


class RecordedView(BaseModel):
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


def _participants(page: ActivityPage) -> list[ParticipantView]:
    return [
        ParticipantView(
            id=participation.id,
            given_name=person.given_name,
            family_name=person.family_name,
            address=page.addresses.get(person.id, ""),
            part=participation.part,
            hours=participation.hours,
            contribution=participation.contribution,
        )
        for participation, person in page.participants
    ]


@router.get("", summary="The activities of a campus, latest first")
def list_activities(slug: Slug, request: Request, services: ReadingServices) -> list[ActivityView]:
    _actor, campus = token_of(request, services, Scope.READ, slug)
    return [ActivityView.of(activity, people) for activity, people in services.activities.list_in(campus)]


@router.get("/{activity_id}", summary="One activity")
def get_activity(
    slug: Slug, activity_id: uuid.UUID, request: Request, services: ReadingServices
) -> ActivityView:
    _actor, campus = token_of(request, services, Scope.READ, slug)
    page = services.activities.page(campus, activity_id)
    return ActivityView.of(page.activity, len(page.participants))


@router.post("", status_code=201, summary="Record an activity")
def create_activity(
    slug: Slug, body: ActivityRequest, request: Request, services: WritingServices
) -> ActivityView:
    actor, campus = token_of(request, services, Scope.ACTIVITY_WRITE, slug)
    activity = Activity(**body.model_dump(), created_at=services.clock())
    return ActivityView.of(services.activities.create(activity, [campus], by=actor), 0)


@router.get("/{activity_id}/participations", summary="Who took part")
def list_participations(
    slug: Slug, activity_id: uuid.UUID, request: Request, services: ReadingServices
) -> list[ParticipantView]:
    _actor, campus = token_of(request, services, Scope.READ, slug)
    return _participants(services.activities.page(campus, activity_id))


@router.post("/{activity_id}/participations", summary="Record who took part; safe to repeat")
def record_participations(
    slug: Slug,
    activity_id: uuid.UUID,
    body: Annotated[list[ParticipantRequest], Field(min_length=1, max_length=10_000)],
    request: Request,
    services: WritingServices,
) -> RecordedView:
    actor, campus = token_of(request, services, Scope.ACTIVITY_WRITE, slug)
    lines = [participant.line(number) for number, participant in enumerate(body, 1)]
    return RecordedView.of(services.activities.record(campus, activity_id, lines, by=actor))
