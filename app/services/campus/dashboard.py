"""The desk of a campus: what happened this week, and what waits for somebody."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.db.activities.plans import ActivityPlanStore
from app.db.activity_log.watch import LogWatchStore
from app.db.awards.waiting import Lately, WaitingStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.db.learners.contributions import ContributionStore
from app.db.learners.requests import RequestStore
from app.db.people.names import NameStore
from app.domain.activities.activities import Activity
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.badges.readiness import are_near
from app.domain.campus.campus import Campus, Label
from app.domain.campus.keys import SealedKey
from app.domain.campus.waiting import (
    FORGOTTEN_AFTER,
    LOOKED_BACK,
    MOST_COUNTED,
    WEEK,
    has_working_key,
    key_to_renew,
    label_that_ends,
)
from app.domain.core.clock import Clock

FEW = 3


@dataclass(frozen=True)
class Waiting:
    """Everything that waits; counts stop at `MOST_COUNTED`."""

    requests: int
    """Those that who looks may decide."""
    contributions: int
    names: int
    """Wishes for another name."""
    refused_letters: int
    unclaimed: int
    activities: Sequence[Activity]
    drafts: Sequence[tuple[Badge, BadgeVersion]]
    near: tuple[tuple[Badge, BadgeVersion], tuple[Badge, BadgeVersion]] | None
    label: Label | None
    asked: Sequence[tuple[Activity, Campus]]
    """What other campuses ask this one to organise with them."""
    lacks_key: bool
    old_key: SealedKey | None
    log_is_spoilt: bool
    """Whether the last reading of the activity log found it other than as it was written."""
    today: date


@dataclass(frozen=True)
class Dashboard:
    week: Lately
    waiting: Waiting


class DashboardService:
    def __init__(
        self,
        waiting: WaitingStore,
        campuses: CampusStore,
        badges: BadgeStore,
        requests: RequestStore,
        contributions: ContributionStore,
        plans: ActivityPlanStore,
        names: NameStore,
        log: LogWatchStore,
        clock: Clock,
    ) -> None:
        self.waiting = waiting
        self.campuses = campuses
        self.badges = badges
        self.requests = requests
        self.contributions = contributions
        self.plans = plans
        self.names = names
        self.log = log
        self.clock = clock

    def of(self, campus: Campus, *, today: date, reader: uuid.UUID | None = None) -> Dashboard:
        """`today` is the day on the clocks of the campus; `reader` is who looks."""
        at = self.clock()
        week = self.waiting.lately(campus.id, since=at - WEEK, days=(today - WEEK, today))
        return Dashboard(week, self._waiting(campus, today, at, reader))

    def _waiting(self, campus: Campus, today: date, at: datetime, reader: uuid.UUID | None) -> Waiting:
        badges = [pair for pair in self.badges.list_newest(campus.id) if pair[0].archived_at is None]
        keys, review = self.campuses.keys_of(campus.id), self.log.newest_done(campus.id)
        return Waiting(
            self.requests.count_waiting(campus.id, limit=MOST_COUNTED + 1, reader=reader),
            self.contributions.count_waiting(campus.id, limit=MOST_COUNTED + 1),
            self.names.count_waiting(campus.id, limit=MOST_COUNTED + 1),
            self.waiting.refused_letters(campus.id, since=at - LOOKED_BACK, limit=MOST_COUNTED + 1),
            self.waiting.unclaimed_awards(
                campus.id, given=(at - LOOKED_BACK, at - FORGOTTEN_AFTER), at=at, limit=MOST_COUNTED + 1
            ),
            self.waiting.activities_without_awards(campus.id, ended=(today - LOOKED_BACK, today), limit=FEW),
            [pair for pair in badges if pair[1].is_draft][:FEW],
            _near(badges),
            label_that_ends([label for label, _ in self.campuses.labels_of(campus.did)], on=today),
            self.plans.asked(campus.id)[:FEW],
            not has_working_key(keys),
            key_to_renew(keys, at=at),
            bool(review and review.faults),
            today,
        )


def _near(
    badges: Sequence[tuple[Badge, BadgeVersion]],
) -> tuple[tuple[Badge, BadgeVersion], tuple[Badge, BadgeVersion]] | None:
    pairs = ((one, other) for index, one in enumerate(badges) for other in badges[index + 1 :])
    return next((pair for pair in pairs if are_near(pair[0][1].name, pair[1][1].name)), None)
