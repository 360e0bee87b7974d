"""Rotation of signing keys: planned, or after a possible compromise."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.db.campus import CampusStore, HistoryStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey, check_retirement, move_key
from app.domain.core import Clock, whole_second
from app.errors import NotFound
from app.services.activity_log import LoggedEvents
from app.services.activity_log.evidence import LogKeyHistory
from app.services.publishing.status import Signing, StatusService
from sceau_credentials.keys import VerificationKey
from sceau_credentials.transparency_log.notes import NoteKey


@dataclass(frozen=True, eq=False)
class CampusKeys:
    campuses: CampusStore
    signing: Signing
    status: StatusService
    logged_events: LoggedEvents
    log_keys: LogKeyHistory
    history: HistoryStore
    clock: Clock

    def get(self, campus: Campus, key_id: uuid.UUID) -> SealedKey:
        key = next((one for one in self.campuses.keys_of(campus.id) if one.id == key_id), None)
        if key is None:
            raise NotFound("Cette clé n’existe pas ici.")
        return key

    def retire(
        self,
        campus: Campus,
        key_id: uuid.UUID,
        *,
        reason: str,
        stolen_since: datetime | None = None,
        by: Actor,
    ) -> SealedKey | None:
        """Stop signing with it; returns the next key if this one was in service.

        A key that is only replaced still proves everything it signed. A key possibly compromised since a datetime
        proves only what the log contained before.
        """
        # Awards are decided with the campus locked: none is signed with the old key after this.
        self.campuses.lock(campus.id)
        key, at = self.get(campus, key_id), self.clock()
        since = whole_second(stolen_since) if stolen_since else None
        check_retirement(key, reason, since, at=at)
        if key.purpose is KeyPurpose.ACTIVITY_LOG:
            return self._retire_of_the_log(campus, key, reason.strip(), since, by)
        was_active = key.state is KeyState.ACTIVE
        move_key(key, KeyState.REVOKED if since else KeyState.VERIFY_ONLY, at=since or at)
        self.campuses.add(key)
        self._note(campus, key, by, reason=reason.strip(), state=key.state.value)
        following = self.signing.make_key(campus, at=at, purpose=key.purpose) if was_active else None
        if following is not None:
            self._note(campus, following, by, reason="")
        if key.purpose is KeyPurpose.CREDENTIAL:
            # Sign the status lists again: revocations must not rest on a compromised key.
            self.status.sign_all(campus, at=at)
        self.logged_events.log.checkpoint(campus)
        return following

    def retire_active_of_the_log(
        self, campus: Campus, *, reason: str, stolen_since: datetime | None = None, by: Actor
    ) -> SealedKey | None:
        """As `retire`, for the current key of the campus's activity log."""
        key = self.campuses.find_active_key(campus.id, KeyPurpose.ACTIVITY_LOG)
        if key is None:
            raise NotFound("Le journal du campus est encore vide.")
        return self.retire(campus, key.id, reason=reason, stolen_since=stolen_since, by=by)

    def give_way_to_the_lost(self, campus: Campus, signed_with: str) -> SealedKey | None:
        """After a restore: retire again the key that had been replaced since the copy, and return it.

        `signed_with`: the last key known outside the copy; its private half is lost, so the new log
        gets a new key. None if the copy contains that same key.
        """
        key = self.campuses.find_active_key(campus.id, KeyPurpose.ACTIVITY_LOG)
        if key is None or not signed_with:
            return None
        known = NoteKey.from_vkey(signed_with).public
        if known.thumbprint() == VerificationKey.from_jwk(key.public_jwk).thumbprint():
            return None
        move_key(key, KeyState.VERIFY_ONLY, at=self.clock())
        self.campuses.add(key)
        self.signing.make_key(campus, at=self.clock(), purpose=KeyPurpose.ACTIVITY_LOG)
        return key

    def note_end(self, campus: Campus, key: SealedKey, reason: str, by: Actor) -> None:
        self._note(campus, key, by, reason=reason, state=key.state.value)

    def _retire_of_the_log(
        self, campus: Campus, key: SealedKey, reason: str, since: datetime | None, by: Actor
    ) -> SealedKey | None:
        """A replaced key signs the tree that announces the next; a stolen one signs nothing more."""
        log, at = self.logged_events.log.open(campus), self.clock()
        self.logged_events.log.check_in_step(log)
        was_active = key.state is KeyState.ACTIVE
        leaving = self.signing.log_signer(campus, at=at) if was_active and not since else None
        # Both entries first, then the tree that both keys sign.
        sizes = self.log_keys.sizes_before(campus, key, since) if since else {str(log.epoch): log.size + 2}
        move_key(key, KeyState.REVOKED if since else KeyState.VERIFY_ONLY, at=since or at)
        self.campuses.add(key)
        self._note(campus, key, by, reason=reason, last_sizes=sizes, state=key.state.value)
        following = self._next_of_the_log(campus, by) if was_active else None
        self.logged_events.log.checkpoint(campus, leaving=leaving)
        return following

    def _next_of_the_log(self, campus: Campus, by: Actor) -> SealedKey:
        following = self.signing.make_key(campus, at=self.clock(), purpose=KeyPurpose.ACTIVITY_LOG)
        self._note(campus, following, by, reason="")
        return following

    def _note(
        self,
        campus: Campus,
        key: SealedKey,
        by: Actor,
        *,
        reason: str,
        last_sizes: Mapping[str, int] | None = None,
        **facts: str,
    ) -> None:
        self.logged_events.key_changed(campus, key, last_sizes)
        action = "retire" if reason else "create"
        said = {"reason": reason, **facts} if reason else facts
        self.history.write(by, action, "key", key.id, at=self.clock(), campus_id=campus.id, **said)
