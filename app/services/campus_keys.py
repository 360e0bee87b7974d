"""Signing keys that give way to others: one by the year, or one that somebody else may have had."""

from __future__ import annotations

import uuid
from datetime import datetime

from app.db.campus import CampusStore
from app.db.history import HistoryStore
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.columns import whole_second
from app.domain.history import Actor
from app.domain.keys import KeyState, SealedKey, check_retirement, move_key
from app.errors import NotFound
from app.language import N_
from app.services.logged_deeds import LoggedDeeds
from app.services.signing import Signing
from app.services.status import StatusService


class CampusKeys:
    def __init__(
        self,
        campuses: CampusStore,
        signing: Signing,
        status: StatusService,
        deeds: LoggedDeeds,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.campuses = campuses
        self.signing = signing
        self.status = status
        self.deeds = deeds
        self.history = history
        self.clock = clock

    def get(self, campus: Campus, key_id: uuid.UUID) -> SealedKey:
        key = next((one for one in self.campuses.keys_of(campus.id) if one.id == key_id), None)
        if key is None:
            raise NotFound(N_("Cette clé n’existe pas ici."))
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
        """Nothing is signed with it any more; the next key, where it was the one in service.

        A key that only gives way still proves all it signed. One that somebody else may have had since a moment
        proves what the log held before.
        """
        # Awards are decided with the campus held: none is signed with the old key after this.
        self.campuses.lock(campus.id)
        key, at = self.get(campus, key_id), self.clock()
        since = whole_second(stolen_since) if stolen_since else None
        check_retirement(key, reason, since, at=at)
        was_active = key.state is KeyState.ACTIVE
        move_key(key, KeyState.REVOKED if since else KeyState.VERIFY_ONLY, at=since or at)
        self.campuses.add(key)
        self._note(campus, key, by, reason=reason.strip(), state=key.state.value)
        following = self.signing.make_key(campus, at=at) if was_active else None
        if following is not None:
            self._note(campus, following, by, reason="")
        # What the old key signed of withdrawals is signed anew: nobody else's word may stand for the campus's.
        self.status.sign_all(campus, at=at)
        self.deeds.log.checkpoint(campus)
        return following

    def _note(self, campus: Campus, key: SealedKey, by: Actor, *, reason: str, **facts: str) -> None:
        self.deeds.key_changed(campus, key)
        deed = "retire" if reason else "create"
        said = {"reason": reason, **facts} if reason else facts
        self.history.write(by, deed, "key", key.id, at=self.clock(), campus_id=campus.id, **said)
