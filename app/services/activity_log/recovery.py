"""What a unit of work adds to the recovery journal once it is committed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.db.activity_log.activity_log import ActivityLogStore
from app.db.activity_log.choices import ChoiceStore
from app.db.activity_log.integrity import RecoveryStore
from app.domain.activity_log.activity_log import AWARD, DEFINITION, KEY, CampusLog, Fact, Written, leaf_of
from app.domain.activity_log.recovery import CHOICES_ORIGIN, CHOSEN, ERASED, NO_CAMPUS, Frame, JournaledLine
from app.domain.campus.campus import Campus
from app.domain.core import Clock

logger = structlog.get_logger(__name__)


class Journal(Protocol):
    def append(self, frame: Frame) -> None:
        """On disk when it returns; raises OSError."""
        ...

    def frames(
        self, campus_id: uuid.UUID, origin: str, *, beyond: int, with_erasures: bool = False
    ) -> Iterator[Frame]: ...

    def covered(self, campus_id: uuid.UUID, origin: str) -> Sequence[tuple[int, int]]: ...


@dataclass
class _OfCampus:
    origin: str = ""
    written: list[Written] = field(default_factory=list)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    erased: list[uuid.UUID] = field(default_factory=list)


class RecoveryNotes:
    """Gathered while a transaction runs; written after its commit, or dropped with it."""

    def __init__(self) -> None:
        self._by_campus: dict[uuid.UUID, _OfCampus] = {}

    def add_lines(self, log: CampusLog, written: Sequence[Written]) -> None:
        notes = self._of(log.campus_id)
        if notes.origin != log.origin:
            # A log that is closed and its successor in one transaction: only the successor grows from here on.
            notes.origin, notes.written = log.origin, []
        notes.written += written

    def add_rows(self, campus: Campus, table: str, rows: Iterable[Any]) -> None:
        """Rows, or what they hold by column; as they are when the transaction is over."""
        self._of(campus.id).rows.setdefault(table, []).extend(rows)

    def add_erased(self, campus: Campus, person_id: uuid.UUID) -> None:
        self._of(campus.id).erased.append(person_id)

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
                # Committed all the same; the frame is written from the database at the next comparison.
                logger.error("recovery journal not written", kind=type(error).__name__)
        self._by_campus.clear()

    def _of(self, campus_id: uuid.UUID) -> _OfCampus:
        return self._by_campus.setdefault(campus_id, _OfCampus())


class JournalCheck:
    """Frames that a crash, or a folder that took no file, left out: written from the database."""

    def __init__(self, logs: ActivityLogStore, store: RecoveryStore, journal: Journal, clock: Clock) -> None:
        self.logs = logs
        self.store = store
        self.journal = journal
        self.clock = clock

    def catch_up(self) -> int:
        """The number of frames written; a log that was never journaled begins with what comes next."""
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


class ChoiceJournal:
    """What people choose, in frames numbered by the commits that changed it."""

    def __init__(self, store: ChoiceStore, journal: Journal, clock: Clock) -> None:
        self.store = store
        self.journal = journal
        self.clock = clock

    def head(self) -> int:
        """The newest change that the journal holds; 0 where it holds none."""
        return max((stop for _, stop in self.journal.covered(NO_CAMPUS, CHOICES_ORIGIN)), default=1) - 1

    def catch_up(self) -> int:
        """Append what is committed and not in the journal; returns the newest number. Raises OSError."""
        covered = self.journal.covered(NO_CAMPUS, CHOICES_ORIGIN)
        newest = self.store.newest()
        if not covered:
            # What was chosen before the journal began is in no frame: the next one goes on from here.
            self._append(newest + 1, newest + 1, [])
            return newest
        return self.append_after(max(stop for _, stop in covered) - 1)

    def append_after(self, sequence: int) -> int:
        """The changes of the database that follow this one, in one frame."""
        changes = self.store.after(sequence)
        if not changes:
            return sequence
        newest = changes[-1][0]
        self._append(changes[0][0], newest + 1, [each for _, content in changes for each in content])
        return newest

    def missing(self) -> ChoicesSince:
        """What the journal holds beyond this database, and whether that is all there was."""
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
    """False: something was chosen that is nowhere any more, or may have been."""


_AT_A_TIME = 500


def _gaps(covered: Sequence[tuple[int, int]], size: int) -> list[range]:
    """What lies between these ranges and up to `size`; nothing before the first of them."""
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
