"""The activity log of each campus: appended in the transaction of each event, signed, provable."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.db.activities import ActivityStore
from app.db.activity_log import ActivityLogStore, LogDisputeStore, full_tile
from app.db.campus import CampusStore
from app.db.engine.row_level_security import TenantScope
from app.db.frameworks.pathways import PathwayStore
from app.domain.activities import Activity, Participation
from app.domain.activity_log import (
    AWARD,
    PARTICIPATION,
    CampusLog,
    EntryKind,
    Fact,
    LogCheckpoint,
    LogTile,
    Written,
    assessment_fact,
    award_fact,
    correction_fact,
    definition_fact,
    entry_of,
    erasure_fact,
    key_fact,
    later_of,
    leaf_of,
    participation_fact,
    participation_facts,
    revocation_fact,
    to_the_minute,
)
from app.domain.activity_log.recovery import AWARDS, BADGES, KEYS, VERSIONS, JournaledErasure
from app.domain.awards import Award
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus, SealedKey
from app.domain.core import UNSHARED, Clock, Snapshot
from app.domain.people.consents import Erasure
from app.domain.publishing import Addresses
from app.errors import Unavailable
from app.language import N_
from app.services.activity_log.recovery import Journal, RecoveryNotes
from app.services.publishing.status import Signing
from sceau_credentials.errors import MalformedInput
from sceau_credentials.evidence.documents import LoggedEntry
from sceau_credentials.keys import SigningKey, VerificationKey
from sceau_credentials.transparency_log.notes import (
    Frontier,
    Note,
    NoteKey,
    TreeHead,
    inclusion_proof,
    root_of,
    sign,
)
from sceau_credentials.transparency_log.tiles import HEIGHT, WIDTH, Tile, TiledTree, hashes_in, rows_in
from sceau_credentials.values import JsonObject, format_timestamp

logger = structlog.get_logger(__name__)


class LogOutOfStep(Unavailable):
    """The log does not extend what was signed: it is shorter, or it forked."""


class Anchors(Protocol):
    """The last signed tree head of each log, stored apart from the database and its backups (I05, I07)."""

    def last(self, origin: str) -> TreeHead | None: ...

    def last_key(self, origin: str) -> str:
        """The public key of that last signature, as a one-line vkey; empty if unknown."""
        ...

    def advance(self, head: TreeHead, vkey: str = "") -> None:
        """Store `head` unless a larger one is stored; durable when it returns."""
        ...


class ActivityLog:
    def __init__(
        self,
        store: ActivityLogStore,
        campuses: CampusStore,
        signing: Signing,
        anchors: Anchors,
        journal: Journal,
        addresses: Addresses,
        clock: Clock,
        snapshot: Snapshot = UNSHARED,
    ) -> None:
        self.snapshot = snapshot
        self.journal = journal
        self.notes = RecoveryNotes()
        """Frames that the recovery journal gets after this unit of work commits."""
        self.store = store
        self.campuses = campuses
        self.signing = signing
        self.anchors = anchors
        self.addresses = addresses
        self.clock = clock
        self.signed: list[tuple[TreeHead, NoteKey]] = []
        """Tree heads this unit of work signed, with their key; anchors advance after the commit."""
        self._leaves: dict[uuid.UUID, dict[int, bytes]] = {}
        """By log and number: the hashes that this unit of work appended, and of the tile before them."""
        self._above: dict[tuple[uuid.UUID, Tile], bytes] = {}
        """Tiles over other tiles, read by this unit of work."""
        self._held: dict[uuid.UUID, CampusLog] = {}
        """By campus: the log that this unit of work holds locked."""

    def record(self, campus: Campus, facts: Sequence[Fact]) -> list[int]:
        """Append one entry per fact, in the current transaction; returns their numbers in the log."""
        return [written.number for written in self.append(campus, facts)]

    def now(self, campus: Campus) -> datetime:
        """The clock time, never earlier than the campus's last entry: signed times are monotonic."""
        held = self._held.get(campus.id)
        return later_of(self.clock(), held.last_at if held else self.store.last_at(campus.id))

    def append(self, campus: Campus, facts: Sequence[Fact]) -> list[Written]:
        """As `record`, but returns the complete entries."""
        if not facts:
            return []
        log = self.open(campus)
        at = later_of(self.clock(), log.last_at)
        minute = to_the_minute(at)
        written = [
            entry_of(fact, log.id, number, minute=minute) for number, fact in enumerate(facts, log.size)
        ]
        self.extend(log, written, at=at)
        return written

    def extend(self, log: CampusLog, written: Sequence[Written], *, at: datetime | None = None) -> None:
        """Append entries as they are, after the last one."""
        at = later_of(at or max(each.leaf.at for each in written), log.last_at)
        hashes = [each.leaf_hash for each in written]
        frontier = Frontier.from_bytes(log.size, log.edge)
        for each in hashes:
            frontier.append(each)
        # Read existing tiles before writing: PostgreSQL answers no query during COPY.
        tiles = self._filled_tiles(log, hashes)
        self._leaves.setdefault(log.id, {}).update((each.number, each.leaf_hash) for each in written)
        self.store.append(written)
        self.store.keep_tiles(tiles)
        self.store.advance_head(log, frontier.size, frontier.to_bytes(), at=at)
        self.notes.add_lines(log, written)

    @contextmanager
    def savepoint(self, *, keep: bool = True) -> Iterator[None]:
        """Undoes what happens inside if it fails, and without `keep` in any case: rows, and what the journal gets."""
        notes, nested = self.notes.copy(), self.store.session.begin_nested()
        is_kept = False
        try:
            yield
            is_kept = keep
        finally:
            if is_kept:
                nested.commit()
            else:
                nested.rollback()
                self.notes = notes
                self._leaves, self._above, self._held = {}, {}, {}

    def checkpoint(self, campus: Campus, *, leaving: SigningKey | None = None) -> LogCheckpoint:
        """Sign the current log; raises LogOutOfStep if it does not extend what was signed (I07).

        `leaving`: a key being replaced signs one last time, before its successor.
        """
        log = self.open(campus)
        newest = self.store.newest_checkpoint(log.id)
        if newest is not None and newest.size == log.size:
            return newest
        head = head_of(log)
        self.check_in_step(log, newest)
        key = self.signing.log_signer(campus, at=self.clock())
        text = head.to_text()
        row = LogCheckpoint(
            log_id=log.id,
            size=head.size,
            root=head.root,
            note=Note(text, tuple(sign(text, log.origin, each) for each in (leaving, key) if each)).to_text(),
            signed_at=later_of(self.clock(), newest.signed_at if newest else None),
        )
        self.store.add(row)
        self.signed.append((head, NoteKey(log.origin, key.public)))
        return row

    def checkpoint_again(self, campus: Campus, log: CampusLog, size: int) -> None:
        """Sign the tree of an earlier size anew, where a copy lacks that checkpoint: the same key makes the same note.

        Only for a log that is in step with what was signed, since its earlier trees are then those of that time.
        What a former key signed stays unsigned: another note is not the one that the badge names.
        """
        root, last = self.root_at(log, size), self.store.entries(log.id, size - 1, size)
        made_at = self.signing.log_key(campus, at=self.clock()).created_at
        if root is None or not last or to_the_minute(made_at) > last[0].at:
            return
        head, key = TreeHead(log.origin, size, root), self.signing.log_signer(campus, at=self.clock())
        note = Note(head.to_text(), (sign(head.to_text(), log.origin, key),)).to_text()
        self.store.add(LogCheckpoint(log_id=log.id, size=size, root=root, note=note, signed_at=self.clock()))

    def proofs(self, log: CampusLog, numbers: Iterable[int], size: int) -> list[LoggedEntry]:
        """The inclusion proof of each entry in the tree of `size`; ordered by entry number."""
        tree = self.tree(log, size)
        return [
            LoggedEntry(entry.number, leaf_of(entry), tuple(inclusion_proof(tree, entry.number, size)))
            for entry in self.store.numbered(log.id, numbers)
        ]

    def tree(self, log: CampusLog, size: int) -> TiledTree:
        def read(tile: Tile) -> bytes:
            return self._tile(log.id, tile)

        def rows_in_snapshot(tile: Tile) -> list[Sequence[bytes]]:
            return self.snapshot.until_commit(("tile", log.id, tile), lambda: rows_in(read(tile), tile))

        def rows_of(tile: Tile) -> list[Sequence[bytes]]:
            if self.snapshot.is_shared and (fuller := tile.in_tree(log.size)).width > tile.width:
                # Each award has its own tree: what they share is the tile that holds all of them.
                with suppress(MalformedInput):
                    return rows_in_snapshot(fuller)
            return rows_in_snapshot(tile)

        return TiledTree(read, size, rows_of=rows_of)

    def note_of(self, checkpoint: LogCheckpoint) -> Note:
        """The checkpoint with the cosignatures of all witnesses."""
        lines = "".join(each.line for each in self.store.cosignatures(checkpoint.log_id, checkpoint.size))
        return Note.from_text(checkpoint.note + lines)

    def settle(self) -> None:
        """After the commit: advance the anchors, so that nothing shorter can be signed again."""
        # The journal first: it may hold more than was signed, but an anchor must only name what is stored.
        self.notes.write(self.journal, at=self.clock())
        for head, key in self.signed:
            try:
                self.anchors.advance(head, key.to_vkey())
            except (OSError, Unavailable) as error:
                # The commit stands: a lagging anchor rejects nothing valid, and the next check catches up.
                logger.error("anchor not moved", kind=type(error).__name__, origin=head.origin)
        self.signed.clear()

    def open(self, campus: Campus) -> CampusLog:
        """The campus's log, locked until the transaction ends; created if there is none."""
        log = self._held.get(campus.id) or self.store.lock(campus.id)
        if log is None:
            # Two concurrent first writers lock the campus row, which exists before any log.
            self.campuses.lock(campus.id)
            log = self.store.lock(campus.id) or self._begin(campus, epoch=1)
        self._held[campus.id] = log
        return log

    def begin_again(self, campus: Campus, *, after: int) -> CampusLog:
        """Open a new epoch that was never signed, not even in a state lost by a restore."""
        epoch = after + 1
        while self.anchors.last(self.addresses.log_origin(campus.slug, epoch)) is not None:
            epoch += 1
        return self._begin(campus, epoch=epoch)

    def _begin(self, campus: Campus, *, epoch: int) -> CampusLog:
        log = CampusLog(
            campus_id=campus.id,
            epoch=epoch,
            origin=self.addresses.log_origin(campus.slug, epoch),
            opened_at=self.clock(),
        )
        self.store.add(log)
        self._held[campus.id] = log
        # The first entry of each log is its signing key.
        self.record(campus, [key_fact(self.signing.log_key(campus, at=self.clock()))])
        return log

    def check_in_step(self, log: CampusLog, newest: LogCheckpoint | None = None) -> None:
        """Raises LogOutOfStep if the log does not extend everything ever signed for it.

        `newest`: its newest checkpoint, where the caller has it.
        """
        newest = newest or self.store.newest_checkpoint(log.id)
        anchor = self.anchors.last(log.origin)
        signed = [] if newest is None else [(newest.size, newest.root)]
        signed += [] if anchor is None else [(anchor.size, anchor.root)]
        for size, root in dict.fromkeys(signed):  # usually equal: compute the root once
            if size > log.size:
                raise LogOutOfStep(
                    N_(
                        "Le journal du campus est plus court que ce qui en a déjà été signé : une ancienne "
                        "sauvegarde a été restaurée. Rien n’est signé avant « sceau restore »."
                    )
                )
            if self.root_at(log, size) != root:
                raise LogOutOfStep(
                    N_(
                        "Le journal du campus n’est plus celui qui a été signé : des lignes ont changé. "
                        "Rien n’est signé ; « sceau log check » nomme la première ligne changée."
                    )
                )

    def root_at(self, log: CampusLog, size: int) -> bytes | None:
        """The root of the log at that size; None if missing entries make it incomputable."""
        try:
            return root_of(self.tree(log, size), size)
        except MalformedInput:
            return None

    def _tile(self, log_id: uuid.UUID, tile: Tile) -> bytes:
        """Read once while a unit of work appends to the log; entries only grow in number until it ends."""
        if tile.level:
            known = self._above.get((log_id, tile))
            if known is None:
                known = self._above[(log_id, tile)] = self.store.tile(log_id, tile)
            return known
        leaves = self._leaves.get(log_id)
        if leaves is None:
            return self.store.tile(log_id, tile)
        start = tile.index << HEIGHT
        numbers = range(start, start + tile.width)
        unread = [number for number in numbers if number not in leaves]
        if unread:
            width = unread[-1] + 1 - start
            read = hashes_in(self.store.tile(log_id, Tile(0, tile.index, width)), width)
            leaves.update(zip(numbers, read, strict=False))
        return b"".join([leaves[number] for number in numbers])

    def _filled_tiles(self, log: CampusLog, new: Sequence[bytes]) -> list[LogTile]:
        """The tiles that these leaf hashes complete, on every level."""
        tiles: list[LogTile] = []
        old_count, hashes, level = log.size, list(new), 0
        while (old_count % WIDTH) + len(hashes) >= WIDTH:
            place, width = old_count >> HEIGHT, old_count % WIDTH
            begun = self._tile(log.id, Tile(level, place, width)) if width else b""
            row = [begun[at : at + 32] for at in range(0, len(begun), 32)] + hashes
            filled = [
                full_tile(log.id, level, place + at, row[at * WIDTH : (at + 1) * WIDTH])
                for at in range(len(row) >> HEIGHT)
            ]
            tiles += filled
            old_count, hashes, level = place, [tile.root for tile in filled], level + 1
        return tiles


