"""What is stored, and whether anything was written."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path


class Kept:
    """A digest of all that is kept, worked out again where SQLite says that somebody wrote to its file."""

    def __init__(self, database: Path) -> None:
        self._watch = sqlite3.connect(database)
        self._known: dict[int, str] = {}

    def digest(self) -> str:
        (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        if version not in self._known:
            self._known = {version: self._read()}
        return self._known[version]

    def counts(self) -> Mapping[str, int]:
        """Rows of each table."""
        found = {name: self._watch.execute(f'SELECT count(*) FROM "{name}"') for name in self._tables()}
        return {name: cursor.fetchone()[0] for name, cursor in found.items()}

    def _read(self) -> str:
        digest = hashlib.sha256()
        for name in self._tables():
            rows = sorted(map(repr, self._watch.execute(f'SELECT * FROM "{name}"')))
            digest.update(f"{name}{rows}".encode())
        return digest.hexdigest()

    def _tables(self) -> list[str]:
        found = self._watch.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return [name for (name,) in found]

    def close(self) -> None:
        self._watch.close()
