"""Once a day everything that was signed is verified again, a step at a time beside the other work."""

from __future__ import annotations

import uuid
from typing import Final

from app.container import IntegrityRun, Process, Services
from app.domain.campus.history import Actor
from app.jobs.looking import Looking
from app.jobs.promises import Kind

_BY = Actor.command("worker")
EVERYTHING: Final = uuid.UUID(int=1)


def _due(services: Services) -> list[uuid.UUID]:
    return [EVERYTHING] if services.integrity.is_due() else []


def check_some(process: Process, _row_id: uuid.UUID) -> bool:
    run = IntegrityRun(process)
    check = run.begin(by=_BY)
    return run.one_step(check).done_at is None


INTEGRITY = Kind("integrity", Looking(_due).due, check_some, at_once=1)
