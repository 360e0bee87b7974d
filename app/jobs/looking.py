"""Looking for what is due once a minute, where a sweep every second would cost more than it brings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.container import Process, Services

LOOKING_EVERY: Final = timedelta(minutes=1)


class Looking:
    def __init__(self, due: Callable[[Services], Sequence[uuid.UUID]]) -> None:
        self._due = due
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + LOOKING_EVERY:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return self._due(services)
