"""What a period of some campuses counts: one row per activity, and what only the database can count distinctly."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Field, SQLModel

from app.domain.activities import ActivityKind, PartKind
from app.domain.core import enum_column, foreign_key, new_id, utc_datetime
from app.domain.reports.facts import (
    AudienceCount,
    Establishment,
    InvolvedOrganisation,
    OrganisationPart,
    SurveyCounts,
)
from app.errors import InvalidInput

ZONE: Final = ZoneInfo("Europe/Paris")
"""Of every period, so that all campuses count the same days."""
CLAIMED_WITHIN: Final = timedelta(days=30)


class PeriodKind(StrEnum):
    CIVIL = "civile"
    SCHOOL = "scolaire"
    DAYS = "dates"


@dataclass(frozen=True)
class Period:
    """From the first day to the last, both included."""

    first: date
    last: date
    kind: PeriodKind = PeriodKind.DAYS

    @staticmethod
    def civil(year: int) -> Period:
        return Period(date(year, 1, 1), date(year, 12, 31), PeriodKind.CIVIL)

    @staticmethod
    def school(year: int) -> Period:
        """From 1 September of that year to 31 August of the next."""
        return Period(date(year, 9, 1), date(year + 1, 8, 31), PeriodKind.SCHOOL)

    @property
    def key(self) -> str:
        """« 2026 », « 2026-2027 » or « 2026-01-01/2026-06-30 »."""
        if self.kind is PeriodKind.CIVIL:
            return str(self.first.year)
        if self.kind is PeriodKind.SCHOOL:
            return f"{self.first.year}-{self.first.year + 1}"
        return f"{self.first.isoformat()}/{self.last.isoformat()}"

    @property
    def before(self) -> Period:
        """The same days one year earlier; 29 February becomes the 28th."""
        return replace(self, first=_year_before(self.first), last=_year_before(self.last))

    def until(self, day: date) -> Period:
        """The part that has passed on that day; the period itself where that is all or nothing of it."""
        return replace(self, last=day) if self.first <= day < self.last else self

    def overlaps(self, starts_on: date, ends_on: date) -> bool:
        return starts_on <= self.last and ends_on >= self.first

    @property
    def begins_at(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends_at(self) -> datetime:
        """The first instant after it."""
        return _midnight(self.last + timedelta(days=1))


def _year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


def day_of(at: datetime, *, later: int = 0) -> datetime:
    """The midnight its day began with, where periods begin; or that of a day some days later."""
    return _midnight(at.astimezone(ZONE).date() + timedelta(days=later))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def period_of(key: str) -> Period:
    """The period of a key; raises InvalidInput for anything else."""
    try:
        if "/" in key:
            first, last = (date.fromisoformat(each) for each in key.split("/"))
            period = Period(first, last)
        elif "-" in key:
            period = Period.school(int(key.partition("-")[0]))
        else:
            period = Period.civil(int(key))
    except (ValueError, OverflowError) as error:
        raise InvalidInput("Cette période n’est pas lisible : choisissez une année ou deux dates.") from error
    if period.key != key or period.last < period.first or not 1990 <= period.first.year <= 2100:
        raise InvalidInput("Cette période n’est pas lisible : choisissez une année ou deux dates.")
    if period.last - period.first > timedelta(days=731):
        raise InvalidInput("Une période dure deux ans au plus.")
    return period


class ParticipationTombstone(SQLModel, table=True):
    """A participation of an erased person, counted and never named.

    `holder` is a number drawn at the erasure for the campus that leads the activity. A row with `held_on` adds the hours of one session; the others are participations.
    """

    __tablename__ = "participation_tombstone"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    holder: uuid.UUID
    part: PartKind = Field(sa_column=enum_column(PartKind, name="tombstone_part"))
    hours: float | None = None
    held_on: date | None = None


class AwardTombstone(SQLModel, table=True):
    """An award of an erased person, counted and never named.

    Days alone; `claimed_at` tells only whether it was claimed, and within thirty days.
    """

    __tablename__ = "award_tombstone"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    version_id: uuid.UUID = Field(sa_column=foreign_key("badge_version", index=False))
    badge_id: uuid.UUID = Field(sa_column=foreign_key("badge", index=False))
    holder: uuid.UUID
    awarded_at: datetime = Field(sa_column=utc_datetime())
    valid_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    claimed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    is_open: bool = False


ID_BYTES: Final = 16


def unpacked(packed: bytes) -> tuple[bytes, ...]:
    return struct.unpack("16s" * (len(packed) // ID_BYTES), packed)


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """`size`: what the campus declares, else the sum of its audiences; `named`: present people with a name."""

    id: uuid.UUID
    title: str
    kind: ActivityKind
    starts_on: date
    ends_on: date
    size: int | None = None
    named: int = 0
    learners: bytes = b""
    """Ids of present learners, packed; see `counts.distinct_learners`."""
    hours: float = 0.0
    """Of its learners, in the period."""
    sessions: tuple[tuple[str, float], ...] = ()
    """The part of the hours spent in sessions, by day, the first one first."""
    is_cancelled: bool = False
    departement: str = ""
    sector: str = ""
    invited: int | None = None
    objectives: tuple[str, ...] = ()
    audiences: tuple[AudienceCount, ...] = ()
    organisations: tuple[InvolvedOrganisation, ...] = ()
    establishments: tuple[Establishment, ...] = ()
    survey: SurveyCounts | None = None
    campuses: tuple[uuid.UUID, ...] = ()
    """Those of the scope that organise it."""

    def during(self, period: Period) -> ActivityRow:
        """With the hours of the sessions of these days alone."""
        first, last = period.first.isoformat(), period.last.isoformat()
        if not self.sessions or (self.sessions[0][0] >= first and self.sessions[-1][0] <= last):
            return self
        outside = sum(hours for day, hours in self.sessions if not first <= day <= last)
        return replace(self, hours=self.hours - outside)

    @property
    def unnamed(self) -> int:
        return max(0, (self.size or 0) - self.named)

    @property
    def people(self) -> int:
        return self.named + self.unnamed


@dataclass(frozen=True)
class Distinct:
    """Counts of distinct people and awards, which no sum over activities gives."""

    learners: int = 0
    attested: int = 0
    awards: int = 0
    """Issued in the period."""
    awards_due: int = 0
    """Issued early enough to be claimed in thirty days within the period."""
    claimed_in_time: int = 0
    claimed: int = 0
    opened: int = 0
    competencies: int = 0
    trades: tuple[str, ...] = ()
    """ROME codes of badges awarded."""
    rome_versions: tuple[str, ...] = ()
    diplomas: tuple[str, ...] = ()
    """RNCP and RS codes of badges awarded."""
    endorsements: int = 0
    endorsers: int = 0


@dataclass(frozen=True)
class Ledger:
    """Everything that indicators are counted from. `today`: activities that begin later are planned."""

    period: Period
    today: date
    all_rows: tuple[ActivityRow, ...] = ()
    distinct: Distinct = field(default_factory=Distinct)
    log_size: int = 0

    @cached_property
    def rows(self) -> tuple[ActivityRow, ...]:
        """Without cancelled activities."""
        return tuple(row for row in self.all_rows if not row.is_cancelled)

    def only(self, keeps: Callable[[ActivityRow], bool]) -> Ledger:
        """Restricted to some activities; `distinct` stays that of all."""
        return replace(self, all_rows=tuple(filter(keeps, self.all_rows)))

    def of_axis(self, axis: str) -> Ledger:
        return self.only(lambda row: any(code.split(".")[0] == axis for code in row.objectives))


MOBILISED: Final = frozenset({OrganisationPart.MOBILISED, OrganisationPart.HOST, OrganisationPart.CHALLENGER})
INFORMED: Final = MOBILISED | {OrganisationPart.INFORMED}


def organisations_of(
    rows: Iterable[ActivityRow], parts: Collection[OrganisationPart] = frozenset(OrganisationPart)
) -> dict[str, str]:
    """Names by key, of the organisations with one of these parts."""
    return {one.key: one.name for row in rows for one in row.organisations if one.part in parts}


def establishments_of(rows: Iterable[ActivityRow]) -> dict[str, str]:
    """Names by UAI; establishments with a SIRET alone are not counted."""
    found: dict[str, str] = {}
    for row in rows:
        for one in row.establishments:
            if len(one.number) == 8:
                found[one.number] = one.name or found.get(one.number, "")
    return found


def by_month(rows: Iterable[ActivityRow], period: Period) -> dict[tuple[int, int], list[ActivityRow]]:
    """By the month they begin in, or the first of the period; every month of the period is there."""
    months: dict[tuple[int, int], list[ActivityRow]] = {}
    day = period.first.replace(day=1)
    while day <= period.last:
        months[day.year, day.month] = []
        day = (day + timedelta(days=32)).replace(day=1)
    for row in rows:
        begins = max(row.starts_on, period.first)
        months[begins.year, begins.month].append(row)
    return months


def survey_of(rows: Iterable[ActivityRow]) -> SurveyCounts:
    surveys = [row.survey for row in rows if row.survey is not None]
    answers: Sequence[int] = [sum(each.answers[place] for each in surveys) for place in range(4)]
    return SurveyCounts(
        sum(each.asked for each in surveys),
        (answers[0], answers[1], answers[2], answers[3]),
        sum(each.recommends for each in surveys),
        sum(each.recommends_not for each in surveys),
    )
