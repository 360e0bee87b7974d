"""`sceau log check`: derive everything in a log again from its rows and report every mismatch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import orjson

from app.adapters.folders.log_files import AnchorState
from app.db.activity_log import ActivityLogStore, WrittenEntry, full_tile
from app.db.campus import CampusStore
from app.db.publishing import StatusStore
from app.domain.activity_log import CampusLog, LogCheckpoint, LogTile
from app.domain.campus.campus import Campus, KeyState, SealedKey
from app.domain.publishing import Addresses, anchored_form, signed_form
from app.errors import Unavailable
from app.language import N_
from app.services.activity_log import ActivityLog, Anchors
from app.services.activity_log.evidence import LogKeyHistory
from app.services.activity_log.recovery import ChoiceJournal, ErasureJournal
from app.services.publishing.status import ListAnchors
from sceau_credentials.errors import CredentialError
from sceau_credentials.evidence.documents import Leaf, commit
from sceau_credentials.transparency_log.notes import HASH_BYTES, Frontier, Note, NoteKey, TreeHead
from sceau_credentials.transparency_log.tiles import HEIGHT, WIDTH

MOST_LOG_FAULTS: Final = 100
"""How many a page shows of a log; a review stores one more, which tells that there are others."""


class Fault(StrEnum):
    """Kinds of faults in a log."""

    MISSING_ENTRY = "missing_entry"
    CHANGED_BEFORE = "changed_before"
    CHANGED_ENTRY = "changed_entry"
    TIME_BACKWARDS = "time_backwards"
    CHANGED_PAYLOAD = "changed_payload"
    CHANGED_TILE = "changed_tile"
    MISSING_TILE = "missing_tile"
    CHANGED_HEAD = "changed_head"
    CHANGED_CHECKPOINT = "changed_checkpoint"
    SHORTER_THAN_SIGNED = "shorter_than_signed"
    OTHER_THAN_SIGNED = "other_than_signed"


FAULTS = {
    Fault.MISSING_ENTRY: N_("La ligne {where} manque."),
    Fault.CHANGED_BEFORE: N_("Avant la ligne {where}, le journal n’est plus celui qui avait été relu."),
    Fault.CHANGED_ENTRY: N_("La ligne {where} a changé."),
    Fault.TIME_BACKWARDS: N_(
        "La ligne {where} est datée d’avant la ligne qui la précède : l’horloge a reculé."
    ),
    Fault.CHANGED_PAYLOAD: N_("Ce que dit la ligne {where} a changé."),
    Fault.CHANGED_TILE: N_("Le fichier {where} a changé."),
    Fault.MISSING_TILE: N_("Le fichier {where} manque."),
    Fault.CHANGED_HEAD: N_("La longueur notée du journal n’est pas la sienne : {where}."),
    Fault.CHANGED_CHECKPOINT: N_("Le point de contrôle de longueur {where} a changé."),
    Fault.SHORTER_THAN_SIGNED: N_("Le journal a été signé à la longueur {where}, et il est plus court."),
    Fault.OTHER_THAN_SIGNED: N_("À la longueur {where}, le journal n’est plus celui qui a été signé."),
}


@dataclass(frozen=True)
class LogFault:
    """`where`: the entry number, tile address or checkpoint size."""

    fault: Fault
    where: str


@dataclass(frozen=True)
class Span:
    """Consecutive entries, derived again: concatenated leaf hashes, up to the first missing entry."""

    start: int
    hashes: bytes
    faults: Sequence[LogFault]
    first_at: datetime | None = None
    last_at: datetime | None = None


Spans = Callable[[uuid.UUID, Sequence[range]], Iterable[Span]]
"""Derives these ranges of a log's entries, in order; the caller chooses how many processes share them."""
AT_A_TIME: Final = 64 * WIDTH


