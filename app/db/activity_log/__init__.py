"""The rows of the activity logs: append-only; only payloads can be erased."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, or_, text
from sqlalchemy import select as select_rows
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col, delete, func, select

from app.db.engine.queries import QuickRead, RowStore, locked
from app.db.engine.row_level_security import rows_named
from app.db.engine.writes import (
    IN_ONE_QUERY,
    among,
    among_named,
    bare_rows,
    insert_rows,
    insert_values,
    numbers_named,
    wait_for_writes,
)
from app.domain.activity_log import (
    CORRECTED_OR_ERASED,
    CampusLog,
    EntryKind,
    LogCheckpoint,
    LogCosignature,
    LogDispute,
    LogEntry,
    LogPayload,
    LogReview,
    LogTile,
    LogWitness,
    Written,
)
from app.domain.awards.open_badges import AwardEvidence, DisclosedContent, EvidenceDisclosure
from app.domain.people import PersonMerge
from app.errors import NotFound
from sceau_credentials.evidence.documents import Leaf
from sceau_credentials.transparency_log.notes import HASH_BYTES
from sceau_credentials.transparency_log.tiles import HEIGHT, WIDTH, Tile, rows_over


class WrittenEntry(NamedTuple):
    """An entry as stored, with its payload's key and facts; no key if they were erased."""

    number: int
    kind: EntryKind
    at: datetime
    commitment: bytes
    leaf_hash: bytes
    key: bytes | None
    facts: Any


class LogMention(NamedTuple):
    """A log's facts about one row that concerns a person."""

    number: int
    noun_id: uuid.UUID
    about_id: uuid.UUID
    facts: Any


def _newest_of_the_same() -> ScalarSelect[Any]:
    """The last entry about what an entry is about: a correction, if it has another number.

    The sum keeps SQLite from walking the log backwards by number, from its end to the entry.
    """
    later = aliased(LogPayload)
    return (
        select_rows(func.max(col(later.number) + 0))
        .where(
            col(later.log_id) == LogPayload.log_id,
            col(later.noun) == LogPayload.noun,
            col(later.noun_id) == LogPayload.noun_id,
        )
        .scalar_subquery()
        .correlate(LogPayload)
    )


def _lines(dialect: str) -> Select[Any]:
    query = select_rows(
        *LogPayload.__table__.c,  # type: ignore[attr-defined]
        col(LogEntry.number),
        col(LogEntry.kind),
        col(LogEntry.at),
        col(LogEntry.commitment),
        col(EvidenceDisclosure.shown),
        _newest_of_the_same(),
    )
    named = among_named(dialect, col(LogEntry.number), "numbers")
    return (
        query.select_from(LogEntry)
        .join(
            LogPayload,
            (col(LogPayload.log_id) == LogEntry.log_id) & (col(LogPayload.number) == LogEntry.number),
            isouter=True,
        )
        .join(
            EvidenceDisclosure,
            (col(EvidenceDisclosure.award_id) == bindparam("award_id"))
            & (col(EvidenceDisclosure.number) == LogEntry.number),
            isouter=True,
        )
        .where(col(LogEntry.log_id) == bindparam("log_id"), named)
    )


_LINES: Final = QuickRead(_lines)
_CHECKPOINT: Final = QuickRead(
    lambda _dialect: select_rows(*LogCheckpoint.__table__.c).where(  # type: ignore[attr-defined]
        col(LogCheckpoint.log_id) == bindparam("log_id"), col(LogCheckpoint.size) == bindparam("size")
    )
)


class LinesOfAward(NamedTuple):
    """By number: the leaf, the payload unless erased, how much the holder discloses, and the number of a later
    entry about the same."""

    leaves: dict[int, Leaf]
    payloads: dict[int, LogPayload]
    shown: dict[int, DisclosedContent]
    later: dict[int, int]


_LEVELS: Final = 8
"""Of tiles, more than a log can have."""


