"""Activities and who was there: what a campus organises, and each person's part in it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import CheckConstraint, Field, Index, SQLModel, Text, UniqueConstraint, text

from app.domain.activities.days_as_written import MOST_SESSIONS, check_day, check_last_day
from app.domain.campus.signed_terms import ActivityKind as ActivityKind
from app.domain.campus.signed_terms import PartKind as PartKind
from app.domain.core import (
    check_signed_name,
    enum_column,
    foreign_key,
    gone_with,
    new_id,
    plain_text,
    primary_foreign_key,
    utc_datetime,
)
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, faults_of_fields
from app.language import N_

BY_NAME_ALONE = "substr(line_key, 1, 1) = '|'"
"""Participations of lines without an address; its index finds people of the same name across all activities.
"""


class Activity(SQLModel, table=True):
    """`declared_size` is the number of people the campus reports, whether or not their names are known."""

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="activity_dates_in_order"),
        CheckConstraint("hours IS NULL OR hours > 0", name="activity_hours_are_positive"),
        Index("activities_by_day", "starts_on"),
        Index("activities_by_last_day", "ends_on"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kind: ActivityKind = Field(sa_column=enum_column(ActivityKind, name="activity_kind"))
    title: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    starts_on: date
    ends_on: date
    place: str = Field(default="", max_length=200)
    hours: float | None = None
    audience: str = Field(default="", max_length=200)
    is_sample: bool = False
    """Example data: nothing is ever signed for it."""
    declared_size: int | None = None
    sends_reminders: bool = True
    """Whether participants with an unclaimed badge are reminded."""
    created_at: datetime = Field(sa_column=utc_datetime())
    start_time: time | None = None
    """On the clocks of the campus, as `end_time`: on the first and on the last day."""
    end_time: time | None = None

    @property
    def is_for_pupils(self) -> bool:
        return is_of_pupils(self.audience)


class ActivityCampus(SQLModel, table=True):
    """The campuses that organise an activity together; position 0 is the leading one.

    An invited campus sees no participant and is named nowhere until it has accepted.
    """

    __tablename__ = "activity_campus"
    __table_args__ = (Index("activities_of_campus", "campus_id", "activity_id"),)
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    position: int = 0
    accepted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When the campus closed it: nothing more is to be done there."""


class CampusActivity(SQLModel, table=True):
    """An activity that a campus organises, written by triggers alone (`app/db/activities/campus_activities.py`).

    `title_key`, `place_key` and `words` (both) are plain. `people`: present. `awards`: valid badges of this campus, of
    which `claimed`. `given`: its badges except those undone. No index has a count: it would be written with each person.
    """

    __tablename__ = "campus_activity"
    __table_args__ = (
        Index("activities_of_campus_by_day", "campus_id", "starts_on", "activity_id"),
        Index("activities_of_campus_by_title", "campus_id", "title_key", "activity_id"),
    )
    activity_id: uuid.UUID = Field(sa_column=gone_with("activity"))
    campus_id: uuid.UUID = Field(sa_column=gone_with("campus"))
    starts_on: date
    ends_on: date
    start_time: time | None = None
    end_time: time | None = None
    hours: float | None = None
    declared_size: int | None = None
    is_sample: bool
    title_key: str = Field(sa_type=Text)
    place_key: str = Field(sa_type=Text)
    words: str = Field(sa_type=Text)
    is_incomplete: bool
    """Without `place` or `audience`, which the yearly report needs."""
    is_closed: bool
    people: int
    awards: int
    claimed: int
    given: int


