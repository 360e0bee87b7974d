"""The evidence document of an award, derived from the log: deterministic bytes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from app.db.activity_log import ActivityLogStore, LinesOfAward, LogWatchStore
from app.db.awards import AwardEvidenceStore
from app.db.campus import CampusStore
from app.domain.activities import Activity
from app.domain.activity_log import (
    KEY,
    LAST_SIZES,
    CampusLog,
    LogCheckpoint,
    LogCosignature,
    LogPayload,
    LogWitness,
    leaf_of,
)
from app.domain.awards.open_badges import (
    CONTEXT_PATH,
    AwardEvidence,
    Correction,
    DisclosedContent,
    DisclosureBounds,
    bounds_for,
    corrected,
    fields_shown,
)
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey
from app.domain.core import UNSHARED, Snapshot
from app.domain.people.consents import is_minor_for
from app.domain.publishing import Addresses
from app.errors import Gone, NotFound, Unavailable
from app.language import N_
from app.services.activity_log import ActivityLog
from app.services.publishing import Published
from sceau_credentials.evidence.documents import (
    MEDIA_TYPE,
    Evidence,
    Leaf,
    LoggedEntry,
    Opening,
    disclosure,
    open_entry,
)
from sceau_credentials.evidence.judging import (
    FILE,
    Announcement,
    LogKeys,
    LogKeyState,
    LogKeyTerm,
    witnesses_document,
)
from sceau_credentials.keys import VerificationKey
from sceau_credentials.transparency_log.notes import (
    EMPTY_ROOT,
    EntryProof,
    InclusionProofs,
    Note,
    NoteKey,
    TreeHead,
    inclusion_proof,
)
from sceau_credentials.transparency_log.tiles import HEIGHT, WIDTH, Tile, TileFile, entry_bundle, tiles_of
from sceau_credentials.values import JsonValue

# --- Current and former keys of a campus's logs: what each signed, and up to which tree size it is trusted

_STATES = {
    KeyState.ACTIVE: LogKeyState.ACTIVE,
    KeyState.VERIFY_ONLY: LogKeyState.RETIRED,
    KeyState.REVOKED: LogKeyState.REVOKED,
}

_A_MINUTE = timedelta(minutes=1)
"""Entries are dated to the minute."""


@dataclass(frozen=True)
class _KeyAnswer:
    """From the logs, about one key: its first entry, and the tree size per log up to which it counts."""

    first: LogPayload
    epoch: int
    last_sizes: Mapping[str, Any]


class LogKeyHistory:
    def __init__(self, activity_log: ActivityLog, campuses: CampusStore) -> None:
        self.activity_log = activity_log
        self.store = activity_log.store
        self.campuses = campuses

    def keys(self, campus: Campus, log: CampusLog) -> list[NoteKey]:
        """Every key that may have signed the log, oldest first."""
        return [_note_key(row, log) for row, _ in self._rows(campus)]

    def key(self, campus: Campus, log: CampusLog) -> NoteKey | None:
        """The key of the log's newest checkpoint; None if nothing was ever signed.

        A closed log stays under the key that signed it. If that key was stolen, do not trust the log unread.
        """
        rows = self._of_the_log(campus)
        if len(rows) == 1:
            return _note_key(rows[0], log)
        rows, newest = [row for row, _ in self._rows(campus)], self.store.newest_checkpoint(log.id)
        believed = [_note_key(row, log) for row in rows if row.state is not KeyState.REVOKED]
        if newest is not None and believed:
            signed = Note.from_text(newest.note).signed_by(believed)
            return max((each.key for each in signed), key=believed.index, default=believed[-1])
        return believed[-1] if believed else None

    def published(self, campus: Campus, log: CampusLog) -> LogKeys:
        rows = self._rows(campus)
        terms = []
        for at, (row, answer) in enumerate(rows):
            before = rows[at - 1][0] if at else None
            terms.append(self._term(log, row, answer, before))
        return LogKeys(log.origin, terms)

    def sizes_before(self, campus: Campus, key: SealedKey, since: datetime) -> dict[str, int]:
        """By log epoch, the largest tree signed before `since`."""
        known = {row.id: answer for row, answer in self._rows(campus)}[key.id].last_sizes
        sizes = {}
        for log in self.store.list_of(campus.id):
            epoch = str(log.epoch)
            newest = self.store.newest_checkpoint(log.id, before=since)
            size = max(newest.size if newest else 0, self._lost_size(log, since))
            sizes[epoch] = min(size, int(known[epoch])) if epoch in known else size
        return sizes

    def _lost_size(self, log: CampusLog, since: datetime) -> int:
        """The size of a tree signed before `since` with its checkpoint lost in a restore; 0 if none.

        Only the anchor still records that signature.
        """
        signed, newest = self.activity_log.anchors.last(log.origin), self.store.newest_checkpoint(log.id)
        if signed is None or signed.size > log.size or (newest is not None and newest.size >= signed.size):
            return 0
        last = self.store.entries(log.id, signed.size - 1, signed.size)
        was_before = bool(last) and last[0].at + _A_MINUTE <= since
        return signed.size if was_before and self.activity_log.root_at(log, signed.size) == signed.root else 0

    def _term(
        self, log: CampusLog, row: SealedKey, answer: _KeyAnswer, before: SealedKey | None
    ) -> LogKeyTerm:
        return LogKeyTerm(
            _note_key(row, log),
            _STATES[row.state],
            row.activated_at or row.created_at,
            row.revoked_at or row.retired_at,
            self._last(log, row, answer),
            self._announcement(log, answer, before) if before else None,
        )

    def _last(self, log: CampusLog, row: SealedKey, answer: _KeyAnswer) -> TreeHead | None:
        """A stolen key without a recorded last tree vouches for nothing."""
        size = answer.last_sizes.get(str(log.epoch), 0 if row.state is KeyState.REVOKED else None)
        if size is None or row.state is KeyState.ACTIVE:
            return None
        checkpoint = self.store.checkpoint(log.id, int(size))
        if checkpoint is not None:
            return TreeHead(log.origin, checkpoint.size, checkpoint.root)
        root = self.activity_log.root_at(log, int(size)) if 0 < int(size) <= log.size else None
        return TreeHead(log.origin, int(size), root) if root else _nothing_of(log)

    def _announcement(self, log: CampusLog, answer: _KeyAnswer, before: SealedKey) -> Announcement | None:
        """None if the previous key did not sign the entry that announces this one."""
        named = answer.first
        checkpoint = self.store.checkpoint(log.id, named.number + 1) if named.log_id == log.id else None
        if checkpoint is None:
            return None
        note = Note.from_text(checkpoint.note)
        if not note.signed_by([_note_key(before, log)]):
            return None
        (entry,) = self.activity_log.proofs(log, [named.number], checkpoint.size)
        return Announcement(entry, open_entry(named.facts, named.key, named.facts), note)

    def _rows(self, campus: Campus) -> list[tuple[SealedKey, _KeyAnswer]]:
        """In the order in which the logs announced them."""
        rows = {row.id: row for row in self._of_the_log(campus)}
        answer = self._answers(campus, rows)
        found = [(row, answer[row.id]) for row in rows.values() if row.id in answer]
        return sorted(found, key=lambda pair: (pair[1].epoch, pair[1].first.number))

    def _of_the_log(self, campus: Campus) -> list[SealedKey]:
        keys = self.campuses.keys_of(campus.id)
        return [row for row in keys if row.purpose is KeyPurpose.ACTIVITY_LOG and row.state in _STATES]

    def _answers(self, campus: Campus, rows: Mapping[uuid.UUID, SealedKey]) -> dict[uuid.UUID, _KeyAnswer]:
        epochs = {log.id: log.epoch for log in self.store.list_of(campus.id)}
        try:
            said = [each for each in self.store.payloads_of(KEY, rows) if each.log_id in epochs]
        except ValueError:
            # Facts that are invalid JSON: `log check` reads the stored bytes and reports the entry.
            said = []
        found: dict[uuid.UUID, _KeyAnswer] = {}
        for each in sorted(said, key=lambda one: (epochs[one.log_id], one.number)):
            known = found.get(each.noun_id)
            sizes = each.facts.get(LAST_SIZES)
            found[each.noun_id] = _KeyAnswer(
                known.first if known else each,
                known.epoch if known else epochs[each.log_id],
                sizes if isinstance(sizes, dict) else (known.last_sizes if known else {}),
            )
        return found


def _note_key(row: SealedKey, log: CampusLog) -> NoteKey:
    return NoteKey(log.origin, VerificationKey.from_jwk(row.public_jwk))


def _nothing_of(log: CampusLog) -> TreeHead:
    return TreeHead(log.origin, 0, EMPTY_ROOT)


# --- evidence

_Read = TypeVar("_Read")

_REMOVED = N_("Ces preuves ont été retirées à la demande de la personne.")
_NOT_RESTORED = N_("Après une restauration, le journal ne peut plus montrer sur quoi ce badge repose.")


class RemovedEvidence(Gone):
    """The holder had the data erased: the remaining entries are unreadable."""


@dataclass(frozen=True)
class Decision:
    """An award's log entry with its content, and the entries it depends on."""

    award_id: uuid.UUID
    number: int
    leaf: Leaf
    opening: Opening
    entries: Sequence[int]


