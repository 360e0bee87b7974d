"""After a restore of an older database copy: recover missing data from the anchors and recovery journal."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog

from app.db.activity_log import ActivityLogStore
from app.db.activity_log.integrity import RecoveryStore, RowRefused
from app.db.campus import HistoryStore
from app.db.messages import LetterStore
from app.db.publishing import StatusStore
from app.domain.accounts.sign_in import Changed
from app.domain.activity_log import AWARD, CampusLog, EntryKind, Fact, LogCheckpoint, Written
from app.domain.activity_log.recovery import (
    AWARDS,
    BADGES,
    DOCUMENTS,
    ERASURES,
    EVIDENCE,
    IN_ORDER,
    KEYS,
    NEWER,
    PEOPLE,
    SLOTS,
    VERSIONS,
    Frame,
    JournaledErasure,
    JournaledLine,
    Values,
)
from app.domain.awards import SUSPENDED_BEFORE, WITHDRAWN_BEFORE, Award, AwardState, revoke
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey
from app.domain.core import Clock, new_id, whole_second
from app.domain.people import Person
from app.domain.people.consents import Erasure
from app.domain.publishing import AnchoredList, StatusList, StatusSlot
from app.errors import AppError, Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.accounts.sessions import AccountNotices
from app.services.activity_log import ActivityLog, Anchors, LogOutOfStep
from app.services.activity_log.log_check import AllAnchors, ended_keys
from app.services.activity_log.recovery import ChoiceJournal, ErasureJournal, Journal
from app.services.campus.keys import CampusKeys
from app.services.publishing.status import StatusService
from sceau_credentials.evidence.documents import Opening
from sceau_credentials.status_list import read_list
from sceau_credentials.transparency_log.notes import TreeHead
from sceau_credentials.values import parse_json_object

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciled:
    """`signed`: the largest tree ever signed of the closed log; `kept`: how much of it remains."""

    closed: CampusLog
    kept: int
    signed: TreeHead | None
    opened: LogCheckpoint
    key_renewed: bool
    """Whether the key in the copy had since been replaced by one that is now lost."""


@dataclass(frozen=True, eq=False)
class LogReconciliation:
    store: ActivityLogStore
    activity_log: ActivityLog
    campus_keys: CampusKeys
    anchors: Anchors
    history: HistoryStore
    clock: Clock

    def reconcile(self, campus: Campus, reason: str, *, by: Actor) -> Reconciled:
        """Close a log that must not be signed again and open the next epoch; raises if the log is intact."""
        if not reason.strip():
            raise InvalidInput("Dites pourquoi : ce motif reste dans le journal.")
        closed = self.store.lock(campus.id)
        if closed is None:
            raise NotFound("Le journal du campus est encore vide.")
        try:
            self.activity_log.check_in_step(closed)
        except LogOutOfStep:
            pass
        else:
            raise Conflict(
                "Le journal du campus est dans le même état que ce qui a été signé : rien n’est à réconcilier."
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


SUSPENDED_AGAIN: Final = timedelta(days=30)
"""For a suspension with an end that is lost: the campus has time to lift it, or to make it longer."""
CHOSEN_SINCE: Final = N_("Une sauvegarde a été restaurée : à confirmer avec l’organisation.")
ERASED_AGAIN: Final = "Effacement refait après la restauration d’une sauvegarde."


@dataclass(frozen=True)
class Missing:
    """What a campus's older copy lacks. `unjournaled` entries are lost: only the database held them."""

    lines: int
    unjournaled: int
    awards: int
    withdrawals: int
    suspensions: int
    keys: int
    erasures: int
    unlisted: int
    """Status lists that the anchor folder lacks, where entries are lost: withdrawals may be among them."""


@dataclass(frozen=True)
class ChoicesRestored:
    choices: int
    people_shut: int
    """People with pages closed because their later choices are unknown."""
    is_whole: bool
    held: int = 0
    """Messages that wait until an operator releases them."""


