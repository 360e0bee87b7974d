"""One byte of whatever the database keeps of a log is changed, anywhere: the check finds it, and names where."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.app.services.activity_log.test_activity_log import checkpoint, faults, record
from tests.support.app import build_app
from tests.support.running.examples import examples

ENTRIES = 298
"""Beside the two keys: one full tile, and a part of the next."""
COLUMNS = {
    ("log_entry", "kind"): "number", ("log_entry", "at"): "number", ("log_entry", "commitment"): "number",
    ("log_entry", "leaf_hash"): "number", ("log_payload", "key"): "number", ("log_payload", "facts"): "number",
    ("log_tile", "hashes"): "place", ("log_tile", "root"): "place", ("log_checkpoint", "note"): "size",
    ("log_checkpoint", "root"): "size", ("campus_log", "edge"): "size",
}  # fmt: skip
"""Every column that a log is made of, and what numbers its rows."""


def test_any_byte_that_is_changed_is_found_and_named(sqlite_url: str, tmp_path: Path) -> None:
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
    """Another spelling of the same: a space in JSON for a line break, the seconds that a line does not tell."""
    if column == "at":
        # Whatever stands between day and hour is read as the same.
        return (str(kept)[:10], str(kept)[11:16]) == (str(new)[:10], str(new)[11:16])
    if column == "facts":
        try:
            return json.loads(str(kept)) == json.loads(str(new))
        except ValueError:
            return False
    return False
