"""Activities and who was there: what a campus organises, and each person's part in it."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core.columns import moment, new_id, part_of, points_to, word_of
from app.domain.core.plain_text import plain_text
from app.domain.core.signed_text import check_signed_name
from app.errors import InvalidInput
from app.language import N_

BY_NAME_ALONE = "substr(line_key, 1, 1) = '|'"
"""Participations of lines without an address; an index of theirs finds namesakes among all activities."""


class ActivityKind(StrEnum):
    WORKSHOP = "workshop"
    EVENT = "event"
    PROJECT = "project"
    COURSE = "course"
    IMMERSION = "immersion"


class PartKind(StrEnum):
    """Everybody learns and everybody is a resource; in one activity a person has one part."""

    LEARNER = "apprenant"
    RESOURCE = "ressource"


class Activity(SQLModel, table=True):
    """`declared_size` is the number of people the campus reports, known or not by name."""

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="activity_dates_in_order"),
        CheckConstraint("hours IS NULL OR hours > 0", name="activity_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kind: ActivityKind = Field(sa_column=word_of(ActivityKind, name="activity_kind"))
    title: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    starts_on: date
    ends_on: date
    place: str = Field(default="", max_length=200)
    hours: float | None = None
    audience: str = Field(default="", max_length=200)
    declared_size: int | None = None
    sends_reminders: bool = True
    """Whether those who have not claimed a badge given in it are reminded."""
    created_at: datetime = Field(sa_column=moment())

    @property
    def is_for_pupils(self) -> bool:
        return is_of_pupils(self.audience)


class ActivityCampus(SQLModel, table=True):
    """The campuses that organise an activity together; position 0 is the one that leads.

    One that was asked sees nobody who took part, and is named nowhere, until it has accepted.
    """

    __tablename__ = "activity_campus"
    activity_id: uuid.UUID = Field(sa_column=part_of("activity"))
    campus_id: uuid.UUID = Field(sa_column=part_of("campus"))
    position: int = 0
    accepted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class Participation(SQLModel, table=True):
    """One person in one activity: the entry of the activity log on which an award rests.

    `line_key` tells lines without an address apart within the activity, so that the same list
    dropped twice, or by two people at once, records everybody once. Who turns out not to have been there is
    kept, not `is_present`: nothing is awarded to them, and they can be ticked again.
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
    activity_id: uuid.UUID = Field(sa_column=points_to("activity"))
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    line_key: str = Field(max_length=520)
    part: PartKind = Field(default=PartKind.LEARNER, sa_column=word_of(PartKind, name="participation_part"))
    hours: float | None = None
    contribution: str = Field(default="", max_length=1000)
    recorded_at: datetime = Field(sa_column=moment())
    recorded_by: uuid.UUID | None = Field(default=None, sa_column=points_to("person", nullable=True))
    is_present: bool = True


_PUPILS = re.compile(
    r"\b(?:colleg\w*|lyce\w*|ecolier\w*|ecoles? (?:primaire|elementaire|maternelle)s?|eleves?(?! ingenieur)"
    r"|enfants?|mineurs?|adolescent\w*|ados?|pupils?|minors?|child(?:ren)?|teen\w*"
    r"|(?:high|middle|secondary|primary)[ -]schools?|classes? de|segpa|primaires?"
    r"|(?:sixieme|cinquieme|quatrieme|troisieme)s?|[3-6] ?(?:e|eme)s?(?! age))\b"
)


def is_of_pupils(audience: str) -> bool:
    """Whether an audience, as a campus words it, may be of minors: « collégiens », « lycéens », « classe de 4e »."""
    return _PUPILS.search(plain_text(audience).strip()) is not None


_NUMBER = re.compile(r"\|.*#(\d+)")


def homonym_of(participation: Participation) -> int:
    """2 for the second of one name without an address, as `ListedPerson.homonym`."""
    found = _NUMBER.fullmatch(participation.line_key)
    return int(found[1]) if found else 1


def told_apart(participation: Participation, name: str) -> str:
    """The name, with its number where somebody else of that name is there too and neither has an address."""
    number = homonym_of(participation)
    return name if number == 1 else f"{name} ({number})"


def check_day(day: date) -> None:
    """A year that nobody lives to see is a slip of the fingers."""
    if not 1990 <= day.year <= 2100:
        raise InvalidInput(N_("Une activité a lieu entre 1990 et 2100 : vérifiez l’année."))


def check_activity(activity: Activity) -> None:
    if not activity.title.strip():
        raise InvalidInput(N_("Une activité a un titre."))
    check_signed_name(activity.title)
    for day in (activity.starts_on, activity.ends_on):
        check_day(day)
    if activity.ends_on < activity.starts_on:
        raise InvalidInput(N_("L’activité finirait avant d’avoir commencé."))
    if activity.hours is not None and not 0 < activity.hours <= 10_000:
        raise InvalidInput(N_("Le nombre d’heures est compris entre 0 et 10 000."))


def check_participation(participation: Participation) -> None:
    if participation.hours is not None and not 0 <= participation.hours <= 10_000:
        raise InvalidInput(N_("Le nombre d’heures est compris entre 0 et 10 000."))
    if len(participation.contribution) > 1000:
        raise InvalidInput(N_("La contribution tient en 1 000 signes."))


def adds_to(participation: Participation, *, hours: float | None, contribution: str) -> bool:
    """Whether `complete` would change anything."""
    return (
        not participation.is_present
        or (participation.hours is None and hours is not None)
        or (not participation.contribution and bool(contribution))
    )


def complete(participation: Participation, *, hours: float | None, contribution: str) -> bool:
    """Note what was not noted yet, and that they were there; what was noted stays. Whether anything changed."""
    if not adds_to(participation, hours=hours, contribution=contribution):
        return False
    participation.is_present = True
    if participation.hours is None:
        participation.hours = hours
    participation.contribution = participation.contribution or contribution
    return True


def hours_of(participation: Participation, activity: Activity) -> float | None:
    """The hours noted for the person, or those of the whole activity."""
    return participation.hours if participation.hours is not None else activity.hours