@dataclass
class Restored:
    """What was restored, and what could not be."""

    lines: int = 0
    awards: int = 0
    withdrawals: int = 0
    suspensions: int = 0
    keys: int = 0
    unregistered: set[uuid.UUID] = field(default_factory=set)
    """Awards with a lost badge definition; the learner's file may restore it."""
    erased: dict[uuid.UUID, int] = field(default_factory=dict)
    """People erased since the copy, with the number of their last erasure in the log."""
    not_erased: set[uuid.UUID] = field(default_factory=set)
    """Those with a failed erasure; the next `sceau restore` tries again."""
    suspended: set[uuid.UUID] = field(default_factory=set)
    """Suspended again as the lists have it; the edition at their address is to state it."""
    unstated: set[uuid.UUID] = field(default_factory=set)
    """Suspended in the lists alone: their edition could not be signed again."""
    revoked: dict[uuid.UUID, str] = field(default_factory=dict)
    """Awards revoked since the copy, with the reason from the log."""
    reconciled: Reconciled | None = None
    """The log that permanently lost entries, and its successor."""
    choices: ChoicesRestored | None = None
    """None while other campuses are still to be restored."""

    def is_erased(self, person_id: uuid.UUID | None, number: int) -> bool:
        """Whether an erasure of the person comes after this line of the log."""
        return person_id is not None and number < self.erased.get(person_id, -1)


class RepeatsErasures(Protocol):
    def repeat(self, campus: Campus, erased: JournaledErasure, erasure: Erasure, *, by: Actor) -> None: ...


