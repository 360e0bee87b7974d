"""How much of what a rule counts each person has, added up by the database: no line is read to find who may be there."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Float, cast
from sqlmodel import Session, col, func, select

from app.db.activities.activities import organised_by
from app.domain.activities.activities import Activity, ActivityCampus, Participation
from app.domain.activities.plans import ActivityCompetency
from app.domain.awards.awards import Award, AwardState
from app.domain.badges.rules import Condition, Measure, Rule
from app.domain.learners.contributions import Contribution, ContributionState


class RuleCountStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def counts(
        self, campus_id: uuid.UUID, condition: Condition, rule: Rule, today: date
    ) -> dict[uuid.UUID, int]:
        """By person, activities, minutes or contributions; whoever has none is not named."""
        first, last = rule.period.begins(today), rule.period.last
        if condition.measure is Measure.CONTRIBUTIONS:
            query = self._contributions(campus_id, condition, first, last)
        else:
            query = self._activities(campus_id, condition, first, last)
        return {person_id: round(count) for person_id, count in self.session.execute(query) if count}

    def holders(self, badge_id: uuid.UUID) -> set[uuid.UUID]:
        """Whoever holds the badge already, even where it may be given again."""
        query = select(Award.person_id).where(Award.badge_id == badge_id, Award.state == AwardState.ISSUED)
        return set(self.session.exec(query.distinct()))

    @staticmethod
    def _activities(campus_id: uuid.UUID, condition: Condition, first: date | None, last: date | None) -> Any:
        hours = func.coalesce(Participation.hours, Activity.hours, 0.0)
        amount = func.sum(cast(hours, Float) * 60) if condition.measure is Measure.HOURS else func.count()
        query = (
            select(Participation.person_id, amount)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(organised_by(campus_id), col(Participation.is_present).is_(True))
            .group_by(col(Participation.person_id))
        )
        if condition.kinds:
            query = query.where(col(Activity.kind).in_(condition.kinds))
        if condition.part is not None:
            query = query.where(Participation.part == condition.part)
        if condition.practised is not None:
            there = select(ActivityCompetency.activity_id).where(
                ActivityCompetency.competency_id == condition.practised.id
            )
            query = query.where(col(Activity.id).in_(there))
        if first is not None:
            query = query.where(col(Activity.starts_on) >= first)
        if last is not None:
            query = query.where(col(Activity.ends_on) <= last)
        return query

    @staticmethod
    def _contributions(
        campus_id: uuid.UUID, condition: Condition, first: date | None, last: date | None
    ) -> Any:
        query = (
            select(Contribution.person_id, func.count())
            .where(Contribution.campus_id == campus_id, Contribution.state == ContributionState.CONFIRMED)
            .group_by(col(Contribution.person_id))
        )
        if condition.kinds:
            kinds = select(Activity.id).where(col(Activity.kind).in_(condition.kinds))
            query = query.where(col(Contribution.activity_id).in_(kinds))
        if condition.part is not None:
            query = query.where(Contribution.part == condition.part)
        if first is not None:
            query = query.where(col(Contribution.done_on) >= first)
        if last is not None:
            query = query.where(col(Contribution.done_on) <= last)
        return query
