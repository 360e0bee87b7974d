"""No two checkpoints of a campus's log ever disagree, and each stays trusted.

Operations in any order: append, correct, erase, sign, change the key, report its theft, restore, witness.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.adapters.folders.log_files import WitnessFolder
from app.domain.activity_log import EntryKind, Fact, leaf_of
from app.errors import AppError, NotFound
from app.services.activity_log import LogOutOfStep
from app.services.activity_log.evidence import LogPublication
from app.services.activity_log.log_monitoring import KeyNotAnnounced, change_key, cosign_log
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.evidence.judging import FILE, LogKeys, LogKeyState
from sceau_credentials.transparency_log.notes import LeafHashes, Note, NoteKey, TreeHead, root_of
from sceau_credentials.transparency_log.tiles import tiles_read
from tests.support.app import COMMAND, App, build_app
from tests.support.running.examples import examples

SOMEBODY = uuid.UUID(int=7)


class Files:
    """The published files of a log as a mirror reads them."""

    def __init__(self, publication: LogPublication, prefix: str) -> None:
        self.publication, self.prefix = publication, prefix

    def read(self, path: str) -> bytes:
        try:
            return self.publication.file("itip", self.prefix + path).document.body
        except NotFound:
            raise DocumentUnavailable(path, "not_found") from None


class LogLife(RuleBasedStateMachine):
    """`signed` has, for each origin, the leaf hashes of the largest signed tree: every other is a prefix.

    `notes` are all its checkpoints, `given` is the first key that its witness got.
    """

    pristine: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "database").mkdir()
        self.database = self.folder / "database" / "sceau.sqlite"
        shutil.copyfile(self.pristine, self.database)
        self.app: App = build_app(f"sqlite:///{self.database}", self.folder)
        self.witness = WitnessFolder(self.folder / "witness")
        self.witness.make_key("temoin.exemple.fr")
        self.signed: dict[str, list[bytes]] = {}
        self.notes: dict[str, list[Note]] = {}
        self.given: dict[str, NoteKey] = {}
        self.backups: list[Path] = []

    @initialize()
    def first_backup(self) -> None:
        self.back_up()

    @rule(count=st.sampled_from([1, 2, 40, 256]))
    def append(self, count: int) -> None:
        self._record(EntryKind.PARTICIPATION, count)

    @rule()
    def correct(self) -> None:
        self._record(EntryKind.CORRECTION, 1)

    @rule()
    def erase(self) -> None:
        with self.app.unit_of_work() as services:
            store = services.activity_log.store
            store.erase_about(SOMEBODY, [log.id for log in store.list_of(self.app.campus.id)])
            fact = Fact(EntryKind.ERASURE, "person", SOMEBODY, {"reason": "demande"})
            services.activity_log.record(self.app.campus, [fact])

    @rule()
    def sign(self) -> None:
        self.app.clock.move(minutes=5)
        try:
            with self.app.unit_of_work() as services:
                services.activity_log.checkpoint(self.app.campus)
        except LogOutOfStep:
            return
        self._was_signed()

    @rule(stolen=st.booleans())
    def change_key(self, stolen: bool) -> None:
        self.app.clock.move(minutes=5)
        since = self.app.clock() - timedelta(minutes=1) if stolen else None
        try:
            with self.app.unit_of_work() as services:
                services.campus_keys.retire_active_of_the_log(
                    self.app.campus, reason="Chaque année.", stolen_since=since, by=COMMAND
                )
        except LogOutOfStep:
            return
        self._was_signed()

    def _was_signed(self) -> None:
        with self.app.unit_of_work(reading=True) as services:
            store = services.activity_log.store
            log = store.find(self.app.campus.id)
            assert log is not None
            point = store.newest_checkpoint(log.id)
            entries = store.entries(point.log_id, 0, point.size)
            note = Note.from_text(point.note)
            head = TreeHead.from_text(note.text)
        self.notes.setdefault(head.origin, []).append(note)
        leaves = [leaf_of(entry).hash() for entry in entries]
        assert root_of(LeafHashes(leaves), head.size) == head.root
        before = self.signed.get(head.origin, [])
        shorter, longer = sorted((before, leaves), key=len)
        assert longer[: len(shorter)] == shorter, "two checkpoints disagree"
        self.signed[head.origin] = longer

    @rule()
    def back_up(self) -> None:
        copy = self.folder / f"backup-{len(self.backups)}"
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        self.backups.append(copy)

    @precondition(lambda self: bool(self.backups))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """Restore the database, but neither anchors nor witness."""
        copy = data.draw(st.sampled_from(self.backups))
        self.app.process.engine.dispose()
        for rest in self.database.parent.glob("sceau.sqlite-*"):
            rest.unlink()
        shutil.copyfile(copy, self.database)

    @rule()
    def reconcile(self) -> None:
        try:
            with self.app.unit_of_work() as services:
                services.log_reconciliation.reconcile(self.app.campus, "Sauvegarde.", by=COMMAND)
        except AppError:
            return  # nothing was wrong
        self.sign()

    @rule()
    def watch(self) -> None:
        """The witness never sees two histories, so it never refuses one."""
        with self.app.unit_of_work(reading=True) as services:
            current = services.log_publication.state("itip").current
            if current is None or current.checkpoint.size < len(self.signed.get(current.log.origin, ())):
                return  # an old copy shows an old checkpoint, and refuses to sign another
            prefix = f"{current.log.epoch}/" if current.log.epoch > 1 else ""
            source = Files(services.log_publication, prefix)
            key = self.witness.key()
            given = self.given.setdefault(current.log.origin, current.key)
            try:
                looked = cosign_log(source, given, self.witness, key, at=self.app.clock())
            except KeyNotAnnounced:
                assert LogKeyState.REVOKED in {
                    each.state for each in LogKeys.from_bytes(source.read(FILE)).terms
                }
                change_key(self.witness, current.key)
                self.given[current.log.origin] = current.key
                looked = cosign_log(source, current.key, self.witness, key, at=self.app.clock())
            assert looked.note.signed_by([key.public])
            self._all_are_believed(LogKeys.from_bytes(source.read(FILE)), source)

    def _all_are_believed(self, keys: LogKeys, source: Files) -> None:
        """A theft is always reported a minute after the last signature, so earlier ones stay valid."""
        for note in self.notes[keys.origin]:
            term = keys.signed(note)
            assert term is not None
            assert term.vouches_for(TreeHead.from_text(note.text), tiles_read(source.read))

    @invariant()
    def the_anchor_is_the_largest_tree_signed(self) -> None:
        for origin, leaves in self.signed.items():
            anchor = self.app.process.anchors.last(origin)
            assert anchor is not None
            assert (anchor.size, anchor.root) == (len(leaves), root_of(LeafHashes(leaves), len(leaves)))

    def teardown(self) -> None:
        self.app.close()
        shutil.rmtree(self.folder)

    def _record(self, kind: EntryKind, count: int) -> None:
        facts = [
            Fact(kind, "participation", uuid.uuid4(), {"n": number}, SOMEBODY if number % 2 else None)
            for number in range(count)
        ]
        with self.app.unit_of_work() as services:
            services.activity_log.record(self.app.campus, facts)


@pytest.fixture(autouse=True)
def migrated(migrated_sqlite: Path) -> None:
    LogLife.pristine = migrated_sqlite


class TestLogLife(LogLife.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(
        max_examples=examples(12),
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
