"""The activity log: operations append to it, proofs verify, and damage is found; on both databases."""

from __future__ import annotations

import json
import sqlite3
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.domain.activity_log import EntryKind, Fact, minutes_of
from app.services.activity_log import LogOutOfStep, head_of
from app.services.activity_log.log_check import Fault, LogCheck
from sceau_credentials.transparency_log.notes import Note, TreeHead, consistency_proof, is_consistent, root_of
from tests.support.app import App, build_app, done_once
from tests.support.running.examples import examples


def facts(count: int, *, start: int = 0, about: uuid.UUID | None = None) -> list[Fact]:
    return [
        Fact(
            EntryKind.PARTICIPATION,
            "participation",
            uuid.UUID(int=number),
            {"activity": f"Atelier {number}", "minutes": minutes_of(1.5), "part": "apprenant"},
            about,
        )
        for number in range(start, start + count)
    ]


@done_once
def record(app: App, count: int, *, start: int = 0) -> list[int]:
    with app.unit_of_work() as services:
        return services.activity_log.record(app.campus, facts(count, start=start))


def checkpoint(app: App) -> TreeHead:
    with app.unit_of_work() as services:
        return TreeHead.from_text(Note.from_text(services.activity_log.checkpoint(app.campus).note).text)


def faults(app: App) -> list[tuple[Fault, str]]:
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        check = LogCheck(
            services.activity_log.store,
            log,
            services.log_keys.keys(app.campus, log),
            app.process.anchors,
        )
        return [(each.fault, each.where) for each in check.run()]


def tamper(app: App, statement: str) -> None:
    """Change rows as the owner of the database, without its triggers."""
    with app.owner.begin() as connection:
        if connection.dialect.name == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for (name,) in names.all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        assert connection.execute(text(statement)).rowcount == 1, statement
        if connection.dialect.name != "sqlite":
            connection.execute(text("SET session_replication_role = DEFAULT"))


def test_entries_are_numbered_from_zero_and_proved_against_a_signed_checkpoint(app: App) -> None:
    # The first two entries are the keys of the log and of the credentials.
    assert record(app, 3) == [2, 3, 4]
    assert record(app, 2, start=3) == [5, 6]
    head = checkpoint(app)
    assert head.origin == "localhost:8000/campus/itip/journal"
    assert head.size == 7
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        note = services.activity_log.note_of(services.activity_log.store.checkpoint(log.id, 7))
        key = app.log_key(services)
        assert [signed.key for signed in note.signed_by([key])] == [key]
        proofs = services.activity_log.proofs(log, [6, 0], 7)
        assert [proof.index for proof in proofs] == [0, 6]
        assert all(proof.is_in(head) for proof in proofs)


@pytest.mark.parametrize("steps", [(1, 253, 1), (300, 300), (70, 700, 3)], ids=["edge", "two", "three"])
def test_tiles_are_the_same_for_any_batches_and_prove_every_entry(app: App, steps: tuple[int, ...]) -> None:
    sizes, start = [], 0
    for count in steps:
        record(app, count, start=start)
        start += count
        sizes.append(checkpoint(app))
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        size = sizes[-1].size
        tree = services.activity_log.tree(log, size)
        assert size == start + 2
        assert root_of(tree, size) == sizes[-1].root
        for earlier in sizes[:-1]:
            proof = consistency_proof(tree, earlier.size, size)
            assert is_consistent(earlier.size, size, proof, earlier.root, sizes[-1].root)
    assert faults(app) == []


def test_tiles_of_rolled_back_entries_are_not_cached(app: App) -> None:
    record(app, 200)
    with app.unit_of_work() as services:
        log = services.activity_log
        with log.savepoint(keep=False):
            log.record(app.campus, facts(300, start=200))
            log.checkpoint(app.campus)
            head = log.open(app.campus)
            assert root_of(log.tree(head, head.size), head.size) == head_of(head).root
        log.record(app.campus, facts(301, start=900))
        head = log.open(app.campus)
        assert root_of(log.tree(head, head.size), head.size) == head_of(head).root
        log.checkpoint(app.campus)
    assert faults(app) == []


