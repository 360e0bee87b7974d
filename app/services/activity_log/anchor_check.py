"""Whether the database is what was last published from it, as the anchor folder remembers, or an older copy."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from app.adapters.folders.log_anchors import AnchorState
from app.db.campus.campus import CampusStore
from app.db.publishing.status import StatusStore
from app.domain.activity_log.activity_log import CampusLog
from app.domain.campus.campus import Campus
from app.domain.publishing.addresses import Addresses
from app.domain.publishing.status import anchored_form, signed_form
from app.errors import Unavailable
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog, Anchors
from app.services.activity_log.keys import LogKeyHistory
from app.services.activity_log.recovery import ChoiceJournal
from app.services.publishing.status import ListAnchors
from sceau_credentials.transparency_log.checkpoints import TreeHead


class Older(StrEnum):
    """How a database can be older than its anchors."""

    LOG_SHORTER = "log_shorter"
    LOG_OTHER = "log_other"
    LOG_CLOSED_SINCE = "log_closed_since"
    LIST_MISSING = "list_missing"
    LIST_OLDER = "list_older"
    ANCHOR_DAMAGED = "anchor_damaged"
    CHOICES = "choices"


SENTENCES: Final = {
    Older.LOG_SHORTER: N_("{campus} : le journal a été signé à {where} lignes, et la base en a moins."),
    Older.LOG_OTHER: N_("{campus} : à {where} lignes, le journal n’est plus celui qui a été signé."),
    Older.LOG_CLOSED_SINCE: N_("{campus} : le journal {where} a été ouvert depuis cette copie de la base."),
    Older.LIST_MISSING: N_("{campus} : la liste de statuts {where} a été publiée, et la base ne l’a pas."),
    Older.LIST_OLDER: N_(
        "{campus} : la liste de statuts {where} est plus ancienne que celle qui a été publiée."
    ),
    Older.CHOICES: N_(
        "{campus} : ce que des personnes ont choisi depuis (pages fermées, consentements, noms…) manque : "
        "{where} changements."
    ),
    Older.ANCHOR_DAMAGED: N_("{campus} : le fichier d’ancre {where} est abîmé."),
}
OLDER_COPY: Final = N_(
    "Une ancienne sauvegarde a été restaurée pour ce campus. Rien n’est attribué ni publié, et rien n’est dit de ses "
    "badges, avant la fin de la restauration. Réessayez plus tard."
)


class OlderCopy(Unavailable):
    """The campus's rows come from an older copy of the database: nothing is shown or decided by them."""

    def __init__(self) -> None:
        super().__init__(OLDER_COPY)


@dataclass(frozen=True)
class Behind:
    """One campus, and one thing of it that the anchors know a later state of."""

    campus_id: uuid.UUID
    slug: str
    older: Older
    where: str


class AllAnchors(ListAnchors, Anchors, Protocol):
    def state(self) -> AnchorState: ...

    def name_of(self, origin: str) -> str: ...


class AnchorCheck:
    def __init__(
        self,
        log: ActivityLog,
        log_keys: LogKeyHistory,
        statuses: StatusStore,
        campuses: CampusStore,
        anchors: AllAnchors,
        choices: ChoiceJournal,
        addresses: Addresses,
    ) -> None:
        self.choices = choices
        self.log = log
        self.logs = log.store
        self.log_keys = log_keys
        self.statuses = statuses
        self.campuses = campuses
        self.anchors = anchors
        self.addresses = addresses

    def behind(self, *, thorough: bool = True) -> list[Behind]:
        """What is older than its anchor; unless `thorough`, roots of logs are not computed, only sizes compared."""
        # What is outside is read first: between both, the database may only become newer.
        state, chosen = self.anchors.state(), self.choices.head()
        campuses = {campus.id: campus for campus in self.campuses.list_all()}
        open_logs = {log.campus_id: log for log in self.logs.list_all() if log.closed_at is None}
        found: list[Behind] = []
        if (lost := chosen - self.choices.store.newest()) > 0:
            found += [Behind(each.id, each.slug, Older.CHOICES, str(lost)) for each in campuses.values()]
        for campus in campuses.values():
            found += self._log_of(campus, open_logs.get(campus.id), state, thorough)
        return found + list(self._lists_of(campuses, state))

    def catch_up(self) -> int:
        """Move every anchor that lags, after a crash between commit and anchor or a folder that took no file."""
        moved = 0
        lagging = []
        for list_id, sequence in self.statuses.sequences().items():
            anchored = self.anchors.list_of(list_id)
            if anchored is None or anchored.signed.sequence < sequence:
                row = self.statuses.get(list_id)
                if row.published:
                    lagging.append(anchored_form(row))
        if lagging:
            self.anchors.advance_lists(lagging)
            moved += len(lagging)
        for log in self.logs.list_all():
            checkpoint, anchor = self.logs.newest_checkpoint(log.id), self.anchors.last(log.origin)
            if checkpoint is not None and (anchor is None or anchor.size < checkpoint.size):
                key = self.log_keys.key(self.campuses.get_by_id(log.campus_id), log)
                head = TreeHead(log.origin, checkpoint.size, checkpoint.root)
                self.anchors.advance(head, key.to_vkey() if key else "")
                moved += 1
        return moved

    def _log_of(
        self, campus: Campus, log: CampusLog | None, state: AnchorState, thorough: bool
    ) -> Iterator[Behind]:
        origin = log.origin if log else self.addresses.log_origin(campus.slug, 1)
        if (name := self.anchors.name_of(origin)) in state.damaged:
            yield Behind(campus.id, campus.slug, Older.ANCHOR_DAMAGED, name)
        if log is not None:
            later = state.heads.get(self.addresses.log_origin(campus.slug, log.epoch + 1))
            if later is not None:
                yield Behind(campus.id, campus.slug, Older.LOG_CLOSED_SINCE, later.origin)
        anchor = state.heads.get(origin)
        if anchor is None:
            return
        if log is None or anchor.size > log.size:
            yield Behind(campus.id, campus.slug, Older.LOG_SHORTER, str(anchor.size))
        elif thorough and self.log.root_at(log, anchor.size) != anchor.root:
            yield Behind(campus.id, campus.slug, Older.LOG_OTHER, str(anchor.size))

    def _lists_of(self, campuses: Mapping[uuid.UUID, Campus], state: AnchorState) -> Iterator[Behind]:
        known = self.statuses.sequences()
        for anchored in state.lists.values():
            campus = campuses.get(anchored.campus_id)
            if campus is None:
                continue
            sequence = known.get(anchored.list_id)
            if sequence is None:
                yield Behind(campus.id, campus.slug, Older.LIST_MISSING, str(anchored.list_id))
            elif anchored.signed.sequence >= sequence and anchored.is_newer_than(
                signed_form(self.statuses.get(anchored.list_id))
            ):
                yield Behind(campus.id, campus.slug, Older.LIST_OLDER, str(anchored.list_id))
        for name, list_id in state.damaged.items():
            if list_id in known:
                campus = campuses[self.statuses.get(list_id).campus_id]
                yield Behind(campus.id, campus.slug, Older.ANCHOR_DAMAGED, name)
