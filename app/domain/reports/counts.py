"""What reports need of participations and awards, counted once and stored.

Per activity; per campus and month, for whole pages of activities; per campus and day of awards. All are derived. A
change to the rows leaves a mark in the same transaction (`app/db/reports/marks.py`); what is marked is counted from
the rows, until a worker has stored the new count.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Column, ForeignKey, Index, Uuid
from sqlmodel import Field, SQLModel

from app.domain.activities import ActivityKind
from app.domain.core import foreign_key, json_column, new_id
from app.domain.reports.facts import (
    ActivityAudience,
    ActivityEstablishment,
    ActivityFacts,
    ActivityOrganisation,
    ActivitySurvey,
    Audience,
    AudienceCount,
    Establishment,
    InvolvedOrganisation,
    OrganisationPart,
    OrganisationType,
    SurveyCounts,
    number_of,
)
from app.domain.reports.ledger import CLAIMED_WITHIN, ID_BYTES, ZONE, ActivityRow, unpacked

_ORDER: Final = list(Audience)
_AUDIENCES: Final = {each.value: each for each in Audience}
_PARTS: Final = {each.value: each for each in OrganisationPart}
_TYPES: Final = {each.value: each for each in OrganisationType}
_KINDS: Final = {each.value: each for each in ActivityKind}
NEVER: Final = 2**64 - 1
"""The end of an award that neither expires nor was revoked."""


def _of(table: str, *, primary: bool = False) -> Column[Any]:
    """Goes with the row that it refers to."""
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(Uuid(), key, primary_key=primary, nullable=False, index=not primary)


class ActivityCount(SQLModel, table=True):
    """Who was present at an activity, erased people included, and the facts declared of it.

    `hours` are those of learners without an attended session. `learners` are their ids, packed. `facts`: see
    `facts_of`; `sessions` there are hours by day.
    """

    __tablename__ = "activity_count"
    activity_id: uuid.UUID = Field(sa_column=_of("activity", primary=True))
    named: int = 0
    hours: float = 0.0
    learners: bytes = b""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class MonthCount(SQLModel, table=True):
    """The activities of a campus that begin in one month, with their counts; `last_day` is when the last one ends.

    `stamp` is another with every content, which can therefore be remembered by it.
    """

    __tablename__ = "month_count"
    campus_id: uuid.UUID = Field(sa_column=_of("campus", primary=True))
    month: date = Field(primary_key=True)
    last_day: date
    stamp: uuid.UUID = Field(default_factory=new_id)
    activities: bytes
    learners: bytes


class AwardCount(SQLModel, table=True):
    """Awards that a campus issued on one day (Europe/Paris), erased people included; `stamp`: as `MonthCount`.

    `versions` describes a group of awards for each badge version; `holders` are the ids of each group in turn, and
    `ends` has for each of them the second at which the award expired or was revoked, for groups where one did.
    """

    __tablename__ = "award_count"
    campus_id: uuid.UUID = Field(sa_column=_of("campus", primary=True))
    day: date = Field(primary_key=True)
    stamp: uuid.UUID = Field(default_factory=new_id)
    versions: bytes
    holders: bytes
    ends: bytes


class ActivityChange(SQLModel, table=True):
    """The rows behind the count of an activity have changed. Several may name the same one."""

    __tablename__ = "activity_change"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=_of("activity"))


class MonthChange(SQLModel, table=True):
    """An activity of a campus that begins in that month was added, changed or removed, or has a new count."""

    __tablename__ = "month_change"
    __table_args__ = (Index("month_changes", "campus_id", "month"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    month: date


class AwardChange(SQLModel, table=True):
    """Awards that a campus issued in that hour (UTC, « 2026-03-09 14 ») have changed."""

    __tablename__ = "award_change"
    __table_args__ = (Index("award_changes_by_hour", "campus_id", "hour"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    hour: str = Field(max_length=13)


class CountedActivity(NamedTuple):
    """The columns of `ActivityCount`, in order."""

    activity_id: uuid.UUID
    named: int = 0
    hours: float = 0.0
    learners: bytes = b""
    facts: Mapping[str, Any] = {}

    def row(
        self,
        title: str,
        kind: ActivityKind,
        starts_on: date,
        ends_on: date,
        declared_size: int | None,
        campuses: tuple[uuid.UUID, ...] = (),
    ) -> ActivityRow:
        get = self.facts.get
        audiences = tuple(
            AudienceCount(_AUDIENCES[audience], people, women)
            for audience, people, women in get("audiences", ())
        )
        survey, sessions = get("survey"), tuple(sorted(get("sessions", {}).items()))
        return ActivityRow(
            self.activity_id,
            title,
            kind,
            starts_on,
            ends_on,
            declared_size if declared_size is not None else sum(each.people for each in audiences) or None,
            self.named,
            self.learners,
            self.hours + sum(hours for _, hours in sessions),
            sessions,
            "cancelled" in self.facts,
            get("departement", ""),
            get("sector", ""),
            get("invited"),
            audiences=audiences,
            organisations=tuple(
                InvolvedOrganisation(name, _PARTS[part], _TYPES[of_type], number_of(key), key)
                for name, part, of_type, key in get("organisations", ())
            ),
            establishments=tuple(Establishment(*each) for each in get("establishments", ())),
            survey=_survey(survey) if survey else None,
            campuses=campuses,
        )

    def equals(self, other: CountedActivity) -> bool:
        """The order of learners, and rounding, differ between two counts of the same rows."""
        one, two = ({**each.facts, "sessions": None} for each in (self, other))
        hours, others = (each.facts.get("sessions", {}) for each in (self, other))
        return (
            (self.named, one) == (other.named, two)
            and sorted(unpacked(self.learners)) == sorted(unpacked(other.learners))
            and _near(self.hours, other.hours)
            and hours.keys() == others.keys()
            and all(_near(some, others[day]) for day, some in hours.items())
        )


class ActivityColumns(NamedTuple):
    """Of the activity itself, as a month's page keeps them."""

    id: uuid.UUID
    title: str
    kind: ActivityKind
    starts_on: date
    ends_on: date
    declared_size: int | None


