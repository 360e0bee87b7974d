"""Current and former keys of a campus's logs: what each signed, and up to which tree size it is trusted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db.campus import CampusStore
from app.domain.activity_log import KEY, LAST_SIZES, CampusLog, LogPayload
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey
from app.services.activity_log.activity_log import ActivityLog
from sceau_credentials.evidence.documents import open_entry
from sceau_credentials.evidence.judging import Announcement, LogKeys, LogKeyState, LogKeyTerm
from sceau_credentials.keys import VerificationKey
from sceau_credentials.transparency_log.notes import EMPTY_ROOT, Note, NoteKey, TreeHead

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
        for at, (row, told) in enumerate(rows):
            before = rows[at - 1][0] if at else None
            terms.append(self._term(log, row, told, before))
        return LogKeys(log.origin, terms)

    def sizes_before(self, campus: Campus, key: SealedKey, since: datetime) -> dict[str, int]:
        """By log epoch, the largest tree signed before `since`."""
        known = {row.id: told for row, told in self._rows(campus)}[key.id].last_sizes
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

    def _term(self, log: CampusLog, row: SealedKey, told: _KeyAnswer, before: SealedKey | None) -> LogKeyTerm:
        return LogKeyTerm(
            _note_key(row, log),
            _STATES[row.state],
            row.activated_at or row.created_at,
            row.revoked_at or row.retired_at,
            self._last(log, row, told),
            self._announcement(log, told, before) if before else None,
        )

    def _last(self, log: CampusLog, row: SealedKey, told: _KeyAnswer) -> TreeHead | None:
        """A stolen key without a recorded last tree vouches for nothing."""
        size = told.last_sizes.get(str(log.epoch), 0 if row.state is KeyState.REVOKED else None)
        if size is None or row.state is KeyState.ACTIVE:
            return None
        checkpoint = self.store.checkpoint(log.id, int(size))
        if checkpoint is not None:
            return TreeHead(log.origin, checkpoint.size, checkpoint.root)
        root = self.activity_log.root_at(log, int(size)) if 0 < int(size) <= log.size else None
        return TreeHead(log.origin, int(size), root) if root else _nothing_of(log)

    def _announcement(self, log: CampusLog, told: _KeyAnswer, before: SealedKey) -> Announcement | None:
        """None if the previous key did not sign the entry that announces this one."""
        named = told.first
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
        told = self._told(campus, rows)
        found = [(row, told[row.id]) for row in rows.values() if row.id in told]
        return sorted(found, key=lambda pair: (pair[1].epoch, pair[1].first.number))

    def _of_the_log(self, campus: Campus) -> list[SealedKey]:
        keys = self.campuses.keys_of(campus.id)
        return [row for row in keys if row.purpose is KeyPurpose.ACTIVITY_LOG and row.state in _STATES]

    def _told(self, campus: Campus, rows: Mapping[uuid.UUID, SealedKey]) -> dict[uuid.UUID, _KeyAnswer]:
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
