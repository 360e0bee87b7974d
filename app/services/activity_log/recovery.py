"""What a unit of work appends to the recovery journal after its commit."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.db.activity_log import ActivityLogStore
from app.db.activity_log.choices import ChoiceStore
from app.db.activity_log.integrity import RecoveryStore
from app.domain.activity_log import AWARD, DEFINITION, KEY, CampusLog, Fact, Written, leaf_of
from app.domain.activity_log.recovery import (
    CHOICES_ORIGIN,
    CHOSEN,
    ERASED,
    NO_CAMPUS,
    PEOPLE,
    Frame,
    JournaledErasure,
    JournaledLine,
)
from app.domain.campus.campus import Campus
from app.domain.core import Clock

logger = structlog.get_logger(__name__)


class Journal(Protocol):
    def append(self, frame: Frame) -> None:
        """Durable when it returns; raises OSError."""
        ...

    def frames(self, campus_id: uuid.UUID, origin: str, *, beyond: int) -> Iterator[Frame]: ...

    def with_erasures(self, campus_id: uuid.UUID) -> Iterator[Frame]: ...

    def covered(self, campus_id: uuid.UUID, origin: str) -> Sequence[tuple[int, int]]: ...

    def reached(self) -> Mapping[str, int]: ...


@dataclass
class _OfCampus:
    origin: str = ""
    written: list[Written] = field(default_factory=list)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    erased: list[tuple[uuid.UUID, uuid.UUID, Sequence[uuid.UUID]]] = field(default_factory=list)


class RecoveryNotes:
    """Collected during a transaction; written after its commit, dropped on rollback."""

    def __init__(self) -> None:
        self._by_campus: dict[uuid.UUID, _OfCampus] = {}

    def copy(self) -> RecoveryNotes:
        same = RecoveryNotes()
        for campus_id, notes in self._by_campus.items():
            rows = {table: list(some) for table, some in notes.rows.items()}
            same._by_campus[campus_id] = _OfCampus(
                notes.origin, list(notes.written), rows, list(notes.erased)
            )
        return same

    def add_lines(self, log: CampusLog, written: Sequence[Written]) -> None:
        notes = self._of(log.campus_id)
        if notes.origin != log.origin:
            # If one transaction closes a log and opens its successor, only the successor still grows.
            notes.origin, notes.written = log.origin, []
        notes.written += written

    def add_rows(self, campus: Campus, table: str, rows: Iterable[Any]) -> None:
        """Rows, or their values by column, in their final state of the transaction."""
        self._of(campus.id).rows.setdefault(table, []).extend(rows)

    def add_erased(self, campus: Campus, records: Sequence[uuid.UUID], erasure_id: uuid.UUID) -> None:
        self._of(campus.id).erased.append((records[0], erasure_id, records[1:]))

    def write(self, journal: Journal, *, at: datetime) -> None:
        for campus_id, notes in self._by_campus.items():
            if not notes.written:
                continue
            frame = Frame(
                campus_id,
                notes.origin,
                notes.written[0].number,
                notes.written[-1].number + 1,
                at,
                {
                    "lines": [_line(each) for each in notes.written],
                    "rows": {table: [_values(row) for row in rows] for table, rows in notes.rows.items()},
                    ERASED: notes.erased,
                },
            )
            try:
                journal.append(frame)
            except (OSError, TypeError) as error:
                # The commit stands; the next comparison writes the frame from the database.
                logger.error("recovery journal not written", kind=type(error).__name__)
        self._by_campus.clear()

    def _of(self, campus_id: uuid.UUID) -> _OfCampus:
        return self._by_campus.setdefault(campus_id, _OfCampus())


@dataclass(frozen=True, eq=False)
class JournalCheck:
    """Writes frames from the database that a crash or a failed write left out."""

    logs: ActivityLogStore
    store: RecoveryStore
    journal: Journal
    clock: Clock

    def catch_up(self) -> int:
        """Returns the number of frames written; a log without a journal starts with its next entry."""
        frames = 0
        for log in self.logs.list_all():
            if log.closed_at is not None:
                continue
            covered = self.journal.covered(log.campus_id, log.origin)
            if not covered:
                self._append(log, range(log.size, log.size), {})
            for gap in _gaps(covered, log.size):
                for start in range(gap.start, gap.stop, _AT_A_TIME):
                    numbers = range(start, min(start + _AT_A_TIME, gap.stop))
                    self._append(log, numbers, self._content(log, numbers))
                    frames += 1
        return frames

    def _append(self, log: CampusLog, numbers: range, content: Mapping[str, Any]) -> None:
        self.journal.append(
            Frame(log.campus_id, log.origin, numbers.start, numbers.stop, self.clock(), content)
        )

    def _content(self, log: CampusLog, numbers: range) -> dict[str, Any]:
        payloads = {each.number: each for each in self.store.payloads(log.id, numbers)}
        lines, about = [], dict[str, set[uuid.UUID]]()
        for entry in self.logs.entries(log.id, numbers.start, numbers.stop):
            payload = payloads.get(entry.number)
            if payload is None:
                nothing = Fact(entry.kind, "", uuid.UUID(int=0), {})
                lines.append(JournaledLine(entry.number, nothing, leaf_of(entry), b"").written())
                continue
            fact = Fact(entry.kind, payload.noun, payload.noun_id, payload.facts, payload.about_id)
            lines.append(JournaledLine(entry.number, fact, leaf_of(entry), payload.key).written())
            about.setdefault(payload.noun, set()).add(payload.noun_id)
        rows = self.store.rows_about(
            about.get(AWARD, set()), about.get(DEFINITION, set()), about.get(KEY, set())
        )
        return {"lines": lines, "rows": rows, ERASED: []}


@dataclass(frozen=True, eq=False)
class ErasureJournal:
    """The erasures that an older copy of the database lacks."""

    store: RecoveryStore
    journal: Journal

    def due(self, campus_id: uuid.UUID) -> list[JournaledErasure]:
        """Erasures without a row here, of people with data from before the erasure.

        Read from the whole journal: the log of a restore that was interrupted may have their lines already.
        """
        found = {
            each.erasure_id: each
            for frame in self.journal.with_erasures(campus_id)
            for each in frame.erasures
        }
        lacking = found.keys() - self.store.erasures_among(found)
        there = self.store.there(PEOPLE, {record for each in lacking for record in found[each].records})
        return [
            each
            for erasure_id, each in found.items()
            if erasure_id in lacking
            and not there.isdisjoint(each.records)
            and self.store.has_older(campus_id, each)
        ]


@dataclass(frozen=True, eq=False)
class ChoiceJournal:
    """Journals people's choices, in frames numbered by the commits that changed them."""

    store: ChoiceStore
    journal: Journal
    clock: Clock

    def head(self) -> int:
        """The newest change in the journal; 0 if empty."""
        return max((stop for _, stop in self.journal.covered(NO_CAMPUS, CHOICES_ORIGIN)), default=1) - 1

    def catch_up(self) -> int:
        """Append committed changes missing from the journal; returns the newest number. Raises OSError."""
        covered = self.journal.covered(NO_CAMPUS, CHOICES_ORIGIN)
        newest = self.store.newest()
        if not covered:
            # Choices older than the journal are in no frame: the next frame continues from here.
            self._append(newest + 1, newest + 1, [])
            return newest
        return self.append_after(max(stop for _, stop in covered) - 1)

    def begin_lacking(self) -> bool:
        """In an older copy without any journal of choices: begins one that lacks what was chosen since.

        Returns whether it did. Otherwise the next start would take the copy's choices for the newest. Raises OSError.
        """
        if self.journal.covered(NO_CAMPUS, CHOICES_ORIGIN):
            return False
        beyond = self.store.newest() + 2
        self._append(beyond, beyond, [])
        return self.head() > 0

    def append_after(self, sequence: int) -> int:
        """The database changes after `sequence`, in one frame."""
        changes = self.store.after(sequence)
        if not changes:
            return sequence
        newest = changes[-1][0]
        self._append(changes[0][0], newest + 1, [each for _, content in changes for each in content])
        return newest

    def missing(self) -> ChoicesSince:
        """Choices in the journal that this database lacks, and whether they are complete."""
        reached, changes = self.store.newest() + 1, list[Any]()
        covered = self.journal.covered(NO_CAMPUS, CHOICES_ORIGIN)
        head = max((stop for _, stop in covered), default=0)
        for frame in self.journal.frames(NO_CAMPUS, CHOICES_ORIGIN, beyond=reached):
            if frame.start > reached:
                break
            reached = max(reached, frame.stop)
            changes += frame.content[CHOSEN]
        return ChoicesSince(changes, max(head, reached) - 1, is_whole=bool(covered) and reached >= head)

    def _append(self, start: int, stop: int, changes: Sequence[Any]) -> None:
        content = {CHOSEN: changes}
        self.journal.append(Frame(NO_CAMPUS, CHOICES_ORIGIN, start, stop, self.clock(), content))


@dataclass(frozen=True)
class ChoicesSince:
    changes: Sequence[Any]
    newest: int
    is_whole: bool
    """False: some choice is lost, or may be."""


_AT_A_TIME = 500


def _gaps(covered: Sequence[tuple[int, int]], size: int) -> list[range]:
    """Gaps between these ranges and up to `size`; ignores what precedes the first."""
    if not covered:
        return []
    found, reached = [], covered[0][0]
    for start, stop in [*covered, (size, size)]:
        if start > reached:
            found.append(range(reached, start))
        reached = max(reached, stop)
    return found


def _line(written: Written) -> list[Any]:
    return JournaledLine(written.number, written.fact, written.leaf, written.key).written()


def _values(row: Any) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    return {name: value for name, value in row.__dict__.items() if name != "_sa_instance_state"}
