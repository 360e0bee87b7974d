"""Letters and reminders as promises: what is due, and one piece of it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from app.container import Process
from app.jobs.promises import Kind

LOOKING_FOR_REMINDERS = timedelta(minutes=15)


def _letters_due(process: Process) -> list[uuid.UUID]:
    return process.post.due()


def _send(process: Process, envelope: uuid.UUID) -> bool:
    process.post.send(envelope)
    return False


class Reminders:
    """Looked for now and then: they are counted in days, and looking reads the letters of two months."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def due(self, process: Process) -> list[uuid.UUID]:
        now = process.clock()
        if process.mailer is None or (self._looked_at and now < self._looked_at + LOOKING_FOR_REMINDERS):
            return []
        self._looked_at = now
        with process.unit_of_work(reading=True) as services:
            return services.reminders.campuses_due()

    @staticmethod
    def promise(process: Process, campus_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            return services.reminders.promise(campus_id)


_reminders = Reminders()
LETTERS = Kind("letter", _letters_due, _send)
REMINDERS = Kind("reminders", _reminders.due, _reminders.promise, at_once=1)
