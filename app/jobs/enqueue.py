"""Polls for due rows once a minute, where a sweep every second would cost more than it gains."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.container import Process, Services

POLL_INTERVAL: Final = timedelta(minutes=1)


class PollThrottle:
    def __init__(self, due: Callable[[Services], Sequence[uuid.UUID]]) -> None:
        self._due = due
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + POLL_INTERVAL:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return self._due(services)


@dataclass(frozen=True)
class JobType:
    """One job type.

    `due` returns the pending rows, the oldest first, some hundreds at most. `perform` processes one chunk of
    a row in its own units of work, and returns whether more is left. It must be idempotent, even in two
    workers at once: the row decides.
    """

    name: str
    due: Callable[[Process], Sequence[uuid.UUID]]
    perform: Callable[[Process, uuid.UUID], bool]
    at_once: int = 2
    """Concurrency of the job type in one worker."""


MOST_DUE = 200