def derive_span(store: ActivityLogStore, log_id: uuid.UUID, numbers: range) -> Span:
    """Derive entries without context: most of the cost of a check, and parallelisable."""
    hashes, faults = bytearray(), list[LogFault]()
    first_at = last_at = None
    for expected, entry in zip(numbers, _readable(store, log_id, numbers), strict=False):
        if entry is None:
            faults.append(LogFault(Fault.CHANGED_ENTRY, str(expected)))
            break
        if entry.number != expected:
            break
        if last_at is not None and entry.at < last_at:
            faults.append(LogFault(Fault.TIME_BACKWARDS, str(entry.number)))
        first_at, last_at = first_at or entry.at, entry.at
        if not _payload_fits(entry):
            faults.append(LogFault(Fault.CHANGED_PAYLOAD, str(entry.number)))
        hash_ = Leaf(entry.kind.value, entry.at, entry.commitment).hash()
        if hash_ != entry.leaf_hash:
            faults.append(LogFault(Fault.CHANGED_ENTRY, str(entry.number)))
        hashes += hash_
    return Span(numbers.start, bytes(hashes), faults, first_at, last_at)


def _readable(store: ActivityLogStore, log_id: uuid.UUID, numbers: range) -> Iterator[WrittenEntry | None]:
    """The entries; None, then stop, at the first with an invalid kind, datetime or JSON."""
    try:
        yield from [*store.written(log_id, numbers)]
        return
    except (ValueError, LookupError):
        pass
    for number in numbers:
        try:
            yield from [*store.written(log_id, range(number, number + 1))]
        except (ValueError, LookupError):
            yield None
            return


def _payload_fits(entry: WrittenEntry) -> bool:
    if entry.key is None:
        return True  # erased: nothing left to compare
    try:
        return commit(entry.facts, entry.key) == entry.commitment
    except (CredentialError, ValueError, TypeError, AttributeError):
        return False