class ActivityLogStore(RowStore[SQLModel]):
    def lock(self, campus_id: uuid.UUID) -> CampusLog | None:
        """The campus's open log, locked until the transaction ends: one writer at a time numbers entries."""
        query = select(CampusLog).where(CampusLog.campus_id == campus_id, col(CampusLog.closed_at).is_(None))
        held = locked(query)
        return self.session.exec(held).first()

    def find(self, campus_id: uuid.UUID) -> CampusLog | None:
        query = select(CampusLog).where(CampusLog.campus_id == campus_id, col(CampusLog.closed_at).is_(None))
        return self.session.exec(query).first()

    def find_epoch(self, campus_id: uuid.UUID, epoch: int) -> CampusLog | None:
        query = select(CampusLog).where(CampusLog.campus_id == campus_id, CampusLog.epoch == epoch)
        return self.session.exec(query).first()

    def list_of(self, campus_id: uuid.UUID) -> list[CampusLog]:
        """The campus's logs, the open one last."""
        query = select(CampusLog).where(CampusLog.campus_id == campus_id)
        return list(self.session.exec(query.order_by(col(CampusLog.epoch))))

    def get(self, log_id: uuid.UUID) -> CampusLog:
        return self.session.get_one(CampusLog, log_id)

    def list_all(self) -> list[CampusLog]:
        return list(self.session.exec(select(CampusLog).order_by(col(CampusLog.origin))))

    def append(self, written: Sequence[Written]) -> None:
        entries = [
            {
                "log_id": each.log_id,
                "number": each.number,
                "kind": each.fact.kind,
                "at": each.leaf.at,
                "commitment": each.leaf.commitment,
                "leaf_hash": each.leaf_hash,
            }
            for each in written
        ]
        payloads = [
            {
                "log_id": each.log_id,
                "number": each.number,
                "noun": each.fact.noun,
                "noun_id": each.fact.noun_id,
                "about_id": each.fact.about_id,
                "key": each.key,
                "facts": each.fact.facts,
            }
            for each in written
            if each.key  # no other data is left of an entry restored after its erasure
        ]
        insert_values(self.session, LogEntry, entries)
        insert_values(self.session, LogPayload, payloads)

    def keep_tiles(self, tiles: Sequence[LogTile]) -> None:
        insert_rows(self.session, tiles)

    def last_at(self, campus_id: uuid.UUID) -> datetime | None:
        """When the campus's open log last grew; not locked."""
        query = select(CampusLog.last_at).where(CampusLog.campus_id == campus_id)
        return self.session.exec(query.where(col(CampusLog.closed_at).is_(None))).first()

    def advance_head(self, log: CampusLog, size: int, edge: bytes, *, at: datetime) -> None:
        log.size, log.edge, log.last_at = size, edge, at
        self.session.add(log)
        self.session.flush()

    def entries(self, log_id: uuid.UUID, start: int, stop: int) -> list[LogEntry]:
        """The entries from `start` up to but not including `stop`, in order."""
        query = (
            select(LogEntry)
            .where(LogEntry.log_id == log_id, LogEntry.number >= start, LogEntry.number < stop)
            .order_by(col(LogEntry.number))
        )
        return list(self.session.exec(query))

    def count_entries(self, log_id: uuid.UUID) -> int:
        """One more than the number of the last entry."""
        newest = self.session.exec(select(func.max(LogEntry.number)).where(LogEntry.log_id == log_id)).one()
        return 0 if newest is None else newest + 1

    def written(self, log_id: uuid.UUID, numbers: range) -> Iterator[WrittenEntry]:
        """These entries in order, with their payload unless erased; plain values, since there may be
        millions.
        """
        query = (
            select(
                LogEntry.number,
                LogEntry.kind,
                LogEntry.at,
                LogEntry.commitment,
                LogEntry.leaf_hash,
                col(LogPayload.key),
                col(LogPayload.facts),
            )  # type: ignore[call-overload]
            .join(
                LogPayload,
                (col(LogPayload.log_id) == LogEntry.log_id) & (col(LogPayload.number) == LogEntry.number),
                isouter=True,
            )
            .where(
                LogEntry.log_id == log_id, LogEntry.number >= numbers.start, LogEntry.number < numbers.stop
            )
            .order_by(col(LogEntry.number))
        )
        for row in self.session.execute(query):
            yield WrittenEntry(*row)

    def numbered(self, log_id: uuid.UUID, numbers: Iterable[int]) -> list[LogEntry]:
        """These entries, in the order of their numbers."""
        wanted, found = sorted(set(numbers)), list[LogEntry]()
        for at in range(0, len(wanted), IN_ONE_QUERY):
            found += self.session.exec(
                select(LogEntry)
                .where(LogEntry.log_id == log_id, col(LogEntry.number).in_(wanted[at : at + IN_ONE_QUERY]))
                .order_by(col(LogEntry.number))
            )
        return found

    def leaves(self, log_id: uuid.UUID, numbers: Iterable[int]) -> Iterator[tuple[int, Leaf]]:
        """The same as bare leaves, each with its number: a bulk award names hundreds."""
        query = select(LogEntry.number, LogEntry.kind, LogEntry.at, LogEntry.commitment).where(
            LogEntry.log_id == log_id, among(self.session, col(LogEntry.number), set(numbers))
        )
        for number, kind, moment, commitment in self.session.exec(query.order_by(col(LogEntry.number))):
            yield number, Leaf(str(kind), moment, commitment)

    def lines(self, row: AwardEvidence) -> LinesOfAward:
        """The entries of the award's decision and evidence, in one query, for its page."""
        dialect, numbers = self.session.get_bind().dialect.name, {row.decision, *row.entries}
        given = {
            "log_id": row.log_id,
            "award_id": row.award_id,
            "numbers": numbers_named(dialect, numbers),
        }
        with rows_named(self.session):
            found = _LINES.rows(self.session, given)
        lines = LinesOfAward({}, {}, {}, {})
        for each in found:
            number, kind, at, commitment, shown, newest = each[-6:]
            lines.leaves[number] = Leaf(str(kind), at.replace(second=0), commitment)
            (payload,) = bare_rows(each, (LogPayload,))
            if payload.number is not None:
                lines.payloads[number] = payload
            if shown is not None:
                lines.shown[number] = shown
            if newest is not None and newest > number:
                lines.later[number] = newest
        return lines

    def payload(self, log_id: uuid.UUID, number: int) -> LogPayload | None:
        with rows_named(self.session):
            return self.session.get(LogPayload, (log_id, number))

    def payloads_of(self, noun: str, noun_ids: Iterable[uuid.UUID]) -> list[LogPayload]:
        """The logs' payloads for these rows, in order."""
        ids, found = list(noun_ids), list[LogPayload]()
        for at in range(0, len(ids), IN_ONE_QUERY):
            query = select(LogPayload).where(
                LogPayload.noun == noun, col(LogPayload.noun_id).in_(ids[at : at + IN_ONE_QUERY])
            )
            with rows_named(self.session):
                found += self.session.exec(query.order_by(col(LogPayload.log_id), col(LogPayload.number)))
        return found

    def newest_about(
        self, log_id: uuid.UUID, noun: str, noun_ids: Iterable[uuid.UUID]
    ) -> dict[uuid.UUID, int]:
        """The last entry about each of these rows."""
        query = select(LogPayload.noun_id, func.max(LogPayload.number)).where(
            LogPayload.log_id == log_id,
            LogPayload.noun == noun,
            among(self.session, col(LogPayload.noun_id), noun_ids),
        )
        return dict(self.session.exec(query.group_by(col(LogPayload.noun_id))).all())

    def payloads_about(self, person_id: uuid.UUID) -> list[LogPayload]:
        """All payloads of every campus's log about one person, including merged records."""
        query = select(LogPayload).where(_is_about(person_id))
        return list(self.session.exec(query.order_by(col(LogPayload.log_id), col(LogPayload.number))))

    def said_of_people(
        self, log_id: uuid.UUID, noun: str, person_ids: Iterable[uuid.UUID] | None
    ) -> Iterator[LogMention]:
        """Payloads about rows of these people, or of all, in order; as plain values."""
        query = (
            select(LogPayload.number, LogPayload.noun_id, LogPayload.about_id, col(LogPayload.facts))
            .where(
                LogPayload.log_id == log_id, LogPayload.noun == noun, col(LogPayload.about_id).is_not(None)
            )
            .order_by(col(LogPayload.number))
        )
        if person_ids is None:
            yield from (LogMention(*row) for row in self.session.execute(query))
            return
        ids = list(person_ids)
        for at in range(0, len(ids), IN_ONE_QUERY):
            some = query.where(col(LogPayload.about_id).in_(ids[at : at + IN_ONE_QUERY]))
            yield from (LogMention(*row) for row in self.session.execute(some))

    def erase_about(self, person_id: uuid.UUID, log_ids: Collection[uuid.UUID]) -> int:
        """Deletes payloads and keys; the remaining entries reveal nothing."""
        about = _is_about(person_id)
        erased = self.session.exec(delete(LogPayload).where(about, col(LogPayload.log_id).in_(log_ids)))
        return int(erased.rowcount)

    def merged_into(self, person_id: uuid.UUID) -> Sequence[uuid.UUID]:
        return list(self.session.exec(_merged_into(person_id)))

    def tile(self, log_id: uuid.UUID, tile: Tile) -> bytes:
        """The bytes of a tile, stored if it is full, computed if partial."""
        kept = self.kept_tile(log_id, tile.level, tile.index)
        if kept is not None:
            return kept[0][: tile.width * HASH_BYTES]
        start = tile.index * WIDTH
        if tile.level == 0:
            # From the entries, not from the stored hashes: changed content must not be signed.
            leaf = select(LogEntry.kind, LogEntry.at, LogEntry.commitment).where(
                LogEntry.log_id == log_id, LogEntry.number >= start, LogEntry.number < start + tile.width
            )
            entries = self.session.exec(leaf.order_by(col(LogEntry.number)))
            return b"".join([Leaf(str(kind), at, said).hash() for kind, at, said in entries])
        below = select(LogTile.root).where(
            LogTile.log_id == log_id,
            LogTile.level == tile.level - 1,
            LogTile.place >= start,
            LogTile.place < start + tile.width,
        )
        return b"".join(bytes(root) for root in self.session.exec(below.order_by(col(LogTile.place))))

    def tile_places(self, log_id: uuid.UUID, *, since: int = 0) -> list[tuple[int, int]]:
        """(level, index) of every stored tile; of those that a tree of `since` entries does not fill."""
        query = select(LogTile.level, LogTile.place).where(LogTile.log_id == log_id)
        if since:
            ends = [(level, since >> HEIGHT * (level + 1)) for level in range(_LEVELS)]
            rest = [and_(col(LogTile.level) == level, col(LogTile.place) >= end) for level, end in ends]
            query = query.where(or_(*rest, col(LogTile.level) >= _LEVELS))
        return [(level, place) for level, place in self.session.exec(query)]

    def kept_tile(self, log_id: uuid.UUID, level: int, place: int) -> tuple[bytes, bytes] | None:
        """The bytes of a full tile, and the hash over them."""
        query = select(LogTile.hashes, LogTile.root).where(
            LogTile.log_id == log_id, LogTile.level == level, LogTile.place == place
        )
        row = self.session.exec(query).first()
        return (bytes(row[0]), bytes(row[1])) if row else None

    def checkpoint(self, log_id: uuid.UUID, size: int) -> LogCheckpoint | None:
        """Detached from the session: a checkpoint never changes."""
        wait_for_writes(self.session.connection())
        rows = _CHECKPOINT.rows(self.session, {"log_id": log_id, "size": size})
        return bare_rows(rows[0], (LogCheckpoint,))[0] if rows else None

    def newest_checkpoint(
        self, log_id: uuid.UUID, *, up_to: int | None = None, before: datetime | None = None
    ) -> LogCheckpoint | None:
        query = select(LogCheckpoint).where(LogCheckpoint.log_id == log_id)
        if up_to is not None:
            query = query.where(LogCheckpoint.size <= up_to)
        if before is not None:
            query = query.where(col(LogCheckpoint.signed_at) < before)
        return self.session.exec(query.order_by(col(LogCheckpoint.size).desc()).limit(1)).first()

    def checkpoints(self, log_id: uuid.UUID, *, since: int = 0) -> list[LogCheckpoint]:
        """Of trees of at least `since` entries."""
        query = select(LogCheckpoint).where(LogCheckpoint.log_id == log_id, LogCheckpoint.size >= since)
        return list(self.session.exec(query.order_by(col(LogCheckpoint.size))))

    def cosignatures(self, log_id: uuid.UUID, size: int) -> list[LogCosignature]:
        query = select(LogCosignature).where(LogCosignature.log_id == log_id, LogCosignature.size == size)
        return list(self.session.exec(query.order_by(col(LogCosignature.witness))))


