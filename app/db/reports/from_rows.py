"""Counts participations and awards from their rows, and facts with them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import LargeBinary, Text, func, literal, select, true, type_coerce, union_all
from sqlmodel import Session, SQLModel, col

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.domain.activities import Activity, ActivitySession, Attendance, Participation, PartKind
from app.domain.awards import Award, Visibility
from app.domain.reports.counts import AwardRow, CountedActivity, DayOfAwards, count_awards, facts_of
from app.domain.reports.facts import (
    ActivityAudience,
    ActivityEstablishment,
    ActivityFacts,
    ActivityOrganisation,
    ActivitySurvey,
)
from app.domain.reports.ledger import AwardTombstone, ParticipationTombstone, Period

ACTIVITIES_AT_ONCE: Final = 200
_A_WEEK: Final = timedelta(days=7)
CampusDay = tuple[uuid.UUID, date]


class RowCounts(Store):
    def activities(self, activity_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, CountedActivity]:
        ids = list(activity_ids)
        found: dict[uuid.UUID, CountedActivity] = {}
        for start in range(0, len(ids), ACTIVITIES_AT_ONCE):
            found |= self._some(ids[start : start + ACTIVITIES_AT_ONCE])
        return found

    def _some(self, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, CountedActivity]:
        present = _presence(self.session, ids)
        learners = _packed(self.session, present.c.holder).filter(present.c.part == PartKind.LEARNER)
        people = select(present.c.activity_id, func.count(), learners).group_by(present.c.activity_id)
        named = {row[0]: (row[1], _bytes(row[2])) for row in self.session.execute(people)}
        hours = {row[0]: float(row[1] or 0) for row in self.session.execute(self._undated_hours(ids))}
        dated = defaultdict[uuid.UUID, dict[str, float]](dict)
        for activity_id, day, some in self.session.execute(self._dated_hours(ids)):
            dated[activity_id][day.isoformat()] = float(some or 0)
        facts, nobody = self._facts(ids, dated), (0, b"")
        return {
            each: CountedActivity(each, present[0], hours.get(each, 0.0), present[1], facts[each])
            for each in ids
            for present in [named.get(each, nobody)]
        }

    def _facts(
        self, ids: Collection[uuid.UUID], sessions: Mapping[uuid.UUID, Mapping[str, float]]
    ) -> dict[uuid.UUID, dict[str, Any]]:
        facts, audiences, organisations, establishments, surveys = (
            self._of_activities(table, ids)
            for table in (
                ActivityFacts,
                ActivityAudience,
                ActivityOrganisation,
                ActivityEstablishment,
                ActivitySurvey,
            )
        )
        return {
            each: facts_of(
                next(iter(facts[each]), None),
                audiences[each],
                organisations[each],
                establishments[each],
                next(iter(surveys[each]), None),
                sessions.get(each, {}),
            )
            for each in ids
        }

    def _of_activities(self, table: Any, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[Any]]:
        """Rows as named tuples, by activity."""
        found = defaultdict[uuid.UUID, list[Any]](list)
        query = select(*columns_of(table)).where(among(self.session, table.activity_id, ids))
        for row in self.session.execute(query):
            found[row.activity_id].append(row)
        return found

    def _undated_hours(self, activity_ids: Collection[uuid.UUID]) -> Any:
        """Of learners without an attended session: their own hours, else the activity's."""
        attended = (
            select(col(Attendance.participation_id))
            .join(ActivitySession, col(ActivitySession.id) == col(Attendance.session_id))
            .where(
                among(self.session, col(ActivitySession.activity_id), activity_ids),
                col(ActivitySession.cancelled_at).is_(None),
            )
        )
        named: Any = (
            select(
                col(Participation.activity_id),
                func.coalesce(col(Participation.hours), col(Activity.hours)).label("hours"),
            )
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .where(
                among(self.session, col(Participation.activity_id), activity_ids),
                col(Participation.is_present),
                col(Participation.part) == PartKind.LEARNER,
                col(Participation.id).not_in(attended),
            )
        )
        erased = (
            select(
                col(ParticipationTombstone.activity_id),
                func.coalesce(col(ParticipationTombstone.hours), col(Activity.hours)),
            )
            .join(Activity, col(Activity.id) == col(ParticipationTombstone.activity_id))
            .where(
                among(self.session, col(ParticipationTombstone.activity_id), activity_ids),
                col(ParticipationTombstone.part) == PartKind.LEARNER,
                col(ParticipationTombstone.held_on).is_(None),
            )
        )
        both = union_all(named, erased).subquery()
        return select(both.c.activity_id, func.sum(both.c.hours)).group_by(both.c.activity_id)

    def _dated_hours(self, activity_ids: Collection[uuid.UUID]) -> Any:
        """Of attended sessions, by day."""
        named: Any = (
            select(
                col(ActivitySession.activity_id),
                col(ActivitySession.held_on),
                func.coalesce(col(Attendance.hours), col(ActivitySession.hours), 0.0).label("hours"),
            )
            .join(Attendance, col(Attendance.session_id) == col(ActivitySession.id))
            .join(Participation, col(Participation.id) == col(Attendance.participation_id))
            .where(
                among(self.session, col(ActivitySession.activity_id), activity_ids),
                col(ActivitySession.cancelled_at).is_(None),
                col(Participation.is_present),
                col(Participation.part) == PartKind.LEARNER,
            )
        )
        erased = select(
            col(ParticipationTombstone.activity_id),
            col(ParticipationTombstone.held_on),
            func.coalesce(col(ParticipationTombstone.hours), 0.0),
        ).where(
            among(self.session, col(ParticipationTombstone.activity_id), activity_ids),
            col(ParticipationTombstone.part) == PartKind.LEARNER,
            col(ParticipationTombstone.held_on).is_not(None),
        )
        both = union_all(named, erased).subquery()
        return select(both.c.activity_id, both.c.held_on, func.sum(both.c.hours)).group_by(
            both.c.activity_id, both.c.held_on
        )

    def days(self, days: Collection[CampusDay]) -> list[DayOfAwards]:
        found: list[DayOfAwards] = []
        for campus_id, first, last in _runs(days):
            rows = self._award_rows(campus_id, Period(first, last))
            found += (each for each in count_awards(rows) if (each.campus_id, each.day) in days)
        return found

    def _award_rows(self, campus_id: uuid.UUID, period: Period) -> Iterator[AwardRow]:
        """Awards issued in these days and never undone, with those of erased people."""
        of_award, of_tombstone = columns_of(Award), columns_of(AwardTombstone)
        is_open = of_award.visibility == Visibility.OPEN
        for rows, holder, opened, counts in (
            (of_award, of_award.person_id, is_open, of_award.undone_at.is_(None)),
            (of_tombstone, of_tombstone.holder, of_tombstone.is_open, true()),
        ):
            query = select(
                rows.version_id,
                rows.badge_id,
                holder,
                rows.awarded_at,
                rows.valid_until,
                rows.revoked_at,
                rows.claimed_at,
                opened,
            ).where(
                rows.campus_id == campus_id,
                rows.awarded_at >= period.begins_at,
                rows.awarded_at < period.ends_at,
                counts,
            )
            for row in self.session.execute(query):
                yield AwardRow(campus_id, *row)


