"""Counts of openings of badge pages."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from app.db.engine.queries import Store
from app.domain.awards import Award, Visibility
from app.domain.learners.ratings import Counts, PageViewCount

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
