"""What the progress of people on pathways rests on: badges, activities, contributions, decisions."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.db.engine.row_level_security import rows_named
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.awards import Award, AwardState
from app.domain.badges import BadgeCompetency
from app.domain.frameworks.pathway_progress import AttendedActivity, HeldBadge, PathwayFacts, StageDecision
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, PathwayDecision, PathwayEnrolment
from app.domain.learners.portfolios import Contribution, ContributionState


@dataclass(frozen=True)
class _Attended:
    """What one person attended or contributed, and the campuses for which it counts."""

    person_id: uuid.UUID
    activity_id: uuid.UUID | None
    campus_ids: set[uuid.UUID]
    activity: AttendedActivity


def facts_of(
    session: Session, followed: Sequence[tuple[PathwayEnrolment, PathwayContent]]
) -> dict[uuid.UUID, PathwayFacts]:
    """By enrolment. Only what a condition reads; activities of the pathway's campuses alone."""
    people = sorted({enrolment.person_id for enrolment, _ in followed})
    kinds = {kind for _, content in followed for kind in content.condition_kinds}
    campuses = {each.id: {each.campus_id, *content.campus_ids} for each, content in followed}
    with rows_named(session):
        badges = _held(session, people, with_levels=ConditionKind.COMPETENCY in kinds)
        attended: list[_Attended] = []
        if kinds & {ConditionKind.HOURS, ConditionKind.ACTIVITIES}:
            everywhere = set().union(*campuses.values())
            attended = _attended(session, people, everywhere)
            if ConditionKind.HOURS in kinds:
                attended += _contributed(session, people, everywhere, attended)
    decisions = (
        _decided(session, [each.id for each, _ in followed]) if ConditionKind.DECISION in kinds else {}
    )
    by_person: dict[uuid.UUID, list[_Attended]] = {}
    for one in attended:
        by_person.setdefault(one.person_id, []).append(one)
    return {
        each.id: PathwayFacts(
            badges.get(each.person_id, ()),
            [
                one.activity
                for one in by_person.get(each.person_id, ())
                if not campuses[each.id].isdisjoint(one.campus_ids)
            ],
            decisions.get(each.id, ()),
        )
        for each, _ in followed
    }


def _decided(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[StageDecision]]:
    found: dict[uuid.UUID, list[StageDecision]] = {}
    query = select(PathwayDecision).where(col(PathwayDecision.enrolment_id).in_(ids))
    for row in session.exec(query):
        found.setdefault(row.enrolment_id, []).append(StageDecision(row.stage, row.decided_at, row.note))
    return found


def _held(
    session: Session, people: Sequence[uuid.UUID], *, with_levels: bool
) -> dict[uuid.UUID, list[HeldBadge]]:
    columns = (
        Award.id, Award.badge_id, Award.version_id, Award.person_id, Award.awarded_at, Award.valid_until,
        Award.suspended_until, Award.state,
    )  # fmt: skip
    query = select(*columns).where(col(Award.person_id).in_(people))  # type: ignore[call-overload]
    awards = session.execute(query).all()
    levels: dict[uuid.UUID, dict[uuid.UUID, int]] = {}
    versions = list({row[2] for row in awards}) if with_levels else []
    links = select(BadgeCompetency).where(col(BadgeCompetency.version_id).in_(versions))
    for link in session.exec(links) if versions else ():
        levels.setdefault(link.version_id, {})[link.competency_id] = link.level or 0
    found: dict[uuid.UUID, list[HeldBadge]] = {}
    for award_id, badge_id, version_id, person_id, awarded_at, valid_until, suspended_until, state in awards:
        held = HeldBadge(
            award_id,
            badge_id,
            awarded_at,
            levels.get(version_id, {}),
            valid_until,
            suspended_until,
            is_revoked=state is AwardState.REVOKED,
        )
        found.setdefault(person_id, []).append(held)
    return found


def _attended(
    session: Session, people: Sequence[uuid.UUID], campus_ids: Collection[uuid.UUID]
) -> list[_Attended]:
    columns = (
        Participation.id, Participation.person_id, Participation.hours, Activity.id, Activity.kind,
        Activity.hours, Activity.ends_on, ActivityCampus.campus_id,
    )  # fmt: skip
    rows = session.execute(
        select(*columns)  # type: ignore[call-overload]
        .join(Activity, col(Activity.id) == col(Participation.activity_id))
        .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
        .where(
            col(Participation.person_id).in_(people),
            col(Participation.is_present),
            col(ActivityCampus.campus_id).in_(sorted(campus_ids)),
            col(ActivityCampus.accepted_at).is_not(None) | (col(ActivityCampus.position) == 0),
        )
    )
    found: dict[uuid.UUID, _Attended] = {}
    for number, person_id, hours, activity_id, kind, planned, ends_on, campus_id in rows:
        one = found.get(number)
        if one is None:
            minutes = round(((hours if hours is not None else planned) or 0) * 60)
            attended = AttendedActivity(number, kind, minutes, _noon(ends_on))
            one = found[number] = _Attended(person_id, activity_id, set(), attended)
        one.campus_ids.add(campus_id)
    return list(found.values())


def _contributed(
    session: Session,
    people: Sequence[uuid.UUID],
    campus_ids: Collection[uuid.UUID],
    attended: Iterable[_Attended],
) -> list[_Attended]:
    """Confirmed contributions with hours; those to an activity that has hours of the person are part of it."""
    counted = {(one.person_id, one.activity_id) for one in attended if one.activity.minutes}
    columns = (
        Contribution.id, Contribution.person_id, Contribution.activity_id, Contribution.campus_id,
        Contribution.hours, Contribution.done_on, Activity.kind,
    )  # fmt: skip
    rows = session.execute(
        select(*columns)  # type: ignore[call-overload]
        .join(Activity, col(Activity.id) == col(Contribution.activity_id), isouter=True)
        .where(
            col(Contribution.person_id).in_(people),
            Contribution.state == ContributionState.CONFIRMED,
            col(Contribution.hours).is_not(None),
            col(Contribution.campus_id).in_(sorted(campus_ids)),
        )
    )
    return [
        _Attended(
            person_id,
            activity_id,
            {campus_id},
            AttendedActivity(number, kind, round(hours * 60), _noon(done_on), is_contribution=True),
        )
        for number, person_id, activity_id, campus_id, hours, done_on, kind in rows
        if (person_id, activity_id) not in counted
    ]


def _noon(day: date) -> datetime:
    """Of an activity only the day is known."""
    return datetime.combine(day, time(12), ZoneInfo("Europe/Paris"))
