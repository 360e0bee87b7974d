"""What a holder learns of how often others open the page of their badge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.db.awards import AwardStore
from app.db.campus import HistoryStore
from app.db.publishing.ratings import PageViewStore
from app.domain.campus.audit_log import Actor
from app.domain.core import Clock
from app.domain.learners.ratings import ZONE, Counts

DAYS_SHOWN: Final = 30


@dataclass(frozen=True, eq=False)
class PageViewService:
    page_views: PageViewStore
    awards: AwardStore
    history: HistoryStore
    clock: Clock

    def add(self, counts: Counts) -> None:
        self.page_views.add(counts)

    def by_day(self, award_id: uuid.UUID) -> Sequence[tuple[date, int]]:
        """One pair for each of the last DAYS_SHOWN days, the oldest first."""
        today = self.clock().astimezone(ZONE).date()
        days = [today - timedelta(days=ago) for ago in reversed(range(DAYS_SHOWN))]
        counts = {each.day: each.count for each in self.page_views.of_award(award_id, since=days[0])}
        return [(day, counts.get(day, 0)) for day in days]

    def set_counting(self, award_id: uuid.UUID, counts: bool, *, by: Actor) -> None:
        """Turned off, what was counted is deleted."""
        award = self.awards.lock(award_id)
        if award.counts_views is counts:
            return
        award.counts_views = counts
        self.awards.save(award)
        if not counts:
            self.page_views.delete_of(award_id)
        action = "count_views" if counts else "stop_counting_views"
        self.history.write(by, action, "award", award_id, at=self.clock(), campus_id=award.campus_id)
