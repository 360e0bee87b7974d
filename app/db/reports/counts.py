"""Stored counts for reports: read, stored again where rows have changed, and compared with the rows."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, true
from sqlmodel import col

from app.db.engine.queries import Store
from app.db.engine.writes import among, insert_values
from app.db.reports.from_rows import ACTIVITIES_AT_ONCE, CampusDay, RowCounts, by_campus, columns_of
from app.domain.activities import Activity, ActivityCampus
from app.domain.awards import Award
from app.domain.core import new_id
from app.domain.reports.counts import (
    ActivityChange,
    ActivityColumns,
    ActivityCount,
    AwardChange,
    AwardCount,
    AwardPage,
    CountedActivity,
    DayOfAwards,
    MonthChange,
    MonthCount,
    MonthPage,
    award_page,
    groups_of_page,
    month_page,
    rows_of_page,
)
from app.domain.reports.ledger import ZONE, ActivityRow, AwardTombstone, Period

MONTHS_AT_ONCE: Final = 12
DAYS_AT_ONCE: Final = 60
_MARKS_AT_ONCE: Final = 500
_RECOUNT_LOCK: Final = 0x5CE1
_A_DAY: Final = timedelta(days=1)
_HOUR: Final = "%Y-%m-%d %H"
_MOST_REMEMBERED: Final = 128_000_000
"""Bytes: four years of a million participations and 600,000 awards take 94 million."""
_IN_MEMORY: Final = 4
"""What is read from a page takes this many times its bytes, about; ids alone stay as they are stored."""
Ids = Collection[uuid.UUID]
_Key = TypeVar("_Key")


@dataclass
class Differences:
    """Stored counts that differ from their rows, although nothing marks them; months and days of campuses."""

    activities: list[uuid.UUID] = field(default_factory=list)
    months: list[CampusDay] = field(default_factory=list)
    days: list[CampusDay] = field(default_factory=list)
    checked: int = 0

    def __bool__(self) -> bool:
        return bool(self.activities or self.months or self.days)


class _Remembered:
    """Contents by their stamp, which never change, for all threads of the process; the least used go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found = OrderedDict[uuid.UUID, tuple[Any, int]]()
        self._size = 0

    def get(self, stamps: Iterable[uuid.UUID]) -> dict[uuid.UUID, Any]:
        """The contents of those that are known."""
        with self._lock:
            known = [stamp for stamp in stamps if stamp in self._found]
            for stamp in known:
                self._found.move_to_end(stamp)
            return {stamp: self._found[stamp][0] for stamp in known}

    def put(self, stamp: uuid.UUID, content: Any, size: int) -> None:
        with self._lock:
            if stamp in self._found:
                return
            self._found[stamp] = content, size
            self._size += size
            while self._size > _MOST_REMEMBERED:
                _, (_, freed) = self._found.popitem(last=False)
                self._size -= freed


_remembered: Final = _Remembered()


