"""How often others open the page of a badge, by day: counts alone, without anything about who opened it."""

from __future__ import annotations

import re
import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import date
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Field, SQLModel

from app.domain.core import Clock, primary_foreign_key

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