class Participation(SQLModel, table=True):
    """One person in one activity: the entry of the activity log on which an award rests.

    `line_key` distinguishes lines without an address within the activity, so that the same list uploaded
    twice, or by two people at once, records each person once. A person found to have been absent stays stored
    with `is_present` false: they are awarded nothing, and can be ticked again.
    """

    __tablename__ = "participation"
    __table_args__ = (
        UniqueConstraint("activity_id", "person_id", name="one_part_per_person"),
        UniqueConstraint("activity_id", "line_key", name="one_part_per_line"),
        Index(
            "participations_by_name_alone",
            "line_key",
            sqlite_where=text(BY_NAME_ALONE),
            postgresql_where=text(BY_NAME_ALONE),
        ),
        CheckConstraint("hours IS NULL OR hours >= 0", name="participation_hours_not_negative"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    line_key: str = Field(max_length=520)
    part: PartKind = Field(
        default=PartKind.LEARNER, sa_column=enum_column(PartKind, name="participation_part")
    )
    hours: float | None = None
    contribution: str = Field(default="", max_length=1000)
    recorded_at: datetime = Field(sa_column=utc_datetime())
    recorded_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    is_present: bool = True
    batch_id: uuid.UUID | None = None
    """The bulk award with the list that recorded it."""


_PUPILS = re.compile(
    r"\b(?:colleg\w*|lyce\w*|ecolier\w*|ecoles? (?:primaire|elementaire|maternelle)s?|eleves?(?! ingenieur)"
    r"|enfants?|mineurs?|adolescent\w*|ados?|pupils?|minors?|child(?:ren)?|teen\w*"
    r"|(?:high|middle|secondary|primary)[ -]schools?|classes? de|segpa|primaires?"
    r"|(?:sixieme|cinquieme|quatrieme|troisieme)s?|[3-6] ?(?:e|eme)s?(?! age))\b"
)


def is_of_pupils(audience: str) -> bool:
    """Whether an audience, as worded by a campus, may be minors:

    « collégiens », « lycéens », « classe de 4e ».
    """
    return _PUPILS.search(plain_text(audience).strip()) is not None


_LYCEE = re.compile(r"\b(?:lyce\w*|high[ -]schools?|terminales?)\b")
_YOUNGER = re.compile(
    r"\b(?:colleg\w*|ecol\w*|enfants?|primaires?|middle|primary|child(?:ren)?|segpa"
    r"|(?:sixieme|cinquieme|quatrieme|troisieme)s?|[3-6] ?(?:e|eme)s?)\b"
)


def is_of_lycee_alone(audience: str) -> bool:
    """Pupils, some of whom may be adults."""
    words = plain_text(audience)
    return _LYCEE.search(words) is not None and _YOUNGER.search(words) is None


_NUMBER = re.compile(r"\|.*#(\d{1,6})")


def homonym_of(participation: Participation) -> int:
    """2 for the second of one name without an address, as `ListedPerson.homonym`."""
    found = _NUMBER.fullmatch(participation.line_key)
    return int(found[1]) if found else 1


def disambiguated(participation: Participation, name: str) -> str:
    """The name, numbered if the activity has another person of that name and neither has an address."""
    number = homonym_of(participation)
    return name if number == 1 else f"{name} ({number})"


def check_title(title: str) -> None:
    if not title.strip():
        raise InvalidInput("Une activité a un titre.")
    check_signed_name(title)


def check_hours(hours: float | None, *, sessions: int = 1) -> None:
    if hours is not None and not 0 < hours * sessions <= 10_000:
        raise InvalidInput("Le nombre d’heures est compris entre 0 et 10 000.")


def check_start_time(start: time | None, end: time | None) -> None:
    if end is not None and start is None:
        raise InvalidInput("Donnez aussi l’heure de début.")


def check_end_time(activity: Activity) -> None:
    if activity.starts_on != activity.ends_on or activity.start_time is None or activity.end_time is None:
        return
    if activity.end_time == activity.start_time:
        raise InvalidInput("L’heure de fin est celle du début : donnez une heure plus tardive.")
    if activity.end_time < activity.start_time:
        raise InvalidInput("L’activité finirait avant d’avoir commencé.")


def faults_of_activity(activity: Activity, *, sessions: int = 1) -> dict[str, AppError]:
    """`sessions`: of a series, each as long as the activity states."""
    return faults_of_fields(
        {
            "title": lambda: check_title(activity.title),
            "starts_on": lambda: check_day(activity.starts_on),
            "ends_on": lambda: check_last_day(activity.starts_on, activity.ends_on),
            "hours": lambda: check_hours(activity.hours, sessions=sessions),
            "start_time": lambda: check_start_time(activity.start_time, activity.end_time),
            "end_time": lambda: check_end_time(activity),
        }
    )


def check_activity(activity: Activity) -> None:
    for fault in faults_of_activity(activity).values():
        raise fault


def has_begun(activity: Activity, now: datetime) -> bool:
    """`now` is the time on the clocks of the campus, without a zone."""
    return datetime.combine(activity.starts_on, activity.start_time or time.min) <= now


def has_ended(activity: Activity, now: datetime) -> bool:
    """Without an end time, an activity lasts until the end of its last day."""
    if activity.end_time is None:
        return activity.ends_on < now.date()
    return datetime.combine(activity.ends_on, activity.end_time) <= now


def check_participation(participation: Participation) -> None:
    if participation.hours is not None and not 0 <= participation.hours <= 10_000:
        raise InvalidInput("Le nombre d’heures est compris entre 0 et 10 000.")
    if len(participation.contribution) > 1000:
        raise InvalidInput("La contribution tient en 1 000 signes.")


def adds_to(participation: Participation, *, hours: float | None, contribution: str) -> bool:
    """Whether `complete` would change anything."""
    return (
        not participation.is_present
        or (participation.hours is None and hours is not None)
        or (not participation.contribution and bool(contribution))
    )


def complete(participation: Participation, *, hours: float | None, contribution: str) -> bool:
    """Fill in only what is empty, and mark present. Returns whether anything changed."""
    if not adds_to(participation, hours=hours, contribution=contribution):
        return False
    participation.is_present = True
    if participation.hours is None:
        participation.hours = hours
    participation.contribution = participation.contribution or contribution
    return True


IMPORTED_RESULTS: Final = "Résultats ({platform}) : "
"""How the text of results that a course platform gave begins."""
_RESULTS: Final = re.compile(r"Résultats \([^()]*\) : (?:[^;]* -?\d+(?:,\d+)?/-?\d+(?:,\d+)?(?: ; |\Z))+")


def holds_results_alone(contribution: str) -> bool:
    """Numbers that a platform gave, without text written by staff."""
    return _RESULTS.fullmatch(contribution.strip()) is not None


def hours_of(participation: Participation, activity: Activity) -> float | None:
    """The person's own hours, else those of the whole activity."""
    return participation.hours if participation.hours is not None else activity.hours


_LONG = (ActivityKind.COURSE, ActivityKind.PROJECT, ActivityKind.IMMERSION, ActivityKind.MOBILITY)
"""They may last beyond their first day where no last one is written."""


def longest_hours(kind: ActivityKind | None, starts_on: date | None, ends_on: date | None) -> float | None:
    """All hours of the days of an activity; None where those are unknown."""
    if starts_on is None or (ends_on is None and kind in _LONG):
        return None
    return 24.0 * (((ends_on or starts_on) - starts_on).days + 1)


def longest_participation(activity: Activity) -> float | None:
    """Twice the hours of the activity, for those who come early or stay longer."""
    return 2 * (activity.hours or 0) or longest_hours(activity.kind, activity.starts_on, activity.ends_on)


_A_WEEK = 7


class ActivityTrainer(SQLModel, table=True):
    __tablename__ = "activity_trainer"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    person_id: uuid.UUID = Field(sa_column=primary_foreign_key("person"))


class ActivityCompetency(SQLModel, table=True):
    """A competency practised in the activity; practising attests nothing."""

    __tablename__ = "activity_competency"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    competency_id: uuid.UUID = Field(sa_column=primary_foreign_key("competency"))


class ActivityBadge(SQLModel, table=True):
    """A badge that the activity can lead to."""

    __tablename__ = "activity_badge"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    badge_id: uuid.UUID = Field(sa_column=primary_foreign_key("badge"))


class ActivityAnnouncement(SQLModel, table=True):
    """The campus lists the activity in the public catalogue. `enrolment` is an address to write to or a page;
    empty for the campus's own contact."""

    __tablename__ = "activity_announcement"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    enrolment: str = Field(default="", max_length=400)
    announced_at: datetime = Field(sa_column=utc_datetime())


class ActivitySession(SQLModel, table=True):
    """One session of a series. An activity that meets once has none.

    `planned_for` is the original day of a session that was moved; `place` is empty if it is the activity's. A
    cancelled session retains its attendances, and none of its hours count.
    """

    __tablename__ = "activity_session"
    __table_args__ = (
        UniqueConstraint("activity_id", "held_on", name="one_session_a_day"),
        CheckConstraint("hours IS NULL OR hours > 0", name="session_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    held_on: date
    hours: float | None = None
    place: str = Field(default="", max_length=200)
    planned_for: date | None = None
    cancelled_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class Attendance(SQLModel, table=True):
    """A person's presence at one session; `hours` are set if they differ from the session's."""

    __tablename__ = "attendance"
    __table_args__ = (CheckConstraint("hours IS NULL OR hours >= 0", name="attended_hours_not_negative"),)
    session_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity_session"))
    participation_id: uuid.UUID = Field(sa_column=primary_foreign_key("participation"))
    noted_at: datetime = Field(sa_column=utc_datetime())
    hours: float | None = None


@dataclass(frozen=True)
class Plan:
    """Fields of the activity form that are not columns of the activity."""

    campuses: Collection[str] = ()
    """Slugs of campuses asked to organise it too."""
    trainers: Collection[uuid.UUID] = ()
    competencies: Collection[uuid.UUID] = ()
    badges: Collection[uuid.UUID] = ()
    days: Sequence[date] = ()
    """Of a series; none where it is held once."""


def days_until_next(activity: Activity, *, today: date) -> int:
    """Whole weeks to the next repetition: after the last day, and not in the past."""
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
        start_time=activity.start_time,
        end_time=activity.end_time,
        created_at=at,
    )


def session_nearest(sessions: Iterable[ActivitySession], *, today: date) -> ActivitySession | None:
    """Today's session, else the nearest; of two equally near, the past one. Ignores cancelled sessions."""
    held = [each for each in sessions if each.cancelled_at is None]
    return min(held, key=lambda each: (abs((each.held_on - today).days), each.held_on), default=None)


class Holding(StrEnum):
    """Why an activity cannot be deleted: rows that depend on it."""

    CAMPUSES = "campuses"
    AWARDS = "awards"
    BATCHES = "batches"
    SIGNATURES = "signatures"
    CONTRIBUTIONS = "contributions"
    PEOPLE = "people"
    FILES = "files"
    ELSEWHERE = "elsewhere"
    """Rows of a campus that once organised it."""


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
        raise NotAllowed("Seul le campus qui a créé cette activité la modifie.")


def check_may_answer(place: ActivityCampus) -> None:
    if place.position == 0:
        raise Conflict("Votre campus a créé cette activité : il n’a rien à accepter.")


@dataclass(frozen=True)
class SessionFacts:
    """`place` is empty if it is the activity's."""

    held_on: date
    hours: float | None = None
    place: str = ""


class DayTaken(Conflict): ...


def check_session(
    facts: SessionFacts, sessions: Sequence[ActivitySession], itself: ActivitySession | None = None
) -> None:
    """`itself` is the session being changed, None for a new one."""
    check_day(facts.held_on)
    if facts.hours is not None and not 0 < facts.hours <= 24:
        raise InvalidInput("Une séance dure 24 heures au plus.")
    if len(facts.place) > 200:
        raise InvalidInput("Le lieu tient en 200 signes.")
    if any(each is not itself and each.held_on == facts.held_on for each in sessions):
        raise DayTaken(
            N_("Cette série a déjà une séance ce jour-là, peut-être annulée. Choisissez un autre jour.")
        )


def free_days(wanted: Sequence[SessionFacts], sessions: Sequence[ActivitySession]) -> list[SessionFacts]:
    """Raises DayTaken if every day already has its session; a partial overlap is allowed."""
    taken = {each.held_on for each in sessions}
    free = [facts for facts in wanted if facts.held_on not in taken]
    if not free:
        check_session(wanted[0], sessions)
    return free


def check_takes_place(session: ActivitySession) -> None:
    if session.cancelled_at is not None:
        raise Conflict("Cette séance n’a pas lieu : rétablissez-la pour y noter qui est venu.")


class SeveralDays(Conflict): ...


def first_session(activity: Activity) -> ActivitySession:
    """Turns a single meeting into the first session of a series."""
    if activity.starts_on != activity.ends_on:
        raise SeveralDays(
            N_(
                "Une séance tient en un jour, et cette activité en dure plusieurs. Modifiez d’abord ses dates : celles "
                "de la première séance."
            )
        )
    return ActivitySession(activity_id=activity.id, held_on=activity.starts_on, hours=activity.hours)


def attendances_of(
    first: ActivitySession, activity: Activity, participations: Iterable[Participation]
) -> list[Attendance]:
    """Participants recorded as present attended the first session, for their recorded hours."""
    return [
        Attendance(
            session_id=first.id,
            participation_id=each.id,
            noted_at=each.recorded_at,
            hours=each.hours if each.hours != activity.hours else None,
        )
        for each in participations
    ]


def check_may_add(sessions: Sequence[ActivitySession]) -> None:
    if len(sessions) >= MOST_SESSIONS:
        raise Conflict("Une série a de 1 à 60 séances.")


def change(session: ActivitySession, facts: SessionFacts) -> bool:
    """Whether anything changed."""
    if (session.held_on, session.hours, session.place) == (facts.held_on, facts.hours, facts.place):
        return False
    if session.held_on != facts.held_on:
        first = session.planned_for or session.held_on
        session.planned_for = None if first == facts.held_on else first
    session.held_on, session.hours, session.place = facts.held_on, facts.hours, facts.place
    return True


def cancel(session: ActivitySession, sessions: Sequence[ActivitySession], *, at: datetime) -> bool:
    if session.cancelled_at is not None:
        return False
    if not any(each.cancelled_at is None for each in sessions if each is not session):
        raise Conflict(
            "C’est la seule séance qui reste : changez sa date, ou ajoutez-en une avant de l’annuler."
        )
    session.cancelled_at = at
    return True


def restore(session: ActivitySession) -> bool:
    if session.cancelled_at is None:
        return False
    session.cancelled_at = None
    return True


def settle(activity: Activity, sessions: Sequence[ActivitySession]) -> None:
    """A series takes its dates and hours from its sessions that are not cancelled; unknown hours stay
    unknown.
    """
    held = [each for each in sessions if each.cancelled_at is None]
    if held:
        activity.starts_on = min(each.held_on for each in held)
        activity.ends_on = max(each.held_on for each in held)
        activity.hours = sum(each.hours or 0.0 for each in held) or None
