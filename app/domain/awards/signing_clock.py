"""Whether the signing clock can be trusted: it must neither run backwards nor jump."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from app.domain.core import LARGEST_STEP, utc_datetime
from app.errors import Unavailable
from app.language import N_

LONGEST_OFF = timedelta(days=30)
"""Time spent off is not measured across restarts; longer than this requires confirmation."""
SAMPLED_EVERY = timedelta(minutes=1)
ONLY_ROW = 1


@dataclass(frozen=True)
class Ticks:
    """Seconds since the machine started, unaffected by clock changes; `boot` is unique to each start.

    Empty `boot`: this system has no such counter.
    """

    boot: str
    seconds: float


Counter = Callable[[], Ticks]


class SigningClock(SQLModel, table=True):
    """The last sample of the clock, and its value when signing was stopped. One row for the service, which also has
    the fingerprint of its secret."""

    __tablename__ = "signing_clock"
    id: int = Field(default=ONLY_ROW, primary_key=True)
    at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    boot: str = Field(default="", max_length=64)
    seconds: float = 0.0
    stopped_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """The clock's value when the jump was detected."""
    expected_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    secret_fingerprint: str | None = Field(default=None, max_length=64)


@dataclass(frozen=True)
class Jump:
    at: datetime
    expected: datetime


class ClockJumped(Unavailable):
    """Nothing is signed until an operator confirms the clock."""

    def __init__(self, jump: Jump) -> None:
        super().__init__(
            N_(
                "L’horloge du serveur a sauté : elle indique {at} alors que {expected} était attendu (UTC). Rien n’est signé tant que la personne qui gère le service n’a pas vérifié l’heure, puis lancé « sceau clock confirm »."
            ),
            at=f"{jump.at:%Y-%m-%d %H:%M:%S}",
            expected=f"{jump.expected:%Y-%m-%d %H:%M:%S}",
        )
        self.jump = jump


def jump_in(row: SigningClock, at: datetime, ticks: Ticks) -> Jump | None:
    """The jump that was stored, or the one between the last sample and now."""
    if row.stopped_at is not None:
        return Jump(row.stopped_at, row.expected_at or row.stopped_at)
    if row.at is None:
        return None
    if ticks.boot and ticks.boot == row.boot:
        expected = row.at + timedelta(seconds=ticks.seconds - row.seconds)
        return Jump(at, expected) if abs(at - expected) > LARGEST_STEP else None
    is_back, is_far = at < row.at - LARGEST_STEP, at > row.at + LONGEST_OFF
    return Jump(at, row.at) if is_back or is_far else None


def is_sample_due(row: SigningClock, at: datetime, ticks: Ticks) -> bool:
    """After a change of machine or boot, only a later time replaces the sample."""
    if row.at is None:
        return True
    if ticks.boot and ticks.boot == row.boot:
        return ticks.seconds - row.seconds >= SAMPLED_EVERY.total_seconds()
    return at >= row.at + SAMPLED_EVERY


def take_sample(row: SigningClock, at: datetime, ticks: Ticks) -> None:
    row.at, row.boot, row.seconds = at, ticks.boot, ticks.seconds


def stop_signing(row: SigningClock, jump: Jump) -> None:
    row.stopped_at, row.expected_at = jump.at, jump.expected


def confirm(row: SigningClock, at: datetime, ticks: Ticks) -> None:
    """Accepts the current clock as the new reference."""
    take_sample(row, at, ticks)
    row.stopped_at = row.expected_at = None