class LogCheck:
    """One pass over one log, in order, in constant memory. `keys`: all keys of the log, oldest first.

    `since`, the frontier where an earlier pass ended, leaves out the entries before it: of these, only what the
    tree continues from is compared with it.
    """

    def __init__(
        self,
        store: ActivityLogStore,
        log: CampusLog,
        keys: Sequence[NoteKey],
        anchors: Anchors,
        spans: Spans | None = None,
        since: Frontier | None = None,
    ) -> None:
        self.store, self.log, self.keys = store, log, keys
        self.since = since
        self.reached = 0
        # A closed log lost signed entries, which is why it was closed: recorded once, not reported daily.
        self.anchor = None if log.closed_at else anchors.last(log.origin)
        self.spans = spans or self._one_by_one
        self.frontier = Frontier()
        read = since.size if since else 0
        self.checkpoints = {each.size: each for each in store.checkpoints(log.id, since=read)}
        self.filling: list[list[bytes]] = [[]]
        self.tiles = set(store.tile_places(log.id, since=read))
        self.named: set[LogFault] = set()

    def run(self) -> Iterator[LogFault]:
        """Every fault, once each; among changed entries, tiles only identify the first."""
        for fault in self._found():
            if fault not in self.named:
                self.named.add(fault)
                yield fault

    def _found(self) -> Iterator[LogFault]:
        last_at = None
        if self.since is not None and self.since.size:
            if not self._resumes_at(self.since):
                yield LogFault(Fault.CHANGED_BEFORE, str(self.since.size))
                return
            last_at = next(
                (each.at for each in self.store.entries(self.log.id, self.since.size - 1, self.since.size)),
                None,
            )
        yield from self._at_this_size()
        start, count = self.frontier.size, self.store.count_entries(self.log.id)
        ranges = [range(at, min(at + AT_A_TIME, count)) for at in range(start, count, AT_A_TIME)]
        for span, numbers in zip(self.spans(self.log.id, ranges), ranges, strict=True):
            if last_at is not None and span.first_at is not None and span.first_at < last_at:
                yield LogFault(Fault.TIME_BACKWARDS, str(span.start))
            last_at = span.last_at or last_at
            yield from span.faults
            for at in range(0, len(span.hashes), HASH_BYTES):
                hash_ = span.hashes[at : at + HASH_BYTES]
                self.frontier.append(hash_)
                yield from self._tile_faults(0, hash_)
                yield from self._at_this_size()
            if self.frontier.size != numbers.stop:
                yield LogFault(Fault.MISSING_ENTRY, str(self.frontier.size))
                return
        yield from self._end_faults()

    def _resumes_at(self, since: Frontier) -> bool:
        """Take the tree up where it ended, if what is stored at its right edge still leads to the same frontier."""
        nodes, subtrees = since.size, list[bytes]()
        while nodes:
            row = self._row(len(self.filling) - 1, nodes & (WIDTH - 1), nodes)
            if row is None:
                return False
            self.filling[-1] = row
            part = Frontier()
            for hash_ in row:
                part.append(hash_)
            subtrees = [*part.subtrees, *subtrees]
            if nodes := nodes >> HEIGHT:
                self.filling.append([])
        if subtrees != since.subtrees:
            return False
        self.frontier = Frontier(since.size, since.subtrees)
        if (before := self.store.newest_checkpoint(self.log.id, up_to=since.size - 1)) is not None:
            self._note_signers(before)
        return True

    def _row(self, level: int, wanted: int, stop: int) -> list[bytes] | None:
        """The last `wanted` hashes of a level that has `stop`; None where one is missing."""
        if level == 0:
            row = [each.leaf_hash for each in self.store.entries(self.log.id, stop - wanted, stop)]
        else:
            tiles = (
                self.store.kept_tile(self.log.id, level - 1, place) for place in range(stop - wanted, stop)
            )
            row = [tile[1] for tile in tiles if tile is not None]
        return row if len(row) == wanted else None

    def _note_signers(self, checkpoint: LogCheckpoint) -> None:
        try:
            signed = Note.from_text(checkpoint.note).signed_by(self.keys)
        except CredentialError:
            return
        self.reached = max((self.keys.index(each.key) for each in signed), default=self.reached)

    def _one_by_one(self, log_id: uuid.UUID, ranges: Sequence[range]) -> Iterator[Span]:
        for numbers in ranges:
            yield derive_span(self.store, log_id, numbers)

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
        kept = self.store.kept_tile(derived.log_id, derived.level, derived.place)
        self.tiles.discard((derived.level, derived.place))
        if kept is None:
            yield LogFault(Fault.MISSING_TILE, where)
        elif kept != (derived.hashes, derived.root):
            # A differing stored leaf hash identifies the entry; if all leaves match, the tile itself changed.
            yield self._first_difference(derived, kept[0], where)

    def _first_difference(self, derived: LogTile, kept: bytes, where: str) -> LogFault:
        if derived.level == 0:
            for at in range(WIDTH):
                piece = slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
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
            signed = [self.keys.index(each.key) for each in note.signed_by(self.keys)]
            head = TreeHead.from_text(note.text)
        except CredentialError:
            return False
        expected = TreeHead(self.log.origin, self.frontier.size, self.frontier.root())
        before, self.reached = self.reached, max(signed, default=self.reached)
        # Keys are ordered: a checkpoint signed only by a key older than the current one is not the log's.
        own = len(signed) == len(note.signatures) and max(signed, default=-1) >= before
        return own and head == expected and checkpoint.root == head.root

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


class Older(StrEnum):
    """Ways in which a database can be older than its anchors."""

    LOG_SHORTER = "log_shorter"
    LOG_OTHER = "log_other"
    LOG_CLOSED_SINCE = "log_closed_since"
    LIST_MISSING = "list_missing"
    LIST_OLDER = "list_older"
    ANCHOR_DAMAGED = "anchor_damaged"
    ANCHORS_OF_OTHERS = "anchors_of_others"
    CHOICES = "choices"
    ERASED_THERE = "erased_there"


