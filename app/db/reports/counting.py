"""Counts the activities, people and awards of some campuses in a period, on both engines."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    distinct,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlmodel import col

from app.db.engine.queries import Store
from app.domain.activities.activities import (
    Activity,
    ActivityCampus,
    ActivitySession,
    Attendance,
    Participation,
    PartKind,
)
from app.domain.activity_log.activity_log import CampusLog
from app.domain.awards.awards import Award, Visibility
from app.domain.badges.badges import BadgeCompetency, BadgeVersion
from app.domain.people.people import Person
from app.domain.reports.facts import (
    ActivityAudience,
    ActivityEstablishment,
    ActivityFacts,
    ActivityObjective,
    ActivityOrganisation,
    ActivitySurvey,
    Audience,
    AudienceCount,
    Establishment,
    InvolvedOrganisation,
    ReportObjective,
    SurveyCounts,
    objective_order,
)
from app.domain.reports.ledger import (
    CLAIMED_WITHIN,
    ActivityRow,
    AwardTombstone,
    Distinct,
    Ledger,
    ParticipationTombstone,
    Period,
)
from app.domain.trust.organisations import Endorsement

TOP_BADGES = 10
Ids = Collection[uuid.UUID]


class ReportCountStore(Store):
    def ledger(self, campus_ids: Ids, period: Period, *, today: date) -> Ledger:
        rows = self._rows(campus_ids, period)
        return Ledger(
            period, today, tuple(rows), self._distinct(campus_ids, period), self.log_size(campus_ids)
        )

    def log_size(self, campus_ids: Ids) -> int:
        """The number of entries of the open logs, which the counts rest on."""
        query = select(func.sum(col(CampusLog.size))).where(
            col(CampusLog.campus_id).in_(campus_ids), col(CampusLog.closed_at).is_(None)
        )
        return int(self.session.execute(query).scalar() or 0)

    # --- activities

    def _rows(self, campus_ids: Ids, period: Period) -> list[ActivityRow]:
        here = _in_scope(campus_ids, period)
        presence = _presence(here)
        people = (
            select(
                presence.c.activity_id,
                func.count().label("named"),
                func.sum(case((presence.c.part == PartKind.LEARNER, 1), else_=0)).label("learners"),
            )
            .group_by(presence.c.activity_id)
            .subquery()
        )
        hours = self._hours(here, period)
        query = (
            select(
                col(Activity.id),
                col(Activity.title),
                col(Activity.kind),
                col(Activity.starts_on),
                col(Activity.ends_on),
                col(Activity.declared_size),
                func.coalesce(people.c.named, 0),
                func.coalesce(people.c.learners, 0),
                col(ActivityFacts.departement),
                col(ActivityFacts.sector),
                col(ActivityFacts.invited),
                col(ActivityFacts.cancelled_at),
            )
            .outerjoin(people, people.c.activity_id == col(Activity.id))
            .outerjoin(ActivityFacts, col(ActivityFacts.activity_id) == col(Activity.id))
            .where(col(Activity.id).in_(here))
            .order_by(col(Activity.starts_on), col(Activity.title), col(Activity.id))
        )
        rows = [
            ActivityRow(
                id=row[0],
                title=row[1],
                kind=row[2],
                starts_on=row[3],
                ends_on=row[4],
                size=row[5],
                named=row[6],
                named_learners=row[7],
                hours=hours.get(row[0], 0.0),
                is_cancelled=row[11] is not None,
                departement=row[8] or "",
                sector=row[9] or "",
                invited=row[10],
            )
            for row in self.session.execute(query)
        ]
        return self._with_facts(rows, here, campus_ids)

    def _with_facts(self, rows: Sequence[ActivityRow], here: Any, campus_ids: Ids) -> list[ActivityRow]:
        def of(table: Any) -> Mapping[uuid.UUID, list[Any]]:
            found = defaultdict(list)
            for each in self.session.execute(select(table).where(col(table.activity_id).in_(here))).scalars():
                found[each.activity_id].append(each)
            return found

        order = list(Audience)
        audiences, organisations, establishments = (
            of(ActivityAudience),
            of(ActivityOrganisation),
            of(ActivityEstablishment),
        )
        surveys, objectives = of(ActivitySurvey), self._objectives(here, campus_ids)
        organisers = defaultdict(list)
        for activity_id, campus_id in self.session.execute(
            select(col(ActivityCampus.activity_id), col(ActivityCampus.campus_id)).where(
                col(ActivityCampus.activity_id).in_(here),
                col(ActivityCampus.campus_id).in_(campus_ids),
                col(ActivityCampus.accepted_at).is_not(None),
            )
        ):
            organisers[activity_id].append(campus_id)
        full = []
        for row in rows:
            counts = tuple(
                AudienceCount(one.audience, one.people, one.women)
                for one in sorted(audiences[row.id], key=lambda one: order.index(one.audience))
            )
            (survey,) = surveys[row.id] or [None]
            full.append(
                replace(
                    row,
                    size=row.size if row.size is not None else (sum(c.people for c in counts) or None),
                    audiences=counts,
                    organisations=tuple(
                        InvolvedOrganisation(one.name, one.part, one.type, _number_of(one.key))
                        for one in sorted(organisations[row.id], key=lambda one: one.key)
                    ),
                    establishments=tuple(
                        Establishment(one.number, one.name)
                        for one in sorted(establishments[row.id], key=lambda one: one.number)
                    ),
                    survey=_counts_of(survey) if survey else None,
                    objectives=tuple(sorted(objectives[row.id], key=objective_order)),
                    campuses=tuple(sorted(organisers[row.id])),
                )
            )
        return full

    def _objectives(self, here: Any, campus_ids: Ids) -> Mapping[uuid.UUID, list[str]]:
        found = defaultdict(list)
        query = (
            select(col(ActivityObjective.activity_id), col(ReportObjective.code))
            .join(ReportObjective, col(ReportObjective.id) == col(ActivityObjective.objective_id))
            .where(
                col(ActivityObjective.activity_id).in_(here), col(ReportObjective.campus_id).in_(campus_ids)
            )
            .distinct()
        )
        for activity_id, code in self.session.execute(query):
            found[activity_id].append(code)
        return found

    def _hours(self, here: Any, period: Period) -> dict[uuid.UUID, float]:
        """Of learners, by activity: attended sessions of the period, else their own hours, else the activity's."""
        held = and_(
            col(ActivitySession.id) == col(Attendance.session_id), col(ActivitySession.cancelled_at).is_(None)
        )
        in_period = col(ActivitySession.held_on).between(period.first, period.last)
        credited = func.coalesce(col(Attendance.hours), col(ActivitySession.hours), 0.0)
        attended = (
            select(
                col(Attendance.participation_id),
                func.sum(case((in_period, credited), else_=0.0)).label("hours"),
            )
            .join(ActivitySession, held)
            .where(col(ActivitySession.activity_id).in_(here))
            .group_by(col(Attendance.participation_id))
            .subquery()
        )
        own = func.coalesce(col(Participation.hours), col(Activity.hours), 0.0)
        named = (
            select(
                col(Participation.activity_id),
                func.sum(case((attended.c.participation_id.is_not(None), attended.c.hours), else_=own)),
            )
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .outerjoin(attended, attended.c.participation_id == col(Participation.id))
            .where(
                col(Participation.activity_id).in_(here),
                col(Participation.is_present),
                col(Participation.part) == PartKind.LEARNER,
            )
            .group_by(col(Participation.activity_id))
        )
        erased = (
            select(
                col(ParticipationTombstone.activity_id),
                func.sum(func.coalesce(col(ParticipationTombstone.hours), col(Activity.hours), 0.0)),
            )
            .join(Activity, col(Activity.id) == col(ParticipationTombstone.activity_id))
            .where(
                col(ParticipationTombstone.activity_id).in_(here),
                col(ParticipationTombstone.part) == PartKind.LEARNER,
                or_(
                    col(ParticipationTombstone.held_on).is_(None),
                    col(ParticipationTombstone.held_on).between(period.first, period.last),
                ),
            )
            .group_by(col(ParticipationTombstone.activity_id))
        )
        found: dict[uuid.UUID, float] = defaultdict(float)
        for query in (named, erased):
            for activity_id, total in self.session.execute(query):
                found[activity_id] += float(total or 0)
        return found

    # --- people and awards

    def learners(self, campus_ids: Ids, period: Period, *, axis: str = "") -> int:
        """Distinct learners, of all activities or of those with an objective of one axis."""
        presence = _learners(_in_scope(campus_ids, period, taking_place=True, axis=axis))
        query = select(func.count(distinct(presence.c.holder)))
        return int(self.session.execute(query).scalar_one())

    def learner_rows(
        self, campus_ids: Ids, period: Period, *, limit: int
    ) -> list[tuple[uuid.UUID, str, int]]:
        """Named learners and in how many activities each was, by name."""
        activities = func.count(distinct(col(Participation.activity_id)))
        query = (
            select(col(Person.id), col(Person.given_name), col(Person.family_name), activities)
            .join(Participation, col(Participation.person_id) == col(Person.id))
            .where(
                col(Participation.activity_id).in_(_in_scope(campus_ids, period, taking_place=True)),
                col(Participation.is_present),
                col(Participation.part) == PartKind.LEARNER,
            )
            .group_by(col(Person.id), col(Person.given_name), col(Person.family_name))
            .order_by(col(Person.family_name), col(Person.given_name), col(Person.id))
            .limit(limit)
        )
        return [
            (person_id, f"{given} {family}".strip(), number)
            for person_id, given, family, number in self.session.execute(query)
        ]

    def _distinct(self, campus_ids: Ids, period: Period) -> Distinct:
        awards = _awards(campus_ids, period.ends_at)
        issued = awards.c.awarded_at >= period.begins_at
        valid = and_(
            or_(awards.c.valid_until.is_(None), awards.c.valid_until > period.ends_at),
            or_(awards.c.revoked_at.is_(None), awards.c.revoked_at > period.ends_at),
        )
        due = and_(issued, awards.c.awarded_at < period.claims_end_at)
        counted = self.session.execute(
            select(
                func.count(),
                func.sum(case((due, 1), else_=0)),
                func.sum(case((and_(due, self._is_in_time(awards)), 1), else_=0)),
                func.sum(case((and_(due, awards.c.claimed_at.is_not(None)), 1), else_=0)),
                func.sum(
                    case(
                        (and_(due, awards.c.claimed_at.is_not(None), awards.c.is_open == true()), 1), else_=0
                    )
                ),
            ).where(issued)
        ).one()
        learning = _learners(_in_scope(campus_ids, period, taking_place=True))
        attested = self.session.execute(
            select(func.count(distinct(awards.c.holder))).where(
                issued, valid, awards.c.holder.in_(select(learning.c.holder))
            )
        ).scalar_one()
        versions = list(
            self.session.execute(select(awards.c.version_id).where(issued, valid).distinct()).scalars()
        )
        trades, releases, diplomas = self._alignments(versions)
        endorsements, endorsers = self._endorsements(campus_ids, period.ends_at)
        issued_awards, due_awards, in_time, claimed, opened = (int(each or 0) for each in counted)
        return Distinct(
            learners=self.learners(campus_ids, period),
            attested=attested,
            awards=issued_awards,
            awards_due=due_awards,
            claimed_in_time=in_time,
            claimed=claimed,
            opened=opened,
            competencies=self._competencies(versions),
            trades=trades,
            rome_versions=releases,
            diplomas=diplomas,
            endorsements=endorsements,
            endorsers=endorsers,
            badges=self._badges(awards, valid),
        )

    def _is_in_time(self, awards: Any) -> ColumnElement[bool]:
        """Claimed at most thirty days after it was issued."""
        if self.session.connection().dialect.name == "sqlite":
            days = func.julianday(awards.c.claimed_at) - func.julianday(awards.c.awarded_at)
            found: ColumnElement[bool] = days <= CLAIMED_WITHIN.days + 1e-6
        else:
            found = awards.c.claimed_at - awards.c.awarded_at <= literal(CLAIMED_WITHIN, INTERVAL)
        return found

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

    def _badges(self, awards: Any, valid: ColumnElement[bool]) -> tuple[tuple[str, int], ...]:
        holders = func.count(distinct(awards.c.holder))
        query = (
            select(awards.c.badge_id, holders)
            .where(valid)
            .group_by(awards.c.badge_id)
            .order_by(holders.desc(), awards.c.badge_id)
            .limit(TOP_BADGES)
        )
        found = [(badge_id, number) for badge_id, number in self.session.execute(query)]
        versions = (
            select(col(BadgeVersion.badge_id), col(BadgeVersion.name))
            .where(col(BadgeVersion.badge_id).in_([each for each, _ in found]))
            .order_by(col(BadgeVersion.number))
        )
        named = {row[0]: row[1] for row in self.session.execute(versions)}
        return tuple((named[badge_id], number) for badge_id, number in found)


