"""Stop signing when the clock jumps, until an operator confirms it."""

from __future__ import annotations

import uuid
from typing import Any

import structlog

from app.db.awards.signing_clock import SigningClockStore
from app.db.campus.history import HistoryStore
from app.domain.awards.signing_clock import (
    ClockJumped,
    Counter,
    Jump,
    confirm,
    is_sample_due,
    jump_in,
    stop_signing,
    take_sample,
)
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import InvalidInput
from app.language import N_

logger = structlog.get_logger(__name__)
_NOUN, _NOUN_ID = "signing_clock", uuid.UUID(int=1)
_SYSTEM = Actor.command("clock")


class SigningClockService:
    """`counter` is None where the time is given and not read, as in tests: then nothing can jump."""

    def __init__(
        self, store: SigningClockStore, history: HistoryStore, counter: Counter | None, clock: Clock
    ) -> None:
        self.store = store
        self.history = history
        self.counter = counter
        self.clock = clock
        self._is_checked = False

    def check(self) -> None:
        """Raises ClockJumped; asks the database once in a unit of work."""
        if self._is_checked:
            return
        if jump := self.jump():
            raise ClockJumped(jump)
        self._is_checked = True

    def jump(self) -> Jump | None:
        if self.counter is None:
            return None
        return jump_in(self.store.find(), self.clock(), self.counter())

    def is_due(self) -> bool:
        """Whether `observe` would write something."""
        if self.counter is None:
            return False
        row, at, ticks = self.store.find(), self.clock(), self.counter()
        if row.stopped_at is not None:
            return False
        return jump_in(row, at, ticks) is not None or is_sample_due(row, at, ticks)

    def observe(self) -> Jump | None:
        """Take a sample, or store that the clock jumped. Idempotent."""
        if self.counter is None:
            return None
        row, at, ticks = self.store.lock(), self.clock(), self.counter()
        was_stopped, jump = row.stopped_at is not None, jump_in(row, at, ticks)
        if jump is None:
            if is_sample_due(row, at, ticks):
                take_sample(row, at, ticks)
                self.store.save(row)
        elif not was_stopped:
            stop_signing(row, jump)
            self.store.save(row)
            self.history.write(_SYSTEM, "stop", _NOUN, _NOUN_ID, at=at, **_facts(jump))
            logger.error("the clock jumped: signing stopped", **_facts(jump))
        return jump

    def confirm(self, reason: str, *, by: Actor) -> Jump | None:
        """Sign again from the time that the clock shows now; the jump that is confirmed, if there was one."""
        if len(reason.strip()) < 5:
            raise InvalidInput(
                N_("Dites en quelques mots pourquoi l’heure est bonne : l’historique le garde.")
            )
        if self.counter is None:
            return None
        row, at, ticks = self.store.lock(), self.clock(), self.counter()
        jump = jump_in(row, at, ticks)
        confirm(row, at, ticks)
        self.store.save(row)
        facts: dict[str, Any] = {"reason": reason.strip()[:500], **(_facts(jump) if jump else {})}
        self.history.write(by, "confirm", _NOUN, _NOUN_ID, at=at, **facts)
        return jump


def _facts(jump: Jump) -> dict[str, Any]:
    return {"shown": jump.at.isoformat(), "expected": jump.expected.isoformat()}
