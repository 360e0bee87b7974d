"""What has had its time, deleted as a promise: the rows themselves say that they are due, whatever was missed before."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from app.container import Process
from app.jobs.promises import Kind

LOOKING_EVERY: Final = timedelta(hours=1)
EVERYTHING: Final = uuid.UUID(int=1)
"""There is one promise, for all that is overdue."""


class _Overdue:
    """Looked for once an hour: it is counted in days."""

    def __init__(self) -> None:
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + LOOKING_EVERY:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return [EVERYTHING] if services.retention.is_due() else []


def delete_some(process: Process, _: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        return services.retention.delete_some()


RETENTION = Kind("retention", _Overdue().due, delete_some, at_once=1)
