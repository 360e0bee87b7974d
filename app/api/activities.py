"""Activities of a campus and their participants, for programs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from app.api.people import ExternalIdShape
from app.domain.activities import (
    Activity,
    ActivityKind,
    ActivitySession,
    Participation,
    PartKind,
    SessionFacts,
)
from app.domain.activities.listed_people import ListedPerson
from app.domain.campus.integration import MOST_UPSERTED, NamedKind, UpsertOutcome, Wanted
from app.domain.imports.imports import ActivityRecord, Record, improbable_in
from app.domain.people import Person, normal_address
from app.domain.people.consents import needs_parent
from app.http.programs import (
    ActivityWriter,
    Day,
    DryRun,
    ExternalIdText,
    Page,
    Paged,
    Program,
    Reader,
    Shape,
    UpdatedSince,
    Writing,
    example,
    version_1,
)
from app.http.receipts import (
    CREATED,
    LineCounts,
    LineProblem,
    ReceiptsView,
    ReceiptView,
    Warnings,
    count_lines,
    one_receipt,
    warnings_of,
)
from app.http.request_scope import WITH_ORGANISERS
from app.services.activities.activities import PRESENCE
from app.services.activities.upserts import ParticipantReceipt

router = version_1(
    "/campuses/{slug}/activities", route_class=Writing, tags=["activities"], dependencies=[WITH_ORGANISERS]
)

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
    starts_on: Day
    ends_on: Day
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


class ActivityCreation(ActivityRequest):
    model_config = example(external_id="ROB-1", **_WORKSHOP)
    external_id: ExternalIdText = ""


class ActivityLine(ActivityRequest):
    model_config = example(external_id="ROB-1", **_WORKSHOP)
    external_id: ExternalIdText = Field(min_length=1)


class ActivitiesRequest(Shape):
    model_config = example(activities=[{"external_id": "ROB-1", **_WORKSHOP}])
    activities: list[ActivityLine] = Field(min_length=1, max_length=MOST_UPSERTED)


_ACTIVITY = {
    "id": "8f0d2f8e-3a63-4a8e-8a3f-52f0a4d7b0de",
    "external_ids": ["ROB-1"],
    "people": 24,
    **_WORKSHOP,
}


class ActivityView(BaseModel):
    model_config = example(**_ACTIVITY)
    id: uuid.UUID
    external_ids: list[str]
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
    def of(activity: Activity, people: int, external_ids: Sequence[str]) -> ActivityView:
        derived = ("people", "external_ids")
        facts = {name: getattr(activity, name) for name in ActivityView.model_fields if name not in derived}
        for name in ("start_time", "end_time"):
            facts[name] = f"{facts[name]:%H:%M}" if facts[name] else None
        return ActivityView(**facts, people=people, external_ids=list(external_ids))


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


class ParticipantLine(ParticipantRequest):
    model_config = example(external_id="E-2026-0412", **_LEARNER)
    external_id: ExternalIdText = ""


_PARTICIPANT = {
    "id": "2f0c7a52-8d38-4b43-9ad4-6a0a2f8c1f6d",
    "activity": "8f0d2f8e-3a63-4a8e-8a3f-52f0a4d7b0de",
    "person": "5a7d5cf2-2c0f-4f0e-8f39-4b0b7a0f6f11",
    "external_ids": ["E-2026-0412"],
    "present": True,
    **_LEARNER,
}


class ParticipantView(BaseModel):
    model_config = example(**_PARTICIPANT)
    id: uuid.UUID
    activity: uuid.UUID
    person: uuid.UUID
    external_ids: list[str] = Field(description="Of the person.")
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


_RECEIPT = {
    "line": 1,
    "external_id": "E-2026-0412",
    "outcome": "created",
    "participation": "2f0c7a52-8d38-4b43-9ad4-6a0a2f8c1f6d",
    "person": "5a7d5cf2-2c0f-4f0e-8f39-4b0b7a0f6f11",
    "changes": [],
    "problem": None,
}


class ParticipantReceiptView(BaseModel):
    model_config = example(**_RECEIPT)
    line: int = Field(description="Counted from 1.")
    external_id: str
    outcome: UpsertOutcome
    participation: uuid.UUID | None = Field(
        description="Null of what was refused, and of what a dry run would create."
    )
    person: uuid.UUID | None
    changes: list[str] = Field(description="The names of what changed.")
    problem: LineProblem | None = None
    warnings: Warnings = []

    @staticmethod
    def of(one: ParticipantReceipt, sent: Record, *, dry_run: bool) -> ParticipantReceiptView:
        receipt = one.receipt
        is_there = not dry_run or receipt.outcome is not UpsertOutcome.CREATED
        return ParticipantReceiptView(
            line=receipt.line,
            external_id=receipt.external_id,
            outcome=receipt.outcome,
            participation=one.participation_id if is_there else None,
            person=receipt.noun_id if is_there else None,
            changes=list(receipt.changes),
            problem=LineProblem.of(receipt.fault) if receipt.fault else None,
            warnings=warnings_of(sent.person, improbable_in(sent), is_taken=receipt.fault is None),
        )


class RecordedView(LineCounts):
    model_config = example(dry_run=False, created=1, changed=0, same=0, refused=0, lines=[_RECEIPT])
    lines: list[ParticipantReceiptView]

    @staticmethod
    def of(receipts: Sequence[ParticipantReceipt], sent: Sequence[Record], *, dry_run: bool) -> RecordedView:
        pairs = [(one, sent[one.receipt.line - 1]) for one in receipts]
        lines = [ParticipantReceiptView.of(*each, dry_run=dry_run) for each in pairs]
        return RecordedView(**count_lines((one.receipt for one in receipts), dry_run=dry_run), lines=lines)


class ParticipationsPage(Page[ParticipantView]):
    model_config = example(items=[_PARTICIPANT], next=None)


class ActivitiesPage(Page[ActivityView]):
    model_config = example(items=[_ACTIVITY], next=None)


def _participants(program: Program, people: Sequence[tuple[Participation, Person]]) -> list[ParticipantView]:
    ids = [person.id for _, person in people]
    addresses = program.services.program_lists.addresses_of(program.campus, ids)
    names = program.services.external_ids.names_of(program.campus, NamedKind.PERSON, ids)
    return [
        ParticipantView(
            id=participation.id,
            activity=participation.activity_id,
            person=person.id,
            external_ids=list(names.get(person.id, ())),
            given_name=person.given_name,
            family_name=person.family_name,
            address=addresses.get(person.id, ""),
            part=participation.part,
            hours=participation.hours,
            contribution=participation.contribution,
            present=participation.is_present,
            under_15=needs_parent(person),
        )
        for participation, person in people
    ]


def known_people(
    program: Program,
    activity_id: uuid.UUID | None,
    people: Sequence[ParticipantLine],
    named: Mapping[str, uuid.UUID],
) -> list[ListedPerson]:
    """The lines with the caller's answers about people whom the campus already knows; `named`: by identifier."""
    answers = {number: one.same_person for number, one in enumerate(people, 1) if one.same_person is not None}
    lines = [one.line(number) for number, one in enumerate(people, 1)]
    return program.services.participants.with_known(
        program.campus,
        activity_id,
        lines,
        answers,
        named={
            number: named[one.external_id] for number, one in enumerate(people, 1) if one.external_id in named
        },
    )


