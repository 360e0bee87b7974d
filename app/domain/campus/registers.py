"""Registers of a campus: by what their lines are filtered and sorted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from sqlmodel import Column, Field, SQLModel, UniqueConstraint

from app.domain.core import enum_column, foreign_key, new_id, utc_datetime
from app.errors import InvalidInput


class Register(StrEnum):
    """Also the register's address below the campus's."""

    AWARDS = "attributions"
    ACTIVITIES = "activites"
    PEOPLE = "repertoire"
    REQUESTS = "demandes"


LONGEST_NAME = 60
LONGEST_QUERY = 1_000
MOST_VIEWS = 12
"""Of one person in one register."""


def _register_column() -> Column[Any]:
    column = enum_column(Register, name="saved_view_register")
    column.name = column.key = "register"
    return column


class SavedView(SQLModel, table=True):
    """The query of a register under a name, of one person in one campus."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("campus_id", "person_id", "register", "name", name="one_view_per_name"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    listing: Register = Field(sa_column=_register_column())
    name: str = Field(max_length=LONGEST_NAME)
    query: str = Field(max_length=LONGEST_QUERY)
    created_at: datetime = Field(sa_column=utc_datetime())


def view_query(typed: str) -> str:
    """The query in one spelling, without its page and empty values."""
    pairs = [(name, value) for name, value in parse_qsl(typed.lstrip("?")) if name != "apres"]
    query = urlencode(pairs)
    if len(query) > LONGEST_QUERY:
        raise InvalidInput("Cette vue a trop de filtres pour être enregistrée.")
    return query


def view_name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name:
        raise InvalidInput("Donnez un nom à cette vue.")
    if len(name) > LONGEST_NAME:
        raise InvalidInput("Un nom de vue a 60 signes au plus.")
    return name


class Standing(StrEnum):
    VALID = "valable"
    EXPIRED = "expire"
    SUSPENDED = "suspendu"
    WITHDRAWN = "retire"
    UNDONE = "annule"


class AwardSort(StrEnum):
    DATE = "date"
    PERSON = "personne"
    BADGE = "badge"
    HOURS = "heures"
    VALID_UNTIL = "valable"
    CLAIMED = "recupere"


@dataclass(frozen=True)
class AwardFilter:
    """`at`: now, for what has expired. `given`: from the first, before the second."""

    at: datetime
    standing: Standing | None = None
    is_claimed: bool | None = None
    given: tuple[datetime | None, datetime | None] = (None, None)
    badge_id: uuid.UUID | None = None
    activity_id: uuid.UUID | None = None
    giver_id: uuid.UUID | None = None


class ListedAward(NamedTuple):
    """An award as a row of a table."""

    id: uuid.UUID
    person_id: uuid.UUID
    family_name: str
    given_name: str
    badge_id: uuid.UUID
    badge: str
    version: int
    activity_id: uuid.UUID | None
    activity: str | None
    hours: float | None
    awarded_at: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    undone_at: datetime | None
    revoked_reason: str
    suspended_until: datetime | None
    suspended_reason: str
    claimed_at: datetime | None
    giver_family_name: str | None
    giver_given_name: str | None

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def giver(self) -> str:
        return f"{self.giver_given_name or ''} {self.giver_family_name or ''}".strip()

    def standing(self, at: datetime) -> Standing:
        if self.undone_at is not None:
            return Standing.UNDONE
        if self.revoked_at is not None:
            return Standing.WITHDRAWN
        if self.suspended_until is not None and self.suspended_until > at:
            return Standing.SUSPENDED
        return Standing.EXPIRED if self.valid_until is not None and self.valid_until <= at else Standing.VALID


class Moment(StrEnum):
    COMING = "a-venir"
    UNDER_WAY = "en-cours"
    OVER = "finie"


class ActivitySort(StrEnum):
    DATE = "date"
    TITLE = "titre"
    PLACE = "lieu"
    HOURS = "heures"
    PEOPLE = "venues"
    AWARDS = "badges"
    CLAIMED = "recuperes"
    SIZE = "effectif"


@dataclass(frozen=True)
class ActivityFilter:
    """`now` is the time on the clocks of the campus, without a zone; `days` are inclusive."""

    now: datetime
    words: tuple[str, ...] = ()
    moment: Moment | None = None
    days: tuple[date | None, date | None] = (None, None)
    badge_id: uuid.UUID | None = None
    """A badge that the activity leads to, or that was given in it."""
    is_without_badges: bool = False
    trainer_id: uuid.UUID | None = None
    is_incomplete: bool = False
    """Without the location or the audience, which a report needs."""
    is_closed: bool | None = None


class PeopleSort(StrEnum):
    NAME = "nom"
    ARRIVAL = "arrivee"
    ACTIVITIES = "activites"
    AWARDS = "badges"
    CLAIMED = "recuperes"


@dataclass(frozen=True)
class PeopleFilter:
    badge_id: uuid.UUID | None = None
    activity_id: uuid.UUID | None = None
    arrived: tuple[datetime | None, datetime | None] = (None, None)
    has_unclaimed: bool | None = None


class ActivityCounts(NamedTuple):
    people: int = 0
    """Present."""
    awards: int = 0
    """Valid badges of the campus."""
    claimed: int = 0
    is_closed: bool = False


class PersonCounts(NamedTuple):
    activities: int = 0
    """Where they were present."""
    awards: int = 0
    """Valid badges of the campus."""
    claimed: int = 0