def test_tiles_are_read_once_while_a_unit_of_work_appends(app: App) -> None:
    record(app, 300)
    checkpoint(app)
    with app.unit_of_work() as services:
        log, read = services.activity_log, list[object]()
        tile = log.store.tile
        log.store.tile = lambda *which: (read.append(which), tile(*which))[1]
        written = log.append(app.campus, facts(50, start=300))
        log.checkpoint(app.campus)
        head = log.open(app.campus)
        assert len(log.proofs(head, [each.number for each in written], head.size)) == 50
    assert len(read) == len(set(read)) == 2


def test_two_campuses_have_two_logs(app: App) -> None:
    record(app, 2)
    with app.unit_of_work() as services:
        assert services.activity_log.record(app.other_campus, facts(1)) == [2]


def test_rolled_back_entry_is_neither_logged_nor_signed(app: App) -> None:
    record(app, 1)

    def fail_after_recording() -> None:
        with app.unit_of_work() as services:
            services.activity_log.record(app.campus, facts(1, start=1))
            services.activity_log.checkpoint(app.campus)
            raise RuntimeError("the operation failed")

    with pytest.raises(RuntimeError, match="the operation failed"):
        fail_after_recording()
    assert app.process.anchors.last("localhost:8000/campus/itip/journal") is None
    assert record(app, 1, start=1) == [3]
    assert faults(app) == []


def test_a_checkpoint_is_signed_once_for_one_size(app: App) -> None:
    record(app, 1)
    first = checkpoint(app)
    app.clock.now += timedelta(hours=1)
    assert checkpoint(app) == first


@pytest.mark.parametrize(
    "statement",
    ["UPDATE log_entry SET kind = 'award'", "DELETE FROM log_entry", "UPDATE log_payload SET noun = 'award'",
     "DELETE FROM log_checkpoint", "UPDATE log_checkpoint SET note = ''", "DELETE FROM campus_log"],
    ids=["entry", "no entry", "payload", "no checkpoint", "checkpoint", "no log"],
)  # fmt: skip
def test_database_refuses_to_change_the_log(app: App, statement: str) -> None:
    record(app, 1)
    checkpoint(app)
    with pytest.raises(DatabaseError, match="never"), app.owner.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "fault", "where"),
    [
        ("UPDATE log_entry SET kind = 'award' WHERE number = 3", Fault.CHANGED_ENTRY, "3"),
        ("UPDATE log_entry SET at = '2026-01-01 00:00:00' WHERE number = 200", Fault.CHANGED_ENTRY, "200"),
        ("UPDATE log_entry SET kind = 'award' WHERE number = 299", Fault.CHANGED_ENTRY, "299"),
        ("UPDATE log_entry SET leaf_hash = commitment WHERE number = 260", Fault.CHANGED_ENTRY, "260"),
        ("DELETE FROM log_entry WHERE number = 7", Fault.MISSING_ENTRY, "7"),
        ("UPDATE log_payload SET facts = '{\"minutes\": 6000}' WHERE number = 5", Fault.CHANGED_PAYLOAD, "5"),
        ("UPDATE log_payload SET facts = '[]' WHERE number = 5", Fault.CHANGED_PAYLOAD, "5"),
        ("UPDATE log_tile SET root = hashes WHERE place = 0", Fault.CHANGED_TILE, "tile/0/0"),
        ("DELETE FROM log_tile WHERE place = 0", Fault.MISSING_TILE, "tile/0/0"),
        ("UPDATE campus_log SET size = 299 WHERE size = 300", Fault.CHANGED_HEAD, "300"),
        ("UPDATE log_checkpoint SET note = '' WHERE size = 300", Fault.CHANGED_CHECKPOINT, "300"),
        ("UPDATE log_checkpoint SET size = 299 WHERE size = 300", Fault.CHANGED_CHECKPOINT, "299"),
        ("UPDATE log_checkpoint SET size = 400 WHERE size = 300", Fault.SHORTER_THAN_SIGNED, "400"),
    ],
    ids=["kind", "time", "last", "hash", "entry gone", "payload", "payload no map", "tile", "tile gone", "head", "note",
         "size", "beyond"],
)  # fmt: skip
def test_check_finds_and_names_every_change_made_by_the_database_owner(
    app: App, statement: str, fault: Fault, where: str
) -> None:
    record(app, 298)
    checkpoint(app)
    tamper(app, statement)
    assert (fault, where) in faults(app)