def _presence(session: Session, activity_ids: Collection[uuid.UUID]) -> Any:
    """Present participations, with those of erased people."""
    named: Any = select(
        col(Participation.activity_id), col(Participation.person_id).label("holder"), col(Participation.part)
    ).where(among(session, col(Participation.activity_id), activity_ids), col(Participation.is_present))
    erased = select(
        col(ParticipationTombstone.activity_id),
        col(ParticipationTombstone.holder),
        col(ParticipationTombstone.part),
    ).where(
        among(session, col(ParticipationTombstone.activity_id), activity_ids),
        col(ParticipationTombstone.held_on).is_(None),
    )
    return union_all(named, erased).subquery()


def _packed(session: Session, holder: Any) -> Any:
    """All ids of a group: their bytes on PostgreSQL, their hexadecimal digits on SQLite."""
    if session.connection().dialect.name == "sqlite":
        return func.group_concat(type_coerce(holder, Text()), literal("", Text()), type_=Text())
    return func.string_agg(func.uuid_send(holder), literal(b"", LargeBinary()), type_=LargeBinary())


def _bytes(packed: bytes | str | None) -> bytes:
    return bytes.fromhex(packed) if isinstance(packed, str) else packed or b""


def columns_of(table: type[SQLModel]) -> Any:
    """Of the table itself: a query of them does without the ORM."""
    return table.__table__.c  # type: ignore[attr-defined]


def by_campus(days: Iterable[CampusDay]) -> dict[uuid.UUID, list[date]]:
    found = defaultdict[uuid.UUID, list[date]](list)
    for campus_id, day in sorted(days):
        found[campus_id].append(day)
    return found


def _runs(days: Iterable[CampusDay]) -> Iterator[tuple[uuid.UUID, date, date]]:
    """Ranges that contain these days, and at most a week between two of them."""
    for campus_id, some in by_campus(days).items():
        first = last = some[0]
        for day in some[1:]:
            if day - last > _A_WEEK:
                yield campus_id, first, last
                first = day
            last = day
        yield campus_id, first, last