class MonthPage(NamedTuple):
    """The contents of `MonthCount`."""

    last_day: date
    activities: bytes
    learners: bytes


def month_page(counted: Sequence[tuple[ActivityColumns, CountedActivity]]) -> MonthPage:
    lines = [
        [
            each.id.hex,
            each.title,
            each.kind.value,
            each.starts_on.isoformat(),
            each.ends_on.isoformat(),
            each.declared_size,
            count.named,
            count.hours,
            len(count.learners),
            count.facts,
        ]
        for each, count in counted
    ]
    return MonthPage(
        max(each.ends_on for each, _ in counted),
        orjson.dumps(lines, option=orjson.OPT_SORT_KEYS),
        b"".join(count.learners for _, count in counted),
    )


def rows_of_page(activities: bytes, learners: bytes, campus_id: uuid.UUID) -> list[ActivityRow]:
    rows, start, campuses = [], 0, (campus_id,)
    for key, title, kind, starts_on, ends_on, size, named, hours, length, facts in orjson.loads(activities):
        count = CountedActivity(uuid.UUID(key), named, hours, learners[start : start + length], facts)
        days = date.fromisoformat(starts_on), date.fromisoformat(ends_on)
        rows.append(count.row(title, _KINDS[kind], *days, size, campuses))
        start += length
    return rows


@dataclass(frozen=True, slots=True)
class DayOfAwards:
    """Awards of one badge version on one day: `holders` of those that never end, then of the others with their end.

    Ids are packed: a campus with years of awards has hundreds of thousands of them in memory.
    """

    campus_id: uuid.UUID
    day: date
    version_id: uuid.UUID
    badge_id: uuid.UUID
    claimed: int
    claimed_in_time: int
    opened: int
    """Claimed, and open to the public."""
    holders: bytes
    ends: tuple[int, ...] = ()
    first_end: int = field(init=False)
    last_end: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_end", min(self.ends, default=NEVER))
        object.__setattr__(self, "last_end", max(self.ends, default=NEVER))

    @property
    def awards(self) -> int:
        return len(self.holders) // ID_BYTES

    def valid_at(self, second: int) -> bytes:
        """Holders of awards that end later, packed."""
        if not self.ends or self.first_end > second:
            return self.holders
        lasting = len(self.holders) - len(self.ends) * ID_BYTES
        if self.last_end <= second:
            return self.holders[:lasting]
        ending = zip(unpacked(self.holders[lasting:]), self.ends, strict=True)
        return self.holders[:lasting] + b"".join(holder for holder, end in ending if end > second)


class AwardRow(NamedTuple):
    """One award, or the tombstone of one."""

    campus_id: uuid.UUID
    version_id: uuid.UUID
    badge_id: uuid.UUID
    holder: uuid.UUID
    awarded_at: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    claimed_at: datetime | None
    is_open: bool

    @property
    def is_in_time(self) -> bool:
        return self.claimed_at is not None and self.claimed_at - self.awarded_at <= CLAIMED_WITHIN

    @property
    def end(self) -> int:
        """In seconds; whichever comes first of its expiry and its revocation."""
        return min((int(at.timestamp()) for at in (self.valid_until, self.revoked_at) if at), default=NEVER)


def _survey(counts: Sequence[int]) -> SurveyCounts:
    asked, not_at_all, rather_not, rather, fully, recommends, recommends_not = counts
    return SurveyCounts(asked, (not_at_all, rather_not, rather, fully), recommends, recommends_not)


