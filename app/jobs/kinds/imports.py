"""Imports of activities as promises, and what of them is no longer kept."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.container import Process
from app.jobs.promises import MOST_DUE, Kind

FORGETTING_EVERY = timedelta(minutes=15)


class Imports:
    """Looked for at each sweep; what is to be forgotten is counted in hours, and looked for now and then."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now = process.clock()
        if self._looked_at is None or not self._looked_at <= now < self._looked_at + FORGETTING_EVERY:
            self._looked_at = now
            with process.unit_of_work() as services:
                services.imports.forget_old()
        with process.unit_of_work(reading=True) as services:
            return services.imports.due(limit=MOST_DUE)

    @staticmethod
    def carry_out(process: Process, run_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            return services.imports.carry_out(run_id)


_imports = Imports()
IMPORTS = Kind("import", _imports.due, _imports.carry_out)
