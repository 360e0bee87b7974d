"""Registers of a campus: by what their lines are filtered and sorted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class Standing(StrEnum):
    VALID = "valable"
    EXPIRED = "expire"
    WITHDRAWN = "retire"
    UNDONE = "annule"


class AwardSort(StrEnum):
    DATE = "date"
    PERSON = "personne"
    BADGE = "badge"


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
        return Standing.EXPIRED if self.valid_until is not None and self.valid_until <= at else Standing.VALID


class Moment(StrEnum):
    COMING = "a-venir"
    UNDER_WAY = "en-cours"
    OVER = "finie"


class ActivitySort(StrEnum):
    DATE = "date"
    TITLE = "titre"
    PLACE = "lieu"


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


class PeopleSort(StrEnum):
    NAME = "nom"
    ARRIVAL = "arrivee"


@dataclass(frozen=True)
class PeopleFilter:
    badge_id: uuid.UUID | None = None
    activity_id: uuid.UUID | None = None
    arrived: tuple[datetime | None, datetime | None] = (None, None)
    has_unclaimed: bool | None = None
