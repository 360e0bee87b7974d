"""Bulk awards: progress, outcome of each line, undo before delivery."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.db.activities import ActivityStore
from app.db.awards import AwardStore
from app.db.awards.batches import BatchStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.people import is_known_at
from app.db.engine.row_level_security import TenantScope
from app.db.messages import LetterStore
from app.domain.activities import Activity, homonym_of
from app.domain.awards import Award, LineOutcome, undo
from app.domain.awards.batches import (
    CHUNK_SIZE,
    INLINE_LIMIT,
    TAKEN_BACK,
    AwardBatch,
    BatchLine,
    BatchState,
    begin,
    cancel,
    check_hour,
    check_same_request,
    finish,
    hand_over,
    keep_from_workers,
    key_of_earlier_program,
)
from app.domain.awards.batches import undo as undo_batch
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Handed
from app.errors import InvalidInput
from app.language import N_
from app.services.activity_log import LoggedEvents
from app.services.awards.award_context import (
    AwardContext,
    AwardRequest,
    CheckedLine,
    answered_line,
    waiting_line,
)
from app.services.awards.award_issuer import AwardIssuer, StoredAwards, Unfit
from app.services.awards.eligibility import EligibilityService
from app.services.publishing.status import StatusService

# --- What the list of a bulk award brought with it, and its removal when the award is undone

REMOVED_AT_ONCE = 10
"""Participations removed in one transaction, which holds the campus: each person is a whole erasure."""
REMOVED_INLINE = 5
"""The same, where a person waits for the answer."""
REMOVED = N_("Inscrite par une attribution annulée.")
"""Reason logged for a participation that only an undone award brought."""


@dataclass(frozen=True)
class ListAdditions:
    """`people` have no trace besides this list; `participations` include theirs."""

    people: int = 0
    participations: int = 0


@dataclass(frozen=True, eq=False)
class ListAdditionService:
    """A person with any other trace (another activity, another badge, an account, a role) always stays.

    `forget` erases a person without other traces; False where there were any. `tenant_scope`: another
    campus may know the person.
    """

    batches: BatchStore
    activities: ActivityStore
    logged_events: LoggedEvents
    forget: Callable[[Campus, uuid.UUID, uuid.UUID, str, Actor], bool]
    tenant_scope: TenantScope

    def count(self, batch: AwardBatch) -> ListAdditions:
        if batch.activity_id is None:
            return ListAdditions()
        with self.tenant_scope.across_campuses():
            return ListAdditions(*self.batches.count_added(batch))

    def remove_some(
        self, campus: Campus, batch: AwardBatch, *, by: Actor, limit: int = REMOVED_AT_ONCE
    ) -> bool:
        """Removes the next ones; returns whether more remain. None of an activity that another campus organises by now."""
        activity = self.activities.find(batch.activity_id) if batch.activity_id else None
        if activity is None or not self.activities.is_organised_by(activity.id, campus.id):
            return False
        found = self.batches.additions(batch, limit=limit)
        for participation in found:
            participation.is_present = False
        self.logged_events.log_participation(activity, found, REMOVED)
        people, batch_id = 0, batch.id
        with self.tenant_scope.across_campuses():
            alone = self.batches.added_alone(batch, [each.person_id for each in found])
            for person_id, participation in [(each.person_id, each) for each in found]:
                self.batches.remove(participation)
                people += person_id in alone and self.forget(campus, person_id, batch_id, REMOVED, by)
        # Erasing a person expires every row of the session.
        batch.removed_participations += len(found)
        batch.removed_people += people
        return len(found) == limit


# --- batches

UNDONE = N_("Annulé avant d’avoir été remis.")
"""Reason logged for an award revoked before delivery."""


@dataclass(frozen=True)
class BatchResult:
    batch: AwardBatch
    lines: Sequence[BatchLine]
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    generations: dict[uuid.UUID, int] = field(default_factory=dict)

    def with_outcome(self, *outcomes: LineOutcome) -> list[BatchLine]:
        return [line for line in self.lines if line.outcome in outcomes]

    @property
    def refused(self) -> list[BatchLine]:
        return [line for line in self.lines if line.outcome.is_refused]


@dataclass(frozen=True)
class BatchOverview:
    """Outcome counts without the lines, of which there may be 100,000."""

    batch: AwardBatch
    counts: Mapping[LineOutcome, int]
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    withdrawn: int
    """Number of awards revoked after delivery."""

    def count(self, *outcomes: LineOutcome) -> int:
        return sum(self.counts.get(each, 0) for each in outcomes)


@dataclass(frozen=True)
class PlannedBadge:
    """A bulk award as listed, without loading its lines."""

    batch: AwardBatch
    version: BadgeVersion


@dataclass(frozen=True)
class Progress:
    batch: AwardBatch
    counts: Mapping[LineOutcome, int]
    latest: Sequence[BatchLine] = ()
    standing: int = 0  # Awards still to undo, of a batch that is being undone.

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def answered(self) -> int:
        return self.total - self.counts.get(LineOutcome.READY, 0)

    @property
    def awarded(self) -> int:
        return self.counts.get(LineOutcome.AWARDED, 0)


@dataclass(frozen=True, eq=False)
class AwardBatchService:
    campuses: CampusStore
    batches: BatchStore
    badges: BadgeStore
    activities: ActivityStore
    awards: AwardStore
    letters: LetterStore
    history: HistoryStore
    status: StatusService
    logged_events: LoggedEvents
    additions: ListAdditionService
    clock: Clock

    def free_key(self, campus: Campus, key: str, endings: Sequence[str] = ("",)) -> str:
        """The key of a new request of a person: `key` itself, unless what it stood for was taken back."""
        tried = (key if n == 1 else f"{key}.{n}" for n in itertools.count(1))
        return next(
            one for one in tried if not any(self.was_taken_back(campus, one + end) for end in endings)
        )

    def was_taken_back(self, campus: Campus, key: str) -> bool:
        batch = self.batches.find_by_key(campus.id, key)
        return batch is not None and batch.state in TAKEN_BACK

    # --- undo

    def undo(
        self, campus: Campus, batch_id: uuid.UUID, *, by: Actor, with_additions: bool = False
    ) -> AwardBatch:
        """Undo the whole batch before delivery; awards already signed are revoked chunk by chunk.

        `with_brought`: then also remove the people and participations that only its list brought.
        """
        batch = self._locked(campus, batch_id)
        before = batch.state
        undo_batch(batch, at=self.clock())
        if batch.state is not before:
            batch.removes_brought = with_additions
            self._write(by, "undo", batch)
        self.batches.save(batch)
        return batch

    def due_to_undo(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.batches.due_to_undo(limit=limit)

    def undo_chunk(self, batch_id: uuid.UUID, *, removes: int = REMOVED_AT_ONCE) -> bool:
        """Revoke the next awards of a batch being undone; returns whether more remain.

        `removes`: how many of the participations that its list brought are removed at most.
        """
        batch = self.batches.find(batch_id)
        if batch is None:
            return False
        campus, at = self.campuses.lock(batch.campus_id), self.clock()
        batch = self.batches.lock(batch_id)
        if batch is None or batch.state is not BatchState.UNDOING:
            return False
        awards = self.batches.standing_awards(batch_id, CHUNK_SIZE)
        for award in awards:
            undo(award, at=at)
        self.awards.save(*awards)
        ids = [award.id for award in awards]
        self.status.raise_for(campus, ids, at=at)
        self.logged_events.withdrawn(campus, awards, UNDONE)
        self.letters.cancel_waiting(ids)
        by = Actor(label=f"undo of {batch.id}")
        self.history.write_all(by, "undo", "award", ids, at=at, campus_id=campus.id, batch=str(batch.id))
        more = len(awards) == CHUNK_SIZE
        if not more and batch.removes_brought:
            more = self.additions.remove_some(campus, batch, by=by, limit=removes)
        if not more:
            batch.state = BatchState.UNDONE
            if batch.removed_participations:
                removed = {"people": batch.removed_people, "participations": batch.removed_participations}
                self.history.write(
                    by, "remove_brought", "award_batch", batch.id, at=at, campus_id=campus.id, **removed
                )
        self.batches.save(batch)
        if not more:
            self.badges.release_text(self.badges.get_version_by_id(batch.version_id))
        return more

    def take_back(
        self, campus: Campus, batch_id: uuid.UUID, *, by: Actor, with_additions: bool = False
    ) -> AwardBatch:
        """Cancel it before its scheduled time, undo it afterwards."""
        self.campuses.lock(campus.id)
        self.awards.lock_all(self.batches.standing_ids(batch_id, CHUNK_SIZE), campus.id)  # as who claims them
        if self._locked(campus, batch_id).state is BatchState.PLANNED:
            return self.cancel(campus, batch_id, by=by)
        batch = self.undo(campus, batch_id, by=by, with_additions=with_additions)
        if sum(self.batches.counts(batch_id).values()) <= INLINE_LIMIT:
            self.undo_chunk(batch_id, removes=REMOVED_INLINE)
        return batch

    def cancel(self, campus: Campus, batch_id: uuid.UUID, *, by: Actor) -> AwardBatch:
        """Only before its scheduled time."""
        self.campuses.lock(campus.id)  # Another batch may be awarding, and freezing, the same version.
        batch = self._locked(campus, batch_id)
        cancel(batch)
        self.batches.save(batch)
        self.badges.release_text(self.badges.get_version_by_id(batch.version_id))
        self._write(by, "cancel", batch)
        return batch

    def hand_over(self, campus: Campus, batch_id: uuid.UUID, *, by: Actor) -> AwardBatch:
        """Confirmed by the trainer: links, files and e-mails may be delivered now."""
        batch = self._locked(campus, batch_id)
        hand_over(batch, at=self.clock())
        self.batches.save(batch)
        self.letters.release(batch.id, not_before=self.clock())
        self._write(by, "hand_over", batch)
        return batch

    def _locked(self, campus: Campus, batch_id: uuid.UUID) -> AwardBatch:
        self.batches.get(batch_id, campus.id)
        batch = self.batches.lock(batch_id)
        assert batch is not None, "batch rows are never deleted"
        return batch

    def _write(self, by: Actor, action: str, batch: AwardBatch) -> None:
        self.history.write(by, action, "award_batch", batch.id, at=self.clock(), campus_id=batch.campus_id)

    # --- queries

    def numbers_of(self, batch: AwardBatch, lines: Sequence[BatchLine]) -> dict[uuid.UUID | None, int]:
        """By participation, the number that disambiguates people of one name and no address."""
        ids = [line.participation_id for line in lines if line.participation_id]
        if batch.activity_id is None or not ids:
            return {}
        names = {
            part.id: part.line_key.partition("#")[0]
            for part, _ in self.activities.participants_among(batch.activity_id, participation_ids=ids)
        }
        seconds = [f"{name}#2" for name in set(names.values()) if name.startswith("|")]
        numbered = self.activities.participants_among(batch.activity_id, line_keys=seconds)
        shared = {part.line_key.partition("#")[0] for part, _ in numbered}
        wanted = [part_id for part_id, name in names.items() if name in shared]
        there = self.activities.participants_among(batch.activity_id, participation_ids=wanted)
        return {part.id: homonym_of(part) for part, _ in there}

    def result(self, campus: Campus, batch_id: uuid.UUID) -> BatchResult:
        batch = self.batches.get(batch_id, campus.id)
        version = self.badges.get_version_by_id(batch.version_id)
        lines = self.batches.lines_of(batch.id)
        generations = self.awards.generations_of([line.award_id for line in lines if line.award_id])
        activity = self.activities.find(batch.activity_id) if batch.activity_id else None
        return BatchResult(batch, lines, self.badges.get(version.badge_id), version, activity, generations)

    def overview(self, campus: Campus, batch_id: uuid.UUID) -> BatchOverview:
        batch = self.batches.get(batch_id, campus.id)
        badge, version = self.badge_of(batch)
        activity = self.activities.find(batch.activity_id) if batch.activity_id else None
        return BatchOverview(
            batch,
            self.batches.counts(batch.id),
            badge,
            version,
            activity,
            self.awards.count_withdrawn(batch.id),
        )

    def first_lines(
        self, batch: AwardBatch, outcomes: Collection[LineOutcome], limit: int
    ) -> Sequence[BatchLine]:
        return self.batches.lines_with(batch.id, outcomes, limit=limit)

    def lines_in_turn(
        self, batch: AwardBatch, outcomes: Collection[LineOutcome], *, at_a_time: int = CHUNK_SIZE
    ) -> Iterator[Sequence[BatchLine]]:
        """All lines with one of these outcomes, in chunks that bound memory."""
        after = -1
        while some := self.batches.lines_with(batch.id, outcomes, after=after, limit=at_a_time):
            yield some
            after = some[-1].position

    def withdrawn_among(self, lines: Sequence[BatchLine]) -> dict[uuid.UUID | None, Award]:
        """Among the awards of these lines, those revoked since."""
        found = self.awards.withdrawn_among([line.award_id for line in lines if line.award_id])
        return {award.id: award for award in found}

    def additions_of(self, campus: Campus, batch_id: uuid.UUID) -> ListAdditions:
        """What undoing the batch could remove besides its awards."""
        return self.additions.count(self.batches.get(batch_id, campus.id))

    def delivery_counts(self, campus: Campus, batch_id: uuid.UUID) -> dict[Handed, int]:
        return self.awards.delivery_counts(self.batches.get(batch_id, campus.id).id)

    def progress(self, campus: Campus, batch_id: uuid.UUID, *, latest: int = 0) -> Progress:
        batch, counts = self.batches.get(batch_id, campus.id), self.batches.counts(batch_id)
        lines = self.batches.latest_lines(batch_id, latest) if latest else ()
        standing = self.batches.count_standing(batch_id) if batch.state is BatchState.UNDOING else 0
        return Progress(batch, counts, lines, standing)

    def badge_of(self, batch: AwardBatch) -> tuple[Badge, BadgeVersion]:
        version = self.badges.get_version_by_id(batch.version_id)
        return self.badges.get(version.badge_id), version

    def withheld(self, award_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these awards that may still be undone: their links and files must not be delivered."""
        return self.batches.withheld(award_ids, at=self.clock())

    def unfinished(self, campus: Campus) -> list[PlannedBadge]:
        """Scheduled, running or being undone; oldest first."""
        return self._with_badges(self.batches.list_unfinished(campus.id))

    def of_activity(self, campus: Campus, activity_id: uuid.UUID, *, limit: int = 20) -> list[PlannedBadge]:
        """Latest first."""
        return self._with_badges(self.batches.list_for_activity(activity_id, campus.id, limit))

    def _with_badges(self, batches: Sequence[AwardBatch]) -> list[PlannedBadge]:
        return [PlannedBadge(batch, self.badges.get_version_by_id(batch.version_id)) for batch in batches]