def _number_of(key: str) -> str:
    kind, _, number = key.partition(":")
    return "" if kind == "name" else number


def _counts_of(row: ActivitySurvey) -> SurveyCounts:
    answers = (row.not_at_all, row.rather_not, row.rather, row.fully)
    return SurveyCounts(row.asked, answers, row.recommends, row.recommends_not)


def _in_scope(campus_ids: Ids, period: Period, *, taking_place: bool = False, axis: str = "") -> Any:
    """Ids of activities of these campuses that overlap the period; each one once."""
    organised = (
        select(col(ActivityCampus.activity_id))
        .where(
            col(ActivityCampus.activity_id) == col(Activity.id),
            col(ActivityCampus.campus_id).in_(campus_ids),
            col(ActivityCampus.accepted_at).is_not(None),
        )
        .exists()
    )
    query = select(col(Activity.id)).where(
        organised,
        col(Activity.starts_on) <= period.last,
        col(Activity.ends_on) >= period.first,
        col(Activity.is_sample).is_(False),
    )
    if taking_place:
        cancelled = select(col(ActivityFacts.activity_id)).where(
            col(ActivityFacts.activity_id) == col(Activity.id), col(ActivityFacts.cancelled_at).is_not(None)
        )
        query = query.where(~cancelled.exists())
    if axis:
        code = col(ReportObjective.code)
        aimed = (
            select(col(ActivityObjective.activity_id))
            .join(ReportObjective, col(ReportObjective.id) == col(ActivityObjective.objective_id))
            .where(
                col(ActivityObjective.activity_id) == col(Activity.id),
                col(ReportObjective.campus_id).in_(campus_ids),
                or_(code == axis, code.startswith(f"{axis}.")),
            )
        )
        query = query.where(aimed.exists())
    return query


