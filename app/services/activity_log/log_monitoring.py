"""Monitoring of the activity logs: witnesses, reviews, overdue signatures."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from app.db.activity_log import ActivityLogStore, LogWatchStore
from app.db.campus import CampusStore, HistoryStore
from app.domain.activity_log import (
    CampusLog,
    EntryKind,
    LogCheckpoint,
    LogCosignature,
    LogEntry,
    LogPayload,
    LogReview,
    LogWitness,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import LARGEST_STEP, Clock
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from app.language import N_
from app.services.activity_log import ActivityLog, Anchors
from app.services.activity_log.evidence import LogKeyHistory
from app.services.activity_log.log_check import MOST_LOG_FAULTS, Fault, LogCheck, LogFault, Spans
from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput, ProofError
from sceau_credentials.evidence.judging import FILE, LogKeys
from sceau_credentials.transparency_log.notes import (
    Frontier,
    Note,
    NoteKey,
    SignatureType,
    TreeHead,
    WitnessKey,
    consistency_proof,
    cosign,
    is_consistent,
    root_of,
)
from sceau_credentials.transparency_log.notes import Signed as SignedNote
from sceau_credentials.transparency_log.tiles import TiledTree, tiles_read

logger = structlog.get_logger(__name__)
REVIEWED_EVERY: Final = timedelta(days=1)
READ_WHOLE_EVERY: Final = timedelta(days=7)
SHOWN: Final = 20
_AHEAD: Final = timedelta(minutes=5)
"""Maximum lead of a witness's clock over ours."""


@dataclass(frozen=True)
class MonitoredStatement:
    """An entry that an auditor selects; `payload` is None if erased."""

    entry: LogEntry
    payload: LogPayload | None


@dataclass(frozen=True)
class AuditPage:
    """The auditor's page for the campus's open log."""

    log: CampusLog | None
    kinds: dict[str, int]
    checkpoints: Sequence[LogCheckpoint]
    reviews: Sequence[LogReview]
    corrections: Sequence[MonitoredStatement]
    erasures: Sequence[MonitoredStatement]


