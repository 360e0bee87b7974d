"""Ratings of badges, and the derived figures of the public rankings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, case, delete, func, update
from sqlalchemy import select as select_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from app.db.engine.queries import RowStore, Store, locked
from app.domain.awards import Award, AwardState, Visibility
from app.domain.learners.ratings import (
    EVER,
    FEWEST_RATINGS,
    BadgeRating,
    BadgeTally,
    Counts,
    PageViewCount,
    SentenceState,
)
from app.domain.publishing.catalogue import CatalogueEntry
from app.domain.reports.indicators import SMALL
from app.errors import NotFound


class RatingStore(RowStore[BadgeRating]):
    def find(
        self, person_id: uuid.UUID, badge_id: uuid.UUID, *, with_lock: bool = False
    ) -> BadgeRating | None:
        query = select(BadgeRating).where(
            BadgeRating.person_id == person_id, BadgeRating.badge_id == badge_id
        )
        if with_lock:
            query = locked(query)
        return self.session.exec(query).first()

    def scores(self, campus_id: uuid.UUID, badge_id: uuid.UUID | None = None) -> dict[uuid.UUID, list[int]]:
        """How many ratings of 1 to 5 each badge of the campus has, by people who still hold it."""
        holds = select(Award.id).where(
            Award.badge_id == BadgeRating.badge_id,
            Award.person_id == BadgeRating.person_id,
            Award.state == AwardState.ISSUED,
        )
        query = (
            select(BadgeRating.badge_id, BadgeRating.score, func.count())
            .where(BadgeRating.campus_id == campus_id, holds.exists())
            .group_by(col(BadgeRating.badge_id), col(BadgeRating.score))
        )
        if badge_id is not None:
            query = query.where(BadgeRating.badge_id == badge_id)
        found: dict[uuid.UUID, list[int]] = {}
        for rated, score, count in self.session.exec(query):
            found.setdefault(rated, [0] * 5)[score - 1] = count
        return found

    def holders(
        self, campus_id: uuid.UUID, period: tuple[datetime, datetime] | None = None
    ) -> dict[uuid.UUID, int]:
        """People who hold each badge of the campus, awarded in the period."""
        query = (
            select_rows(col(Award.badge_id), func.count(func.distinct(col(Award.person_id))))
            .where(col(Award.campus_id) == campus_id, col(Award.state) == AwardState.ISSUED)
            .group_by(col(Award.badge_id))
        )
        if period is not None:
            query = query.where(col(Award.awarded_at) >= period[0], col(Award.awarded_at) < period[1])
        return {badge_id: people for badge_id, people in self.session.execute(query)}  # noqa: C416

    def tallies_of(self, campus_id: uuid.UUID) -> dict[tuple[uuid.UUID, int], BadgeTally]:
        query = select(BadgeTally).where(BadgeTally.campus_id == campus_id)
        return {(tally.badge_id, tally.year): tally for tally in self.session.exec(query)}

    def tally(self, badge_id: uuid.UUID) -> BadgeTally | None:
        return self.session.get(BadgeTally, (badge_id, EVER))

    def save_tallies(self, tallies: Sequence[BadgeTally], *, gone: Sequence[BadgeTally] = ()) -> None:
        self.session.add_all(tallies)
        for tally in gone:
            self.session.delete(tally)
        self.session.flush()

    def waiting(self, campus_id: uuid.UUID, *, limit: int) -> list[tuple[BadgeRating, str]]:
        """Sentences that the campus has not decided on, the oldest first, with the badge's title."""
        query = (
            select(BadgeRating, CatalogueEntry.title)
            .join(CatalogueEntry, col(CatalogueEntry.subject_id) == col(BadgeRating.badge_id))
            .where(BadgeRating.campus_id == campus_id, BadgeRating.sentence_state == SentenceState.WAITING)
            .order_by(col(BadgeRating.rated_at), col(BadgeRating.id))
        )
        return [(rating, title) for rating, title in self.session.exec(query.limit(limit))]

    def count_waiting(self, campus_id: uuid.UUID, *, limit: int) -> int:
        query = select(BadgeRating.id).where(
            BadgeRating.campus_id == campus_id, BadgeRating.sentence_state == SentenceState.WAITING
        )
        return len(self.session.exec(query.limit(limit)).all())

    def get_in_campus(self, rating_id: uuid.UUID, campus_id: uuid.UUID) -> BadgeRating:
        rating = self.session.get(BadgeRating, rating_id)
        if rating is None or rating.campus_id != campus_id:
            raise NotFound("Cet avis n’existe pas ici, ou plus.")
        return rating

    def decide(self, rating: BadgeRating, state: SentenceState) -> bool:
        """Whether this very sentence was still waiting."""
        decided = self.session.execute(
            update(BadgeRating)
            .where(
                col(BadgeRating.id) == rating.id,
                col(BadgeRating.sentence_state) == SentenceState.WAITING,
                col(BadgeRating.sentence) == rating.sentence,
            )
            .values(sentence_state=state)
            .execution_options(synchronize_session="fetch")
        )
        return cast("CursorResult[Any]", decided).rowcount == 1

    def sentences(self, badge_id: uuid.UUID, *, limit: int) -> Sequence[str]:
        """Published ones, in an order that reveals no date."""
        query = select(BadgeRating.sentence).where(
            BadgeRating.badge_id == badge_id, BadgeRating.sentence_state == SentenceState.SHOWN
        )
        return self.session.exec(query.order_by(col(BadgeRating.id)).limit(limit)).all()

    def most_held(
        self, year: int, campuses: Collection[uuid.UUID] | None, *, limit: int
    ) -> list[tuple[BadgeTally, CatalogueEntry]]:
        """Badges of few holders are equal: their order would tell the counts that the page hides."""
        query = self._ranked(year, campuses).where(col(BadgeTally.holders) > 0)
        shown = case((col(BadgeTally.holders) < SMALL, 0), else_=col(BadgeTally.holders))
        query = query.order_by(shown.desc(), col(CatalogueEntry.title))
        return [(tally, entry) for tally, entry in self.session.execute(query.limit(limit))]

    def best_rated(
        self, campuses: Collection[uuid.UUID] | None, *, limit: int
    ) -> list[tuple[BadgeTally, CatalogueEntry]]:
        query = self._ranked(EVER, campuses).where(col(BadgeTally.votes) >= FEWEST_RATINGS)
        query = query.order_by(
            col(BadgeTally.bound).desc(), col(BadgeTally.votes).desc(), col(CatalogueEntry.title)
        )
        return [(tally, entry) for tally, entry in self.session.execute(query.limit(limit))]

    def count_unranked(self, campuses: Collection[uuid.UUID] | None) -> int:
        """Badges with ratings, but fewer than are needed."""
        query = select_rows(func.count()).where(
            col(BadgeTally.year) == EVER,
            col(BadgeTally.votes) > 0,
            col(BadgeTally.votes) < FEWEST_RATINGS,
            *(() if campuses is None else (col(BadgeTally.campus_id).in_(campuses),)),
        )
        return int(self.session.execute(query).scalar_one())

    @staticmethod
    def _ranked(year: int, campuses: Collection[uuid.UUID] | None) -> Select[BadgeTally, CatalogueEntry]:
        query = (
            select_rows(BadgeTally, CatalogueEntry)
            .join(CatalogueEntry, col(CatalogueEntry.subject_id) == col(BadgeTally.badge_id))
            .where(col(BadgeTally.year) == year)
        )
        return query if campuses is None else query.where(col(BadgeTally.campus_id).in_(campuses))


