"""Activity logs: signed every few minutes as they grow, and derived again from their rows every day."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from app.container import Process
from app.domain.campus.history import Actor
from app.jobs.looking import LOOKING_EVERY, Looking
from app.jobs.promises import Kind

SIGNED_EVERY: Final = timedelta(minutes=5)
_BY = Actor.command("worker")


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


# A minute less than the cadence: a log that may not be signed says so once a minute, and not every second.
_unsigned = Looking(lambda services: services.log_watch.unsigned(for_so_long=SIGNED_EVERY - LOOKING_EVERY))
CHECKPOINTS = Kind("checkpoint", _unsigned.due, _sign, at_once=1)
REVIEWS = Kind("log-review", _reviews_due, _review, at_once=1)
