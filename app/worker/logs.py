"""Activity logs: signed every few minutes as they grow, and derived again from their rows every day."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.domain.history import Actor
from app.wiring import Process, Services
from app.worker.promises import Kind

SIGNED_EVERY: Final = timedelta(minutes=5)
_LOOKING_EVERY: Final = timedelta(minutes=1)
_BY = Actor.command("worker")


class _Looking:
    """Looked for once a minute: a log that may not be signed says so once a minute too, and not every second."""

    def __init__(self, due: Callable[[Services], Sequence[uuid.UUID]]) -> None:
        self._due = due
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + _LOOKING_EVERY:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return self._due(services)


def _sign(process: Process, campus_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        services.log_watch.sign(campus_id)
    return False


def _reviews_due(process: Process) -> Sequence[uuid.UUID]:
    with process.unit_of_work(reading=True) as services:
        return services.log_watch.reviews_due()


def _review(process: Process, log_id: uuid.UUID) -> bool:
    """The reading may take a minute or two: nobody who writes waits for it."""
    with process.unit_of_work(reading=True) as services:
        log = services.log_watch.log(log_id)
        size, faults = log.size, services.log_watch.check(log)
    with process.unit_of_work() as services:
        services.log_watch.note_review(log_id, size, faults, by=_BY)
    return False


# A minute less than the cadence, since a log is looked at once a minute.
_unsigned = _Looking(lambda services: services.log_watch.unsigned(for_so_long=SIGNED_EVERY - _LOOKING_EVERY))
CHECKPOINTS = Kind("checkpoint", _unsigned.due, _sign, at_once=1)
REVIEWS = Kind("log-review", _reviews_due, _review, at_once=1)