def full_tile(log_id: uuid.UUID, level: int, place: int, hashes: Sequence[bytes]) -> LogTile:
    """A tile ready to store, with its hash."""
    return LogTile(
        log_id=log_id,
        level=level,
        place=place,
        hashes=b"".join(hashes),
        root=rows_over(hashes)[-1][0],
    )


def _is_about(person_id: uuid.UUID) -> ColumnElement[bool]:
    """Entries never change: they retain the id of a record that was merged later, so that is matched too."""
    return or_(col(LogPayload.about_id) == person_id, col(LogPayload.about_id).in_(_merged_into(person_id)))


def _merged_into(person_id: uuid.UUID) -> Any:
    return select(PersonMerge.gone_id).where(
        PersonMerge.kept_id == person_id, col(PersonMerge.undone_at).is_(None)
    )


class LogDisputeStore(RowStore[LogDispute]):
    def get(self, dispute_id: uuid.UUID, log_id: uuid.UUID) -> LogDispute:
        dispute = self.session.get(LogDispute, dispute_id)
        if dispute is None or dispute.log_id != log_id:
            raise NotFound("Cette demande n’existe pas ici.")
        return dispute

    def of_person(self, person_id: uuid.UUID) -> list[LogDispute]:
        query = select(LogDispute).where(LogDispute.person_id == person_id)
        return list(self.session.exec(query.order_by(col(LogDispute.made_at))))

    def about(self, log_id: uuid.UUID, numbers: Iterable[int]) -> list[LogDispute]:
        """Disputes of these entries of one log, the oldest first."""
        wanted, found = list(numbers), list[LogDispute]()
        for at in range(0, len(wanted), IN_ONE_QUERY):
            query = select(LogDispute).where(
                LogDispute.log_id == log_id, col(LogDispute.number).in_(wanted[at : at + IN_ONE_QUERY])
            )
            found += self.session.exec(query)
        return sorted(found, key=lambda one: one.made_at)

    def forget(self, person_id: uuid.UUID, log_ids: Collection[uuid.UUID]) -> None:
        theirs = col(LogDispute.person_id) == person_id
        self.session.exec(delete(LogDispute).where(theirs, col(LogDispute.log_id).in_(log_ids)))


