"""Counts the activities, people and awards of some campuses in a period, on both engines."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from typing import Final

from sqlalchemy import distinct, func, literal, or_, select, tuple_
from sqlmodel import col

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.db.reports.counts import CountStore
from app.db.reports.from_rows import columns_of
from app.domain.activities import ActivityCampus
from app.domain.activity_log import CampusLog
from app.domain.badges import BadgeCompetency, BadgeVersion
from app.domain.people import CampusPerson, Person
from app.domain.reports.counts import DayOfAwards, count_distinct
from app.domain.reports.facts import ActivityObjective, ReportObjective, objective_order
from app.domain.reports.indicators import SMALL
from app.domain.reports.ledger import (
    CLAIMED_WITHIN,
    ID_BYTES,
    ActivityRow,
    Distinct,
    Ledger,
    Period,
)
from app.domain.trust.organisations import Endorsement

TOP_BADGES = 10
FEW_PEOPLE: Final = 5_000
_FIRST_PAGE: Final = 500
Ids = Collection[uuid.UUID]


class ReportCountStore(Store):
    @cached_property
    def counts(self) -> CountStore:
        return CountStore(self.session)

    def ledger(
        self,
        campus_ids: Ids,
        period: Period,
        *,
        today: date,
        awards: Sequence[DayOfAwards] | None = None,
        with_organisers: bool = True,
    ) -> Ledger:
        """`awards`: those of the campuses in the period and around it, where they have been read.

        `with_organisers`: all campuses of each activity, which only tell what must be hidden.
        """
        if awards is None:
            awards = self.counts.awards(campus_ids, period.first, period.last)
        rows = (self.rows if with_organisers else self.counts.activities)(campus_ids, period)
        ledger = Ledger(period, today, tuple(rows), log_size=self.log_size(campus_ids))
        issued = [each for each in awards if period.first <= each.day <= period.last]
        return replace(ledger, distinct=self._distinct(campus_ids, ledger, issued))

    def awards(self, campus_ids: Ids, last: date, *, first: date | None = None) -> Sequence[DayOfAwards]:
        """Since the beginning, or issued from `first` on."""
        return self.counts.awards(campus_ids, first, last)

    def log_size(self, campus_ids: Ids) -> int:
        """The number of entries of the open logs, which the counts rest on."""
        query = select(func.sum(col(CampusLog.size))).where(
            col(CampusLog.campus_id).in_(campus_ids), col(CampusLog.closed_at).is_(None)
        )
        return int(self.session.execute(query).scalar() or 0)

    # --- activities

    def rows(self, campus_ids: Ids, period: Period) -> list[ActivityRow]:
        """Cancelled ones too; with all campuses that organise them, without their objectives."""
        return self._with_organisers(self.counts.activities(campus_ids, period))

    def with_organisers(self, ledger: Ledger) -> Ledger:
        """Of a ledger that was made without."""
        return replace(ledger, all_rows=tuple(self._with_organisers(ledger.all_rows)))

    def _with_organisers(self, rows: Sequence[ActivityRow]) -> list[ActivityRow]:
        joint = self._organisers([row.id for row in rows])
        return [replace(row, campuses=joint[row.id]) if row.id in joint else row for row in rows]

    def _organisers(self, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, tuple[uuid.UUID, ...]]:
        """The campuses of the activities that several organise."""
        place, found = columns_of(ActivityCampus), defaultdict[uuid.UUID, list[uuid.UUID]](list)
        query = select(place.activity_id, place.campus_id).where(
            among(self.session, place.activity_id, ids), place.accepted_at.is_not(None)
        )
        for activity_id, campus_id in self.session.execute(query.order_by(place.position, place.campus_id)):
            found[activity_id].append(campus_id)
        return {key: tuple(some) for key, some in found.items() if len(some) > 1}

    def with_objectives(self, ledger: Ledger, campus_ids: Ids) -> Ledger:
        """Codes of the objectives that these campuses gave each activity."""
        found = self._objectives([row.id for row in ledger.all_rows], campus_ids)
        rows = (
            replace(row, objectives=tuple(sorted(found[row.id], key=objective_order)))
            if row.id in found
            else row
            for row in ledger.all_rows
        )
        return replace(ledger, all_rows=tuple(rows))

    def _objectives(self, ids: Sequence[uuid.UUID], campus_ids: Ids) -> Mapping[uuid.UUID, list[str]]:
        found = defaultdict(list)
        query = (
            select(col(ActivityObjective.activity_id), col(ReportObjective.code))
            .join(ReportObjective, col(ReportObjective.id) == col(ActivityObjective.objective_id))
            .where(
                among(self.session, col(ActivityObjective.activity_id), ids),
                col(ReportObjective.campus_id).in_(campus_ids),
            )
            .distinct()
        )
        for activity_id, code in self.session.execute(query):
            found[activity_id].append(code)
        return found

    # --- people and awards

    def first_by_name(
        self, campus_id: uuid.UUID, ids: Collection[bytes], limit: int
    ) -> list[tuple[uuid.UUID, str]]:
        """Names of the first of these people of the campus in the order of lists. `ids`: their bytes, as packed."""
        person = columns_of(Person)
        if len(ids) <= FEW_PEOPLE:
            some = [uuid.UUID(bytes=each) for each in ids]
        else:
            some = list(islice(self._walk(campus_id, ids), limit))
        # Found before they are sorted: PostgreSQL would walk everybody by name, and compare each with all of these.
        wanted = (
            select(person.id, person.given_name, person.family_name, person.listed_as)
            .where(among(self.session, person.id, some))
            .cte("wanted")
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
        names = select(wanted).order_by(wanted.c.listed_as, wanted.c.id).limit(limit)
        return [
            (row.id, f"{row.given_name} {row.family_name}".strip()) for row in self.session.execute(names)
        ]

    def _walk(self, campus_id: uuid.UUID, ids: Collection[bytes]) -> Iterator[uuid.UUID]:
        """Those among many ids, in the campus's own index of names: asking for each of them takes seconds."""
        pair, size = columns_of(CampusPerson), _FIRST_PAGE
        key, last = tuple_(pair.listed_as, pair.person_id), None
        query = (
            select(pair.listed_as, pair.person_id)
            .where(pair.campus_id == campus_id)
            .order_by(pair.listed_as, pair.person_id)
        )
        while True:
            further = query
            if last is not None:
                last_key = literal(last.listed_as), literal(last.person_id, pair.person_id.type)
                further = query.where(key > tuple_(*last_key))
            found = self.session.execute(further.limit(size)).all()
            if not found:
                return
            yield from (row.person_id for row in found if row.person_id.bytes in ids)
            last, size = found[-1], min(2 * size, FEW_PEOPLE)

    def _distinct(self, campus_ids: Ids, ledger: Ledger, awards: Sequence[DayOfAwards]) -> Distinct:
        period = ledger.period
        end, last_due = int(period.ends_at.timestamp()), period.last - CLAIMED_WITHIN
        due = [each for each in awards if each.day <= last_due]
        valid = [(each.version_id, each.valid_at(end)) for each in awards]
        learners = b"".join(row.learners for row in ledger.rows)
        versions = list({version_id for version_id, found in valid if found})
        trades, releases, diplomas = self._alignments(versions)
        endorsements, endorsers = self._endorsements(campus_ids, period.ends_at)
        return Distinct(
            learners=count_distinct(learners),
            attested=count_distinct(learners, b"".join(found for _, found in valid)),
            awards=sum(each.awards for each in awards),
            awards_due=sum(each.awards for each in due),
            claimed_in_time=sum(each.claimed_in_time for each in due),
            claimed=sum(each.claimed for each in due),
            opened=sum(each.opened for each in due),
            competencies=self._competencies(versions),
            trades=trades,
            rome_versions=releases,
            diplomas=diplomas,
            endorsements=endorsements,
            endorsers=endorsers,
        )

    def _competencies(self, versions: Sequence[uuid.UUID]) -> int:
        query = select(func.count(distinct(col(BadgeCompetency.competency_id)))).where(
            col(BadgeCompetency.version_id).in_(versions)
        )
        return int(self.session.execute(query).scalar_one())

    def _alignments(self, versions: Sequence[uuid.UUID]) -> tuple[tuple[str, ...], ...]:
        """Codes of trades, releases of ROME, codes of diplomas."""
        query = select(col(BadgeVersion.alignments)).where(col(BadgeVersion.id).in_(versions))
        found = [each for alignments in self.session.execute(query).scalars() for each in alignments]
        rome = [each for each in found if each["framework"] == "rome"]
        sets = (
            {each["code"] for each in rome},
            {each["version"] for each in rome if each.get("version")},
            {each["code"] for each in found if each["framework"] in ("rncp", "rs")},
        )
        return tuple(tuple(sorted(some)) for some in sets)

    def _endorsements(self, campus_ids: Ids, at: datetime) -> tuple[int, int]:
        query = select(func.count(), func.count(distinct(col(Endorsement.organisation_id)))).where(
            col(Endorsement.campus_id).in_(campus_ids),
            col(Endorsement.signed_at) < at,
            or_(col(Endorsement.withdrawn_at).is_(None), col(Endorsement.withdrawn_at) > at),
        )
        count, organisations = self.session.execute(query).one()
        return count, organisations

    def top_badges(
        self, period: Period, awards: Sequence[DayOfAwards], *, beside: Period | None = None
    ) -> tuple[tuple[str, int], ...]:
        """Names and numbers of people who hold them at the end of the period, the most held first.

        `awards`: all since the beginning. `beside`: without badges that a report of that period would tell few of.
        """
        most = _most_held(awards, period, beside)
        versions = (
            select(col(BadgeVersion.badge_id), col(BadgeVersion.name))
            .where(col(BadgeVersion.badge_id).in_([badge_id for _, badge_id in most]))
            .order_by(col(BadgeVersion.number))
        )
        named = {row[0]: row[1] for row in self.session.execute(versions)}
        return tuple((named[badge_id], -number) for number, badge_id in most)


def _most_held(
    awards: Sequence[DayOfAwards], period: Period, beside: Period | None
) -> list[tuple[int, uuid.UUID]]:
    """Holders are counted from the badge with most valid awards on, until no other can have as many."""
    valid, earlier = _valid(awards, period), _valid(awards, beside) if beside else {}
    most = list[tuple[int, uuid.UUID]]()
    for badge_id, packed in sorted(valid.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        if not packed or (len(most) == TOP_BADGES and len(packed) // ID_BYTES < -most[-1][0]):
            break
        held = count_distinct(packed)
        if beside is not None and 0 < abs(held - count_distinct(earlier.get(badge_id, b""))) < SMALL:
            continue
        most = sorted([*most, (-held, badge_id)])[:TOP_BADGES]
    return most


def _valid(awards: Sequence[DayOfAwards], period: Period) -> dict[uuid.UUID, bytes]:
    """By badge, the holders of awards that are valid at the end of the period, packed; one may be there twice."""
    found, end = defaultdict[uuid.UUID, list[bytes]](list), int(period.ends_at.timestamp())
    for each in awards:
        if each.day <= period.last:
            found[each.badge_id].append(each.valid_at(end))
    return {badge_id: b"".join(some) for badge_id, some in found.items()}