@dataclass(frozen=True)
class ChunkResult:
    """Result of one chunk."""

    more: bool
    awarded: int = 0
    trouble: InvalidInput | None = None
    """The fault of a line that could not be signed."""


@dataclass(frozen=True)
class _Enqueued:
    """A batch that this unit of work enqueued, with its campus locked: what was read and written for it still holds."""

    batch: AwardBatch
    case: AwardContext
    ready: Sequence[BatchLine] | None
    """None where they are many, or written by the database alone."""


@dataclass(frozen=True, eq=False)
class BulkAwardService:
    campuses: CampusStore
    batches: BatchStore
    history: HistoryStore
    eligibility: EligibilityService
    issuer: AwardIssuer
    clock: Clock
    _enqueued: dict[uuid.UUID, _Enqueued] = field(default_factory=dict, init=False)

    # --- enqueueing

    def enqueue(
        self,
        campus: Campus,
        request: AwardRequest,
        *,
        by: Actor,
        undo_for: timedelta = timedelta(),
        not_before: datetime | None = None,
    ) -> AwardBatch:
        """Store every line of the request, to be processed now or from a scheduled time. Idempotent."""
        campus = self.campuses.lock(campus.id)
        before = self._enqueued_before(campus, request)
        if before is not None:
            return before
        if not_before is not None:
            check_hour(not_before, at=self.clock())
        case = self.eligibility.case(campus, request, by)
        if case.activity is not None:
            # Who was there is decided on as it is read here.
            self.eligibility.activities.lock(case.activity.id)
        batch = _batch_of(case, request, by, self.clock(), undo_for, not_before)
        self.batches.add(batch)
        if case.activity is not None and request.means_everybody:
            self.batches.add_everybody(batch.id, case.activity.id, is_known_at(campus.id))
            ready = None
        else:
            ready = self._add_lines(case, batch, request)
        if not_before is not None or ready is None:
            self.issuer.badge_service.fix_text(campus, case.badge, case.version)
        if not_before is not None:
            self._write(by, "plan", batch)
        self._enqueued[batch.id] = _Enqueued(batch, case, ready)
        return batch

    def _add_lines(
        self, case: AwardContext, batch: AwardBatch, request: AwardRequest
    ) -> Sequence[BatchLine] | None:
        """Those that are ready, if all are few enough to be processed at once."""
        position, ready = itertools.count(), list[BatchLine]()
        for found, answered in self.eligibility.meant_in_turn(case, request):
            waiting = [waiting_line(batch, next(position), one) for one in found]
            lines = [answered_line(batch, next(position), line) for line in answered]
            self.batches.add_lines([*waiting, *lines])
            ready += waiting[: INLINE_LIMIT + 1 - len(ready)]
        return ready if len(ready) <= INLINE_LIMIT else None

    def _enqueued_before(self, campus: Campus, request: AwardRequest) -> AwardBatch | None:
        if request.idempotency_key is None:
            return None
        batch = self.batches.find_by_key(campus.id, request.idempotency_key)
        earlier = key_of_earlier_program(request.idempotency_key) if batch is None else None
        if earlier is not None:
            before = self.batches.find_by_key(campus.id, earlier)
            batch = before if before and before.requested_by is None and not before.by_review else None
        if batch is not None:
            check_same_request(batch, request.digest())
        return batch

    def is_long(self, batch: AwardBatch) -> bool:
        """Too long to process within the request."""
        if (enqueued := self._enqueued.get(batch.id)) and enqueued.ready is not None:
            return False
        return len(self.batches.next_lines(batch.id, INLINE_LIMIT + 1)) > INLINE_LIMIT

    # --- processing

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.batches.due(at=self.clock(), limit=limit)

    def process_chunk(
        self, batch_id: uuid.UUID, *, most: int | None = None, is_awaited: bool = False
    ) -> ChunkResult:
        """Process the next chunk atomically: small enough not to delay others, or `most` lines. Idempotent.

        `is_awaited`: the caller processes the whole batch; workers skip it meanwhile.
        """
        most = most or self.batches.lines_at_once
        enqueued = self._enqueued.pop(batch_id, None)
        if enqueued is not None:
            campus, batch, ready = enqueued.case.campus, enqueued.batch, enqueued.ready
        elif found := self.batches.find(batch_id):
            campus = self.campuses.lock(found.campus_id)  # Batches of one campus are decided serially.
            batch, ready = self.batches.lock(batch_id) or found, None
        else:
            return ChunkResult(more=False)
        begin(batch, at=self.clock())
        if batch.state is not BatchState.RUNNING:
            return ChunkResult(more=False)
        lines = self.batches.next_lines(batch_id, most) if ready is None else ready[:most]
        done = ChunkResult(more=False)
        if lines and enqueued is not None:
            done = self._process(self.eligibility.case_now(enqueued.case, batch), batch, lines, most)
        elif lines:
            done = self._process(self.eligibility.case_of(campus, batch), batch, lines, most)
        if not done.more:
            finish(batch, at=self.clock())
        elif is_awaited:
            keep_from_workers(batch, at=self.clock())
        self.batches.save(batch)
        if not done.more and not done.awarded:
            badges = self.issuer.badge_service.badges
            badges.release_text(badges.get_version_by_id(batch.version_id))
        return done

    def _process(
        self, case: AwardContext, batch: AwardBatch, lines: Sequence[BatchLine], most: int
    ) -> ChunkResult:
        checked = self.eligibility.decide(
            case, lines, given=lambda people: self.batches.given_in_batch(batch.id, people)
        )
        ready = [line for line in checked if line.eligibility.is_ready]
        is_last = len(lines) < most
        decided = self.issuer.decide(case, batch, ready, is_last=is_last)
        fate = iter(decided.kept)
        answers = [
            _answer(line, one, next(fate) if one.eligibility.is_ready else None)
            for line, one in zip(lines, checked, strict=True)
        ]
        self.batches.answer(batch.id, answers)
        self.issuer.sign(decided)
        unfit = [each.trouble for each in decided.kept if isinstance(each, Unfit)]
        return ChunkResult(not is_last, len(decided.awards), unfit[0] if unfit else None)

    def _write(self, by: Actor, action: str, batch: AwardBatch) -> None:
        self.history.write(by, action, "award_batch", batch.id, at=self.clock(), campus_id=batch.campus_id)


def _batch_of(
    case: AwardContext,
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


def _answer(line: BatchLine, checked: CheckedLine, kept: StoredAwards | None) -> dict[str, Any]:
    outcome, sentence = checked.eligibility.outcome, checked.eligibility.sentence
    values: dict[str, Any] = checked.eligibility.values or {}
    award_id = checked.held.id if checked.held and outcome is LineOutcome.ALREADY_HELD else None
    if isinstance(kept, Unfit):
        outcome, sentence, values = LineOutcome.UNREADABLE, kept.trouble.sentence, kept.trouble.values
    elif kept is not None:
        outcome, award_id = LineOutcome.AWARDED, kept
    answer = {"position": line.position, "outcome": outcome, "award_id": award_id}
    if sentence or values:
        answer |= {"reason": sentence, "reason_values": values}
    if checked.person is not None and checked.person.id != line.person_id:
        answer["person_id"] = checked.person.id
    return answer