def test_log_with_changed_entries_is_not_signed_again(app: App) -> None:
    record(app, 3)
    checkpoint(app)
    tamper(app, "UPDATE log_entry SET kind = 'award' WHERE number = 3")
    record(app, 1, start=3)
    with pytest.raises(LogOutOfStep, match="des lignes ont changé"):
        checkpoint(app)


def test_a_log_shorter_than_what_was_signed_is_not_signed_again(app: App) -> None:
    record(app, 3)
    checkpoint(app)
    longer = TreeHead("localhost:8000/campus/itip/journal", 9, b"\x01" * 32)
    app.process.anchors.advance(longer)
    record(app, 1, start=3)
    with pytest.raises(LogOutOfStep, match="ancienne sauvegarde"):
        checkpoint(app)
    assert (Fault.SHORTER_THAN_SIGNED, "9") in faults(app)


def test_head_has_the_root_without_reading_the_log(app: App) -> None:
    record(app, 5)
    signed = checkpoint(app)
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        assert head_of(log) == signed


ENTRIES = 298
"""Beside the two keys: one full tile, and a part of the next."""
COLUMNS = {
    ("log_entry", "kind"): "number", ("log_entry", "at"): "number", ("log_entry", "commitment"): "number",
    ("log_entry", "leaf_hash"): "number", ("log_payload", "key"): "number", ("log_payload", "facts"): "number",
    ("log_tile", "hashes"): "place", ("log_tile", "root"): "place", ("log_checkpoint", "note"): "size",
    ("log_checkpoint", "root"): "size", ("campus_log", "edge"): "size",
}  # fmt: skip
"""Every column that a log is made of, and what numbers its rows."""


def test_check_finds_and_names_any_changed_byte(sqlite_url: str, tmp_path: Path) -> None:
    app = build_app(sqlite_url, tmp_path)
    record(app, ENTRIES)
    checkpoint(app)
    assert faults(app) == []
    app.process.engine.dispose()
    path = sqlite_url.partition("///")[2]
    guard = sqlite3.connect(path)
    guard.execute("PRAGMA ignore_check_constraints = ON")
    with guard:
        for (name,) in guard.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            guard.execute(f"DROP TRIGGER {name}")

    @settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.sampled_from(sorted(COLUMNS)), st.data())
    def one_byte(place: tuple[str, str], data: st.DataObject) -> None:
        (table, column), key = place, COLUMNS[place]
        log = guard.execute("SELECT id FROM campus_log ORDER BY size DESC").fetchone()[0]
        own = "id" if table == "campus_log" else "log_id"
        numbers = [row[0] for row in guard.execute(f"SELECT {key} FROM {table} WHERE {own} = ?", (log,))]
        number = data.draw(st.sampled_from(numbers))
        where = f"WHERE {own} = ? AND {key} = ?"
        (kept,) = guard.execute(f"SELECT {column} FROM {table} {where}", (log, number)).fetchone()
        raw = kept if isinstance(kept, bytes) else kept.encode()
        at = data.draw(st.integers(0, len(raw) - 1))
        changed = bytearray(raw)
        changed[at] ^= data.draw(st.integers(1, 127))
        new = bytes(changed) if isinstance(kept, bytes) else bytes(changed).decode("utf-8", "replace")
        assume(new != kept and not _says_the_same(column, kept, new))
        _write(guard, table, column, where, (new, log, number))
        try:
            named = faults(app)
        finally:
            _write(guard, table, column, where, (kept, log, number))
        assert named, f"{table}.{column} of {number}, byte {at}: {kept!r} became {new!r}"
        if table in ("log_entry", "log_payload"):
            assert str(number) in {place for _, place in named}

    try:
        one_byte()
        assert faults(app) == []
    finally:
        guard.close()
        app.close()


def _write(connection: sqlite3.Connection, table: str, column: str, where: str, values: tuple) -> None:
    with connection:
        assert connection.execute(f"UPDATE {table} SET {column} = ? {where}", values).rowcount == 1


def _says_the_same(column: str, kept: object, new: object) -> bool:
    """Whether both mean the same: other white space in JSON, or seconds that a line does not contain."""
    if column == "at":
        # Any separator between day and hour is read as the same.
        return (str(kept)[:10], str(kept)[11:16]) == (str(new)[:10], str(new)[11:16])
    if column == "facts":
        try:
            return json.loads(str(kept)) == json.loads(str(new))
        except ValueError:
            return False
    return False