def _views(program: Program, activities: Sequence[Activity]) -> list[ActivityView]:
    ids = [activity.id for activity in activities]
    people = program.services.directory.people_in(activities)
    names = program.services.external_ids.names_of(program.campus, NamedKind.ACTIVITY, ids)
    return [
        ActivityView.of(activity, people.get(activity.id, 0), names.get(activity.id, ()))
        for activity in activities
    ]


def _view(program: Program, activity_id: uuid.UUID) -> ActivityView:
    return _views(program, [program.services.activities.get(program.campus, activity_id)])[0]


@router.get("", summary="The activities of a campus, those recorded last first, page by page")
def list_activities(
    program: Reader,
    paging: Paged,
    external_id: Annotated[str, Query(max_length=200)] = "",
    updated_since: UpdatedSince = None,
) -> ActivitiesPage:
    wanted = Wanted(paging.place, updated_since, limit=paging.limit)
    found = program.services.program_lists.activities(program.campus, wanted, external_id=external_id)
    shown, cursor = paging.cut(found, lambda activity: (activity.created_at, activity.id))
    return ActivitiesPage(items=_views(program, shown), next=cursor)


@router.post("", status_code=201, summary="Record an activity")
def create_activity(body: ActivityCreation, program: ActivityWriter) -> ActivityView:
    """409 where the identifier names another activity already."""
    services, campus = program.services, program.campus
    if body.external_id:
        services.external_ids.check_free(campus, NamedKind.ACTIVITY, body.external_id, None)
    created = services.activities.create(body.activity(services.clock()), [campus], by=program.actor)
    if body.external_id:
        services.external_ids.give(campus, NamedKind.ACTIVITY, body.external_id, created.id)
    return _view(program, created.id)