@dataclass(frozen=True, eq=False)
class RestoreService:
    store: RecoveryStore
    log: ActivityLog
    statuses: StatusStore
    status: StatusService
    reconciliation: LogReconciliation
    anchors: AllAnchors
    journal: Journal
    erasures: ErasureJournal
    choices: ChoiceJournal
    letters: LetterStore
    notices: AccountNotices
    history: HistoryStore
    clock: Clock

    # --- missing data

    def missing(self, campus: Campus) -> Missing:
        """Compares the campus's log, status lists and journal with its rows; read-only."""
        log = self.log.store.find(campus.id)
        size = log.size if log else 0
        reached, beyond, awards, keys = size, size, 0, 0
        for frame in self.frames(campus, log):
            if frame.start <= reached:
                reached = max(reached, frame.stop)
            beyond = max(beyond, frame.stop)
            awards += len(self.store.missing(AWARDS, frame.rows(AWARDS)))
            keys += len(self.store.missing(KEYS, frame.rows(KEYS)))
        anchor = self.anchors.last(log.origin) if log else None
        target = max(beyond, anchor.size if anchor else 0)
        withdrawn = sum(len(self._not_raised(each)) for each in self.lists(campus))
        suspended = sum(len(self._not_suspended(each)) for each in self.lists(campus))
        erasures = len(self.erasures.due(campus.id))
        lists = self.statuses.ids_of(campus.id) if target > reached else ()
        unlisted = sum(self.anchors.list_of(each) is None for each in lists)
        return Missing(
            target - size, target - reached, awards, withdrawn, suspended, keys, erasures, unlisted
        )

    def frames(self, campus: Campus, log: CampusLog | None) -> Iterator[Frame]:
        """Journal frames missing from the campus's open log, in entry order."""
        return self.journal.frames(campus.id, log.origin, beyond=log.size) if log else iter(())

    def lists(self, campus: Campus) -> list[AnchoredList]:
        return [each for each in self.anchors.state().lists.values() if each.campus_id == campus.id]

    def _not_raised(self, anchored: AnchoredList) -> set[int]:
        """Positions published as revoked but not revoked in the database."""
        return _raised_in(anchored) - set(self.statuses.raised(anchored.list_id))

    def _not_suspended(self, anchored: AnchoredList) -> set[int]:
        """Positions published as suspended for a time, and neither suspended nor revoked in the database."""
        if not anchored.signed.suspensions:
            return set()
        known = self.statuses.suspended(anchored.list_id, at=self.clock())
        return _positions_in(anchored.signed.suspensions) - _raised_in(anchored) - set(known)

    def erased_since(self, campus: Campus) -> dict[uuid.UUID, int]:
        """People erased since the copy, with the number of their last erasure: nothing of before it comes back."""
        log = self.log.store.find(campus.id)
        if log is None:
            return {}
        return {
            record: each.number
            for frame in self.journal.with_erasures(campus.id)
            if frame.origin == log.origin and frame.stop > log.size
            for each in frame.erasures
            for record in each.records
        }

    # --- recovery

    def begin(self, campus: Campus) -> None:
        """Create status lists missing from the copy, so that awards can have slots in them."""
        for anchored in self.lists(campus):
            if self.statuses.find(anchored.list_id) is None:
                row = StatusList(
                    id=anchored.list_id,
                    campus_id=campus.id,
                    size=anchored.size,
                    created_at=self.clock(),
                    closed_at=self.clock(),
                    published=anchored.signed.embedded,
                    token=anchored.signed.token,
                    published_at=anchored.signed.signed_at,
                    sequence=anchored.signed.sequence,
                    suspensions=anchored.signed.suspensions,
                    suspensions_token=anchored.signed.suspensions_token,
                )
                self.statuses.add(row)

    def replay(
        self, campus: Campus, frame: Frame, done: Restored, erasures: RepeatsErasures, *, by: Actor
    ) -> None:
        """Apply one journal frame atomically, with its erasures in log order: later awards
        of an erased person are restored. Idempotent."""
        lines = frame.lines
        done.lines += self._replay_lines(campus, frame, lines, done)
        done.keys += self._replay_keys(frame)
        for line in lines:
            if line.fact.kind is EntryKind.REVOCATION and line.fact.noun == AWARD:
                done.revoked[line.fact.noun_id] = str(line.fact.facts.get("reason", ""))
        done.awards += self._replay_rows(frame, done)
        known = self.store.erasures_among([each.erasure_id for each in frame.erasures])
        rows = {uuid.UUID(str(row["id"])): row for row in frame.rows(ERASURES)}
        log = self.log.open(campus)
        for each in frame.erasures:
            # Where the log has a gap, its successor gets the line: see `erase_due`.
            if each.erasure_id not in known and each.is_in(log):
                self._erase_again(campus, each, rows, done, erasures, by=by)

    def _erase_again(
        self,
        campus: Campus,
        erased: JournaledErasure,
        rows: Mapping[uuid.UUID, Values],
        done: Restored,
        erasures: RepeatsErasures,
        *,
        by: Actor,
    ) -> None:
        """In a savepoint: one failure does not prevent the next erasure."""
        log = self.log.open(campus)
        values: dict[str, Any] = {"everywhere": False, "by_person": False, "reason": ERASED_AGAIN}
        values |= {"request_id": uuid.uuid4(), "done_at": erased.at}
        values |= self.store.erasure_values(rows.get(erased.erasure_id, {}))
        values |= {"id": erased.erasure_id, "campus_id": campus.id, "log_id": log.id}
        erasure = Erasure(**values | {"number": erased.number if erased.is_in(log) else -1})
        try:
            with self.log.savepoint():
                erasures.repeat(campus, erased, erasure, by=by)
        except (AppError, RowRefused) as error:
            logger.error("erasure not repeated", kind=type(error).__name__, erasure=str(erasure.id))
            done.not_erased.add(erased.person_id)
        else:
            done.not_erased.discard(erased.person_id)

    def erase_due(self, campus: Campus, done: Restored, erasures: RepeatsErasures, *, by: Actor) -> None:
        """Repeat the erasures that failed, or that an earlier restore left out."""
        due = self.erasures.due(campus.id)
        for each in due:
            self._erase_again(campus, each, {}, done, erasures, by=by)
        if due:
            self.status.sign_all(campus, at=self.clock())
            self.log.checkpoint(campus)

    def finish(self, campus: Campus, reason: str, done: Restored, *, by: Actor) -> None:
        """Repeat revocations, sign the next edition of the status lists, and log the restore."""
        check_restore_reason(reason)
        self._withdraw_again(campus, done)
        self._suspend_again(campus, done)
        anchored = {each.list_id: each for each in self.lists(campus)}
        for row in self.store.lists_of(campus.id):
            # Slots of unknown awards may be taken: new awards go into a new list.
            row.closed_at = row.closed_at or self.clock()
            row.used = self.store.used(row.id)
            self.status.sign_after(campus, row, anchored.get(row.id))
        try:
            self.log.check_in_step(self.log.open(campus))
        except LogOutOfStep:
            done.reconciled = self.reconciliation.reconcile(campus, reason, by=by)
        else:
            log = self.log.open(campus)
            for size in self.store.sizes_without_checkpoint(log):
                self.log.checkpoint_again(campus, log, size)
        self._retire_again(campus, reason, by)
        log = self.log.open(campus)
        facts = {
            "restored": log.origin,
            "lines": done.lines,
            "awards": done.awards,
            "withdrawals": done.withdrawals,
            "suspensions": done.suspensions,
            "reason": reason.strip()[:500],
        }
        self.log.record(campus, [Fact(EntryKind.CORRECTION, "campus_log", log.id, facts)])
        self.log.checkpoint(campus)
        self.history.write(
            by,
            "restore",
            "campus",
            campus.id,
            at=self.clock(),
            campus_id=campus.id,
            lines=done.lines,
            awards=done.awards,
            withdrawals=done.withdrawals,
        )

    def _retire_again(self, campus: Campus, reason: str, by: Actor) -> None:
        """Keys with an end that the journal lacks: a stolen one proves only what the log contained before."""
        ended, keys = ended_keys(self.anchors, campus), self.reconciliation.campus_keys
        for key in keys.campuses.keys_of(campus.id):
            state, since = ended.get(key.method_id, (key.state, self.clock()))
            if state is key.state or key.state is KeyState.REVOKED:
                continue
            if key.purpose is KeyPurpose.ACTIVITY_LOG and state is not KeyState.REVOKED:
                continue  # the head of the log names its key, and `reconcile` has replaced it
            stolen_since = max(since, key.created_at) if state is KeyState.REVOKED else None
            keys.retire(campus, key.id, reason=reason, stolen_since=stolen_since, by=by)

    def put_back_choices(self, campus_ids: Iterable[uuid.UUID], reason: str, *, by: Actor) -> ChoicesRestored:
        """Restore people's later choices, or close everything if unknown; the last step of a restore."""
        check_restore_reason(reason)
        store, since = self.choices.store, self.choices.missing()
        store.end_sessions()
        done = store.put_back(since.changes)
        store.erase_withdrawn()
        shut: Sequence[Person] = ()
        held = 0
        if not since.is_whole:
            # To an address that may be corrected since, about a badge that its holder may have closed.
            held = self.letters.hold_waiting()
            shut = store.shut_everything(reason=CHOSEN_SINCE, at=self.clock())
            for person in shut:
                self.notices.tell(person, Changed.PAGES_SHUT)
        if since.newest > store.newest():
            store.add(since.newest)
        for campus_id in campus_ids:
            self.history.write(
                by, "restore", "campus", campus_id, at=self.clock(), campus_id=campus_id, choices=done
            )
        return ChoicesRestored(done, len(shut), since.is_whole, held)

    def _replay_lines(
        self, campus: Campus, frame: Frame, journaled: Sequence[JournaledLine], done: Restored
    ) -> int:
        """Append entries after the last one; skips those already present or after a gap."""
        log = self.log.open(campus)
        lines = [line for line in journaled if line.number >= log.size] if frame.origin == log.origin else []
        if not lines or lines[0].number != log.size:
            return 0
        written = [
            _written(
                line.without_payload() if done.is_erased(line.fact.about_id, line.number) else line, log.id
            )
            for line in lines
        ]
        self.log.extend(log, written)
        return len(written)

    def _replay_keys(self, frame: Frame) -> int:
        """Restore keys created or ended since: a stolen key must not return into service."""
        put_back = 0
        for values in frame.rows(KEYS):
            known = self.store.key(uuid.UUID(str(values["id"])))
            if known is not None and _AFTER[KeyState(values["state"])] > _AFTER[known.state]:
                ended = SealedKey.model_validate({**values, "sealed": b""})
                known.state, known.retired_at, known.revoked_at = (
                    ended.state,
                    ended.retired_at,
                    ended.revoked_at,
                )
                self.store.add(known)
                put_back += 1
        self.store.flush()
        missing = self.store.missing(KEYS, frame.rows(KEYS))
        self.store.insert(KEYS, missing)
        return put_back + len(missing)

    def _replay_rows(self, frame: Frame, done: Restored) -> int:
        awards = self._awards_of(frame, done)
        kept = {row["id"] for row in awards}
        for table in IN_ORDER:
            if table == KEYS:
                continue
            rows = awards if table == AWARDS else self.store.missing(table, frame.rows(table))
            if table == PEOPLE:
                rows = [row for row in rows if not done.is_erased(row["id"], frame.start)]
            elif table in (DOCUMENTS, SLOTS, EVIDENCE):
                rows = [row for row in rows if row["award_id"] in kept]
            elif table == NEWER:
                rows = self._editions(frame, rows)
            self.store.insert(table, rows)
        self._replay_suspensions(frame, done)
        return len(awards)

    def _awards_of(self, frame: Frame, done: Restored) -> list[dict[str, Any]]:
        """The awards to insert, if the rows they reference exist or are in the same frame."""
        rows = self.store.missing(AWARDS, frame.rows(AWARDS))
        gone = self.store.erased({row["id"] for row in rows})
        rows = [
            row for row in rows if row["id"] not in gone and not done.is_erased(row["person_id"], frame.start)
        ]
        if not rows:
            return []
        there = {
            table: self.store.there(table, {row[name] for row in rows})
            | {uuid.UUID(str(each["id"])) for each in frame.rows(table)}
            for table, name in ((PEOPLE, "person_id"), (BADGES, "badge_id"), (VERSIONS, "version_id"))
        }
        fit = [
            row
            for row in rows
            if row["person_id"] in there[PEOPLE]
            and row["badge_id"] in there[BADGES]
            and row["version_id"] in there[VERSIONS]
        ]
        done.unregistered |= {row["id"] for row in rows} - {row["id"] for row in fit}
        activities = self.store.known_activities({row["activity_id"] for row in fit} - {None})
        givers = self.store.there(PEOPLE, {row["awarded_by"] for row in fit} - {None})
        taken = self.store.taken_keys({row["once_key"] for row in fit} - {None})
        batches = self.store.in_batches({row["batch_id"] for row in fit} - {None})
        for row in fit:
            row["activity_id"] = row["activity_id"] if row["activity_id"] in activities else None
            row["awarded_by"] = row["awarded_by"] if row["awarded_by"] in givers else None
            row["once_key"] = None if row["once_key"] in taken else row["once_key"]
            in_batch = (row["batch_id"], row["person_id"])
            row["batch_id"] = None if in_batch in batches else row["batch_id"]
        return fit

    def _editions(self, frame: Frame, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Newer editions, each applied to its award."""
        known = {award.id: award for award in self.store.awards_among({row["award_id"] for row in rows})}
        written = {uuid.UUID(str(values["id"])): values for values in frame.rows(AWARDS)}
        for award_id, award in known.items():
            if award_id in written and written[award_id]["edition"] > award.edition:
                later = Award.model_validate(dict(written[award_id]))
                award.edition, award.reissued_at = later.edition, later.reissued_at
                award.accepted_name = later.campus_name or award.campus_name
                award.holder_name = later.holder_name
                award.valid_until, award.evidence = later.valid_until, later.evidence
                self.store.add(award)
                self.store.replace_evidence(frame.rows(EVIDENCE), award_id)
        return [row for row in rows if row["award_id"] in known]

    def _replay_suspensions(self, frame: Frame, done: Restored) -> None:
        """Suspensions, and their ends, as recorded in the journal: the later row of an award is the newer."""
        rows = {uuid.UUID(str(row["id"])): row for row in frame.rows(AWARDS)}
        slots = {slot.award_id: slot for slot in self.statuses.slots_of(list(rows))}
        for award in self.store.awards_among(rows):
            later, slot = Award.model_validate(dict(rows[award.id])), slots.get(award.id)
            if award.state is AwardState.REVOKED or slot is None or slot.raised_at is not None:
                continue
            if award.suspended_until != later.suspended_until:
                done.suspensions += later.suspended_until is not None
            award.suspended_at, award.suspended_until = later.suspended_at, later.suspended_until
            award.suspended_reason = later.suspended_reason
            self.store.add(award)
            self.statuses.suspend_slot(slot, later.suspended_until)

    def _suspend_again(self, campus: Campus, done: Restored) -> None:
        """Suspend again what the published lists have as suspended, where the journal has no end for it."""
        at = self.clock()
        until = whole_second(at) + SUSPENDED_AGAIN
        for anchored in self.lists(campus):
            missing = self._not_suspended(anchored)
            slots = [
                each for each in self.statuses.slots_at(anchored.list_id, missing) if each.raised_at is None
            ]
            for slot in slots:
                self.statuses.suspend_slot(slot, until)
            for award in self.store.awards_among([slot.award_id for slot in slots]):
                award.suspended_at, award.suspended_until = whole_second(at), until
                award.suspended_reason = SUSPENDED_BEFORE
                self.store.add(award)
                done.suspended.add(award.id)
            done.suspensions += len(slots)

    def _withdraw_again(self, campus: Campus, done: Restored) -> None:
        """Revoke again, in rows and slots, what the published lists and the journal record as revoked."""
        at, raised = self.clock(), set[uuid.UUID]()
        for anchored in self.lists(campus):
            missing = self._not_raised(anchored)
            slots = self.statuses.slots_at(anchored.list_id, missing)
            self.statuses.raise_slots(slots, at=at)
            raised |= {slot.award_id for slot in slots}
            unknown = missing - {slot.position for slot in slots}
            self.store.add(
                *(
                    StatusSlot(list_id=anchored.list_id, position=position, award_id=new_id(), raised_at=at)
                    for position in sorted(unknown)
                )
            )
            done.withdrawals += len(unknown)
        lost = self.statuses.slots_of([each for each in done.revoked if each not in raised])
        self.statuses.raise_slots([slot for slot in lost if slot.raised_at is None], at=at)
        for award in self.store.awards_among(raised | done.revoked.keys()):
            if award.state is not AwardState.REVOKED:
                said = done.revoked.get(award.id, "")
                revoke(award, said if len(said) >= _SHORTEST_REASON else WITHDRAWN_BEFORE, at=at)
                done.withdrawals += 1
            self.store.add(award)


def _written(line: JournaledLine, log_id: uuid.UUID) -> Written:
    opening = Opening(line.key, {}, {}, {})  # restored entries disclose nothing here
    return Written(line.fact, log_id, line.number, line.leaf, line.leaf.hash(), line.key, opening)


def check_restore_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("Dites pourquoi : ce motif reste dans le journal.")


def _raised_in(anchored: AnchoredList) -> set[int]:
    return _positions_in(anchored.signed.embedded)


def _positions_in(published: bytes) -> set[int]:
    content = read_list(parse_json_object(published)).status_list.to_bytes()
    return {
        at * 8 + bit for at, byte in enumerate(content) if byte for bit in range(8) if byte & (0x80 >> bit)
    }


_SHORTEST_REASON: Final = 5
_AFTER: Final = {KeyState.PENDING: 0, KeyState.ACTIVE: 1, KeyState.VERIFY_ONLY: 2, KeyState.REVOKED: 3}