def facts_of(
    facts: ActivityFacts | None,
    audiences: Iterable[ActivityAudience],
    organisations: Iterable[ActivityOrganisation],
    establishments: Iterable[ActivityEstablishment],
    survey: ActivitySurvey | None,
    sessions: Mapping[str, float],
) -> dict[str, Any]:
    """As stored with the count; what is unknown is left out."""
    found: dict[str, Any] = {
        "sessions": dict(sessions),
        "audiences": [
            [one.audience.value, one.people, one.women]
            for one in sorted(audiences, key=lambda one: _ORDER.index(one.audience))
        ],
        "organisations": [
            [one.name, one.part.value, one.type.value, one.key]
            for one in sorted(organisations, key=lambda one: one.key)
        ],
        "establishments": [
            [one.number, one.name] for one in sorted(establishments, key=lambda one: one.number)
        ],
    }
    if survey is not None:
        found["survey"] = [
            survey.asked,
            *(survey.not_at_all, survey.rather_not, survey.rather, survey.fully),
            *(survey.recommends, survey.recommends_not),
        ]
    found = {name: value for name, value in found.items() if value}
    if facts is None:
        return found
    kept = {
        "departement": facts.departement,
        "sector": facts.sector,
        "cancelled": facts.cancelled_at is not None,
    }
    found |= {name: value for name, value in kept.items() if value}
    return found if facts.invited is None else found | {"invited": facts.invited}


def count_awards(rows: Iterable[AwardRow]) -> list[DayOfAwards]:
    found: dict[tuple[uuid.UUID, date, uuid.UUID], list[AwardRow]] = {}
    for row in rows:
        found.setdefault((row.campus_id, row.awarded_at.astimezone(ZONE).date(), row.version_id), []).append(
            row
        )
    return [_day_of_awards(*key, some) for key, some in sorted(found.items())]


def _day_of_awards(
    campus_id: uuid.UUID, day: date, version_id: uuid.UUID, rows: Sequence[AwardRow]
) -> DayOfAwards:
    claimed = [row for row in rows if row.claimed_at]
    # Those that never end first: the order of stored pages.
    holders = sorted((row.end != NEVER, row.holder.bytes, row.end) for row in rows)
    return DayOfAwards(
        campus_id,
        day,
        version_id,
        rows[0].badge_id,
        len(claimed),
        sum(row.is_in_time for row in claimed),
        sum(row.is_open for row in claimed),
        b"".join(holder for _, holder, _ in holders),
        tuple(end for ends, _, end in holders if ends),
    )


class AwardPage(NamedTuple):
    """The contents of `AwardCount`."""

    versions: bytes
    holders: bytes
    ends: bytes


def award_page(groups: Iterable[DayOfAwards]) -> AwardPage:
    """Of one campus and day."""
    versions, holders, ends = [], list[bytes](), list[int]()
    for each in groups:
        lasting = each.awards - len(each.ends)
        counts = [each.claimed, each.claimed_in_time, each.opened, lasting, len(each.ends)]
        versions.append([each.version_id.hex, each.badge_id.hex, *counts])
        holders.append(each.holders)
        ends += each.ends
    return AwardPage(orjson.dumps(versions), b"".join(holders), struct.pack(f"<{len(ends)}Q", *ends))


@lru_cache(maxsize=4096)
def _id(text: str) -> uuid.UUID:
    """One object for each of the few badges that fill the pages of years."""
    return uuid.UUID(text)


def groups_of_page(campus_id: uuid.UUID, day: date, page: AwardPage) -> list[DayOfAwards]:
    start, found = 0, []
    ends = iter(struct.unpack(f"<{len(page.ends) // 8}Q", page.ends))
    for version, badge, claimed, in_time, opened, lasting, ending in orjson.loads(page.versions):
        after = start + (lasting + ending) * ID_BYTES
        found.append(
            DayOfAwards(
                campus_id,
                day,
                _id(version),
                _id(badge),
                claimed,
                in_time,
                opened,
                page.holders[start:after],
                tuple(islice(ends, ending)),
            )
        )
        start = after
    return found


def distinct_learners(rows: Iterable[ActivityRow]) -> set[bytes]:
    return set(unpacked(b"".join(row.learners for row in rows)))


_counted: Final = dict[bytes, int]()
_MOST_COUNTED: Final = 4096


def count_distinct(*packed: bytes) -> int:
    """How many ids are in each of these; remembered by their digests, as most of the years asked for are over."""
    key = b"".join(sha256(each).digest() for each in packed)
    if (known := _counted.get(key)) is not None:
        return known
    if len(_counted) >= _MOST_COUNTED:
        _counted.clear()
    count = len(set.intersection(*(set(unpacked(each)) for each in packed)))
    _counted[key] = count
    return count


def _near(one: float, other: float) -> bool:
    return abs(one - other) < 1e-6 * max(1.0, abs(one))
