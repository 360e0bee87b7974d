"""Bulk awards: promised in one transaction, carried out piece by piece."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db.awards.batches import BatchStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.domain.awards.awards import LineOutcome
from app.domain.awards.batches import (
    AT_ONCE,
    AwardBatch,
    BatchLine,
    BatchState,
    begin,
    check_hour,
    check_same_request,
    finish,
    keep_from_workers,
    told_of,
)
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.core.columns import new_row
from app.errors import InvalidInput
from app.services.awards.issuing.awarding import Judging
from app.services.awards.issuing.cases import AwardRequest, Case, Found, JudgedLine
from app.services.awards.issuing.keeping import AwardKeeping, Kept, Unfit


@dataclass(frozen=True)
class Piece:
    """What one piece came to."""

    more: bool
    awarded: int = 0
    trouble: InvalidInput | None = None
    """Of some line that could not be signed."""


class BulkAwardService:
    def __init__(
        self,
        campuses: CampusStore,
        batches: BatchStore,
        history: HistoryStore,
        judging: Judging,
        keeping: AwardKeeping,
        clock: Clock,
    ) -> None:
        self.campuses = campuses
        self.batches = batches
        self.history = history
        self.judging = judging
        self.keeping = keeping
        self.clock = clock

    # --- promising

    def promise(
        self,
        campus: Campus,
        request: AwardRequest,
        *,
        by: Actor,
        undo_for: timedelta = timedelta(),
        not_before: datetime | None = None,
    ) -> AwardBatch:
        """Keep every line of the request, to be carried out from now on or from an hour that is told. Safe to repeat."""
        self.campuses.lock(campus.id)
        before = self._promised_before(campus, request)
        if before is not None:
            return before
        if not_before is not None:
            check_hour(not_before, at=self.clock())
        case = self.judging.case(campus, request, by)
        batch = _batch_of(case, request, by, self.clock(), undo_for, not_before)
        self.batches.add(batch)
        if case.activity is not None and request.means_everybody:
            self.batches.add_everybody(batch.id, case.activity.id)
        else:
            self._add_lines(case, batch, request)
        if not_before is not None:
            self._write(by, "plan", batch)
        return batch

    def _add_lines(self, case: Case, batch: AwardBatch, request: AwardRequest) -> None:
        position = itertools.count()
        for found, answered in self.judging.meant_in_turn(case, request):
            lines = [_waiting(batch, next(position), one) for one in found]
            lines += [_answered(batch, next(position), line) for line in answered]
            self.batches.add_lines(lines)

    def _promised_before(self, campus: Campus, request: AwardRequest) -> AwardBatch | None:
        if request.idempotency_key is None:
            return None
        batch = self.batches.find_by_key(campus.id, request.idempotency_key)
        if batch is not None:
            check_same_request(batch, request.digest())
        return batch

    def is_long(self, batch: AwardBatch) -> bool:
        """Too long to be carried out while somebody waits."""
        return len(self.batches.next_lines(batch.id, AT_ONCE + 1)) > AT_ONCE

    # --- carrying out

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.batches.due(at=self.clock(), limit=limit)

    def carry_out(self, batch_id: uuid.UUID, *, most: int | None = None, is_awaited: bool = False) -> Piece:
        """The next lines of a promise, all of them or none; whoever comes second finds them done.

        `most`: by itself as many as let others have their turn soon. `is_awaited`: whoever asks goes on until it is done,
        and workers leave it alone meanwhile.
        """
        most = most or self.batches.lines_at_once
        batch = self.batches.find(batch_id)
        if batch is None:
            return Piece(more=False)
        campus = self.campuses.lock(
            batch.campus_id
        )  # Two promises of a campus are decided one after the other.
        batch = self.batches.lock(batch_id)
        assert batch is not None, "promises are for ever"
        begin(batch, at=self.clock())
        if batch.state is not BatchState.RUNNING:
            return Piece(more=False)
        lines = self.batches.next_lines(batch_id, most)
        piece = self._carry_out(campus, batch, lines, most) if lines else Piece(more=False)
        if not piece.more:
            finish(batch, at=self.clock())
        elif is_awaited:
            keep_from_workers(batch, at=self.clock())
        self.batches.save(batch)
        return piece

    def _carry_out(self, campus: Campus, batch: AwardBatch, lines: Sequence[BatchLine], most: int) -> Piece:
        case = self.judging.case_of(campus, batch)
        judged = self.judging.decide(
            case, lines, given=lambda people: self.batches.given_in_batch(batch.id, people)
        )
        ready = [line for line in judged if line.judgement.is_ready]
        is_last = len(lines) < most
        decided = self.keeping.decide(case, batch, ready, is_last=is_last)
        fate = iter(decided.kept)
        answers = [
            _answer(line, one, next(fate) if one.judgement.is_ready else None)
            for line, one in zip(lines, judged, strict=True)
        ]
        self.batches.answer(batch.id, answers)
        self.keeping.sign(decided)
        unfit = [each.trouble for each in decided.kept if isinstance(each, Unfit)]
        return Piece(not is_last, len(decided.awards), unfit[0] if unfit else None)

    def _write(self, by: Actor, deed: str, batch: AwardBatch) -> None:
        self.history.write(by, deed, "award_batch", batch.id, at=self.clock(), campus_id=batch.campus_id)


def _batch_of(
    case: Case,
    request: AwardRequest,
    by: Actor,
    at: datetime,
    undo_for: timedelta,
    not_before: datetime | None,
) -> AwardBatch:
    return AwardBatch(
        campus_id=case.campus.id,
        activity_id=case.activity.id if case.activity else None,
        version_id=case.version.id,
        requested_by=by.person_id,
        actor_label=by.label,
        requested_at=at,
        idempotency_key=request.idempotency_key,
        request_digest=request.digest(),
        evidence=request.evidence,
        grounds={} if request.grounds is None else {"of": sorted(map(str, request.grounds))},
        tells=request.tells,
        by_review=request.by_review,
        state=BatchState.PLANNED if not_before else BatchState.RUNNING,
        not_before=not_before,
        undo_seconds=int(undo_for.total_seconds()),
    )


def _waiting(batch: AwardBatch, position: int, found: Found) -> BatchLine:
    line, participation, person = found
    # Only those chosen in the activity have no number of their own in a list.
    chosen = participation if participation is not None and line.line == 0 else None
    return new_row(
        BatchLine,
        batch_id=batch.id,
        position=position,
        outcome=LineOutcome.READY,
        given_name=line.given_name[:400],
        family_name=line.family_name[:400],
        address=line.address[:400],
        told=told_of(line),
        person_id=person.id if person else None,
        participation_id=chosen.id if chosen else None,
    )


def _answered(batch: AwardBatch, position: int, judged: JudgedLine) -> BatchLine:
    row = _waiting(batch, position, (judged.line, None, None))
    row.outcome = judged.judgement.outcome
    row.reason, row.reason_values = judged.judgement.sentence, judged.judgement.values or {}
    return row


def _answer(line: BatchLine, judged: JudgedLine, kept: Kept | None) -> dict[str, Any]:
    outcome, sentence = judged.judgement.outcome, judged.judgement.sentence
    values: dict[str, Any] = judged.judgement.values or {}
    award_id = judged.held.id if judged.held and outcome is LineOutcome.ALREADY_HELD else None
    if isinstance(kept, Unfit):
        outcome, sentence, values = LineOutcome.UNREADABLE, kept.trouble.sentence, kept.trouble.values
    elif kept is not None:
        outcome, award_id = LineOutcome.AWARDED, kept
    answer = {"position": line.position, "outcome": outcome, "award_id": award_id}
    if sentence or values:
        answer |= {"reason": sentence, "reason_values": values}
    if judged.person is not None and judged.person.id != line.person_id:
        answer["person_id"] = judged.person.id
    return answer