# --- Counts of openings of badge pages

_TABLE = PageViewCount.__table__  # type: ignore[attr-defined]
_AT_ONCE = 500


class PageViewStore(Store):
    def add(self, counts: Counts) -> None:
        """Of open pages, unless their holder turned counting off."""
        awards = list(dict.fromkeys(award_id for award_id, _ in counts))
        counted: set[uuid.UUID] = set()
        for first in range(0, len(awards), _AT_ONCE):
            query = select(Award.id).where(
                col(Award.id).in_(awards[first : first + _AT_ONCE]),
                Award.visibility == Visibility.OPEN,
                col(Award.counts_views).is_(True),
            )
            counted.update(self.session.exec(query))
        rows = [
            {"award_id": award_id, "day": day, "count": count}
            for (award_id, day), count in sorted(counts.items())
            if award_id in counted
        ]
        if not rows:
            return
        is_postgresql = self.session.connection().dialect.name == "postgresql"
        insert: Callable[..., Any] = postgresql.insert if is_postgresql else sqlite.insert
        added = insert(_TABLE)
        added = added.on_conflict_do_update(
            index_elements=["award_id", "day"], set_={"count": _TABLE.c.count + added.excluded.count}
        )
        self.session.connection().execute(added, rows)

    def of_award(self, award_id: uuid.UUID, *, since: date) -> Sequence[PageViewCount]:
        query = select(PageViewCount).where(PageViewCount.award_id == award_id, PageViewCount.day >= since)
        return self.session.exec(query.order_by(col(PageViewCount.day))).all()

    def delete_of(self, award_id: uuid.UUID) -> None:
        self.session.execute(delete(PageViewCount).where(col(PageViewCount.award_id) == award_id))
