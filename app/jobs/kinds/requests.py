"""Reviewers reminded of requests that wait, as promises; and requests that nobody confirmed and looks of a year ago, forgotten."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from app.container import Process
from app.jobs.promises import Kind

LOOKING_EVERY = timedelta(minutes=15)


class ReviewReminders:
    """Looked for now and then: they are counted in days."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def due(self, process: Process) -> list[uuid.UUID]:
        now = process.clock()
        if self._looked_at and now < self._looked_at + LOOKING_EVERY:
            return []
        self._looked_at = now
        with process.unit_of_work() as services:
            services.reviewing.forget_unconfirmed()
            services.private_looks.forget_old()
            services.contributions.forget_closed()
        if process.mailer is None:
            return []
        with process.unit_of_work(reading=True) as services:
            return services.reviewing.campuses_due()

    @staticmethod
    def promise(process: Process, campus_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            services.reviewing.remind(campus_id)
        return False


_reminders = ReviewReminders()
REVIEW_REMINDERS = Kind("review-reminders", _reminders.due, _reminders.promise, at_once=1)
