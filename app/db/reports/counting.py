"""Counts the activities, people and awards of some campuses in a period, on both engines."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from typing import Any, Final

from sqlalchemy import Row, Select, distinct, func, literal, or_, select, tuple_
from sqlmodel import col

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.db.reports.counts import CountStore
from app.db.reports.from_rows import columns_of
from app.domain.activities import ActivityCampus
from app.domain.activity_log import CampusLog
from app.domain.badges import BadgeCompetency, BadgeVersion
from app.domain.people import Person
from app.domain.reports.counts import DayOfAwards, distinct_learners
from app.domain.reports.facts import ActivityObjective, ReportObjective, objective_order
from app.domain.reports.indicators import SMALL
from app.domain.reports.ledger import CLAIMED_WITHIN, ActivityRow, Distinct, Ledger, Period, unpacked
from app.domain.trust.organisations import Endorsement

TOP_BADGES = 10
FEW_PEOPLE: Final = 5_000
Ids = Collection[uuid.UUID]


class ReportCountStore(Store):
    @cached_property
    def counts(self) -> CountStore:
        return CountStore(self.session)

    def ledger(
        self, campus_ids: Ids, period: Period, *, today: date, awards: Sequence[DayOfAwards] | None = None
    ) -> Ledger:
        """`awards`: those of the campuses since the beginning, where they have been read."""
        if awards is None:
            awards = self.counts.awards(campus_ids, period.first, period.last)
        rows = self.rows(campus_ids, period)
        ledger = Ledger(period, today, tuple(rows), log_size=self.log_size(campus_ids))
        issued = [each for each in awards if period.first <= each.day <= period.last]
        return replace(ledger, distinct=self._distinct(campus_ids, ledger, issued))

    def awards(self, campus_ids: Ids, last: date) -> Sequence[DayOfAwards]:
        """Since the beginning."""
        return self.counts.awards(campus_ids, None, last)

    def log_size(self, campus_ids: Ids) -> int:
        """The number of entries of the open logs, which the counts rest on."""
        query = select(func.sum(col(CampusLog.size))).where(
            col(CampusLog.campus_id).in_(campus_ids), col(CampusLog.closed_at).is_(None)
        )
        return int(self.session.execute(query).scalar() or 0)

    # --- activities

    def rows(self, campus_ids: Ids, period: Period) -> list[ActivityRow]:
        """Cancelled ones too; with all campuses that organise them, without their objectives."""
        rows = self.counts.activities(campus_ids, period)
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

    def first_by_name(self, ids: Collection[uuid.UUID], limit: int) -> list[tuple[uuid.UUID, str]]:
        """Names of the first of these people in the order of lists."""
        person = columns_of(Person)
        names = select(person.id, person.given_name, person.family_name, person.listed_as).order_by(
            person.listed_as, person.id
        )
        if len(ids) <= FEW_PEOPLE:
            rows = self.session.execute(names.where(among(self.session, person.id, ids)).limit(limit)).all()
        else:
            rows = list(islice(self._walk(names, person, ids), limit))
        return [(row.id, f"{row.given_name} {row.family_name}".strip()) for row in rows]

    def _walk(self, names: Select[Any], person: Any, ids: Collection[uuid.UUID]) -> Iterator[Row[Any]]:
        """Those among many ids, with the index of names: asking for each of them takes seconds."""
        last: Row[Any] | None = None
        while True:
            key = tuple_(person.listed_as, person.id)
            further = names
            if last is not None:
                further = names.where(key > tuple_(literal(last.listed_as), literal(last.id, person.id.type)))
            found = self.session.execute(further.limit(FEW_PEOPLE)).all()
            if not found:
                return
            yield from (row for row in found if row.id in ids)
            last = found[-1]

    def _distinct(self, campus_ids: Ids, ledger: Ledger, awards: Sequence[DayOfAwards]) -> Distinct:
        period = ledger.period
        end, last_due = int(period.ends_at.timestamp()), period.last - CLAIMED_WITHIN
        due = [each for each in awards if each.day <= last_due]
        valid = [(each.version_id, each.valid_at(end)) for each in awards]
        learners = distinct_learners(ledger.rows)
        holders = set(unpacked(b"".join(found for _, found in valid)))
        versions = list({version_id for version_id, found in valid if found})
        trades, releases, diplomas = self._alignments(versions)
        endorsements, endorsers = self._endorsements(campus_ids, period.ends_at)
        return Distinct(
            learners=len(learners),
            attested=len(learners & holders),
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
        holders = _holders(awards, period)
        if beside is not None:
            earlier = _holders([each for each in awards if each.day <= beside.last], beside)
            holders = {
                key: held for key, held in holders.items() if not 0 < abs(held - earlier.get(key, 0)) < SMALL
            }
        most = sorted(((-held, badge_id) for badge_id, held in holders.items() if held))[:TOP_BADGES]
        versions = (
            select(col(BadgeVersion.badge_id), col(BadgeVersion.name))
            .where(col(BadgeVersion.badge_id).in_([badge_id for _, badge_id in most]))
            .order_by(col(BadgeVersion.number))
        )
        named = {row[0]: row[1] for row in self.session.execute(versions)}
        return tuple((named[badge_id], -number) for number, badge_id in most)


def _holders(awards: Sequence[DayOfAwards], period: Period) -> dict[uuid.UUID, int]:
    """By badge, at the end of the period."""
    valid = defaultdict[uuid.UUID, list[bytes]](list)
    for each in awards:
        valid[each.badge_id].append(each.valid_at(int(period.ends_at.timestamp())))
    return {badge_id: len(set(unpacked(b"".join(some)))) for badge_id, some in valid.items()}
