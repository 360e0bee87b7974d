"""The files of an activity log, as any static server could serve them, and what people are told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.db.activity_log.activity_log import ActivityLogStore
from app.db.activity_log.watch import LogWatchStore
from app.db.campus.campus import CampusStore
from app.domain.activity_log.activity_log import CampusLog, LogCheckpoint, leaf_of
from app.domain.activity_log.watch import LogWitness
from app.domain.campus.campus import Campus
from app.errors import NotFound
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog
from app.services.activity_log.keys import LogKeyHistory
from app.services.publishing.publication import Published
from sceau_credentials.evidence.documents import MEDIA_TYPE
from sceau_credentials.evidence.log_keys import FILE, LogKeys
from sceau_credentials.transparency_log.checkpoints import EntryProof
from sceau_credentials.transparency_log.notes import Note, NoteKey
from sceau_credentials.transparency_log.tiles import HEIGHT, WIDTH, Tile, TileFile, entry_bundle, tiles_of
from sceau_credentials.transparency_log.tree import inclusion_proof

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
CHECKPOINT, KEY, KEYS = "checkpoint", "key", FILE
_EPOCH = re.compile(r"([1-9][0-9]{0,5})/(.+)")
_PROOF = re.compile(r"(0|[1-9][0-9]{0,17})\.tlog-proof")


@dataclass(frozen=True)
class LogFile:
    """`never_changes`: whoever has it once need not ask again."""

    document: Published
    never_changes: bool


@dataclass(frozen=True)
class WitnessSeen:
    """A witness, and the newest checkpoint it put its name to."""

    witness: LogWitness
    size: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class PublicLog:
    """A log as far as it is signed."""

    campus: Campus
    log: CampusLog
    checkpoint: LogCheckpoint
    key: NoteKey


@dataclass(frozen=True)
class LogState:
    """The campus's newest log, the witnesses of it, and the logs that were closed before."""

    campus: Campus
    current: PublicLog | None
    waiting: int
    """How many lines are written and not signed yet."""
    witnesses: Sequence[WitnessSeen]
    closed: Sequence[CampusLog]


class LogPublication:
    def __init__(
        self,
        store: ActivityLogStore,
        watch: LogWatchStore,
        campuses: CampusStore,
        activity_log: ActivityLog,
        log_keys: LogKeyHistory,
    ) -> None:
        self.store = store
        self.watch = watch
        self.campuses = campuses
        self.activity_log = activity_log
        self.log_keys = log_keys

    def file(self, slug: str, path: str) -> LogFile:
        """One file of the campus's log; those of a later epoch have its number before their name."""
        campus = self.campuses.get(slug)
        found = _EPOCH.fullmatch(path)
        epoch, name = (int(found[1]), found[2]) if found else (1, path)
        log = self.store.find_epoch(campus.id, epoch)
        public = self.published(campus, log) if log else None
        file = self._named(public, name) if public else None
        if file is None:
            raise NotFound(N_("Le journal du campus n’a pas de fichier à cette adresse."))
        return file

    def state(self, slug: str) -> LogState:
        campus = self.campuses.get(slug)
        logs = self.store.list_of(campus.id)
        log = next((each for each in logs if each.closed_at is None), None)
        current = self.published(campus, log) if log else None
        signed = current.checkpoint.size if current else 0
        return LogState(
            campus,
            current,
            log.size - signed if log else 0,
            self.witnesses(campus, log),
            [each for each in logs if each.closed_at is not None],
        )

    def witnesses(self, campus: Campus, log: CampusLog | None) -> list[WitnessSeen]:
        newest = {each.witness: each for each in self.watch.newest_cosignatures(log.id)} if log else {}
        return [
            WitnessSeen(witness, line.size, line.seen_at) if line else WitnessSeen(witness)
            for witness in self.watch.witnesses_of(campus.id)
            for line in [newest.get(witness.name)]
        ]

    def published(self, campus: Campus, log: CampusLog) -> PublicLog | None:
        """None until the log was signed for the first time."""
        checkpoint = self.store.newest_checkpoint(log.id)
        key = self.log_keys.key(campus, log) if checkpoint else None
        return PublicLog(campus, log, checkpoint, key) if checkpoint and key else None

    def keys(self, public: PublicLog) -> LogKeys:
        """The key of the log and those before it."""
        return self.log_keys.published(public.campus, public.log)

    def files(self, public: PublicLog) -> Iterator[tuple[str, bytes, bool]]:
        """(path, content, whether it never changes) of everything a mirror holds; the checkpoint last.

        A mirror that stops half way then still serves the checkpoint whose files it has.
        """
        yield KEY, self._key(public), False
        yield KEYS, self.keys(public).to_bytes(), False
        for tile in tiles_of(public.checkpoint.size):
            yield tile.path, self.store.tile(public.log.id, tile), True
            if tile.level == 0:
                yield tile.entries_path, self._entries(public, tile), True
        yield CHECKPOINT, self._checkpoint(public), False

    def proof(self, public: PublicLog, number: int) -> EntryProof | None:
        """That the entry is in the log as it was last signed; None where it is not, or not yet."""
        size = public.checkpoint.size
        if number >= size:
            return None
        hashes = inclusion_proof(self.activity_log.tree(public.log, size), number, size)
        return EntryProof(number, tuple(hashes), self.note(public))

    def note(self, public: PublicLog) -> Note:
        return self.activity_log.note_of(public.checkpoint)

    def _named(self, public: PublicLog, name: str) -> LogFile | None:
        match name:
            case "checkpoint":
                return LogFile(Published.of(self._checkpoint(public), TEXT), never_changes=False)
            case "key":
                return LogFile(Published.of(self._key(public), TEXT), never_changes=False)
            case "keys":
                return LogFile(Published.of(self.keys(public).to_bytes(), MEDIA_TYPE), never_changes=False)
        if asked := _PROOF.fullmatch(name):
            proof = self.proof(public, int(asked[1]))
            return _proof_file(proof) if proof else None
        asked_tile = TileFile.at(name)
        if asked_tile is None or not _is_within(asked_tile.tile, public.checkpoint.size):
            return None
        tile = asked_tile.tile
        body = (
            self._entries(public, tile) if asked_tile.holds_entries else self.store.tile(public.log.id, tile)
        )
        return LogFile(Published.of(body, BYTES), never_changes=True)

    def _checkpoint(self, public: PublicLog) -> bytes:
        return self.note(public).to_text().encode()

    @staticmethod
    def _key(public: PublicLog) -> bytes:
        return f"{public.key.to_vkey()}\n".encode()

    def _entries(self, public: PublicLog, tile: Tile) -> bytes:
        start = tile.index * WIDTH
        entries = self.store.entries(public.log.id, start, start + tile.width)
        return entry_bundle([leaf_of(entry).to_bytes() for entry in entries])


def _proof_file(proof: EntryProof) -> LogFile:
    return LogFile(Published.of(proof.to_text().encode(), TEXT), never_changes=False)


def _is_within(tile: Tile, size: int) -> bool:
    """Whether the signed tree has all of the tile: what is not signed yet is not shown."""
    return tile.width > 0 and tile.index * WIDTH + tile.width <= size >> HEIGHT * tile.level