@dataclass(frozen=True, eq=False)
class LogWatch:
    store: ActivityLogStore
    watch: LogWatchStore
    campuses: CampusStore
    activity_log: ActivityLog
    log_keys: LogKeyHistory
    anchors: Anchors
    history: HistoryStore
    clock: Clock

    # --- witnesses

    def name_witness(self, campus: Campus, vkey: str, label: str, *, by: Actor) -> LogWitness:
        """Accept and show cosignatures under this key; adding it again reinstates a retired witness."""
        try:
            key = NoteKey.from_vkey(vkey)
        except CredentialError as error:
            raise InvalidInput("Ce n’est pas une clé de témoin : attendu nom+identifiant+clé.") from error
        if key.type is not SignatureType.COSIGNATURE:
            raise InvalidInput(
                "Cette clé signe des journaux : un témoin en a une autre, faite pour cosigner."
            )
        if not label.strip():
            raise InvalidInput("Un témoin a un nom que tout le monde comprend : « Campus AGT ».")
        known = self._witness(campus, key.name)
        if known is not None and known.vkey != key.to_vkey():
            raise Conflict("Un autre témoin a déjà ce nom de clé.")
        witness = known or LogWitness(
            campus_id=campus.id, name=key.name, label="", vkey=key.to_vkey(), named_at=self.clock()
        )
        witness.label, witness.retired_at = label.strip(), None
        self.watch.add(witness)
        self._tell(campus, "name_witness", witness, by)
        return witness

    def retire_witness(self, campus: Campus, name: str, *, by: Actor) -> LogWitness:
        """Its existing cosignatures stay visible; no new ones are accepted."""
        witness = self._witness(campus, name)
        if witness is None:
            raise NotFound("Ce campus n’a pas de témoin de ce nom.")
        witness.retired_at = witness.retired_at or self.clock()
        self.watch.add(witness)
        self._tell(campus, "retire_witness", witness, by)
        return witness

    def take_cosignature(self, slug: str, text: str) -> tuple[LogWitness, LogCosignature]:
        """Store a named witness's cosignature of our checkpoint; a checkpoint we never signed is a fork."""
        campus = self.campuses.get(slug)
        self.store.lock(campus.id)  # serialised: a repeated line is stored once
        keys = {
            NoteKey.from_vkey(each.vkey): each
            for each in self.watch.witnesses_of(campus.id)
            if each.retired_at is None
        }
        try:
            note = Note.from_text(text)
            head = TreeHead.from_text(note.text)
            signed = note.signed_by(keys)
        except (MalformedInput, ProofError) as error:
            raise InvalidInput("Ce n’est pas un point de contrôle signé qui se lit.") from error
        if not signed:
            raise NotAllowed("Aucun témoin nommé par le campus n’a signé ce point de contrôle.")
        return self._keep_line(campus, note, head, signed[0], keys[signed[0].key])

    def _keep_line(
        self, campus: Campus, note: Note, head: TreeHead, signed: SignedNote, witness: LogWitness
    ) -> tuple[LogWitness, LogCosignature]:
        log = next((each for each in self.store.list_of(campus.id) if each.origin == head.origin), None)
        checkpoint = self.store.checkpoint(log.id, head.size) if log else None
        if log is None or checkpoint is None or Note.from_text(checkpoint.note).text != note.text:
            logger.error(
                "a witness saw another log", origin=head.origin, size=head.size, witness=witness.name
            )
            raise Conflict(
                "Le campus n’a pas signé ce point de contrôle : le témoin a vu un autre journal que celui-ci."
            )
        now = self.clock()
        seen_at = signed.at or now
        if seen_at > now + _AHEAD:
            raise InvalidInput("L’heure de ce témoin est en avance.")
        known = {each.witness: each for each in self.store.cosignatures(log.id, head.size)}
        if witness.name in known:
            return witness, known[witness.name]
        line = next(
            each.to_line()
            for each in note.signatures
            if (each.name, each.key_id) == (signed.key.name, signed.key.id)
        )
        row = LogCosignature(log_id=log.id, size=head.size, witness=witness.name, line=line, seen_at=seen_at)
        self.watch.add(row)
        return witness, row

    def _witness(self, campus: Campus, name: str) -> LogWitness | None:
        return next((each for each in self.watch.witnesses_of(campus.id) if each.name == name), None)

    def _tell(self, campus: Campus, action: str, witness: LogWitness, by: Actor) -> None:
        self.history.write(
            by,
            action,
            "log_witness",
            witness.id,
            at=self.clock(),
            campus_id=campus.id,
            witness=witness.name,
        )

    # --- overdue signatures

    def unsigned(self, *, for_so_long: timedelta) -> list[uuid.UUID]:
        """Campuses with log entries unsigned for at least that long."""
        return self.watch.unsigned(before=self.clock() - for_so_long)

    def sign(self, campus_id: uuid.UUID) -> LogCheckpoint:
        return self.activity_log.checkpoint(self.campuses.get_by_id(campus_id))

    # --- reviews

    def check(
        self, log: CampusLog, spans: Spans | None = None, *, since: LogReview | None = None
    ) -> list[LogFault]:
        """Every fault of the log, derived again from its rows, after those that `since` read; empty if intact.

        Where those no longer lead to what it read, the whole log is derived again.
        """
        keys = self.log_keys.keys(self.campuses.get_by_id(log.campus_id), log)
        unlike = []
        if since is not None:
            unlike = [LogFault(Fault.CHANGED_BEFORE, str(since.size))]
            if frontier := _frontier_of(since):
                found = list(LogCheck(self.store, log, keys, self.anchors, spans, frontier).run())
                if found != unlike:
                    return found
        return list(LogCheck(self.store, log, keys, self.anchors, spans).run()) or unlike

    def last_intact(self, log_id: uuid.UUID) -> LogReview | None:
        """The newest review, from which the next may start; None where it found a fault, which stays one."""
        newest = self.watch.newest_review(log_id, before=self.clock() + LARGEST_STEP)
        return newest if newest is not None and newest.edge is not None else None

    def start_of_review(self, log_id: uuid.UUID) -> LogReview | None:
        """None: the whole log is read, once a week and where a person asks; else what was appended since."""
        whole = self.watch.newest_review(log_id, before=self.clock() + LARGEST_STEP, whole=True)
        if self.watch.waiting_reviews(log_id) or whole is None or whole.done_at is None:
            return None
        return self.last_intact(log_id) if whole.done_at > self.clock() - READ_WHOLE_EVERY else None

    def ask_review(self, campus: Campus, *, by: Actor) -> LogReview:
        """Request a review by the worker. Idempotent while one is pending."""
        log = self.store.find(campus.id)
        if log is None:
            raise NotFound("Le journal du campus est encore vide.")
        for waiting in self.watch.waiting_reviews(log.id):
            return waiting
        review = LogReview(log_id=log.id, asked_at=self.clock(), asked_by=_named(by))
        self.watch.add(review)
        return review

    def reviews_due(self) -> list[uuid.UUID]:
        """Logs with a requested review, or not reviewed for a day."""
        at = self.clock()
        return self.watch.logs_to_review(reviewed_before=at - REVIEWED_EVERY, now=at + LARGEST_STEP)

    def note_review(
        self,
        log: CampusLog,
        faults: Sequence[LogFault],
        *,
        since: LogReview | None = None,
        by: Actor,
    ) -> LogReview:
        """Store the findings; completes a pending review. `log`: as it was when it was read."""
        now = self.clock()
        kinds = self.watch.count_kinds(log, since)
        waiting = [] if since else self.watch.waiting_reviews(log.id)
        reviews = waiting or [LogReview(log_id=log.id, asked_at=now, asked_by=_named(by))]
        for review in reviews:
            review.done_at, review.size = now, log.size
            review.since = (since.size or 0) if since else 0
            review.edge, review.kinds = None if faults else log.edge, kinds
            review.faults = [[each.fault.value, each.where] for each in faults[: MOST_LOG_FAULTS + 1]]
            self.watch.add(review)
        if faults:
            logger.error("the log is not as it was written", log=str(log.id), faults=len(faults))
        return reviews[0]

    def logs(self, campus: Campus | None = None) -> list[CampusLog]:
        return self.store.list_of(campus.id) if campus else self.store.list_all()

    def log(self, log_id: uuid.UUID) -> CampusLog:
        return self.store.get(log_id)

    def audit(self, campus: Campus) -> AuditPage:
        log = self.store.find(campus.id)
        if log is None:
            return AuditPage(None, {}, (), (), (), ())
        reviewed = self.watch.newest_review(log.id, before=self.clock() + LARGEST_STEP)
        kinds = self.watch.count_kinds(log, reviewed)

        def said(kind: EntryKind) -> list[MonitoredStatement]:
            found = self.watch.recent_of_kind(log.id, kind, limit=SHOWN) if kind in kinds else ()
            return [MonitoredStatement(*pair) for pair in found]

        return AuditPage(
            log,
            kinds,
            self.watch.recent_checkpoints(log.id, limit=SHOWN),
            self.watch.reviews_of(log.id, limit=SHOWN),
            said(EntryKind.CORRECTION),
            said(EntryKind.ERASURE),
        )