RESTORED: Final = (Older.LOG_SHORTER, Older.LOG_CLOSED_SINCE, Older.LIST_MISSING, Older.LIST_OLDER)
"""Those that only a copy of an earlier day shows."""
SENTENCES: Final = {
    Older.LOG_SHORTER: N_(
        "{campus} : le journal a été signé à la longueur {where}, et celui de la base est plus court."
    ),
    Older.LOG_OTHER: N_("{campus} : à la longueur {where}, le journal n’est plus celui qui a été signé."),
    Older.LOG_CLOSED_SINCE: N_("{campus} : le journal {where} a été ouvert depuis cette copie de la base."),
    Older.LIST_MISSING: N_("{campus} : la liste de statuts {where} a été publiée, et la base ne l’a pas."),
    Older.LIST_OLDER: N_(
        "{campus} : la liste de statuts {where} est plus ancienne que celle qui a été publiée."
    ),
    Older.CHOICES: N_(
        "{campus} : ce que des personnes ont choisi depuis (pages fermées, consentements, noms…) manque. "
        "Changements : {where}."
    ),
    Older.ERASED_THERE: N_(
        "{campus} : des personnes effacées depuis sont de nouveau dans la base. Nombre : {where}."
    ),
    Older.ANCHOR_DAMAGED: N_("{campus} : le fichier d’ancre {where} est abîmé."),
    Older.ANCHORS_OF_OTHERS: N_("{campus} : le dossier des ancres est celui d’un autre service."),
}
OLDER_COPY: Final = N_(
    "Une ancienne sauvegarde a été restaurée pour ce campus. Rien n’est attribué ni publié, et rien n’est dit de ses "
    "badges, avant la fin de la restauration. Réessayez plus tard."
)


class OlderCopy(Unavailable):
    """The campus's rows come from an older copy of the database: they must not be shown or used."""

    def __init__(self) -> None:
        super().__init__(OLDER_COPY)


@dataclass(frozen=True)
class Behind:
    """One part of a campus for which the anchors record a later state."""

    campus_id: uuid.UUID
    slug: str
    older: Older
    where: str


def has_only_choices_left(found: Iterable[Behind]) -> bool:
    """Whether people's choices can be restored: every campus has its awards again."""
    return all(each.older in (Older.CHOICES, Older.ERASED_THERE) for each in found)


class AllAnchors(ListAnchors, Anchors, Protocol):
    def state(self) -> AnchorState: ...

    def edition(self, name: str) -> tuple[int, bytes]: ...

    def advance_edition(self, name: str, number: int, body: bytes = b"") -> None: ...

    def name_of(self, origin: str) -> str: ...


def _is_of_others(
    state: AnchorState,
    journaled: Mapping[str, int],
    logs: Sequence[CampusLog],
    campuses: Collection[uuid.UUID],
) -> bool:
    """Whether the folder knows logs or lists, and none of this service: what is lacking here is unknown to it."""
    origins, ours = state.heads.keys() | journaled.keys(), {log.origin for log in logs}
    of_campuses = {each.campus_id for each in state.lists.values()}
    is_known = state.damaged or not ours.isdisjoint(origins) or not of_campuses.isdisjoint(campuses)
    return bool(state.heads or state.lists) and not is_known


_STEPS: Final = {KeyState.VERIFY_ONLY: 1, KeyState.REVOKED: 2}
"""A key only moves on: the sum over all keys of a campus never falls."""


def _of_ended_keys(campus: Campus) -> str:
    return f"{campus.did} keys"


def ended_keys(anchors: AllAnchors, campus: Campus) -> dict[str, tuple[KeyState, datetime]]:
    """By method: how and since when the keys of that campus ended, as far as the folder knows."""
    _, body = anchors.edition(_of_ended_keys(campus))
    found = orjson.loads(body) if body else {}
    return {method: (KeyState(state), datetime.fromisoformat(at)) for method, (state, at) in found.items()}


