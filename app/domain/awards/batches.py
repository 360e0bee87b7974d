"""Bulk awards and bulk revocations: requests processed line by line, with the outcome of each line."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import PartKind
from app.domain.activities.listed_people import KNOWN, ListedPerson
from app.domain.awards import LineOutcome
from app.domain.core import (
    enum_column,
    foreign_key,
    index_where,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.errors import Conflict, InvalidInput
from app.language import N_

INLINE_LIMIT = 50
"""Batches up to this many lines are processed in the request that creates them."""
CHUNK_SIZE = 1_000
"""How many lines are processed in one transaction."""
A_PIECE_OF_ONE_WRITER = 400
A_PIECE_BESIDE_OTHERS = 100
"""The same on SQLite, where each writing transaction blocks all others: without and with other writers."""
FARTHEST = timedelta(days=366)
_UNTIL_THE_LAST_PIECE = timedelta(minutes=3)
_UNTIL_WORKERS_COME = timedelta(minutes=1)


class BatchState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    """Before its planned time."""
    UNDOING = "undoing"
    UNDONE = "undone"


TAKEN_BACK: Final = frozenset((BatchState.CANCELLED, BatchState.UNDOING, BatchState.UNDONE))


class AwardBatch(SQLModel, table=True):
    """One bulk award, from a trainer or from one API request: its parameters and outcome.

    Its awards are delivered `undo_seconds` after it is done, and not before `undo_until`.
    """

    __tablename__ = "award_batch"
    __table_args__ = (
        UniqueConstraint("campus_id", "idempotency_key", name="one_batch_per_idempotency_key"),
        Index("batches_to_carry_out", "state", "not_before"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    activity_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("activity", nullable=True))
    version_id: uuid.UUID = Field(sa_column=foreign_key("badge_version"))
    requested_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    requested_at: datetime = Field(sa_column=utc_datetime())
    idempotency_key: str | None = Field(default=None, max_length=200)
    request_digest: str = Field(default="", max_length=64)
    actor_label: str = Field(default="", max_length=120)
    evidence: str = Field(default="", max_length=4000)
    grounds: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """`of`: the activities and log entries that the awarder chose; empty if the badge's rule decides."""
    tells: bool = True
    """Whether recipients are notified."""
    by_review: bool = False
    """Decided by the reviewers of a request, who need not be trainers."""
    state: BatchState = Field(
        default=BatchState.RUNNING, sa_column=enum_column(BatchState, name="batch_state")
    )
    not_before: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    undo_seconds: int = 0
    done_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    undo_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    removes_brought: bool = False
    """Whether undoing it also removes the people and participations that only its list brought."""
    removed_people: int = 0
    removed_participations: int = 0


class BatchLine(SQLModel, table=True):
    """One line. READY is not yet processed; `person_id` is the recipient, if known.

    `reason` is a French msgid; `reason_values` are facts, formatted when it is displayed (`in_words`).
    """

    __tablename__ = "award_batch_line"
    __table_args__ = (
        Index("lines_to_carry_out", "batch_id", "outcome", "position"),
        index_where("ix_award_batch_line_award_id", "award_id", known="award_id"),
    )
    batch_id: uuid.UUID = Field(sa_column=primary_foreign_key("award_batch"))
    position: int = Field(primary_key=True)
    outcome: LineOutcome = Field(sa_column=enum_column(LineOutcome, name="line_outcome"))
    reason: str = Field(default="", max_length=300)
    reason_values: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    given_name: str = Field(default="", max_length=400)
    family_name: str = Field(default="", max_length=400)
    address: str = Field(default="", max_length=400)
    told: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    award_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("award", nullable=True, index=False)
    )
    person_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    participation_id: uuid.UUID | None = None
    """Of a person chosen among those recorded in the activity; no new participation is recorded."""


class WithdrawalState(StrEnum):
    RUNNING = "running"
    DONE = "done"


class WithdrawalOutcome(StrEnum):
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"
    ALREADY = "already"
    ABSENT = "absent"