@router.post("/bulk", summary="Record or correct activities by the campus's own identifiers; safe to repeat")
def upsert_activities(
    body: ActivitiesRequest, program: ActivityWriter, dry_run: DryRun = False
) -> ReceiptsView:
    """Each line is answered on its own; a refused line changes nothing."""
    at = program.services.clock()
    lines = [(each.external_id, each.activity(at)) for each in body.activities]
    receipts = program.services.activity_upserts.upsert_all(program.campus, lines, by=program.actor)
    return ReceiptsView.of(receipts, dry_run=program.is_trial(dry_run))


by_external_id = version_1(
    "/campuses/{slug}/external-ids/activities",
    route_class=Writing,
    tags=["activities"],
    dependencies=[WITH_ORGANISERS],
)


@by_external_id.put(
    "/{external:path}",
    summary="Record or correct one activity by the campus's own identifier; safe to repeat",
    responses=CREATED,
)
def upsert_activity(
    external: Annotated[str, Path(max_length=200)],
    body: ActivityRequest,
    program: ActivityWriter,
    response: Response,
    dry_run: DryRun = False,
) -> ReceiptView:
    """201 where the activity is new."""
    wanted = body.activity(program.services.clock())
    receipt = program.services.activity_upserts.upsert(program.campus, external, wanted, by=program.actor)
    return one_receipt(program, receipt, response, dry_run=dry_run)


@router.get("/{activity_id}", summary="One activity")
def get_activity(activity_id: uuid.UUID, program: Reader) -> ActivityView:
    return _view(program, activity_id)


@router.put("/{activity_id}", summary="Write all facts of an activity; safe to repeat")
def replace_activity(activity_id: uuid.UUID, body: ActivityRequest, program: ActivityWriter) -> ActivityView:
    """Of an activity that the campus leads. Awards already given are unchanged; the activity log gets corrections."""
    wanted = body.activity(program.services.clock())
    program.services.activity_upserts.replace(program.campus, activity_id, wanted, by=program.actor)
    return _view(program, activity_id)


@router.put(
    "/{activity_id}/external-id", summary="Give an activity the campus's own identifier; safe to repeat"
)
def name_activity(activity_id: uuid.UUID, body: ExternalIdShape, program: ActivityWriter) -> ActivityView:
    """It replaces those given before. 409 where it names another activity."""
    activity = program.services.activities.get(program.campus, activity_id)
    program.services.external_ids.replace(program.campus, NamedKind.ACTIVITY, body.external_id, activity.id)
    return _view(program, activity_id)