class LogWatchStore(RowStore[SQLModel]):
    def newest_cosignatures(self, log_id: uuid.UUID) -> list[LogCosignature]:
        """For each witness, its signature of the largest tree it has seen."""
        newest = (
            select(LogCosignature.witness, func.max(LogCosignature.size).label("size"))
            .where(LogCosignature.log_id == log_id)
            .group_by(col(LogCosignature.witness))
            .subquery()
        )
        query = select(LogCosignature).join(
            newest,
            (newest.c.witness == col(LogCosignature.witness)) & (newest.c.size == col(LogCosignature.size)),
        )
        return list(self.session.exec(query.where(LogCosignature.log_id == log_id)))

    def first_to_see(self, log_id: uuid.UUID, number: int) -> list[LogCosignature]:
        """For each witness, its signature of the smallest tree with that entry; the earliest first."""
        first = (
            select(LogCosignature.witness, func.min(LogCosignature.size).label("size"))
            .where(LogCosignature.log_id == log_id, col(LogCosignature.size) > number)
            .group_by(col(LogCosignature.witness))
            .subquery()
        )
        query = select(LogCosignature).join(
            first,
            (first.c.witness == col(LogCosignature.witness)) & (first.c.size == col(LogCosignature.size)),
        )
        mine = query.where(LogCosignature.log_id == log_id)
        return list(
            self.session.exec(mine.order_by(col(LogCosignature.seen_at), col(LogCosignature.witness)))
        )

    def witnesses_of(self, campus_id: uuid.UUID) -> list[LogWitness]:
        query = select(LogWitness).where(LogWitness.campus_id == campus_id)
        return list(self.session.exec(query.order_by(col(LogWitness.named_at), col(LogWitness.name))))

    def keys_of_witnesses(self) -> list[str]:
        """The verifier keys of all active witnesses of any campus."""
        query = select(LogWitness.vkey).where(col(LogWitness.retired_at).is_(None)).distinct()
        return list(self.session.exec(query))

    def recent_checkpoints(self, log_id: uuid.UUID, *, limit: int) -> list[LogCheckpoint]:
        query = select(LogCheckpoint).where(LogCheckpoint.log_id == log_id)
        return list(self.session.exec(query.order_by(col(LogCheckpoint.size).desc()).limit(limit)))

    def count_kinds(self, log: CampusLog, reviewed: LogReview | None) -> dict[str, int]:
        """Entries by kind: those that a review has counted, and those from there to the size of the log."""
        known = dict(reviewed.kinds) if reviewed else {}
        query = select(LogEntry.kind, func.count()).where(
            LogEntry.log_id == log.id,
            LogEntry.number >= ((reviewed.size or 0) if reviewed and known else 0),
            LogEntry.number < log.size,
        )
        for kind, count in self.session.exec(query.group_by(col(LogEntry.kind))):
            known[str(kind)] = known.get(str(kind), 0) + count
        return known

    def recent_of_kind(
        self, log_id: uuid.UUID, kind: EntryKind, *, limit: int
    ) -> list[tuple[LogEntry, LogPayload | None]]:
        """The newest corrections or erasures; None for erased content."""
        query = (
            select(LogEntry, LogPayload)
            .join(
                LogPayload,
                (col(LogPayload.log_id) == LogEntry.log_id) & (col(LogPayload.number) == LogEntry.number),
                isouter=True,
            )
            .where(LogEntry.log_id == log_id, LogEntry.kind == kind, text(CORRECTED_OR_ERASED))
        )
        rows = self.session.exec(query.order_by(col(LogEntry.number).desc()).limit(limit))
        return [(entry, payload) for entry, payload in rows]

    def unsigned(self, *, before: datetime) -> list[uuid.UUID]:
        """Campuses with an open log that grew since its last signature, unless that was after `before`."""
        signed = (
            select(func.max(LogCheckpoint.size))
            .where(LogCheckpoint.log_id == CampusLog.id)
            .correlate(CampusLog)
            .scalar_subquery()
        )
        lately = (
            select(LogCheckpoint.size)
            .where(LogCheckpoint.log_id == CampusLog.id, col(LogCheckpoint.signed_at) > before)
            .correlate(CampusLog)
        )
        query = select(CampusLog.campus_id).where(
            col(CampusLog.closed_at).is_(None),
            CampusLog.size > func.coalesce(signed, 0),
            ~lately.exists(),
        )
        return list(self.session.exec(query))

    def reviews_of(self, log_id: uuid.UUID, *, limit: int) -> list[LogReview]:
        """The newest first."""
        query = select(LogReview).where(LogReview.log_id == log_id)
        return list(
            self.session.exec(
                query.order_by(col(LogReview.asked_at).desc(), col(LogReview.id).desc()).limit(limit)
            )
        )

    def newest_done(self, campus_id: uuid.UUID, *, before: datetime) -> LogReview | None:
        """For the open log: the findings of its last complete review."""
        query = (
            select(LogReview)
            .join(CampusLog, col(CampusLog.id) == col(LogReview.log_id))
            .where(
                CampusLog.campus_id == campus_id,
                col(CampusLog.closed_at).is_(None),
                col(LogReview.done_at) < before,
            )
        )
        return self.session.exec(query.order_by(col(LogReview.done_at).desc())).first()

    def newest_review(self, log_id: uuid.UUID, *, before: datetime, whole: bool = False) -> LogReview | None:
        """The newest that is done; `whole`: of those that read the log from its first entry."""
        query = select(LogReview).where(LogReview.log_id == log_id, col(LogReview.done_at) < before)
        if whole:
            query = query.where(LogReview.since == 0)
        return self.session.exec(
            query.order_by(col(LogReview.done_at).desc(), col(LogReview.size).desc())
        ).first()

    def waiting_reviews(self, log_id: uuid.UUID) -> list[LogReview]:
        query = select(LogReview).where(LogReview.log_id == log_id, col(LogReview.done_at).is_(None))
        return list(self.session.exec(query.order_by(col(LogReview.asked_at))))

    def logs_to_review(self, *, reviewed_before: datetime, now: datetime) -> list[uuid.UUID]:
        """Logs with a pending review, or with none since then; open ones only if not empty."""
        of_the_log = select(LogReview.id).where(LogReview.log_id == CampusLog.id).correlate(CampusLog)
        waiting = of_the_log.where(col(LogReview.done_at).is_(None)).exists()
        lately = of_the_log.where(
            col(LogReview.done_at) > reviewed_before, col(LogReview.done_at) < now
        ).exists()
        query = select(CampusLog.id).where(
            waiting | (~lately & (col(CampusLog.size) > 0) & col(CampusLog.closed_at).is_(None))
        )
        return list(self.session.exec(query))
