"""`sceau log check`: everything a log says of itself, derived again from its rows, and whatever does not fit named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.credentials.errors import CredentialError
from app.credentials.evidence.commitments import commit
from app.credentials.transparency_log.checkpoints import TreeHead
from app.credentials.transparency_log.notes import Note, NoteKey
from app.credentials.transparency_log.tiles import HEIGHT, WIDTH
from app.credentials.transparency_log.tree import Frontier
from app.db.activity_log import ActivityLogStore, full_tile
from app.domain.activity_log import CampusLog, LogCheckpoint, LogEntry, LogPayload, LogTile, leaf_of
from app.services.activity_log import Anchors


class Fault(StrEnum):
    """What can be wrong with a log."""

    MISSING_ENTRY = "missing_entry"
    CHANGED_ENTRY = "changed_entry"
    CHANGED_PAYLOAD = "changed_payload"
    CHANGED_TILE = "changed_tile"
    MISSING_TILE = "missing_tile"
    CHANGED_HEAD = "changed_head"
    CHANGED_CHECKPOINT = "changed_checkpoint"
    SHORTER_THAN_SIGNED = "shorter_than_signed"
    OTHER_THAN_SIGNED = "other_than_signed"


@dataclass(frozen=True)
class LogFault:
    """`where` is the number of the entry, the address of the tile or the size of the checkpoint."""

    fault: Fault
    where: str


class LogCheck:
    """One pass over one log, in order; memory does not grow with it."""

    def __init__(self, store: ActivityLogStore, log: CampusLog, key: NoteKey, anchors: Anchors) -> None:
        self.store, self.log, self.key = store, log, key
        self.anchor = anchors.last(log.origin)
        self.frontier = Frontier()
        self.checkpoints = {each.size: each for each in store.checkpoints(log.id)}
        self.filling: list[list[bytes]] = [[]]
        self.tiles = {(tile.level, tile.place): (tile.hashes, tile.root) for tile in store.tiles(log.id)}

    def run(self) -> Iterator[LogFault]:
        """Every fault, in the order of the entries; of a changed entry only the first can be told from its tiles."""
        yield from self._at_this_size()
        for entry, payload in self.store.every_entry(self.log.id):
            if entry.number != self.frontier.size:
                yield LogFault(Fault.MISSING_ENTRY, str(self.frontier.size))
                return
            yield from self._payload_faults(entry, payload)
            hash_ = leaf_of(entry).hash()
            if hash_ != entry.leaf_hash:
                yield LogFault(Fault.CHANGED_ENTRY, str(entry.number))
            self.frontier.append(hash_)
            yield from self._tile_faults(0, hash_)
            yield from self._at_this_size()
        yield from self._end_faults()

    def _payload_faults(self, entry: LogEntry, payload: LogPayload | None) -> Iterator[LogFault]:
        if payload is None:
            return  # erased: nothing is left that could be compared
        try:
            fits = commit(payload.facts, payload.key) == entry.commitment
        except (CredentialError, ValueError):
            fits = False
        if not fits:
            yield LogFault(Fault.CHANGED_PAYLOAD, str(entry.number))

    def _tile_faults(self, level: int, hash_: bytes) -> Iterator[LogFault]:
        if level == len(self.filling):
            self.filling.append([])
        row = self.filling[level]
        row.append(hash_)
        if len(row) < WIDTH:
            return
        place = (self.frontier.size >> HEIGHT * (level + 1)) - 1
        derived = full_tile(self.log.id, level, place, row)
        yield from self._compared(derived)
        row.clear()
        yield from self._tile_faults(level + 1, derived.root)

    def _compared(self, derived: LogTile) -> Iterator[LogFault]:
        where = f"tile/{derived.level}/{derived.place}"
        kept = self.tiles.pop((derived.level, derived.place), None)
        if kept is None:
            yield LogFault(Fault.MISSING_TILE, where)
        elif kept != (derived.hashes, derived.root):
            # A kept leaf hash that differs names the entry; where all leaves agree, the tile itself was changed.
            yield self._first_difference(derived, kept[0], where)

    def _first_difference(self, derived: LogTile, kept: bytes, where: str) -> LogFault:
        if derived.level == 0:
            for at in range(WIDTH):
                piece = slice(at * 32, at * 32 + 32)
                if derived.hashes[piece] != kept[piece]:
                    return LogFault(Fault.CHANGED_ENTRY, str(derived.place * WIDTH + at))
        return LogFault(Fault.CHANGED_TILE, where)

    def _at_this_size(self) -> Iterator[LogFault]:
        size = self.frontier.size
        checkpoint = self.checkpoints.pop(size, None)
        if checkpoint is not None and not self._holds(checkpoint):
            yield LogFault(Fault.CHANGED_CHECKPOINT, str(size))
        if self.anchor is not None and self.anchor.size == size and self.anchor.root != self.frontier.root():
            yield LogFault(Fault.OTHER_THAN_SIGNED, str(size))

    def _holds(self, checkpoint: LogCheckpoint) -> bool:
        try:
            note = Note.from_text(checkpoint.note)
            signed = [each.key for each in note.signed_by([self.key])]
            head = TreeHead.from_text(note.text)
        except CredentialError:
            return False
        expected = TreeHead(self.log.origin, self.frontier.size, self.frontier.root())
        return signed == [self.key] and head == expected and checkpoint.root == head.root

    def _end_faults(self) -> Iterator[LogFault]:
        size = self.frontier.size
        if (self.log.size, self.log.edge) != (size, self.frontier.to_bytes()):
            yield LogFault(Fault.CHANGED_HEAD, str(size))
        for level, place in sorted(self.tiles):
            yield LogFault(Fault.CHANGED_TILE, f"tile/{level}/{place}")
        for beyond in sorted(self.checkpoints):
            yield LogFault(Fault.SHORTER_THAN_SIGNED, str(beyond))
        if self.anchor is not None and self.anchor.size > size:
            yield LogFault(Fault.SHORTER_THAN_SIGNED, str(self.anchor.size))
