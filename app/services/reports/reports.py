"""The figures of a campus in a period, beside those of the year before, and the rows behind them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.db.reports.counting import ReportCountStore
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.reports.indicators import Figure, figures
from app.domain.reports.ledger import Ledger, Period, unpacked


@dataclass(frozen=True)
class YearFigures:
    """`period` is the part that has passed; `before` the same days one year earlier."""

    asked: Period
    period: Period
    now: Ledger
    before: Ledger
    figures: Mapping[str, Figure]
    earlier: Mapping[str, Figure]
    badges: Sequence[tuple[str, int]]
    """Names and numbers of holders, the most held first."""
    computed_at: datetime


@dataclass(frozen=True)
class ReportService:
    store: ReportCountStore
    clock: Clock

    def today(self) -> date:
        return self.clock().astimezone(ZoneInfo("Europe/Paris")).date()

    def ledger(self, campus: Campus, period: Period) -> Ledger:
        return self.store.ledger([campus.id], period, today=self.today())

    def ledger_with_objectives(self, campus: Campus, period: Period) -> Ledger:
        return self.store.with_objectives(self.ledger(campus, period), [campus.id])

    def figures(self, campus: Campus, asked: Period) -> YearFigures:
        period, ids = asked.until(self.today()), [campus.id]
        awards = self.store.awards(ids, period.last)
        now, before = (
            self.store.ledger(ids, each, today=self.today(), awards=awards)
            for each in (period, period.before)
        )
        badges = self.store.top_badges(period, awards)
        return YearFigures(asked, period, now, before, figures(now), figures(before), badges, self.clock())

    def top_badges(self, campus: Campus, period: Period) -> Sequence[tuple[str, int]]:
        """Public: without those that few people more, or fewer, hold than half a year before the end."""
        awards = self.store.awards([campus.id], period.last)
        year, month = period.last.year, period.last.month
        before = date(year, 8, 31) if month > 8 else date(year - 1, 12, 31)
        return self.store.top_badges(period, awards, beside=Period(period.first, before))

    def learners(self, ledger: Ledger, *, limit: int) -> Sequence[tuple[uuid.UUID, str, int]]:
        """The first by name, with their numbers of activities; erased people have no name and are absent."""
        attended = Counter(uuid.UUID(bytes=each) for row in ledger.rows for each in unpacked(row.learners))
        return [
            (person_id, name, attended[person_id])
            for person_id, name in self.store.first_by_name(attended.keys(), limit)
        ]

    # --- stored counts

    def is_recount_due(self) -> bool:
        return self.store.counts.has_changes()

    def recount_some(self) -> bool:
        """Whether more is left; each call is a transaction of its own."""
        return self.store.counts.recount_some()