def _presence(here: Any) -> Any:
    """Present participations, with those of erased people."""
    named: Any = select(
        col(Participation.activity_id), col(Participation.person_id).label("holder"), col(Participation.part)
    ).where(col(Participation.activity_id).in_(here), col(Participation.is_present))
    erased = select(
        col(ParticipationTombstone.activity_id),
        col(ParticipationTombstone.holder),
        col(ParticipationTombstone.part),
    ).where(col(ParticipationTombstone.activity_id).in_(here), col(ParticipationTombstone.held_on).is_(None))
    return union_all(named, erased).subquery()


def _learners(here: Any) -> Any:
    presence = _presence(here)
    return select(presence.c.holder).where(presence.c.part == PartKind.LEARNER).subquery()


def _awards(campus_ids: Ids, before: datetime) -> Any:
    """Awards issued before that instant and never undone, with those of erased people."""
    named: Any = select(
        col(Award.person_id).label("holder"),
        col(Award.badge_id),
        col(Award.version_id),
        col(Award.awarded_at),
        col(Award.valid_until),
        col(Award.revoked_at),
        col(Award.claimed_at),
        case((col(Award.visibility) == Visibility.OPEN, true()), else_=text("false")).label("is_open"),
    ).where(
        col(Award.campus_id).in_(campus_ids), col(Award.undone_at).is_(None), col(Award.awarded_at) < before
    )
    erased = select(
        col(AwardTombstone.holder),
        col(AwardTombstone.badge_id),
        col(AwardTombstone.version_id),
        col(AwardTombstone.awarded_at),
        col(AwardTombstone.valid_until),
        col(AwardTombstone.revoked_at),
        col(AwardTombstone.claimed_at),
        col(AwardTombstone.is_open),
    ).where(col(AwardTombstone.campus_id).in_(campus_ids), col(AwardTombstone.awarded_at) < before)
    return union_all(named, erased).subquery()
