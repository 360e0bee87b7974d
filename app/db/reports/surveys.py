"""Surveys of activities: their links, who has answered, and the answers."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlmodel import col, delete, func, select

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.domain.activities import Participation
from app.domain.reports.facts import ActivityAudience, ActivitySurvey, Audience
from app.domain.reports.surveys import SentenceState, SurveyAnswer, SurveyLink, SurveyResults, SurveyTurnout


class SurveyStore(Store):
    def find(self, activity_id: uuid.UUID) -> SurveyLink | None:
        return self.session.get(SurveyLink, activity_id)

    def find_by_code(self, code: str) -> SurveyLink | None:
        return self.session.exec(select(SurveyLink).where(SurveyLink.code == code)).first()

    def lock(self, activity_id: uuid.UUID) -> SurveyLink | None:
        return self.session.exec(
            select(SurveyLink)
            .where(SurveyLink.activity_id == activity_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).first()

    def save(self, *rows: SurveyLink | SurveyAnswer | SurveyTurnout) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def has_answered(self, activity_id: uuid.UUID, digest: str) -> bool:
        return self.session.get(SurveyTurnout, (activity_id, digest)) is not None

    def forget_turnout(self, activity_id: uuid.UUID) -> None:
        self.session.exec(delete(SurveyTurnout).where(col(SurveyTurnout.activity_id) == activity_id))

    def participation_ids(self, activity_id: uuid.UUID) -> list[uuid.UUID]:
        """Of those present."""
        return list(
            self.session.exec(
                select(Participation.id).where(
                    Participation.activity_id == activity_id, col(Participation.is_present)
                )
            )
        )

    def has_pupils(self, activity_id: uuid.UUID) -> bool:
        pupils = (Audience.MIDDLE_SCHOOL, Audience.HIGH_SCHOOL)
        query = select(ActivityAudience.id).where(
            ActivityAudience.activity_id == activity_id, col(ActivityAudience.audience).in_(pupils)
        )
        return self.session.exec(query).first() is not None

    def count(self, activity_id: uuid.UUID, *, present: int) -> SurveyResults:
        rows = self.session.exec(
            select(SurveyAnswer.rating, SurveyAnswer.recommends, func.count())
            .where(SurveyAnswer.activity_id == activity_id)
            .group_by(col(SurveyAnswer.rating), col(SurveyAnswer.recommends))
        ).all()
        by_rating = [sum(n for rating, _, n in rows if rating == each) for each in (1, 2, 3, 4)]
        yes = sum(n for _, recommends, n in rows if recommends)
        answered = sum(by_rating)
        return SurveyResults(
            present,
            (by_rating[0], by_rating[1], by_rating[2], by_rating[3]),
            yes,
            answered - yes,
        )

    def write_counts(self, activity_id: uuid.UUID, results: SurveyResults) -> None:
        """The survey as one of the facts of the activity."""
        row = self.session.get(ActivitySurvey, activity_id)
        row = row or ActivitySurvey(activity_id=activity_id, asked=0)
        row.asked = results.asked
        row.not_at_all, row.rather_not, row.rather, row.fully = results.answers
        row.recommends, row.recommends_not = results.recommends, results.recommends_not
        self.session.add(row)
        self.session.flush()

    def sentences(self, activity_id: uuid.UUID) -> list[SurveyAnswer]:
        """In an order that reveals nothing about when they were written."""
        return list(
            self.session.exec(
                select(SurveyAnswer)
                .where(
                    SurveyAnswer.activity_id == activity_id,
                    SurveyAnswer.sentence_state != SentenceState.NONE,
                )
                .order_by(col(SurveyAnswer.id))
            )
        )

    def approved(self, activity_ids: Collection[uuid.UUID], *, limit: int) -> list[str]:
        """In an order that reveals nothing about when they were written."""
        query = (
            select(SurveyAnswer.sentence)
            .where(
                among(self.session, col(SurveyAnswer.activity_id), activity_ids),
                SurveyAnswer.sentence_state == SentenceState.APPROVED,
            )
            .order_by(col(SurveyAnswer.id))
            .limit(limit)
        )
        return list(self.session.exec(query))

    def rejected(self, activity_ids: Collection[uuid.UUID]) -> set[str]:
        query = select(SurveyAnswer.sentence).where(
            among(self.session, col(SurveyAnswer.activity_id), activity_ids),
            SurveyAnswer.sentence_state == SentenceState.REJECTED,
        )
        return set(self.session.exec(query))

    def find_answer(self, activity_id: uuid.UUID, answer_id: uuid.UUID) -> SurveyAnswer | None:
        found = self.session.get(SurveyAnswer, answer_id)
        return found if found is not None and found.activity_id == activity_id else None
