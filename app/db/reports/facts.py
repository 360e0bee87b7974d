"""Facts of activities for reports, surveys, and the drafts and editions of yearly reports."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import SQLModel, col, delete, func, or_, select, update

from app.db.activities import organised_by
from app.db.engine.queries import RowStore, locked
from app.db.engine.writes import among
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.campus.campus import Campus, Network, NetworkMember
from app.domain.reports.editions import ReportDraft, ReportEdition, ReportPicture
from app.domain.reports.facts import (
    ActivityAudience,
    ActivityEstablishment,
    ActivityFacts,
    ActivityObjective,
    ActivityOrganisation,
    ActivitySurvey,
    Audience,
    AudienceCount,
    Declared,
    DeclaredFigure,
    Establishment,
    InvolvedOrganisation,
    ReportFacts,
    ReportObjective,
    SurveyCounts,
    objective_order,
)
from app.domain.reports.network import ReportSharing
from app.domain.reports.surveys import SentenceState, SurveyAnswer, SurveyLink, SurveyResults, SurveyTurnout

_REPLACED: tuple[Any, ...] = (
    ActivityFacts,
    ActivityAudience,
    ActivityOrganisation,
    ActivityEstablishment,
    ActivitySurvey,
)


class ReportFactsStore(RowStore[ReportObjective]):
    def of_many(self, activities: Collection[Activity], campus_id: uuid.UUID) -> dict[uuid.UUID, ReportFacts]:
        """The facts of each activity; the objectives are those of the campus."""
        found = {each.id: ReportFacts(declared_size=each.declared_size) for each in activities}
        ids = list(found)
        for row in self._rows(ActivityFacts, ids):
            found[row.activity_id] = replace(
                found[row.activity_id],
                departement=row.departement,
                sector=row.sector,
                invited=row.invited,
                is_cancelled=row.cancelled_at is not None,
            )
        order = list(Audience)
        for row in sorted(self._rows(ActivityAudience, ids), key=lambda row: order.index(row.audience)):
            one = found[row.activity_id]
            count = AudienceCount(row.audience, row.people, row.women)
            found[row.activity_id] = replace(one, audiences=(*one.audiences, count))
        for row in sorted(
            self._rows(ActivityOrganisation, ids), key=lambda row: (row.name.casefold(), row.key)
        ):
            one = found[row.activity_id]
            kind, _, number = row.key.partition(":")
            known = InvolvedOrganisation(row.name, row.part, row.type, "" if kind == "name" else number)
            found[row.activity_id] = replace(one, organisations=(*one.organisations, known))
        for row in sorted(self._rows(ActivityEstablishment, ids), key=lambda row: row.number):
            one = found[row.activity_id]
            place = Establishment(row.number, row.name)
            found[row.activity_id] = replace(one, establishments=(*one.establishments, place))
        for row in self._rows(ActivitySurvey, ids):
            answers = (row.not_at_all, row.rather_not, row.rather, row.fully)
            survey = SurveyCounts(row.asked, answers, row.recommends, row.recommends_not)
            found[row.activity_id] = replace(found[row.activity_id], survey=survey)
        for activity_id, code in self._codes(ids, campus_id):
            one = found[activity_id]
            found[activity_id] = replace(one, objectives=(*one.objectives, code))
        return found

    def _rows(self, table: Any, ids: Sequence[uuid.UUID]) -> Sequence[Any]:
        return self.session.exec(select(table).where(among(self.session, col(table.activity_id), ids))).all()

    def _codes(self, ids: Sequence[uuid.UUID], campus_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
        rows = self.session.exec(
            select(ActivityObjective.activity_id, ReportObjective.code)
            .join(ReportObjective, col(ReportObjective.id) == col(ActivityObjective.objective_id))
            .where(
                ReportObjective.campus_id == campus_id,
                among(self.session, col(ActivityObjective.activity_id), ids),
            )
        )
        return sorted(rows.all(), key=lambda row: objective_order(row[1]))

    def write(self, activity: Activity, facts: ReportFacts, *, at: datetime) -> None:
        """Everything but the objectives, which each organising campus has of its own."""
        before = self.session.get(ActivityFacts, activity.id)
        cancelled_at = (before.cancelled_at if before else None) or at
        for table in _REPLACED:
            self.session.exec(delete(table).where(col(table.activity_id) == activity.id))
        activity.declared_size = facts.declared_size
        rows: list[SQLModel] = [
            ActivityFacts(
                activity_id=activity.id,
                departement=facts.departement,
                sector=facts.sector,
                invited=facts.invited,
                cancelled_at=cancelled_at if facts.is_cancelled else None,
            ),
            *(
                ActivityAudience(
                    activity_id=activity.id, audience=one.audience, people=one.people, women=one.women
                )
                for one in facts.audiences
            ),
            *(
                ActivityOrganisation(
                    activity_id=activity.id, name=one.name, key=one.key, part=one.part, type=one.type
                )
                for one in facts.organisations
            ),
            *(
                ActivityEstablishment(activity_id=activity.id, number=one.number, name=one.name)
                for one in facts.establishments
            ),
        ]
        if (survey := facts.survey) is not None:
            names = ("not_at_all", "rather_not", "rather", "fully")
            rows.append(
                ActivitySurvey(
                    activity_id=activity.id,
                    asked=survey.asked,
                    **dict(zip(names, survey.answers, strict=True)),
                    recommends=survey.recommends,
                    recommends_not=survey.recommends_not,
                )
            )
        self.session.add_all([activity, *rows])
        self.session.flush()

    def write_objectives(
        self, activity_id: uuid.UUID, campus_id: uuid.UUID, wanted: Iterable[uuid.UUID]
    ) -> None:
        own = select(ReportObjective.id).where(ReportObjective.campus_id == campus_id)
        self.session.exec(
            delete(ActivityObjective).where(
                col(ActivityObjective.activity_id) == activity_id,
                col(ActivityObjective.objective_id).in_(own),
            )
        )
        self.session.add_all(ActivityObjective(activity_id=activity_id, objective_id=one) for one in wanted)
        self.session.flush()

    def objectives_of(self, campus_id: uuid.UUID) -> list[ReportObjective]:
        """In the order of the tree: 1, 1.2, 1.10, 2."""
        rows = self.session.exec(select(ReportObjective).where(ReportObjective.campus_id == campus_id))
        return sorted(rows, key=lambda row: objective_order(row.code))

    def delete_objectives(self, objective_ids: Collection[uuid.UUID]) -> None:
        self.session.exec(
            delete(ActivityObjective).where(col(ActivityObjective.objective_id).in_(objective_ids))
        )
        self.session.exec(delete(ReportObjective).where(col(ReportObjective.id).in_(objective_ids)))

    def activities_in(
        self,
        campus_id: uuid.UUID,
        days: tuple[date, date],
        *,
        incomplete: bool,
        start: int,
        limit: int,
    ) -> list[Activity]:
        """Activities that overlap these days, latest first; `incomplete`: those without some fact."""
        query = (
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                col(Activity.starts_on) <= days[1],
                col(Activity.ends_on) >= days[0],
                col(Activity.is_sample).is_(False),
            )
        )
        if incomplete:
            query = query.where(_is_incomplete(campus_id))
        order = (col(Activity.starts_on).desc(), col(Activity.title), col(Activity.id))
        return list(self.session.exec(query.order_by(*order).offset(start).limit(limit)))

    def like(self, campus_id: uuid.UUID, activity: Activity) -> Activity | None:
        """The latest other activity with facts and the same title, else the same address."""
        query = (
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .join(ActivityFacts, col(ActivityFacts.activity_id) == col(Activity.id))
            .where(organised_by(campus_id), Activity.id != activity.id)
            .order_by(col(Activity.starts_on).desc(), col(Activity.id))
            .limit(1)
        )
        found = self.session.exec(query.where(Activity.title == activity.title)).first()
        if found is None and activity.place:
            found = self.session.exec(query.where(Activity.place == activity.place)).first()
        return found


def _is_incomplete(campus_id: uuid.UUID) -> ColumnElement[bool]:
    def has(table: Any, *more: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(table.activity_id).where(col(table.activity_id) == col(Activity.id), *more).exists()

    own = select(ReportObjective.id).where(ReportObjective.campus_id == campus_id)
    is_located = has(ActivityFacts, col(ActivityFacts.departement) != "", col(ActivityFacts.sector) != "")
    return ~has(ActivityFacts, col(ActivityFacts.cancelled_at).is_not(None)) & or_(
        ~has(ActivityAudience),
        ~has(ActivityOrganisation),
        ~has(ActivityObjective, col(ActivityObjective.objective_id).in_(own)),
        ~is_located,
    )


# --- Surveys of activities: their links, who has answered, and the answers


class SurveyStore(RowStore[SurveyAnswer | SurveyLink | SurveyTurnout]):
    def find(self, activity_id: uuid.UUID) -> SurveyLink | None:
        return self.session.get(SurveyLink, activity_id)

    def find_by_code(self, code: str) -> SurveyLink | None:
        return self.session.exec(select(SurveyLink).where(SurveyLink.code == code)).first()

    def lock(self, activity_id: uuid.UUID) -> SurveyLink | None:
        return self.session.exec(
            locked(select(SurveyLink).where(SurveyLink.activity_id == activity_id))
        ).first()

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
        alike = (col(SurveyAnswer.is_counted), col(SurveyAnswer.rating), col(SurveyAnswer.recommends))
        found = self.session.exec(
            select(*alike, func.count()).where(SurveyAnswer.activity_id == activity_id).group_by(*alike)
        ).all()
        rows = [(rating, recommends, n) for is_counted, rating, recommends, n in found if is_counted]
        by_rating = [sum(n for rating, _, n in rows if rating == each) for each in (1, 2, 3, 4)]
        yes = sum(n for _, recommends, n in rows if recommends)
        answered = sum(by_rating)
        return SurveyResults(
            present,
            (by_rating[0], by_rating[1], by_rating[2], by_rating[3]),
            yes,
            answered - yes,
            sum(n for *_, n in found),
        )

    def count_waiting(self, activity_id: uuid.UUID) -> None:
        waiting = update(SurveyAnswer).where(
            col(SurveyAnswer.activity_id) == activity_id, ~col(SurveyAnswer.is_counted)
        )
        self.session.exec(waiting.values(is_counted=True))

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


# --- Drafts, declared figures and signed editions of yearly reports


class EditionStore(RowStore[SQLModel]):
    def draft(self, campus_id: uuid.UUID, period: str, *, lock: bool = False) -> ReportDraft | None:
        query = select(ReportDraft).where(ReportDraft.campus_id == campus_id, ReportDraft.period == period)
        return self.session.exec(locked(query) if lock else query).first()

    def keep_picture(self, campus_id: uuid.UUID, digest: str, content: bytes) -> None:
        """Idempotent."""
        if self.session.get(ReportPicture, (campus_id, digest)) is None:
            self.save(ReportPicture(campus_id=campus_id, digest=digest, content=content))

    def pictures(self, campus_id: uuid.UUID, digests: Collection[str]) -> Mapping[str, bytes]:
        query = select(ReportPicture).where(
            ReportPicture.campus_id == campus_id, col(ReportPicture.digest).in_(digests)
        )
        return {row.digest: row.content for row in self.session.exec(query)}

    def digests(self, campus_id: uuid.UUID) -> Sequence[str]:
        """Of all pictures that signed versions keep."""
        query = select(ReportPicture.digest).where(ReportPicture.campus_id == campus_id)
        return self.session.exec(query.order_by(col(ReportPicture.digest))).all()

    def delete_picture(self, campus_id: uuid.UUID, digest: str) -> None:
        row = self.session.get(ReportPicture, (campus_id, digest))
        if row is not None:
            self.session.delete(row)
            self.session.flush()

    def declared(self, activity_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[DeclaredFigure]]:
        found: dict[uuid.UUID, list[DeclaredFigure]] = defaultdict(list)
        query = (
            select(DeclaredFigure)
            .where(among(self.session, col(DeclaredFigure.activity_id), activity_ids))
            .order_by(col(DeclaredFigure.declared_at), col(DeclaredFigure.id))
        )
        for row in self.session.exec(query):
            found[row.activity_id].append(row)
        return found

    def unsettle(self, activity_id: uuid.UUID, about: Declared) -> None:
        query = select(DeclaredFigure).where(
            DeclaredFigure.activity_id == activity_id,
            DeclaredFigure.about == about,
            col(DeclaredFigure.is_settled),
        )
        for row in self.session.exec(query):
            self.session.delete(row)
        self.session.flush()

    def editions(self, campus_id: uuid.UUID, period: str) -> Sequence[ReportEdition]:
        query = select(ReportEdition).where(
            ReportEdition.campus_id == campus_id, ReportEdition.period == period
        )
        return self.session.exec(query.order_by(col(ReportEdition.number).desc())).all()

    def all_editions(self, campus_id: uuid.UUID) -> Sequence[ReportEdition]:
        """Of every period, its last one first."""
        query = select(ReportEdition).where(ReportEdition.campus_id == campus_id)
        return self.session.exec(
            query.order_by(col(ReportEdition.period), col(ReportEdition.number).desc())
        ).all()


# --- What campuses share with their networks


class ReportSharingStore(RowStore[ReportSharing]):
    def find_network(self, slug: str) -> Network | None:
        return self.session.exec(select(Network).where(Network.slug == slug)).first()

    def members(self, network_id: uuid.UUID) -> list[Campus]:
        query = (
            select(Campus)
            .join(NetworkMember, col(NetworkMember.campus_id) == col(Campus.id))
            .where(NetworkMember.network_id == network_id)
            .order_by(col(Campus.short_name), col(Campus.id))
        )
        return list(self.session.exec(query))

    def of_network(self, network_id: uuid.UUID) -> dict[uuid.UUID, ReportSharing]:
        rows = self.session.exec(select(ReportSharing).where(ReportSharing.network_id == network_id))
        return {row.campus_id: row for row in rows}

    def find(self, campus_id: uuid.UUID, network_id: uuid.UUID) -> ReportSharing | None:
        return self.session.get(ReportSharing, (campus_id, network_id))
