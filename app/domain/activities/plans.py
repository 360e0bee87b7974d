"""What is planned of an activity: who runs it, what is practised, the badges it can lead to, its sessions, who else organises it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.activities.activities import Activity, ActivityCampus
from app.domain.core.columns import moment, new_id, part_of, points_to
from app.errors import Conflict, NotAllowed
from app.language import N_

MOST_SESSIONS = 60
_A_WEEK = 7


class ActivityTrainer(SQLModel, table=True):
    __tablename__ = "activity_trainer"
    activity_id: uuid.UUID = Field(sa_column=part_of("activity"))
    person_id: uuid.UUID = Field(sa_column=part_of("person"))


class ActivityCompetency(SQLModel, table=True):
    """A competency that is practised there; practising attests nothing."""

    __tablename__ = "activity_competency"
    activity_id: uuid.UUID = Field(sa_column=part_of("activity"))
    competency_id: uuid.UUID = Field(sa_column=part_of("competency"))


class ActivityBadge(SQLModel, table=True):
    """A badge that it can lead to."""

    __tablename__ = "activity_badge"
    activity_id: uuid.UUID = Field(sa_column=part_of("activity"))
    badge_id: uuid.UUID = Field(sa_column=part_of("badge"))


class ActivitySession(SQLModel, table=True):
    """One meeting of a series. An activity that meets once has none.

    `planned_for` is the day it was planned for at first, where it was moved since; `place` is empty where it is
    the activity's. One that is cancelled keeps who had come, and none of its hours count.
    """

    __tablename__ = "activity_session"
    __table_args__ = (
        UniqueConstraint("activity_id", "held_on", name="one_session_a_day"),
        CheckConstraint("hours IS NULL OR hours > 0", name="session_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=points_to("activity"))
    held_on: date
    hours: float | None = None
    place: str = Field(default="", max_length=200)
    planned_for: date | None = None
    cancelled_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class Attendance(SQLModel, table=True):
    """Somebody came to that session; `hours` are their own, where they are not the session's."""

    __tablename__ = "attendance"
    __table_args__ = (CheckConstraint("hours IS NULL OR hours >= 0", name="attended_hours_not_negative"),)
    session_id: uuid.UUID = Field(sa_column=part_of("activity_session"))
    participation_id: uuid.UUID = Field(sa_column=part_of("participation"))
    noted_at: datetime = Field(sa_column=moment())
    hours: float | None = None


@dataclass(frozen=True)
class Plan:
    """What one form says besides the activity itself."""

    campuses: Collection[str] = ()
    """Slugs of campuses asked to organise it too."""
    trainers: Collection[uuid.UUID] = ()
    competencies: Collection[uuid.UUID] = ()
    badges: Collection[uuid.UUID] = ()
    days: Sequence[date] = ()
    """Of a series; none where it is held once."""


def days_until_next(activity: Activity, *, today: date) -> int:
    """Whole weeks to the next time of the same: after its last day, and not in the past."""
    weeks = 1
    while (
        activity.starts_on + timedelta(days=_A_WEEK * weeks) <= activity.ends_on
        or activity.ends_on + timedelta(days=_A_WEEK * weeks) < today
    ):
        weeks += 1
    return _A_WEEK * weeks


def copied(activity: Activity, *, days: int, at: datetime) -> Activity:
    shift = timedelta(days=days)
    return Activity(
        kind=activity.kind,
        title=activity.title,
        description=activity.description,
        starts_on=activity.starts_on + shift,
        ends_on=activity.ends_on + shift,
        place=activity.place,
        hours=activity.hours,
        audience=activity.audience,
        created_at=at,
    )


def session_nearest(sessions: Iterable[ActivitySession], *, today: date) -> ActivitySession | None:
    """Today's, or else the one that is nearest; of two as near, the one that was held. None that is cancelled."""
    held = [each for each in sessions if each.cancelled_at is None]
    return min(held, key=lambda each: (abs((each.held_on - today).days), each.held_on), default=None)


class Holding(StrEnum):
    """What keeps an activity from being deleted, because it rests on it."""

    CAMPUSES = "campuses"
    AWARDS = "awards"
    BATCHES = "batches"
    SIGNATURES = "signatures"
    CONTRIBUTIONS = "contributions"
    PEOPLE = "people"
    FILES = "files"
    ELSEWHERE = "elsewhere"
    """Something of a campus that organised it once."""


WHY_IT_STAYS = {
    Holding.CAMPUSES: N_("Cette activité ne peut pas être supprimée : un autre campus l’organise aussi."),
    Holding.AWARDS: N_("Cette activité ne peut pas être supprimée : des badges y ont été attribués."),
    Holding.BATCHES: N_(
        "Cette activité ne peut pas être supprimée : une attribution y est programmée ou en cours."
    ),
    Holding.SIGNATURES: N_(
        "Cette activité ne peut pas être supprimée : des personnes ont signé leur présence avec leur téléphone."
    ),
    Holding.CONTRIBUTIONS: N_(
        "Cette activité ne peut pas être supprimée : des personnes y ont rattaché une contribution."
    ),
    Holding.PEOPLE: N_(
        "Cette activité ne peut pas être supprimée : des personnes y sont notées, présentes ou absentes, et le journal le dit."
    ),
    Holding.FILES: N_(
        "Cette activité ne peut pas être supprimée : des photos ou des fichiers y ont été joints, et le journal le dit."
    ),
    Holding.ELSEWHERE: N_(
        "Cette activité ne peut pas être supprimée : un campus qui l’a organisée y a encore quelque chose."
    ),
}


class StillHeld(Conflict): ...


def check_nothing_rests(holding: Holding | None) -> None:
    if holding is not None:
        raise StillHeld(WHY_IT_STAYS[holding])


def check_leads(place: ActivityCampus) -> None:
    if place.position != 0:
        raise NotAllowed(N_("Seul le campus qui a créé cette activité la modifie."))


def check_may_answer(place: ActivityCampus) -> None:
    if place.position == 0:
        raise Conflict(N_("Votre campus a créé cette activité : il n’a rien à accepter."))
