"""Ratings of badges by their holders, and the derived figures behind the public rankings."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from math import sqrt
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import Activity
from app.domain.awards import Award, AwardState
from app.domain.core import (
    Clock,
    enum_column,
    foreign_key,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.people import Person
from app.domain.people.consents import is_minor_for
from app.errors import Conflict, InvalidInput

SCORES: Final = range(1, 6)
USEFUL_FROM: Final = 4
"""The lowest score that counts as useful."""
FEWEST_RATINGS: Final = 10
"""A badge with fewer is not ranked, and its scores are not shown."""
RATED_AFTER: Final = timedelta(days=30)
LONGEST_SENTENCE: Final = 200
_Z: Final = 1.96
"""Standard score of a 95 % interval."""
_REFERS = re.compile(r"@|://|\bwww\.", re.IGNORECASE)


class SentenceState(StrEnum):
    SHOWN = "shown"
    WAITING = "waiting"
    DECLINED = "declined"
    NONE = "none"


class BadgeRating(SQLModel, table=True):
    """One holder's rating of one badge. The campus decides on the sentence, never on the score."""

    __tablename__ = "badge_rating"
    __table_args__ = (
        UniqueConstraint("person_id", "badge_id", name="one_rating_per_holder"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score_from_1_to_5"),
        Index("rating_of_badge", "badge_id", "score"),
        Index("rating_sentences", "campus_id", "sentence_state"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    badge_id: uuid.UUID = Field(sa_column=foreign_key("badge", index=False))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person", index=False))
    score: int
    sentence: str = Field(default="", max_length=LONGEST_SENTENCE)
    sentence_state: SentenceState = Field(
        default=SentenceState.NONE, sa_column=enum_column(SentenceState, name="rating_sentence_state")
    )
    rated_at: datetime = Field(sa_column=utc_datetime())


class BadgeTally(SQLModel, table=True):
    """Derived, public: the holders of a badge in one school year; of year 0, ever, with its ratings."""

    __tablename__ = "badge_tally"
    __table_args__ = (
        Index("tally_by_holders", "year", "holders"),
        Index("tally_by_bound", "year", "bound"),
    )
    badge_id: uuid.UUID = Field(sa_column=primary_foreign_key("badge"))
    year: int = Field(primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    holders: int = 0
    votes: int = 0
    bound: float = 0.0
    """Lower bound of the share of useful ratings; 0 below `FEWEST_RATINGS`."""
    scores: list[int] = Field(default_factory=list, sa_column=json_column())
    """How many ratings of 1, 2, 3, 4 and 5."""


EVER: Final = 0


@dataclass(frozen=True)
class Distribution:
    """Ratings of one badge, by score from 1 to 5."""

    scores: Sequence[int]

    @property
    def votes(self) -> int:
        return sum(self.scores)

    @property
    def mean(self) -> float:
        return sum(score * count for score, count in zip(SCORES, self.scores, strict=True)) / self.votes

    @property
    def useful(self) -> int:
        return sum(self.scores[USEFUL_FROM - 1 :])

    @property
    def bound(self) -> float:
        """0 for a badge that is not ranked."""
        return wilson_bound(self.useful, self.votes) if self.votes >= FEWEST_RATINGS else 0.0


def wilson_bound(favourable: int, total: int) -> float:
    """Lower bound of Wilson's 95 % score interval for a share of `favourable` in `total`."""
    if not total:
        return 0.0
    share, square = favourable / total, _Z * _Z
    centre = share + square / (2 * total)
    margin = _Z * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, (centre - margin) / (1 + square / total))


def rated_from(award: Award) -> datetime:
    return award.awarded_at + RATED_AFTER


def check_may_rate(award: Award, *, at: datetime) -> None:
    if award.state is not AwardState.ISSUED:
        raise Conflict("Ce badge a été retiré : il ne se note plus.")
    if at < rated_from(award):
        raise Conflict("Un badge se note trente jours après l’avoir reçu.")


def may_write_sentence(person: Person, activity: Activity | None) -> bool:
    return not is_minor_for(person, activity)


def checked_score(written: str) -> int:
    if written.isdecimal() and len(written) == 1 and int(written) in SCORES:
        return int(written)
    raise InvalidInput("Choisissez une note de 1 à 5.")


def checked_sentence(written: str) -> str:
    """On one line, without addresses or links."""
    sentence = " ".join(written.split())
    if len(sentence) > LONGEST_SENTENCE:
        raise InvalidInput("C’est trop long : {most} signes au plus.", most=LONGEST_SENTENCE)
    if _REFERS.search(sentence):
        raise InvalidInput("La phrase ne contient ni adresse ni lien.")
    return sentence


def sentence_digest(sentence: str) -> str:
    """Which sentence was read."""
    return hashlib.sha256(sentence.encode()).hexdigest()


def school_year(day: date) -> int:
    """The year of its September."""
    return day.year if day.month >= 9 else day.year - 1


# --- How often others open the page of a badge, by day: counts alone, without anything about who opened it

ZONE: Final = ZoneInfo("Europe/Paris")
MOST_VISITORS: Final = 100_000
"""Per process and day; later visitors are not counted, so that memory is bounded."""
MOST_PER_NETWORK: Final = 20
"""Of one page in one day: a program that changes its name does not drive the count up."""
_ROBOT: Final = re.compile(
    r"bot\b|bot[/;_-]|crawl|spider|slurp|http|preview|facebook|whatsapp|telegram|embed|headless|"
    r"lighthouse|monitor|uptime|scan|python|curl|wget|java/|fetch|feed",
    re.IGNORECASE,
)

Counts = Mapping[tuple[uuid.UUID, date], int]


class PageViewCount(SQLModel, table=True):
    """Openings of the page of one award in one day (Europe/Paris), by others than its holder."""

    __tablename__ = "page_view_count"
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    day: date = Field(primary_key=True)
    count: int


def is_robot(agent: str) -> bool:
    """Browsers present themselves as Mozilla; most robots too, with a name or an address of theirs."""
    return not agent.startswith("Mozilla/") or _ROBOT.search(agent) is not None


class PageViews:
    """Counts of one process, until they are written.

    A visitor counts once per page and day. A keyed digest tells visitors apart: its key is random, never
    leaves memory, and both go at midnight.
    """

    def __init__(self, clock: Clock, *, most: int = MOST_VISITORS) -> None:
        self._clock, self._most = clock, most
        self._lock = threading.Lock()
        self._day = date.min
        self._key = b""
        self._visitors: set[bytes] = set()
        self._networks: Counter[bytes] = Counter()
        self._counts: Counter[tuple[uuid.UUID, date]] = Counter()

    def note(self, award_id: uuid.UUID, *, network: str, agent: str) -> None:
        if is_robot(agent):
            return
        with self._lock:
            self._begin_day(self._clock().astimezone(ZONE).date())
            here = self._digest(award_id, network)
            visitor = self._digest(award_id, network, agent)
            if visitor in self._visitors or len(self._visitors) >= self._most:
                return
            if self._networks[here] >= MOST_PER_NETWORK:
                return
            self._visitors.add(visitor)
            self._networks[here] += 1
            self._counts[award_id, self._day] += 1

    def take(self) -> Counts:
        """The counts since the last call."""
        with self._lock:
            self._begin_day(self._clock().astimezone(ZONE).date())
            counts, self._counts = self._counts, Counter()
        return counts

    def put_back(self, counts: Counts) -> None:
        """Counts that could not be written now."""
        with self._lock:
            self._counts.update(counts)

    def _begin_day(self, day: date) -> None:
        if day != self._day:
            self._day, self._key = day, secrets.token_bytes(32)
            self._visitors.clear()
            self._networks.clear()

    def _digest(self, award_id: uuid.UUID, *facts: str) -> bytes:
        whole = blake2b(award_id.bytes, key=self._key, digest_size=16)
        for fact in facts:
            whole.update(b"\0" + fact[:400].encode())
        return whole.digest()