@router.get("/{activity_id}/participations", summary="Who took part, page by page")
def list_participations(
    activity_id: uuid.UUID,
    program: Reader,
    paging: Paged,
    with_absent: WithAbsent = False,
    updated_since: UpdatedSince = None,
) -> ParticipationsPage:
    wanted = Wanted(paging.place, updated_since, limit=paging.limit)
    found = program.services.program_lists.participations(
        program.campus, activity_id, wanted, with_absent=with_absent
    )
    shown, cursor = paging.cut(found, lambda pair: (pair[0].recorded_at, pair[0].id))
    return ParticipationsPage(items=_participants(program, shown), next=cursor)


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


@router.post("/{activity_id}/participations", summary="Record or correct who took part; safe to repeat")
def record_participations(
    activity_id: uuid.UUID,
    body: Annotated[list[ParticipantLine], Field(min_length=1, max_length=10_000)],
    program: ActivityWriter,
    dry_run: DryRun = False,
) -> RecordedView:
    """Each line is answered on its own. A person with a known `external_id` is that person, and the line's hours,
    part and contribution replace those recorded; other people are matched by name and address, recorded once, and
    only what is empty of them is filled in."""
    lines = [(one.external_id, one.line(number)) for number, one in enumerate(body, 1)]
    answers = {number: one.same_person for number, one in enumerate(body, 1) if one.same_person is not None}
    receipts = program.services.participant_upserts.upsert_all(
        program.campus, activity_id, lines, answers, by=program.actor
    )
    hours = ActivityRecord(hours=program.services.activities.get(program.campus, activity_id).hours)
    sent = [Record(line.line, activity=hours, person=line) for _, line in lines]
    return RecordedView.of(receipts, sent, dry_run=program.is_trial(dry_run))


participations_router = version_1(
    "/campuses/{slug}/participations",
    route_class=Writing,
    tags=["activities"],
    dependencies=[WITH_ORGANISERS],
)


@participations_router.get("/{participation_id}", summary="One participation")
def get_participation(participation_id: uuid.UUID, program: Reader) -> ParticipantView:
    found = program.services.program_lists.participation(program.campus, participation_id)
    return _participants(program, [found])[0]


sessions_router = version_1(
    "/campuses/{slug}/activities/{activity_id}/sessions",
    route_class=Writing,
    tags=["activities"],
    dependencies=[WITH_ORGANISERS],
)
_SESSION = {"held_on": "2026-12-08", "hours": 2, "place": "Fablab, salle 2"}


class SessionRequest(Shape):
    model_config = example(**_SESSION)
    held_on: Day
    hours: float | None = Field(None, gt=0, le=24)
    place: str = Field("", max_length=200, description="Empty where it is the activity's.")


class SessionChange(Shape):
    """The complete new state of the session."""

    model_config = example(cancelled=False, **_SESSION)
    held_on: Day
    hours: float | None = Field(None, gt=0, le=24)
    place: str = Field("", max_length=200)
    cancelled: bool = False


_SESSION_SHOWN = {
    "id": "5b5c2f3e-2c57-4f4e-8a52-3d6c1f0e9b77",
    "planned_for": "2026-12-01",
    "cancelled": False,
    "people": 12,
    **_SESSION,
}


class SessionView(BaseModel):
    model_config = example(**_SESSION_SHOWN)
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


class SessionsPage(Page[SessionView]):
    model_config = example(items=[_SESSION_SHOWN], next=None)


@sessions_router.get("", summary="The sessions of a series, in order; none of an activity that is held once")
def list_sessions(activity_id: uuid.UUID, program: Reader, paging: Paged) -> SessionsPage:
    sessions, came = program.services.activity_sessions.list_of(program.campus, activity_id)
    shown, cursor = paging.slice(sessions, lambda session: session.id)
    items = [SessionView.of(session, came.get(session.id, 0)) for session in shown]
    return SessionsPage(items=items, next=cursor)


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