def _frontier_of(review: LogReview) -> Frontier | None:
    try:
        return Frontier.from_bytes(review.size or 0, review.edge or b"")
    except ValueError:
        return None


def _named(by: Actor) -> str:
    """Who asked, without a personal name: reviews outlive people's data."""
    return by.label or f"person {by.person_id}"


def last_done(reviews: Sequence[LogReview]) -> tuple[datetime, LogReview] | None:
    """The newest completed review."""
    done = [(each.done_at, each) for each in reviews if each.done_at is not None]
    return max(done, key=lambda pair: pair[0]) if done else None


# --- Cosign another service's log, provided that it only grew since the last check

_UNREADABLE: Final = N_("Le point de contrôle ne se lit pas, ou sa signature n’est pas celle du journal.")


class LogSource(Protocol):
    def read(self, path: str) -> bytes:
        """A file of the log; raises DocumentUnavailable."""
        ...


class WitnessMemory(Protocol):
    def alone(self, origin: str) -> AbstractContextManager[None]: ...

    def last(self, origin: str) -> Note | None: ...

    def keep(self, origin: str, note: Note) -> None: ...

    def keep_refused(self, origin: str, note: Note) -> Path: ...

    def keys(self, origin: str) -> list[NoteKey]:
        """The keys of the log that this witness followed, current last; empty before the first rotation."""
        ...

    def keep_keys(self, origin: str, keys: Sequence[NoteKey]) -> None: ...


