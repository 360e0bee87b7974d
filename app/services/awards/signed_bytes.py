"""Old signed bytes go to the object store and come back, a batch at a time, and what is erased goes from there too.

No transaction is open while the store is asked. A batch that ends anywhere is done again from its rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog

from app.db.awards.signed_bytes import DocumentRow, Key, MovedCounts, SignedBytesStore
from app.domain.awards.signed_bytes import (
    LARGEST_OBJECT,
    LEASE,
    BytesUnavailable,
    ObjectDiffers,
    ObjectLost,
    ObjectStore,
    checked,
)
from app.domain.core import Clock

log = structlog.get_logger("signed bytes")

BATCH: Final = 100
_AT_ONCE: Final = 8
_CLAIM_LASTS: Final = timedelta(hours=1)
"""Longer than any removal that still goes on."""
__all__ = ["BATCH", "Batch", "BytesMover", "Key", "Presence"]
_T = TypeVar("_T")
_R = TypeVar("_R")
Desk = Callable[[bool], AbstractContextManager[SignedBytesStore]]
"""A transaction, reading or not."""


@dataclass
class Batch:
    """What one batch did: documents and bytes moved, and documents that stay where they are, with the reason."""

    documents: int = 0
    size: int = 0
    refused: dict[Key, str] = field(default_factory=dict)
    is_empty: bool = True
    """Whether nothing was left to do."""


@dataclass(frozen=True)
class Presence:
    """Objects that rows rely on, and the awards of those that the store lacks."""

    objects: int
    lost: Sequence[uuid.UUID]


@dataclass(frozen=True, eq=False)
class BytesMover:
    desk: Desk
    objects: ObjectStore
    clock: Clock
    keep_for: timedelta
    """How long objects stay after their bytes came back: backups may rely on them."""
    note: Callable[[str, int, int], None]
    """Counts documents and bytes, by where they went."""

    def move_some(self, before: datetime, *, besides: Collection[Key] = (), limit: int = BATCH) -> Batch:
        """Documents signed earlier than `before`: upload, read back, then empty their rows in one transaction."""
        mover, at = uuid.uuid4(), self.clock()
        batch = Batch()
        with self.desk(False) as store:
            rows = store.movable(before, at=at, limit=limit, besides=besides)
            batch.is_empty = not rows
            fit = [row for row in rows if not (why := _unfit(row)) or _refuse(batch, row, why)]
            leased = store.lease(fit, mover, at=at, until=at + LEASE)
        if not leased:
            return batch
        try:
            _each(lambda row: self._upload(row, until=at + LEASE), leased)
        except BaseException:
            with self.desk(False) as store:
                store.give_up(leased, mover)
            raise
        with self.desk(False) as store:
            done = store.let_go(leased, mover)
        return self._counted(batch, done, "store")

    def _upload(self, row: DocumentRow, *, until: datetime) -> None:
        for digest, body in _forms(row):
            if self.clock() >= until:
                raise BytesUnavailable("lease over")
            self.objects.write(row.campus_id, digest, body)
            self.objects.fetch(row.campus_id, digest)

    def take_back_some(self, *, besides: Collection[Key] = (), limit: int = BATCH) -> Batch:
        batch = Batch()
        with self.desk(True) as store:
            rows = store.moved(limit=limit, besides=besides)
            batch.is_empty = not rows
        found = [row for row in _each(lambda row: self._download(row, batch), rows) if row is not None]
        if found:
            with self.desk(False) as store:
                found = store.take_back(found, due=self.clock() + self.keep_for)
        return self._counted(batch, found, "database")

    def _download(self, row: DocumentRow, batch: Batch) -> DocumentRow | None:
        try:
            embedded, token = (
                self.objects.fetch(row.campus_id, digest)
                for digest in (row.embedded_digest, row.token_digest)
            )
        except (ObjectLost, ObjectDiffers) as error:
            _refuse(batch, row, "lost" if isinstance(error, ObjectLost) else "differs")
            return None
        return row._replace(embedded=embedded, token=token.decode())

    def _counted(self, batch: Batch, done: Sequence[DocumentRow], to: str) -> Batch:
        batch.documents = len(done)
        batch.size = sum(len(body) for row in done for _, body in _forms(row))
        self.note(to, batch.documents, batch.size)
        return batch

    def remove_some(self, *, limit: int = BATCH) -> int:
        """Removes the objects that are due: of what was erased, of moves that ended early, of what came back."""
        at = self.clock()
        with self.desk(False) as store:
            claimed = store.claim_removals(at=at, since=at - _CLAIM_LASTS, limit=limit)
            due = [(each.campus_id, each.embedded_digest, each.token_digest) for each in claimed]
        _each(self._remove, [(campus_id, digest) for campus_id, *digests in due for digest in digests])
        if claimed:
            with self.desk(False) as store:
                store.forget_removals(claimed)
        return len(claimed)

    def _remove(self, named: tuple[uuid.UUID, str]) -> None:
        self.objects.remove(*named)

    def is_due(self, age: timedelta, *, besides: Collection[Key] = ()) -> bool:
        """Whether objects are to be removed, or bytes of that age to be moved; none are where it is zero."""
        at = self.clock()
        with self.desk(True) as store:
            is_old = bool(age) and bool(store.movable(at - age, at=at, limit=1, besides=besides))
            return is_old or bool(store.count_removals(at))

    def counts(self, before: datetime) -> MovedCounts:
        with self.desk(True) as store:
            return store.counts(before)

    def removals(self) -> int:
        """Documents with objects that are to be removed now."""
        with self.desk(True) as store:
            return store.count_removals(self.clock())

    def presence(self) -> Presence:
        """Compares what rows rely on with the list of the store's objects; their content is not read."""
        there = set(self.objects.names())
        count, lost = 0, dict[uuid.UUID, None]()
        with self.desk(True) as store:
            for award_id, campus_id, digest in store.moved_objects():
                count += 1
                if (campus_id, digest) not in there:
                    lost[award_id] = None
        return Presence(count, list(lost))


def _forms(row: DocumentRow) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    assert row.embedded is not None, "both forms move together"
    assert row.token is not None, "both forms move together"
    return (row.embedded_digest, row.embedded), (row.token_digest, row.token.encode())


def _unfit(row: DocumentRow) -> str:
    """Why this document stays in its row; empty if nothing keeps it there."""
    for digest, body in _forms(row):
        if len(body) > LARGEST_OBJECT:
            return "too large"
        try:
            checked(body, digest)
        except ObjectDiffers:
            return "differs"
    return ""


def _refuse(batch: Batch, row: DocumentRow, why: str) -> bool:
    batch.refused[row.key] = why
    log.error("signed bytes not moved", award=str(row.award_id), edition=row.edition, why=why)
    return False


def _each(do: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    """Several at once; raises the first error, after all that were begun have ended."""
    if not items:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(items)), "signed-bytes") as pool:
        begun = [pool.submit(do, each) for each in items]
        try:
            return [each.result() for each in begun]
        except BaseException:
            for each in begun:
                each.cancel()
            raise
