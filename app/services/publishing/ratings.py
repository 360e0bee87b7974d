"""Holders rate their badges, campuses publish sentences, and anybody reads the rankings of badges."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import HistoryStore
from app.db.publishing.ratings import PageViewStore, RatingStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.learners.ratings import (
    EVER,
    ZONE,
    BadgeRating,
    BadgeTally,
    Counts,
    Distribution,
    SentenceState,
    check_may_rate,
    checked_score,
    checked_sentence,
    may_write_sentence,
    school_year,
    sentence_digest,
)
from app.domain.publishing.catalogue import CatalogueEntry
from app.errors import Conflict

MOST_RANKED: Final = 10
MOST_SENTENCES: Final = 5
PAST_YEARS: Final = 2
"""Ranked besides the current school year."""


@dataclass(frozen=True)
class Ranking:
    """The first badges of a scope; `unranked` have ratings, but too few."""

    most_held: Sequence[tuple[BadgeTally, CatalogueEntry]]
    best_rated: Sequence[tuple[BadgeTally, CatalogueEntry]]
    unranked: int


@dataclass(frozen=True)
class PublicRatings:
    distribution: Distribution
    sentences: Sequence[str]


@dataclass(frozen=True)
class RatingService:
    ratings: RatingStore
    history: HistoryStore
    clock: Clock

    # --- holders

    def of_holder(self, record: AwardRecord) -> BadgeRating | None:
        return self.ratings.find(record.person.id, record.badge.id)

    def rate(self, record: AwardRecord, *, score: str, sentence: str = "") -> None:
        """One rating per holder and badge: a later one replaces it. No audit entry, which would name the holder."""
        check_may_rate(record.award, at=self.clock())
        known = self.ratings.find(record.person.id, record.badge.id, with_lock=True)
        rating = known or BadgeRating(
            campus_id=record.campus.id,
            badge_id=record.badge.id,
            person_id=record.person.id,
            score=0,
            rated_at=self.clock(),
        )
        allowed = may_write_sentence(record.person, record.activity)
        wanted = checked_sentence(sentence) if allowed else ""
        rating.score, rating.rated_at = checked_score(score), self.clock()
        if wanted != rating.sentence:
            rating.sentence = wanted
            rating.sentence_state = SentenceState.WAITING if wanted else SentenceState.NONE
        self.ratings.save(rating)
        self._count(record.campus, record.badge.id)

    def withdraw(self, record: AwardRecord) -> None:
        rating = self.of_holder(record)
        if rating is not None:
            self.ratings.remove(rating)
            self._count(record.campus, record.badge.id)

    def _count(self, campus: Campus, badge_id: uuid.UUID) -> None:
        tally = self.ratings.tally(badge_id)
        if tally is not None:  # a badge that the catalogue does not list yet is counted when it does
            _note(tally, self.ratings.scores(campus.id, badge_id).get(badge_id))
            self.ratings.save_tallies([tally])

    # --- the campus

    def waiting(self, campus: Campus, *, limit: int) -> list[tuple[BadgeRating, str]]:
        return self.ratings.waiting(campus.id, limit=limit)

    def decide(self, campus: Campus, rating_id: uuid.UUID, *, publish: bool, seen: str, by: Actor) -> None:
        """On the sentence alone, if it is still the one `seen`, a digest: the score counts either way."""
        rating = self.ratings.get_in_campus(rating_id, campus.id)
        if rating.sentence_state is not SentenceState.WAITING:
            raise Conflict("Cette phrase a déjà sa réponse.")
        state = SentenceState.SHOWN if publish else SentenceState.DECLINED
        if sentence_digest(rating.sentence) != seen or not self.ratings.decide(rating, state):
            raise Conflict("Cette phrase vient de changer : relisez-la.")
        self.history.write(
            by,
            "show_sentence" if publish else "decline_sentence",
            "badge",
            rating.badge_id,
            at=self.clock(),
            campus_id=campus.id,
        )

    # --- derivation

    def refresh(self, campus: Campus, badges: Collection[uuid.UUID]) -> None:
        """Derive the figures of these badges of the campus. Idempotent; writes only what differs."""
        zone = ZoneInfo(campus.time_zone)
        current = school_year(self.clock().astimezone(zone).date())
        known, changed = self.ratings.tallies_of(campus.id), list[BadgeTally]()
        scores, listed = self.ratings.scores(campus.id), frozenset(badges)
        for year in (EVER, *range(current - PAST_YEARS, current + 1)):
            period = None
            if year != EVER:
                first, last = (datetime(each, 9, 1, tzinfo=zone).astimezone(UTC) for each in (year, year + 1))
                period = (first, last)
            holders = self.ratings.holders(campus.id, period)
            for badge_id in listed if year == EVER else listed & holders.keys():
                tally = known.pop((badge_id, year), None) or BadgeTally(
                    badge_id=badge_id, year=year, campus_id=campus.id
                )
                tally.holders = holders.get(badge_id, 0)
                if year == EVER:
                    _note(tally, scores.get(badge_id))
                changed.append(tally)
        self.ratings.save_tallies(changed, gone=[*known.values()])

    # --- anybody

    def about(self, badge_id: uuid.UUID) -> PublicRatings:
        tally = self.ratings.tally(badge_id)
        return PublicRatings(
            Distribution(tally.scores if tally and tally.scores else [0] * 5),
            self.ratings.sentences(badge_id, limit=MOST_SENTENCES),
        )

    def ranking(self, year: int, campuses: Collection[uuid.UUID] | None) -> Ranking:
        """Of badges of these campuses, or of all; `year`: see `BadgeTally`."""
        return Ranking(
            self.ratings.most_held(year, campuses, limit=MOST_RANKED),
            self.ratings.best_rated(campuses, limit=MOST_RANKED),
            self.ratings.count_unranked(campuses),
        )

    def school_years(self) -> list[int]:
        """Those that are ranked, the current one first."""
        current = school_year(day_in_france(self.clock()))
        return [current - back for back in range(PAST_YEARS + 1)]


def _note(tally: BadgeTally, scores: Sequence[int] | None) -> None:
    counted = Distribution([*(scores or [0] * 5)])
    tally.scores, tally.votes, tally.bound = [*counted.scores], counted.votes, counted.bound


# --- What a holder learns of how often others open the page of their badge

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
