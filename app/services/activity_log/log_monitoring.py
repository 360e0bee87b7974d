"""Monitoring of the activity logs: witnesses, reviews, overdue signatures."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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
from app.domain.core import Clock
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog, Anchors
from app.services.activity_log.keys import LogKeyHistory
from app.services.activity_log.log_check import Fault, LogCheck, LogFault, Spans
from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.transparency_log.notes import Frontier, Note, NoteKey, SignatureType, TreeHead
from sceau_credentials.transparency_log.notes import Signed as SignedNote

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
    kinds: dict[EntryKind, int]
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
            raise InvalidInput(N_("Ce n’est pas une clé de témoin : attendu nom+identifiant+clé.")) from error
        if key.type is not SignatureType.COSIGNATURE:
            raise InvalidInput(
                N_("Cette clé signe des journaux : un témoin en a une autre, faite pour cosigner.")
            )
        if not label.strip():
            raise InvalidInput(N_("Un témoin a un nom que tout le monde comprend : « Campus AGT »."))
        known = self._witness(campus, key.name)
        if known is not None and known.vkey != key.to_vkey():
            raise Conflict(N_("Un autre témoin a déjà ce nom de clé."))
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
            raise NotFound(N_("Ce campus n’a pas de témoin de ce nom."))
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
            raise InvalidInput(N_("Ce n’est pas un point de contrôle signé qui se lit.")) from error
        if not signed:
            raise NotAllowed(N_("Aucun témoin nommé par le campus n’a signé ce point de contrôle."))
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
                N_(
                    "Le campus n’a pas signé ce point de contrôle : le témoin a vu un autre journal que celui-ci."
                )
            )
        now = self.clock()
        seen_at = signed.at or now
        if seen_at > now + _AHEAD:
            raise InvalidInput(N_("L’heure de ce témoin est en avance."))
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

    def _tell(self, campus: Campus, deed: str, witness: LogWitness, by: Actor) -> None:
        self.history.write(
            by,
            deed,
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
        """The newest review without a fault, from which the next may start."""
        return self.watch.newest_intact(log_id)

    def start_of_review(self, log_id: uuid.UUID) -> LogReview | None:
        """None: the whole log is read, once a week and where a person asks; else what was appended since."""
        whole = self.watch.newest_intact(log_id, whole=True)
        if self.watch.waiting_reviews(log_id) or whole is None or whole.done_at is None:
            return None
        return self.last_intact(log_id) if whole.done_at > self.clock() - READ_WHOLE_EVERY else None

    def ask_review(self, campus: Campus, *, by: Actor) -> LogReview:
        """Request a review by the worker. Idempotent while one is pending."""
        log = self.store.find(campus.id)
        if log is None:
            raise NotFound(N_("Le journal du campus est encore vide."))
        for waiting in self.watch.waiting_reviews(log.id):
            return waiting
        review = LogReview(log_id=log.id, asked_at=self.clock(), asked_by=_named(by))
        self.watch.add(review)
        return review

    def reviews_due(self) -> list[uuid.UUID]:
        """Logs with a requested review, or not reviewed for a day."""
        return self.watch.logs_to_review(reviewed_before=self.clock() - REVIEWED_EVERY)

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
        waiting = [] if since else self.watch.waiting_reviews(log.id)
        reviews = waiting or [LogReview(log_id=log.id, asked_at=now, asked_by=_named(by))]
        for review in reviews:
            review.done_at, review.size = now, log.size
            review.since = (since.size or 0) if since else 0
            review.edge = None if faults else log.edge
            review.faults = [[each.fault.value, each.where] for each in faults[:100]]
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
        return AuditPage(
            log,
            self.watch.count_kinds(log.id),
            self.watch.recent_checkpoints(log.id, limit=SHOWN),
            self.watch.reviews_of(log.id, limit=SHOWN),
            self._said(log, EntryKind.CORRECTION),
            self._said(log, EntryKind.ERASURE),
        )

    def _said(self, log: CampusLog, kind: EntryKind) -> list[MonitoredStatement]:
        return [MonitoredStatement(*pair) for pair in self.watch.recent_of_kind(log.id, kind, limit=SHOWN)]


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