class EvidenceDocuments:
    def __init__(
        self,
        log: ActivityLog,
        store: AwardEvidenceStore,
        watch: LogWatchStore,
        addresses: Addresses,
        snapshot: Snapshot = UNSHARED,
    ) -> None:
        self.snapshot = snapshot
        self._read: dict[tuple[str, uuid.UUID], object] = {}
        self.log = log
        self.store = store
        self.watch = watch
        self.addresses = addresses

    @property
    def rows(self) -> ActivityLogStore:
        return self.log.store

    def written(self, checkpoint: LogCheckpoint, decisions: Sequence[Decision]) -> list[bytes]:
        """One document per decision, against the checkpoint, in the given order."""
        log = self.rows.get(checkpoint.log_id)
        named = {number for each in decisions for number in each.entries}
        written = self._written(log, checkpoint, decisions, dict(self.rows.leaves(log.id, named)))
        return [each.to_bytes() for each in written]

    def _written(
        self,
        log: CampusLog,
        checkpoint: LogCheckpoint,
        decisions: Sequence[Decision],
        leaves: Mapping[int, Leaf],
    ) -> list[Evidence]:
        proofs = InclusionProofs(self.log.tree(log, checkpoint.size), checkpoint.size)
        named = {number for each in decisions for number in each.entries}
        proved = {number: LoggedEntry(number, leaves[number], proofs.of(number)) for number in named}
        note = Note.from_text(checkpoint.note)
        return [
            Evidence(
                context=self.addresses.base_url + CONTEXT_PATH,
                id=self.addresses.evidence(each.award_id),
                award=self.addresses.award(each.award_id),
                checkpoint=note,
                decision=LoggedEntry(each.number, each.leaf, proofs.of(each.number)),
                opening=each.opening,
                entries=[proved[number] for number in each.entries],
            )
            for each in decisions
        ]

    def find(self, award_id: uuid.UUID) -> AwardEvidence | None:
        """None for an award older than the log."""
        return self._once("row", award_id, lambda: self.store.find(award_id))

    def document(self, award_id: uuid.UUID) -> Published:
        return Published.of(self.evidence(award_id).to_bytes(), MEDIA_TYPE)

    def evidence(self, award_id: uuid.UUID) -> Evidence:
        """The content of the document."""
        return self._evidence_of(self._get(award_id))

    def disclosure(self, award_id: uuid.UUID) -> Published:
        """What the holder discloses of each entry; undisclosed entries appear without content."""
        row = self._get(award_id)
        return Published.of(disclosure(row.digest, self.openings(row)), MEDIA_TYPE)

    def witnesses(self, award_id: uuid.UUID) -> Published:
        """Witnesses of the decision, each with the first tree it cosigned that contains it."""
        row = self._get(award_id)
        log = self._log(row.log_id)
        witnesses = self.snapshot.until_commit(
            ("witnesses", log.campus_id), lambda: self.watch.witnesses_of(log.campus_id)
        )
        named = {each.name: each for each in witnesses}
        first = self.watch.first_to_see(log.id, row.decision) if named else []
        lines = [each for each in first if each.witness in named]
        seen = [
            (
                named[line.witness].label,
                NoteKey.from_vkey(named[line.witness].vkey),
                self._proof(log, row, line),
            )
            for line in lines
        ]
        return Published.of(witnesses_document(row.digest, seen), MEDIA_TYPE)

    def _proof(self, log: CampusLog, row: AwardEvidence, line: LogCosignature) -> EntryProof:
        (entry,) = self.log.proofs(log, [row.decision], line.size)
        checkpoint = self._checkpoint(log.id, line.size)
        return EntryProof(entry.index, entry.hashes, Note.from_text(checkpoint.note + line.line))

    def _get(self, award_id: uuid.UUID) -> AwardEvidence:
        row = self.find(award_id)
        if row is None:
            if self.store.is_erased(award_id):
                raise RemovedEvidence(_REMOVED)
            raise NotFound("Ce badge ne repose sur aucune ligne du journal d’activité.")
        return row

    def _evidence_of(self, row: AwardEvidence) -> Evidence:
        lines = self._lines(row)
        payload = lines.payloads.get(row.decision)
        if payload is None:
            raise RemovedEvidence(_REMOVED)
        opening = open_entry(payload.facts, payload.key, payload.facts)
        decision = Decision(row.award_id, row.decision, lines.leaves[row.decision], opening, row.entries)
        checkpoint = self._checkpoint(row.log_id, row.size)
        return self._written(self._log(row.log_id), checkpoint, [decision], lines.leaves)[0]

    def openings(self, row: AwardEvidence) -> dict[int, Opening]:
        chosen = self.shown(row)
        return {
            payload.number: open_entry(
                payload.facts, payload.key, fields_shown(payload.facts, chosen[payload.number])
            )
            for payload in self.payloads(row)
            if chosen[payload.number] is not DisclosedContent.EXISTENCE
        }

    def shown(self, row: AwardEvidence) -> Mapping[int, DisclosedContent]:
        # A transaction that writes the choice only reads the choice.
        chosen = self._lines(row).shown if self.snapshot.is_shared else self.store.shown_of(row.award_id)
        bounds = self.bounds_of(row.award_id)
        return {number: bounds.apply(chosen.get(number)) for number in row.entries}

    def corrected_since(self, award_id: uuid.UUID) -> Correction | None:
        """What the log corrected of the entries that the award depends on; None if nothing that matters."""
        if (row := self.find(award_id)) is None or not (later := self._lines(row).later):
            return None
        shown, found = self.shown(row), list[frozenset[str]]()
        for entry in self.payloads(row):
            newest = self.rows.payload(row.log_id, later[entry.number]) if entry.number in later else None
            if newest is not None:
                found += corrected(entry.facts, newest.facts, fields_shown(entry.facts, shown[entry.number]))
        return Correction(frozenset().union(*found)) if found else None

    def fields_with(
        self, award_id: uuid.UUID, chosen: Mapping[int, DisclosedContent]
    ) -> dict[int, dict[str, JsonValue]]:
        """The fields of each entry that this choice would disclose; read-only."""
        row = self._get(award_id)
        bounds, shown = self.bounds_of(award_id), dict(self.shown(row))
        shown |= {number: bounds.apply(level) for number, level in chosen.items() if number in shown}
        return {
            each.number: {name: each.facts[name] for name in fields_shown(each.facts, shown[each.number])}
            for each in self.payloads(row)
        }

    def bounds_of(self, award_id: uuid.UUID) -> DisclosureBounds:
        read = self.store.holder_read(award_id) if self.snapshot.is_shared else None
        if read is None:
            is_minor = self._once("minor", award_id, lambda: self.store.is_of_minor(award_id))
            return bounds_for(is_minor=is_minor)
        award, person = read
        return bounds_for(is_minor=is_minor_for(person, self._activity(award.activity_id)))

    def _activity(self, activity_id: uuid.UUID | None) -> Activity | None:
        if activity_id is None:
            return None
        about = "activity", activity_id
        return self.snapshot.until_commit(about, lambda: self.store.find_activity(activity_id))

    def payloads(self, row: AwardEvidence) -> list[LogPayload]:
        """The payloads of the entries; erased ones are missing."""
        found = self._lines(row).payloads
        return [found[number] for number in row.entries if number in found]

    def _lines(self, row: AwardEvidence) -> LinesOfAward:
        return self._once("lines", row.award_id, lambda: self.rows.lines(row))

    def _log(self, log_id: uuid.UUID) -> CampusLog:
        return self.snapshot.until_commit(("log", log_id), lambda: self.rows.get(log_id))

    def _checkpoint(self, log_id: uuid.UUID, size: int) -> LogCheckpoint:
        about = "checkpoint", log_id, size
        checkpoint = self.snapshot.until_commit(about, lambda: self.rows.checkpoint(log_id, size))
        if checkpoint is None:
            raise Unavailable(_NOT_RESTORED)
        return checkpoint

    def _once(self, what: str, award_id: uuid.UUID, read: Callable[[], _Read]) -> _Read:
        """In a read-only transaction, read the rows of an award once."""
        if not self.snapshot.is_shared:
            return read()
        about = what, award_id
        if about not in self._read:
            self._read[about] = read()
        return self._read[about]  # type: ignore[return-value]


TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
CHECKPOINT, PUBLIC_KEY, KEYS = "checkpoint", "key", FILE
_EPOCH = re.compile(r"([1-9][0-9]{0,5})/(.+)")
_PROOF = re.compile(r"(0|[1-9][0-9]{0,17})\.tlog-proof")


@dataclass(frozen=True)
class LogFile:
    """`never_changes`: clients may cache it forever."""

    document: Published
    never_changes: bool


@dataclass(frozen=True)
class WitnessSeen:
    """A witness, and the newest checkpoint it cosigned."""

    witness: LogWitness
    size: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class PublicLog:
    """A log up to its newest checkpoint."""

    campus: Campus
    log: CampusLog
    checkpoint: LogCheckpoint
    key: NoteKey


@dataclass(frozen=True)
class LogState:
    """The campus's newest log, its witnesses, and the closed logs."""

    campus: Campus
    current: PublicLog | None
    waiting: int
    """Number of entries not signed yet."""
    witnesses: Sequence[WitnessSeen]
    closed: Sequence[CampusLog]


@dataclass(frozen=True, eq=False)
class LogPublication:
    store: ActivityLogStore
    watch: LogWatchStore
    campuses: CampusStore
    activity_log: ActivityLog
    log_keys: LogKeyHistory

    def file(self, slug: str, path: str) -> LogFile:
        """One file of the campus's log; for later epochs the path starts with the epoch number."""
        campus = self.campuses.get(slug)
        found = _EPOCH.fullmatch(path)
        epoch, name = (int(found[1]), found[2]) if found else (1, path)
        log = self.store.find_epoch(campus.id, epoch)
        public = self.published(campus, log) if log else None
        file = self._named(public, name) if public else None
        if file is None:
            raise NotFound("Le journal du campus n’a pas de fichier à cette adresse.")
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
        """None until the log was first signed."""
        checkpoint = self.store.newest_checkpoint(log.id)
        key = self.log_keys.key(campus, log) if checkpoint else None
        return PublicLog(campus, log, checkpoint, key) if checkpoint and key else None

    def keys(self, public: PublicLog) -> LogKeys:
        """The current key of the log and its predecessors."""
        return self.log_keys.published(public.campus, public.log)

    def files(self, public: PublicLog) -> Iterator[tuple[str, Callable[[], bytes], bool]]:
        """(path, content, whether it never changes) of every file of a mirror; the checkpoint last.

        A mirror that stops half-way then still serves a checkpoint that matches its files.
        """
        yield PUBLIC_KEY, partial(self._key, public), False
        yield KEYS, lambda: self.keys(public).to_bytes(), False
        for tile in tiles_of(public.checkpoint.size):
            yield tile.path, partial(self.store.tile, public.log.id, tile), True
            if tile.level == 0:
                yield tile.entries_path, partial(self._entries, public, tile), True
        yield CHECKPOINT, partial(self._checkpoint, public), False

    def proof(self, public: PublicLog, number: int) -> EntryProof | None:
        """The inclusion proof against the newest checkpoint; None if the entry is not in that tree."""
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
    """Whether the signed tree contains the whole tile: unsigned entries are not served."""
    return tile.width > 0 and tile.index * WIDTH + tile.width <= size >> HEIGHT * tile.level
