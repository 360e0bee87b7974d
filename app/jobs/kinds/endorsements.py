"""Endorsements signed elsewhere as promises: each is checked again when its time has come, one at a time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.container import Process
from app.jobs.looking import Looking
from app.jobs.promises import MOST_DUE, Kind

_looking = Looking(lambda services: services.endorsements_checked_again.due(limit=MOST_DUE))


def _check(process: Process, endorsement_id: uuid.UUID) -> bool:
    """Others are asked without a transaction that anybody waits for."""
    with process.unit_of_work(reading=True) as services:
        answer = services.endorsements_checked_again.judge(endorsement_id)
    if answer is not None:
        with process.unit_of_work() as services:
            services.endorsements_checked_again.note(endorsement_id, answer)
    return False


def _due(process: Process) -> Sequence[uuid.UUID]:
    return _looking.due(process)


# One at a time: whoever is asked may be slow, and nobody waits for the answer.
ENDORSEMENTS = Kind("endorsement", _due, _check, at_once=1)