class CountStore(Store):
    @cached_property
    def from_rows(self) -> RowCounts:
        return RowCounts(self.session)

    # --- reading
    # Marks are read before what is stored: a worker that removes a mark meanwhile has stored its count first.

    def activities(self, campus_ids: Ids, period: Period) -> list[ActivityRow]:
        """Those of the campuses that overlap the period, each once; cancelled ones too, without objectives."""
        changed = {key for key in self._changed_months(campus_ids) if key[1] <= period.last}
        count = columns_of(MonthCount)
        heads = select(count.campus_id, count.month, count.stamp).where(
            count.campus_id.in_(campus_ids), count.month <= period.last, count.last_day >= period.first
        )
        stamps = {
            (campus_id, begins): stamp
            for campus_id, begins, stamp in self.session.execute(heads).all()
            if (campus_id, begins) not in changed
        }
        pages = self._month_pages(campus_ids, stamps.values())
        rows = [row for page in pages.values() for row in page]
        rows += self._unstored(changed | {key for key, stamp in stamps.items() if stamp not in pages}, period)
        rows = [row.during(period) for row in rows if period.overlaps(row.starts_on, row.ends_on)]
        if len(campus_ids) > 1:
            found: dict[uuid.UUID, ActivityRow] = {}
            for row in rows:
                known = found.get(row.id)
                found[row.id] = replace(known, campuses=(*known.campuses, *row.campuses)) if known else row
            rows = list(found.values())
        return sorted(rows, key=lambda row: (row.starts_on, row.title, row.id))

    def _changed_months(self, campus_ids: Ids) -> set[CampusDay]:
        """Marked themselves, or with a marked activity."""
        marked = select(col(MonthChange.campus_id), col(MonthChange.month)).where(
            col(MonthChange.campus_id).in_(campus_ids)
        )
        # Read before they are joined: the planner takes the table, usually empty, for a large one.
        changed = self.session.execute(select(col(ActivityChange.activity_id)).distinct()).scalars().all()
        within = (
            select(col(ActivityCampus.campus_id), col(Activity.starts_on))
            .join(Activity, col(Activity.id) == col(ActivityCampus.activity_id))
            .where(
                col(ActivityCampus.campus_id).in_(campus_ids),
                among(self.session, col(ActivityCampus.activity_id), changed),
            )
        )
        return {
            (campus_id, day.replace(day=1))
            for query in ((marked, within) if changed else (marked,))
            for campus_id, day in self.session.execute(query)
        }

    def _month_pages(
        self, campus_ids: Ids, stamps: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[ActivityRow]]:
        """By stamp; without those that were stored anew meanwhile."""
        pages = _remembered.get(stamps)
        missing = [stamp for stamp in stamps if stamp not in pages]
        count = columns_of(MonthCount)
        query = select(count.stamp, count.campus_id, count.activities, count.learners).where(
            count.campus_id.in_(campus_ids), among(self.session, count.stamp, missing)
        )
        for stamp, campus_id, activities, learners in self.session.execute(query) if missing else ():
            rows = rows_of_page(activities, learners, campus_id)
            pages[stamp] = rows
            _remembered.put(stamp, rows, _IN_MEMORY * len(activities) + len(learners))
        return pages

    def _unstored(self, months: Collection[CampusDay], period: Period) -> list[ActivityRow]:
        """Of months of campuses, from the counts of their activities."""
        rows = []
        for campus_id, some in by_campus(months).items():
            wanted, columns = set(some), columns_of(Activity)
            found = self._counted(
                campus_id,
                columns.starts_on >= some[0],
                columns.starts_on <= min(period.last, _last_of(some[-1])),
                columns.ends_on >= period.first,
            )
            rows += [
                count.row(*activity[1:], (campus_id,))
                for activity, count in found
                if activity.starts_on.replace(day=1) in wanted
            ]
        return rows

    def _counted(
        self, campus_id: uuid.UUID, *which: ColumnElement[bool], from_rows: bool = True
    ) -> list[tuple[ActivityColumns, CountedActivity]]:
        """Activities of a campus with their stored counts; `from_rows`: where one has changed, or else without it."""
        activity, count = columns_of(Activity), columns_of(ActivityCount)
        changed = select(ActivityChange.__table__.c.id).where(  # type: ignore[attr-defined]
            col(ActivityChange.activity_id) == activity.id
        )
        organised = select(col(ActivityCampus.activity_id)).where(
            col(ActivityCampus.campus_id) == campus_id, col(ActivityCampus.accepted_at).is_not(None)
        )
        query = (
            select(
                *(activity[name] for name in ActivityColumns._fields),
                or_(changed.exists(), count.activity_id.is_(None)),
                *(count[name] for name in CountedActivity._fields[1:]),
            )
            .outerjoin(ActivityCount, count.activity_id == activity.id)
            .where(activity.id.in_(organised), activity.is_sample.is_(False), *which)
            .order_by(activity.starts_on, activity.id)
        )
        width = len(ActivityColumns._fields)
        found = [
            (ActivityColumns(*row[:width]), row[width], row[width + 1 :])
            for row in self.session.execute(query)
        ]
        if not from_rows:
            return [
                (each, CountedActivity(each.id, *stored))
                for each, _, stored in found
                if stored[0] is not None
            ]
        anew = self.from_rows.activities([each.id for each, is_changed, _ in found if is_changed])
        return [(each, anew.get(each.id) or CountedActivity(each.id, *stored)) for each, _, stored in found]

    def awards(self, campus_ids: Ids, first: date | None, last: date) -> list[DayOfAwards]:
        """Issued from `first` to `last`; `first` None: since the beginning."""
        changed = {
            day
            for day in self._changed_days(campus_ids)
            if day[1] <= last and (first is None or first <= day[1])
        }
        count = columns_of(AwardCount)
        heads = select(count.campus_id, count.day, count.stamp).where(
            count.campus_id.in_(campus_ids), count.day <= last
        )
        if first is not None:
            heads = heads.where(count.day >= first)
        stamps = {
            (campus_id, begins): stamp
            for campus_id, begins, stamp in self.session.execute(heads).all()
            if (campus_id, begins) not in changed
        }
        pages = self._award_pages(campus_ids, stamps.values())
        changed |= {key for key, stamp in stamps.items() if stamp not in pages}
        return [each for page in pages.values() for each in page] + self.from_rows.days(changed)

    def _changed_days(self, campus_ids: Ids) -> set[CampusDay]:
        query = select(col(AwardChange.campus_id), col(AwardChange.hour)).where(
            col(AwardChange.campus_id).in_(campus_ids)
        )
        return {(campus_id, _day_of(hour)) for campus_id, hour in self.session.execute(query)}

    def _award_pages(
        self, campus_ids: Ids, stamps: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, list[DayOfAwards]]:
        pages = _remembered.get(stamps)
        missing = [stamp for stamp in stamps if stamp not in pages]
        count = columns_of(AwardCount)
        query = select(
            count.stamp, count.campus_id, count.day, count.versions, count.holders, count.ends
        ).where(count.campus_id.in_(campus_ids), among(self.session, count.stamp, missing))
        for stamp, campus_id, day, *content in self.session.execute(query) if missing else ():
            page = AwardPage(*content)
            groups = groups_of_page(campus_id, day, page)
            pages[stamp] = groups
            size = _IN_MEMORY * (len(page.versions) + len(page.ends)) + len(page.holders)
            _remembered.put(stamp, groups, size)
        return pages

    # --- storing again what has changed

    def has_changes(self) -> bool:
        changes = (select(col(kind.id)).limit(1) for kind in (ActivityChange, MonthChange, AwardChange))
        return any(self.session.execute(each).first() for each in changes)

    def is_far_behind(self, campus_ids: Ids | None = None) -> bool:
        """Whether more has changed, at these campuses or at any, than a worker stores in one transaction: pages that
        count it from the rows take seconds."""
        organised = select(col(ActivityCampus.activity_id)).where(
            col(ActivityCampus.campus_id).in_(campus_ids or ())
        )
        wanted: tuple[tuple[Any, ColumnElement[bool], int], ...] = (
            (
                (col(ActivityChange.activity_id),),
                col(ActivityChange.activity_id).in_(organised),
                ACTIVITIES_AT_ONCE,
            ),
            (
                (col(MonthChange.campus_id), col(MonthChange.month)),
                col(MonthChange.campus_id).in_(campus_ids or ()),
                MONTHS_AT_ONCE,
            ),
            (
                (col(AwardChange.campus_id), func.substr(col(AwardChange.hour), 1, 10)),
                col(AwardChange.campus_id).in_(campus_ids or ()),
                DAYS_AT_ONCE,
            ),
        )
        return any(
            self.session.execute(
                select(*changed)
                .where(true() if campus_ids is None else theirs)
                .distinct()
                .offset(at_once)
                .limit(1)
            ).first()
            for changed, theirs, at_once in wanted
        )

    def recount_some(self) -> bool:
        """Store the counts of some marked rows; returns whether more may be left.

        Marks are read before the rows: a change that is committed in between leaves a mark of its own.
        """
        if self.session.connection().dialect.name == "postgresql":
            # Two workers at once could store an older count over a newer one.
            self.session.execute(select(func.pg_advisory_xact_lock(_RECOUNT_LOCK)))
        return self._recount_activities() or self._recount_months() or self._recount_days()

    def _recount_activities(self) -> bool:
        some = select(col(ActivityChange.activity_id)).distinct().limit(ACTIVITIES_AT_ONCE)
        changed = list(self.session.execute(some).scalars())
        named = among(self.session, col(ActivityChange.activity_id), changed)
        marks = list(self.session.execute(select(col(ActivityChange.id)).where(named)).scalars())
        counts = self.from_rows.activities(changed)
        self._delete(ActivityCount, among(self.session, col(ActivityCount.activity_id), changed))
        insert_values(self.session, ActivityCount, (each._asdict() for each in counts.values()))
        within = (
            select(col(ActivityCampus.campus_id), col(Activity.starts_on))
            .join(Activity, col(Activity.id) == col(ActivityCampus.activity_id))
            .where(among(self.session, col(ActivityCampus.activity_id), changed))
        )
        months = {(campus_id, day.replace(day=1)) for campus_id, day in self.session.execute(within)}
        self._mark_months(months)
        self._delete(ActivityChange, among(self.session, col(ActivityChange.id), marks))
        return bool(changed)

    def _recount_months(self) -> bool:
        marks = self._marks(MonthChange, MonthChange.month, lambda month: month)
        changed = list(islice(marks, MONTHS_AT_ONCE))
        self._delete_pages(MonthCount, MonthCount.month, changed)
        insert_values(
            self.session,
            MonthCount,
            (
                {"campus_id": campus_id, "month": month, "stamp": new_id()} | page._asdict()
                for campus_id, month in changed
                if (page := self._month_page(campus_id, month)) is not None
            ),
        )
        self._remove(MonthChange, marks, changed)
        return bool(changed)

    def _month_page(self, campus_id: uuid.UUID, month: date) -> MonthPage | None:
        """Without activities that were never counted: they are marked."""
        starts_on = columns_of(Activity).starts_on
        counted = self._counted(campus_id, starts_on >= month, starts_on <= _last_of(month), from_rows=False)
        return month_page(counted) if counted else None

    def _recount_days(self) -> bool:
        marks = self._marks(AwardChange, AwardChange.hour, _day_of)
        changed = list(islice(marks, DAYS_AT_ONCE))
        pages = _award_pages_of(self.from_rows.days(changed))
        self._delete_pages(AwardCount, AwardCount.day, changed)
        insert_values(
            self.session,
            AwardCount,
            (
                {"campus_id": campus_id, "day": day, "stamp": new_id()} | page._asdict()
                for (campus_id, day), page in pages.items()
            ),
        )
        self._remove(AwardChange, marks, changed)
        return bool(changed)

    def _marks(
        self, kind: Any, column: Any, day_of: Callable[[Any], date]
    ) -> dict[CampusDay, list[uuid.UUID]]:
        """Some marks, by what they mark."""
        query = select(kind.id, kind.campus_id, column).order_by(kind.campus_id, column).limit(_MARKS_AT_ONCE)
        found = defaultdict[CampusDay, list[uuid.UUID]](list)
        for mark, campus_id, value in self.session.execute(query):
            found[campus_id, day_of(value)].append(mark)
        return found

    def _remove(
        self, kind: Any, marks: Mapping[CampusDay, Sequence[uuid.UUID]], changed: Iterable[CampusDay]
    ) -> None:
        gone = [mark for key in changed for mark in marks[key]]
        self._delete(kind, among(self.session, kind.id, gone))

    def _delete_pages(self, kind: Any, column: Any, keys: Iterable[CampusDay]) -> None:
        for campus_id, days in by_campus(keys).items():
            self._delete(kind, and_(kind.campus_id == campus_id, among(self.session, column, days)))

    def _delete(self, kind: Any, which: ColumnElement[bool]) -> None:
        self.session.execute(delete(kind).where(which).execution_options(synchronize_session=False))

    def _mark_months(self, months: Iterable[CampusDay]) -> None:
        marks = ({"id": new_id(), "campus_id": campus_id, "month": month} for campus_id, month in months)
        insert_values(self.session, MonthChange, marks)

    def forget_changed(self) -> None:
        """For an erasure: no stored count of what it changed names the person any longer."""
        changed = list(self.session.execute(select(col(ActivityChange.activity_id)).distinct()).scalars())
        organisers = select(col(ActivityCampus.campus_id)).where(
            among(self.session, col(ActivityCampus.activity_id), changed)
        )
        campus_ids = list(self.session.execute(organisers.distinct()).scalars())
        months = self._changed_months(campus_ids)
        days = self.session.execute(select(col(AwardChange.campus_id), col(AwardChange.hour)).distinct())
        self._delete(ActivityCount, among(self.session, col(ActivityCount.activity_id), changed))
        self._delete_pages(MonthCount, MonthCount.month, months)
        self._delete_pages(AwardCount, AwardCount.day, {(each, _day_of(hour)) for each, hour in days})

    # --- checking

    def check(self) -> Differences:
        """Counts everything from the rows, and names what is stored otherwise and unmarked."""
        found = Differences()
        for activity_ids in self._all_activities():
            found.checked += len(activity_ids)
            found.activities += _twice(self._differing_activities, activity_ids)
        for months in self._all_months():
            found.checked += len(months)
            found.months += _twice(self._differing_months, months)
        for days in self._all_days():
            found.checked += len(days)
            found.days += _twice(self._differing_days, days)
        return found

    def _differing_activities(self, activity_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
        changed = select(col(ActivityChange.activity_id)).where(
            among(self.session, col(ActivityChange.activity_id), activity_ids)
        )
        unmarked = set(activity_ids) - set(self.session.execute(changed).scalars())
        query = select(*columns_of(ActivityCount)).where(
            among(self.session, col(ActivityCount.activity_id), unmarked)
        )
        stored = {row[0]: CountedActivity(*row) for row in self.session.execute(query)}
        counted = self.from_rows.activities(unmarked)
        return [key for key, count in counted.items() if key not in stored or not stored[key].equals(count)]

    def _differing_months(self, months: Collection[CampusDay]) -> list[CampusDay]:
        unmarked = set(months) - self._changed_months({campus_id for campus_id, _ in months})
        stored = self._pages(MonthCount, MonthCount.month, MonthPage, unmarked)
        return [key for key in unmarked if stored.get(key) != self._month_page(*key)]

    def _differing_days(self, days: Collection[CampusDay]) -> list[CampusDay]:
        unmarked = set(days) - self._changed_days({campus_id for campus_id, _ in days})
        stored = self._pages(AwardCount, AwardCount.day, AwardPage, unmarked)
        counted = _award_pages_of(self.from_rows.days(unmarked))
        return [key for key in unmarked if stored.get(key) != counted.get(key)]

    def _pages(
        self, kind: Any, column: Any, page: type[MonthPage | AwardPage], keys: Iterable[CampusDay]
    ) -> dict[CampusDay, MonthPage | AwardPage]:
        found = dict[CampusDay, MonthPage | AwardPage]()
        for campus_id, days in by_campus(keys).items():
            contents = (columns_of(kind)[name] for name in page._fields)
            query = select(column, *contents).where(
                kind.campus_id == campus_id, among(self.session, column, days)
            )
            found |= {(campus_id, day): page(*content) for day, *content in self.session.execute(query)}
        return found

    def _all_activities(self) -> Iterator[list[uuid.UUID]]:
        last = uuid.UUID(int=0)
        while True:
            query = select(col(Activity.id)).where(col(Activity.id) > last).order_by(col(Activity.id))
            found = list(self.session.execute(query.limit(ACTIVITIES_AT_ONCE)).scalars())
            if not found:
                return
            last = found[-1]
            yield found

    def _all_months(self) -> Iterator[list[CampusDay]]:
        """Of each campus in turn: those with activities, or with a page."""
        organised = select(col(ActivityCampus.campus_id), col(Activity.starts_on)).join(
            Activity, col(Activity.id) == col(ActivityCampus.activity_id)
        )
        stored = select(col(MonthCount.campus_id), col(MonthCount.month))
        months = {
            (campus_id, day.replace(day=1))
            for query in (organised, stored)
            for campus_id, day in self.session.execute(query.distinct())
        }
        for campus_id, some in by_campus(months).items():
            yield [(campus_id, month) for month in some]

    def _all_days(self) -> Iterator[list[CampusDay]]:
        """Two months at a time, from the first award or stored count of each campus to the last."""
        first, last = dict[uuid.UUID, date](), dict[uuid.UUID, date]()
        for kind, column in ((Award, "awarded_at"), (AwardTombstone, "awarded_at"), (AwardCount, "day")):
            table: Any = kind
            moment = getattr(table, column)
            query = select(table.campus_id, func.min(moment), func.max(moment)).group_by(table.campus_id)
            for campus_id, *ends in self.session.execute(query):
                earliest, latest = (_day(end) for end in ends)
                first[campus_id] = min(earliest, first.get(campus_id, earliest))
                last[campus_id] = max(latest, last.get(campus_id, latest))
        for campus_id, day in first.items():
            while day <= last[campus_id]:
                yield [(campus_id, day + _A_DAY * ahead) for ahead in range(DAYS_AT_ONCE)]
                day += _A_DAY * DAYS_AT_ONCE

    def mark(self, found: Differences) -> None:
        """From now on these are counted from the rows, until a worker has stored them again."""
        self.session.add_all(ActivityChange(activity_id=each) for each in found.activities)
        self._mark_months(found.months)
        for campus_id, day in found.days:
            hour = Period(day, day).begins_at.strftime(_HOUR)
            self.session.add(AwardChange(campus_id=campus_id, hour=hour))
        self.session.flush()


def _twice(differing: Callable[[Collection[_Key]], list[_Key]], keys: Collection[_Key]) -> list[_Key]:
    """A change committed between two queries counts as a difference once."""
    found = differing(keys)
    return differing(found) if found else found


def _award_pages_of(groups: Iterable[DayOfAwards]) -> dict[CampusDay, AwardPage]:
    found = defaultdict[CampusDay, list[DayOfAwards]](list)
    for each in groups:
        found[each.campus_id, each.day].append(each)
    return {key: award_page(some) for key, some in found.items()}


def _last_of(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - _A_DAY


def _day(end: date | datetime) -> date:
    return end.astimezone(ZONE).date() if isinstance(end, datetime) else end


def _day_of(hour: str) -> date:
    return _day(datetime.fromisoformat(f"{hour}:00+00:00"))