class ContradictsItself(Conflict):
    """The log signed two contradictory checkpoints; `kept` is the rejected one."""


class KeyNotAnnounced(Conflict):
    """The log is signed by another key that the known key did not announce."""


class KeyGaveWay(Conflict):
    """The log is signed by a key that had already been replaced."""


class FilesDoNotFit(Unavailable):
    """The files served do not match the checkpoint: no conclusion about the log itself."""


@dataclass(frozen=True)
class WitnessReport:
    """What was checked and cosigned; `before`: the previous check, None for the first."""

    head: TreeHead
    before: TreeHead | None
    note: Note
    followed: Sequence[NoteKey]
    """Keys added since the previous check, each announced by its predecessor."""


def cosign_log(
    source: LogSource, log: NoteKey, memory: WitnessMemory, witness: WitnessKey, *, at: datetime
) -> WitnessReport:
    """Check that the log extends the tree seen before, store the new head, then cosign; in that order.

    `log` is the key that the campus gave. A later key is trusted if it was announced, or set by
    `change_key`; from then on earlier keys are rejected.
    """
    with memory.alone(log.name):
        trusted = _trusted(memory, log)
        note = _note_of(source)
        last = memory.last(log.name)
        before = TreeHead.from_text(last.text) if last else None
        followed = [] if _is_signed(note, trusted) else _followed(source, memory, trusted, note, before)
        head = _head_of(note, followed[-1] if followed else trusted)
        if before is not None and head.size < before.size:
            raise _contradiction(
                N_(
                    "REFUSÉ. Le journal {origin} a raccourci. Lignes signées : {old} avant, {new} maintenant. "
                    "Les deux points de contrôle signés sont gardés : {kept}"
                ),
                memory,
                before,
                head,
                note,
            )
        if not _has_grown(TiledTree(tiles_read(source.read), head.size), before, head):
            raise _contradiction(
                N_(
                    "REFUSÉ. Le journal {origin} a deux histoires : à la longueur {old}, il n’est plus celui qui a "
                    "été signé. Les deux points de contrôle signés sont gardés : {kept}"
                ),
                memory,
                before or head,
                head,
                note,
            )
        if followed:
            memory.keep_keys(head.origin, [*(memory.keys(head.origin) or [trusted]), *followed])
        memory.keep(head.origin, note)
    cosigned = note.with_signatures([cosign(note.text, witness.name, witness.key, at=at)])
    return WitnessReport(head, before, cosigned, followed)


def change_key(memory: WitnessMemory, key: NoteKey) -> None:
    """Set a key of the log confirmed out of band; the tree head seen before remains binding."""
    with memory.alone(key.name):
        if memory.last(key.name) is None:
            raise NotFound(
                "Ce témoin n’a encore rien vu du journal {origin} : « look » prend sa clé.",
                origin=key.name,
            )
        if key in memory.keys(key.name):
            raise Conflict("Ce témoin connaît déjà cette clé ; une clé d’avant ne revient pas.")
        memory.keep_keys(key.name, [key])


def _trusted(memory: WitnessMemory, log: NoteKey) -> NoteKey:
    followed = memory.keys(log.name)
    if followed and log not in followed:
        raise InvalidInput(
            "Ce témoin suit déjà une autre clé de {name} : donnez celle-là, {key}.",
            name=log.name,
            key=followed[-1].to_vkey(),
        )
    return followed[-1] if followed else log


def _note_of(source: LogSource) -> Note:
    try:
        return Note.from_text(source.read("checkpoint").decode())
    except DocumentUnavailable as error:
        raise Unavailable("Le point de contrôle n’a pas pu être lu ({why}).", why=error.reason) from error
    except (MalformedInput, UnicodeDecodeError) as error:
        raise InvalidInput(_UNREADABLE) from error


def _is_signed(note: Note, key: NoteKey) -> bool:
    try:
        return bool(note.signed_by([key]))
    except ProofError as error:
        raise InvalidInput(_UNREADABLE) from error