class Withdrawal(SQLModel, table=True):
    """A request to revoke many awards for one reason."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        UniqueConstraint("campus_id", "idempotency_key", name="one_withdrawal_per_idempotency_key"),
        Index("withdrawals_to_carry_out", "state", "requested_at"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    reason: str = Field(max_length=500)
    requested_by: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    actor_label: str = Field(default="", max_length=120)
    requested_at: datetime = Field(sa_column=utc_datetime())
    idempotency_key: str | None = Field(default=None, max_length=200)
    request_digest: str = Field(default="", max_length=64)
    state: WithdrawalState = Field(
        default=WithdrawalState.RUNNING, sa_column=enum_column(WithdrawalState, name="withdrawal_state")
    )
    done_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class WithdrawalLine(SQLModel, table=True):
    """`award_id` as requested, whether or not such an award exists here."""

    __tablename__ = "withdrawal_line"
    withdrawal_id: uuid.UUID = Field(sa_column=primary_foreign_key("withdrawal"))
    position: int = Field(primary_key=True)
    award_id: uuid.UUID
    outcome: WithdrawalOutcome = Field(
        default=WithdrawalOutcome.WAITING, sa_column=enum_column(WithdrawalOutcome, name="withdrawal_outcome")
    )


class TooLate(Conflict): ...


_OF_PROGRAMS: Final = "api/"
"""Apart from the keys of our own work, as of a request (`request/…`) or a pathway (`pathway/…`)."""
_LONGEST_OF_PAGES: Final = 128


def key_of_program(given: str) -> str:
    """As stored: the key that a client of the API chose."""
    return f"{_OF_PROGRAMS}{given}"


def key_of_earlier_program(stored: str) -> str | None:
    """As earlier versions stored it; None for the key of a page or of our own work."""
    return stored.removeprefix(_OF_PROGRAMS) if stored.startswith(_OF_PROGRAMS) else None


def key_of_page(given: str) -> str | None:
    """As stored: the key that a form sent back; those that our pages make have no slash."""
    return given[:_LONGEST_OF_PAGES].replace("/", "-") or None


def check_same_request(batch: AwardBatch | Withdrawal, request_digest: str) -> None:
    """An idempotency key identifies one request only (T45)."""
    if batch.request_digest != request_digest:
        raise InvalidInput("Cette clé d’idempotence a déjà servi pour une autre demande.")


def check_hour(not_before: datetime, *, at: datetime) -> None:
    if not_before <= at:
        raise InvalidInput("Cette date est passée : choisissez-en une à venir, ou attribuez maintenant.")
    if not_before - at > FARTHEST:
        raise InvalidInput("On n’attribue pas plus d’un an à l’avance.")


def may_be_undone(batch: AwardBatch, *, at: datetime) -> bool:
    if batch.state is BatchState.RUNNING:
        return batch.undo_seconds > 0
    return batch.state is BatchState.DONE and batch.undo_until is not None and at < batch.undo_until


def is_handed_over(batch: AwardBatch | None, *, at: datetime) -> bool:
    """Whether links, files and e-mails of its awards may be delivered."""
    if batch is None:
        return True
    return batch.state is BatchState.DONE and (batch.undo_until is None or at >= batch.undo_until)


def leave_from(batch: AwardBatch, *, at: datetime, is_last: bool) -> datetime:
    """When e-mails about a chunk processed at `at` may leave: after the undo period the last chunk starts.

    Earlier chunks get some extra time, so that their e-mails need no rescheduling when the last one is done;
    if that takes longer, the sender checks `is_handed_over`.
    """
    return at + timedelta(seconds=batch.undo_seconds) + (timedelta() if is_last else _UNTIL_THE_LAST_PIECE)


def begin(batch: AwardBatch, *, at: datetime) -> None:
    """Starts the batch if its planned time has come."""
    if batch.state is BatchState.PLANNED and (batch.not_before is None or batch.not_before <= at):
        batch.state = BatchState.RUNNING


def keep_from_workers(batch: AwardBatch, *, at: datetime) -> None:
    """A request is processing the batch and renews this with each chunk; workers take over if it stops."""
    batch.not_before = at + _UNTIL_WORKERS_COME


def finish(batch: AwardBatch, *, at: datetime) -> None:
    """Every line has an outcome: the undo period begins."""
    batch.state = BatchState.DONE
    batch.done_at = at
    batch.undo_until = at + timedelta(seconds=batch.undo_seconds) if batch.undo_seconds else None


def cancel(batch: AwardBatch) -> None:
    if batch.state is not BatchState.PLANNED:
        raise TooLate(N_("Cette attribution a déjà commencé : annulez-la depuis son résultat."))
    batch.state = BatchState.CANCELLED


def undo(batch: AwardBatch, *, at: datetime) -> None:
    if batch.state in (BatchState.UNDOING, BatchState.UNDONE):
        return
    if not may_be_undone(batch, at=at):
        raise TooLate(
            N_("Le délai pour annuler est passé : les badges sont remis. Retirez-les, avec un motif.")
        )
    batch.state = BatchState.UNDOING


def hand_over(batch: AwardBatch, *, at: datetime) -> None:
    """The trainer ends the undo period early."""
    if batch.state in (BatchState.UNDOING, BatchState.UNDONE):
        raise TooLate(N_("Cette attribution est annulée : rien ne sera remis."))
    if batch.state is not BatchState.DONE:
        raise TooLate(N_("Cette attribution n’est pas terminée : rien ne peut encore être remis."))
    if not is_handed_over(batch, at=at):
        batch.undo_until = at


def chosen_in(batch: AwardBatch) -> frozenset[uuid.UUID] | None:
    """The activities and log entries that the awarder chose; None if the badge's rule decides."""
    return frozenset(map(uuid.UUID, batch.grounds["of"])) if "of" in batch.grounds else None


def listed(line: BatchLine) -> ListedPerson:
    """The line in the form of a list, so that eligibility can be checked again."""
    hours, facts = line.told.get("hours"), line.told
    return ListedPerson(
        line=line.position + 1,
        given_name=line.given_name,
        family_name=line.family_name,
        address=line.address,
        hours=None if isinstance(hours, str) else hours,
        fault="hours" if isinstance(hours, str) else facts.get("fault", ""),
        hours_as_written=hours if isinstance(hours, str) else "",
        part=PartKind(facts.get("part", PartKind.LEARNER)),
        contribution=facts.get("contribution", ""),
        under_15=facts.get("under_15"),
        homonym=facts.get("homonym", 1),
        numbered_first=facts.get("told_first", False),
        award_external_id=facts.get("award_external_id", ""),
        is_chosen=facts.get("chosen", line.participation_id is not None or facts.get("line") == 0),
    )


def line_facts(line: ListedPerson) -> dict[str, Any]:
    """The values of a list line other than name and address."""
    return {
        "hours": line.hours if line.hours is not None else line.hours_as_written or None,
        "part": line.part.value,
        "contribution": line.contribution,
        "under_15": line.under_15,
        "homonym": line.homonym,
        "told_first": line.numbered_first,
        "line": line.line,
        **({"chosen": True} if line.is_chosen or line.person_id else {}),
        **({"fault": KNOWN} if line.fault == KNOWN else {}),
        **({"award_external_id": line.award_external_id} if line.award_external_id else {}),
    }
