"""After an old copy was restored: the log that lost lines is closed, and a new one says so in its first lines."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.activity_log.activity_log import ActivityLogStore
from app.db.campus.history import HistoryStore
from app.domain.activity_log.activity_log import CampusLog, EntryKind, Fact, LogCheckpoint
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog, Anchors, LogOutOfStep
from app.services.campus.keys import CampusKeys
from sceau_credentials.transparency_log.checkpoints import TreeHead


@dataclass(frozen=True)
class Reconciled:
    """`signed` is the most that was ever signed of the closed log, `kept` how much of it is left."""

    closed: CampusLog
    kept: int
    signed: TreeHead | None
    opened: LogCheckpoint
    key_renewed: bool
    """Whether the key in the copy had given way since, to one that is lost with what was lost."""


class LogReconciliation:
    def __init__(
        self,
        store: ActivityLogStore,
        activity_log: ActivityLog,
        campus_keys: CampusKeys,
        anchors: Anchors,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.store = store
        self.activity_log = activity_log
        self.campus_keys = campus_keys
        self.anchors = anchors
        self.history = history
        self.clock = clock

    def reconcile(self, campus: Campus, reason: str, *, by: Actor) -> Reconciled:
        """Close the log that may no longer be signed and begin the next one; refused where nothing is wrong."""
        if not reason.strip():
            raise InvalidInput(N_("Dites pourquoi : ce motif reste dans le journal."))
        closed = self.store.lock(campus.id)
        if closed is None:
            raise NotFound(N_("Le journal du campus est encore vide."))
        try:
            self.activity_log.check_in_step(closed)
        except LogOutOfStep:
            pass
        else:
            raise Conflict(
                N_(
                    "Le journal du campus est dans le même état que ce qui a été signé : rien n’est à réconcilier."
                )
            )
        signed, at = self.anchors.last(closed.origin), self.clock()
        closed.closed_at = at
        self.store.add(closed)
        outdated = self.campus_keys.give_way_to_the_lost(campus, self.anchors.last_key(closed.origin))
        opened = self.activity_log.begin_again(campus, after=closed.epoch)
        facts = {
            "closed": closed.origin,
            "kept": closed.size,
            "signed": signed.size if signed else closed.size,
            "root": signed.root.hex() if signed else "",
            "reason": reason.strip()[:500],
        }
        self.activity_log.record(campus, [Fact(EntryKind.CORRECTION, "campus_log", closed.id, facts)])
        if outdated is not None:
            self.campus_keys.note_end(campus, outdated, reason.strip()[:500], by)
        self.history.write(
            by, "reconcile", "campus_log", opened.id, at=at, campus_id=campus.id, kept=closed.size
        )
        checkpoint = self.activity_log.checkpoint(campus)
        return Reconciled(closed, closed.size, signed, checkpoint, key_renewed=outdated is not None)
