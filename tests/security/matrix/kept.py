"""Whether anything was written."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from sqlalchemy import MetaData, select

from tests.support.house import House


class Kept:
    """A digest of all that is kept, worked out again where SQLite says that somebody wrote to its file."""

    def __init__(self, house: House, database: Path) -> None:
        self._house = house
        self._watch = sqlite3.connect(database)
        self._known: dict[int, str] = {}

    def digest(self) -> str:
        (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        if version not in self._known:
            self._known = {version: self._read()}
        return self._known[version]

    def _read(self) -> str:
        digest = hashlib.sha256()
        tables = MetaData()
        with self._house.owner.connect() as connection:
            tables.reflect(connection)
            for table in tables.sorted_tables:
                rows = sorted(map(repr, connection.execute(select(table))))
                digest.update(f"{table.name}{rows}".encode())
        return digest.hexdigest()

    def close(self) -> None:
        self._watch.close()
