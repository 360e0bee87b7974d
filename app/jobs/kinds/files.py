"""Files that wait for the virus scanner, as promises: asked about again until it answers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.container import Process
from app.domain.activities.files import ScannerSilent
from app.domain.campus.history import Actor
from app.jobs.promises import Kind

LOOKING_EVERY = timedelta(seconds=30)
_BY = Actor.command("worker")


class _Waiting:
    """Looked for twice a minute: a scanner that is away is not knocked at every second."""

    def __init__(self) -> None:
        self._looked_at: dict[int, datetime] = {}

    def due(self, process: Process) -> Sequence[uuid.UUID]:
        now, looked_at = process.clock(), self._looked_at.get(id(process))
        if looked_at is not None and looked_at <= now < looked_at + LOOKING_EVERY:
            return []
        self._looked_at[id(process)] = now
        with process.unit_of_work(reading=True) as services:
            return services.files.waiting()


def scan(process: Process, file_id: uuid.UUID) -> bool:
    """The scanner is asked between two transactions: nobody who writes waits for it."""
    with process.unit_of_work(reading=True) as services:
        content = services.files.to_scan(file_id)
    if content is None:
        return False
    try:
        clean = process.intake.scanner is None or process.intake.scanner.is_clean(content)
    except ScannerSilent:
        return False
    with process.unit_of_work() as services:
        services.files.scanned(file_id, clean=clean, by=_BY)
    return False


SCANS = Kind("file-scan", _Waiting().due, scan, at_once=1)
