"""Badges from elsewhere as promises: each is judged again when its time has come, one at a time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.container import Process
from app.jobs.looking import Looking
from app.jobs.promises import MOST_DUE, Kind

_looking = Looking(lambda services: services.brought_badges.due(limit=MOST_DUE))


def _judge(process: Process, badge_id: uuid.UUID) -> bool:
    """Other services are asked without a transaction that anybody waits for."""
    with process.unit_of_work(reading=True) as services:
        verdict = services.brought_badges.judge(badge_id)
    if verdict is not None:
        with process.unit_of_work() as services:
            services.brought_badges.note(badge_id, verdict)
    return False


def _due(process: Process) -> Sequence[uuid.UUID]:
    return _looking.due(process)


# One at a time: whoever is asked may be slow, and nobody waits for the answer.
BROUGHT_BADGES = Kind("brought-badge", _due, _judge, at_once=1)