class AnchorCheck:
    def __init__(
        self,
        log: ActivityLog,
        log_keys: LogKeyHistory,
        statuses: StatusStore,
        campuses: CampusStore,
        anchors: AllAnchors,
        choices: ChoiceJournal,
        erasures: ErasureJournal,
        addresses: Addresses,
    ) -> None:
        self.choices = choices
        self.erasures = erasures
        self.log = log
        self.logs = log.store
        self.log_keys = log_keys
        self.statuses = statuses
        self.campuses = campuses
        self.anchors = anchors
        self.addresses = addresses

    def behind(self, *, thorough: bool = True) -> list[Behind]:
        """Everything older than its anchor; unless `thorough`, compares sizes without computing log roots."""
        # Read the external state first: between the two reads the database can only become newer.
        state, chosen = self.anchors.state(), self.choices.head()
        journaled = self.erasures.journal.reached() if thorough else {}
        campuses = {campus.id: campus for campus in self.campuses.list_all()}
        logs = self.logs.list_all()
        if any(log.size for log in logs) and _is_of_others(state, journaled, logs, campuses):
            return [Behind(each.id, each.slug, Older.ANCHORS_OF_OTHERS, "") for each in campuses.values()]
        open_logs = {log.campus_id: log for log in logs if log.closed_at is None}
        found: list[Behind] = []
        if (lost := chosen - self.choices.store.newest()) > 0:
            found += [Behind(each.id, each.slug, Older.CHOICES, str(lost)) for each in campuses.values()]
        for campus in campuses.values():
            log = open_logs.get(campus.id)
            of_log = [*self._log_of(campus, log, state, thorough)]
            if log is not None and not of_log and journaled.get(log.origin, 0) > log.size:
                of_log = [*self._beyond(campus, log)]
            found += of_log
            if thorough and (due := len(self.erasures.due(campus.id))):
                found.append(Behind(campus.id, campus.slug, Older.ERASED_THERE, str(due)))
        return found + list(self._lists_of(campuses, state))

    def catch_up(self) -> int:
        """Advance every lagging anchor, after a crash between commit and anchor or a failed write."""
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
        moved += self._catch_up_keys()
        for log in self.logs.list_all():
            checkpoint, anchor = self.logs.newest_checkpoint(log.id), self.anchors.last(log.origin)
            if checkpoint is not None and (anchor is None or anchor.size < checkpoint.size):
                key = self.log_keys.key(self.campuses.get_by_id(log.campus_id), log)
                head = TreeHead(log.origin, checkpoint.size, checkpoint.root)
                self.anchors.advance(head, key.to_vkey() if key else "")
                moved += 1
        return moved

    def _catch_up_keys(self) -> int:
        """Ends of keys: without them, a backup from before makes a stolen key good again."""
        ended: dict[str, list[SealedKey]] = {}
        for key, campus in self.campuses.all_keys():
            if key.state in _STEPS:
                ended.setdefault(_of_ended_keys(campus), []).append(key)
        moved = 0
        for name, keys in ended.items():
            number = sum(_STEPS[key.state] for key in keys)
            if self.anchors.edition(name)[0] < number:
                states = {key.method_id: (key.state.value, key.revoked_at or key.retired_at) for key in keys}
                self.anchors.advance_edition(name, number, orjson.dumps(states))
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

    def _beyond(self, campus: Campus, log: CampusLog) -> Iterator[Behind]:
        """Lines that the recovery journal alone knows: its heads and lists were lost, or are those of a day before."""
        frames = self.erasures.journal.frames(campus.id, log.origin, beyond=log.size)
        if size := max((frame.stop for frame in frames), default=0):
            yield Behind(campus.id, campus.slug, Older.LOG_SHORTER, str(size))

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