def _head_of(note: Note, key: NoteKey) -> TreeHead:
    try:
        head = TreeHead.from_text(note.text)
    except MalformedInput as error:
        raise InvalidInput(_UNREADABLE) from error
    if not _is_signed(note, key) or head.origin != key.name:
        raise _not_signed(key)
    return head


def _not_signed(key: NoteKey) -> AppError:
    return InvalidInput("Le point de contrôle n’est pas signé par la clé donnée : {name}.", name=key.name)


def _followed(
    source: LogSource, memory: WitnessMemory, trusted: NoteKey, note: Note, before: TreeHead | None
) -> list[NoteKey]:
    """The keys from the trusted one to the signing one, each announced in a tree between the two heads."""
    try:
        published = LogKeys.from_bytes(source.read(FILE))
    except DocumentUnavailable as error:
        raise _not_signed(trusted) from error
    except CredentialError as error:
        raise InvalidInput(_UNREADABLE) from error
    followed: list[NoteKey] = []
    for term in published.announced_after(trusted):
        announced = term.announcement.head if term.announcement else None
        if announced is None or not _is_on_the_way(source, before, announced, _head_of_any(note)):
            break
        followed.append(term.key)
        if _is_signed(note, term.key):
            return followed
    newest = published.signed(note) if published.origin == trusted.name else None
    if newest is None or newest.key == trusted:
        raise _not_signed(trusted)
    if newest.key in memory.keys(trusted.name):
        raise KeyGaveWay(
            N_(
                "REFUSÉ. Le journal {origin} est signé par une clé d’avant, qui avait cédé sa place : quelqu’un "
                "d’autre s’en sert peut-être. Ce qui a été refusé est gardé : {kept}"
            ),
            origin=trusted.name,
            kept=memory.keep_refused(trusted.name, note),
        )
    raise KeyNotAnnounced(
        N_(
            "REFUSÉ. Le journal {origin} est signé par une autre clé, que celle d’avant n’a pas annoncée : {key}. "
            "Demandez au campus, par un autre chemin, si c’est la sienne ; alors « sceau witness change-key ». "
            "Ce qui a été refusé est gardé : {kept}"
        ),
        origin=trusted.name,
        key=newest.key.to_vkey(),
        kept=memory.keep_refused(trusted.name, note),
    )


def _head_of_any(note: Note) -> TreeHead:
    try:
        return TreeHead.from_text(note.text)
    except MalformedInput as error:
        raise InvalidInput(_UNREADABLE) from error


def _is_on_the_way(source: LogSource, before: TreeHead | None, announced: TreeHead, head: TreeHead) -> bool:
    """Whether the announcing tree lies between the last seen head and the current one."""
    if announced.size > head.size or (before is not None and before.size > announced.size):
        return False
    tree = TiledTree(tiles_read(source.read), head.size)
    return _has_grown(tree, announced, head) and _has_grown(tree, before, head)


def _has_grown(tree: TiledTree, before: TreeHead | None, head: TreeHead) -> bool:
    """Raises FilesDoNotFit if the files do not lead to the checkpoint, which proves nothing about the log."""
    try:
        if root_of(tree, head.size) != head.root:
            raise FilesDoNotFit(
                N_("Les fichiers du journal ne mènent pas à son point de contrôle. Rien n’est signé.")
            )
        if before is None or before.size == 0:
            return True
        if before.size == head.size:
            return before.root == head.root
        proof = consistency_proof(tree, before.size, head.size)
    except DocumentUnavailable as error:
        raise FilesDoNotFit(
            N_("Il manque des fichiers du journal ({why}). Rien n’est signé."), why=error.reason
        ) from error
    except CredentialError as error:
        raise FilesDoNotFit(N_("Des fichiers du journal ne se lisent pas. Rien n’est signé.")) from error
    return is_consistent(before.size, head.size, proof, before.root, head.root)


def _contradiction(
    sentence: str, memory: WitnessMemory, before: TreeHead, head: TreeHead, note: Note
) -> AppError:
    kept = memory.keep_refused(head.origin, note)
    return ContradictsItself(sentence, origin=head.origin, old=before.size, new=head.size, kept=kept)