def head_of(log: CampusLog) -> TreeHead:
    """The current tree head, signed or not."""
    return TreeHead(log.origin, log.size, Frontier.from_bytes(log.size, log.edge).root())


@dataclass(frozen=True, eq=False)
class LoggedEvents:
    log: ActivityLog
    activities: ActivityStore
    campuses: CampusStore
    disputes: LogDisputeStore
    pathways: PathwayStore
    addresses: Addresses
    tenant_scope: TenantScope

    def mark_pathways(self, person_ids: Iterable[uuid.UUID]) -> None:
        """Their stages are computed again after this transaction."""
        self.pathways.mark_stale(person_ids, at=self.log.clock())

    def log_participation(
        self, activity: Activity, participations: Sequence[Participation], reason: str
    ) -> None:
        """Log the current state of participations: new entries, or corrections of earlier ones.

        If several campuses organise the activity, each of their logs gets the entries.
        """
        if not participations:
            return
        self.mark_pathways(each.person_id for each in participations)
        with self.organisers_of(activity) as campuses:
            for campus in campuses:
                self._noted_in(campus, activity, participations, reason)

    @contextmanager
    def organisers_of(self, activity: Activity) -> Iterator[Sequence[Campus]]:
        """The campuses that organise it; any of them may write the logs and histories of all.

        Fixed lock order: prevents deadlocks between activities with the same campuses.
        """
        campuses = sorted(self.activities.campuses_of(activity.id), key=lambda one: one.id)
        with self.tenant_scope.across_campuses() if len(campuses) > 1 else nullcontext():
            yield campuses

    def _noted_in(
        self, campus: Campus, activity: Activity, participations: Sequence[Participation], reason: str
    ) -> None:
        log = self.log.open(campus)
        known = self.log.store.newest_about(log.id, PARTICIPATION, (each.id for each in participations))
        practised = self.activities.practised_in(activity.id)
        facts = [
            correction_fact(activity, each, practised, corrects=known[each.id], reason=reason)
            if each.id in known
            else participation_fact(activity, each, practised)
            for each in participations
        ]
        self.log.record(campus, facts)

    def log_correction(self, activity: Activity, reason: str) -> None:
        """Log a correction for each participant with an outdated entry in the logs."""
        there = [
            participation for participation, _ in self.activities.participants(activity.id, with_absent=True)
        ]
        practised = self.activities.practised_in(activity.id)
        true = {each.id: participation_facts(activity, each, practised) for each in there}
        with self.organisers_of(activity) as campuses:
            for campus in campuses:
                log = self.log.open(campus)
                said = {
                    each.noun_id: each.facts
                    for each in self.log.store.payloads_of(PARTICIPATION, true)
                    if each.log_id == log.id
                }
                changed = [
                    each for each in there if each.id in said and not _says(said[each.id], true[each.id])
                ]
                self.mark_pathways(each.person_id for each in changed)
                self._noted_in(campus, activity, changed, reason)

    def joined(self, campus: Campus, activity: Activity) -> None:
        """Log in this campus's log what was recorded before it agreed to co-organise."""
        there = [participation for participation, _ in self.activities.participants(activity.id)]
        self.mark_pathways(each.person_id for each in there)
        self.entries_of(campus, activity, there)

    def entries_of(
        self, campus: Campus, activity: Activity, participations: Iterable[Participation]
    ) -> dict[uuid.UUID, int]:
        """The newest entry of each participation; logs those recorded before the log existed."""
        wanted = list(participations)
        log = self.log.open(campus)
        ids = [each.id for each in wanted]
        known = self.log.store.newest_about(log.id, PARTICIPATION, ids)
        missing = [each for each in wanted if each.id not in known]
        if not missing:
            return known
        practised = self.activities.practised_in(activity.id)
        numbers = self.log.record(campus, [participation_fact(activity, each, practised) for each in missing])
        return known | {each.id: number for each, number in zip(missing, numbers, strict=True)}

    def numbers_of(self, campus: Campus, participation_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The newest entry of participations in any activities; logs again those only in a closed log."""
        log = self.log.open(campus)
        known = self.log.store.newest_about(log.id, PARTICIPATION, participation_ids)
        missing = self.activities.get_participations(set(participation_ids) - known.keys())
        activities = self.activities.activities_of(each.id for each in missing)
        for activity in sorted(activities.values(), key=lambda one: one.id):
            some = [each for each in missing if each.activity_id == activity.id]
            known |= self.entries_of(campus, activity, some)
        return known

    def assessed(
        self, campus: Campus, awards: Sequence[Award], version: BadgeVersion
    ) -> dict[uuid.UUID, int]:
        """Log the assessment of each award, by award id; awards without a written assessment have none."""
        expected = [award for award in awards if award.evidence]
        numbers = self.log.record(campus, [assessment_fact(award, version) for award in expected])
        return {award.id: number for award, number in zip(expected, numbers, strict=True)}

    def log_award(
        self,
        campus: Campus,
        decisions: Sequence[tuple[Award, JsonObject, Sequence[int]]],
        signing_key: VerificationKey,
    ) -> list[Written]:
        """Log each award with its complete credential content and its signing key."""
        facts = [
            award_fact(award, credential, entries, self.addresses, signing_key)
            for award, credential, entries in decisions
        ]
        self.mark_pathways(award.person_id for award, _, _ in decisions)
        return self.log.append(campus, facts)

    def withdrawn(self, campus: Campus, awards: Sequence[Award], reason: str) -> None:
        self.mark_pathways(award.person_id for award in awards)
        self.log.record(campus, [revocation_fact(award, reason, self.addresses) for award in awards])

    def suspended(self, campus: Campus, award: Award) -> None:
        """Also for the end of a suspension."""
        until = award.suspended_until
        facts: dict[str, Any] = {"award": self.addresses.award(award.id), "suspended": until is not None}
        if until is not None:
            facts |= {"suspendedUntil": format_timestamp(until), "reason": award.suspended_reason}
        self.mark_pathways([award.person_id])
        self.log.record(campus, [Fact(EntryKind.CORRECTION, AWARD, award.id, facts, award.person_id)])
        self.log.notes.add_rows(campus, AWARDS, [award])

    def log_definition(self, campus: Campus, badge: Badge, version: BadgeVersion) -> None:
        self.log.record(campus, [definition_fact(version, self.addresses)])
        self.log.notes.add_rows(campus, BADGES, [badge])
        self.log.notes.add_rows(campus, VERSIONS, [version])

    def key_changed(
        self, campus: Campus, key: SealedKey, last_sizes: Mapping[str, int] | None = None
    ) -> None:
        self.log.record(campus, [key_fact(key, last_sizes)])
        self.log.notes.add_rows(campus, KEYS, [key])

    def forget(self, person_id: uuid.UUID, campus: Campus, erasure_id: uuid.UUID) -> Written:
        """Erase a person's entries and keys from the campus's logs; the erasure entry is anonymous."""
        return self._forget([person_id, *self.log.store.merged_into(person_id)], campus, erasure_id)

    def forget_again(self, campus: Campus, erased: JournaledErasure, erasure: Erasure) -> None:
        """In a restored copy; without a number where the log has no line about it, which it then gets."""
        if erasure.number >= 0:
            self._forget_entries(erased.records, campus, erasure.id)
        else:
            line = self._forget(erased.records, campus, erasure.id)
            erasure.log_id, erasure.number = line.log_id, line.number

    def _forget(self, records: Sequence[uuid.UUID], campus: Campus, erasure_id: uuid.UUID) -> Written:
        entries = self._forget_entries(records, campus, erasure_id)
        (said,) = self.log.append(campus, [erasure_fact(erasure_id, entries)])
        return said

    def _forget_entries(self, records: Sequence[uuid.UUID], campus: Campus, erasure_id: uuid.UUID) -> int:
        """`records`: of one person, the one into which the others were merged first."""
        logs, entries = {each.id for each in self.log.store.list_of(campus.id)}, 0
        for record in records:
            entries += self.log.store.erase_about(record, logs)
            self.disputes.forget(record, logs)
        self.log.notes.add_erased(campus, records, erasure_id)
        return entries


def _says(facts: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether an entry holds these facts, ignoring its correction fields."""
    return {name: value for name, value in facts.items() if name not in ("corrects", "reason")} == dict(
        expected
    )
