"""Bulk awards, their undoing, and bulk withdrawals: each piece is one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from app.container import Process, Services
from app.jobs.promises import MOST_DUE, Kind


def _looking(due: Callable[[Services], Sequence[uuid.UUID]]) -> Callable[[Process], Sequence[uuid.UUID]]:
    def look(process: Process) -> Sequence[uuid.UUID]:
        with process.unit_of_work(reading=True) as services:
            return due(services)

    return look


def _in_one_transaction(
    piece: Callable[[Services, uuid.UUID], bool],
) -> Callable[[Process, uuid.UUID], bool]:
    def perform(process: Process, row_id: uuid.UUID) -> bool:
        with process.unit_of_work() as services:
            return piece(services, row_id)

    return perform


AWARDS = Kind(
    "award",
    _looking(lambda services: services.bulk_awards.due(limit=MOST_DUE)),
    _in_one_transaction(lambda services, batch: services.bulk_awards.carry_out(batch).more),
)
UNDOINGS = Kind(
    "undo",
    _looking(lambda services: services.award_batches.due_to_undo(limit=MOST_DUE)),
    _in_one_transaction(lambda services, batch: services.award_batches.undo_piece(batch)),
)
WITHDRAWALS = Kind(
    "withdraw",
    _looking(lambda services: services.withdrawals.due(limit=MOST_DUE)),
    _in_one_transaction(lambda services, withdrawal: services.withdrawals.carry_out(withdrawal)),
)
