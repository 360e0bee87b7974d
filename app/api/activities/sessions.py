"""The sessions of a series, for programs: read, added, moved, cancelled; a single meeting becomes a series."""

from __future__ import annotations

import uuid
from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.programs import ActivityWriter, Reader
from app.api.shapes import Shape, example
from app.domain.activities.plans import ActivitySession
from app.domain.activities.series import SessionFacts
from app.http.request_scope import WITH_ORGANISERS

router = APIRouter(
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
    """All that the session is from now on."""

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


@router.get("", summary="The sessions of a series, in order; none of an activity that is held once")
def list_sessions(activity_id: uuid.UUID, program: Reader) -> list[SessionView]:
    sessions, came = program.services.activity_sessions.list_of(program.campus, activity_id)
    return [SessionView.of(session, came.get(session.id, 0)) for session in sessions]


@router.post("", status_code=201, summary="Add a session")
def add_session(activity_id: uuid.UUID, body: SessionRequest, program: ActivityWriter) -> SessionView:
    """An activity of one day that was planned as a single meeting becomes a series: its first session is that meeting,
    with whoever was recorded and their hours. One of several days cannot (409)."""
    facts = SessionFacts(body.held_on, body.hours, body.place.strip())
    made = program.services.series.add(program.campus, activity_id, facts, by=program.actor)
    return SessionView.of(made, 0)


@router.put("/{session_id}", summary="Move, cancel or restore a session; safe to repeat")
def change_session(
    activity_id: uuid.UUID, session_id: uuid.UUID, body: SessionChange, program: ActivityWriter
) -> SessionView:
    """Whoever came stays noted. The dates and hours of the series follow, and so does the activity log."""
    series, facts = program.services.series, SessionFacts(body.held_on, body.hours, body.place.strip())
    series.change(program.campus, activity_id, session_id, facts, by=program.actor)
    if body.cancelled:
        series.cancel(program.campus, activity_id, session_id, by=program.actor)
    else:
        series.restore(program.campus, activity_id, session_id, by=program.actor)
    return SessionView.of(*series.session(program.campus, activity_id, session_id))
