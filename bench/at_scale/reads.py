"""Reads per second of one core's time among a thousand and among a million awards, each queried in the
database."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measuring.measure import Row, ratio_of, summary
from bench.web import ROUNDS, Server, public_award, reads_per_second, request_for, serving

FEW, MANY = 1_000, 1_000_000
AMONG_FEW = "among a thousand awards"
_ASKED_FOR = 20_000
_NEVER_READY = "Authorization: none\r\n"  # so that each read queries the database, whatever its size
_COPY_AWARDS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "INSERT INTO award ({columns}) SELECT {values} FROM n, award WHERE award.rowid = 1"
)
_COPY_DOCUMENTS = (
    "INSERT INTO signed_credential SELECT award.id, substr(s.embedded, 1, 400), substr(s.token, 1, 400), "
    "s.embedded_digest, s.token_digest, s.signed_at FROM award, (SELECT * FROM signed_credential LIMIT 1) s "
    "WHERE award.id NOT IN (SELECT award_id FROM signed_credential)"
)


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as name, ExitStack() as servers:
        made = {size: _place(Path(name) / str(size), size) for size in (FEW, MANY)}
        running = {
            size: (servers.enter_context(serving("app.main:served", result)), requests)
            for size, (result, requests) in made.items()
        }
        few, many = asyncio.run(_measure(running[FEW], running[MANY]))
    median, spread = summary(many)
    ratio, ratio_spread = ratio_of(many, few)
    return [Row("read awards as JSON, among a million", median, spread, "/s", AMONG_FEW, ratio, ratio_spread)]


def _place(folder: Path, size: int) -> tuple[dict[str, str], list[bytes]]:
    """A service with so many open awards: how to start it, and its requests."""
    (folder / "database").mkdir(parents=True)
    database = folder / "database" / "sceau.sqlite"
    public_award(folder, f"sqlite:///{database}")
    with closing(sqlite3.connect(database)) as connection:
        asked = _multiply(connection, size)
    result = {
        "SCEAU_DATABASE_URL": f"sqlite:///{database}",
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_WORK": "off",
    }
    return result, [
        request_for(f"/attributions/{each}.json", "application/json", _NEVER_READY) for each in asked
    ]


def _multiply(connection: sqlite3.Connection, size: int) -> Sequence[str]:
    """Copies of one credential under many numbers: only the lookup is measured."""
    connection.execute("PRAGMA synchronous = OFF")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(award)")]
    values = ["lower(hex(randomblob(16)))" if name == "id" else name for name in columns]
    values = ["NULL" if name in ("once_key", "batch_id") else name for name in values]
    query = _COPY_AWARDS.format(columns=", ".join(columns), values=", ".join(values))
    connection.execute(query, (size - 1,))
    connection.execute(_COPY_DOCUMENTS)
    connection.commit()
    every = [row[0] for row in connection.execute("SELECT award_id FROM signed_credential")]
    assert len(every) == size
    return random.sample(every, min(size, _ASKED_FOR))


async def _measure(
    few: tuple[Server, list[bytes]], many: tuple[Server, list[bytes]]
) -> tuple[list[float], list[float]]:
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for (server, requests), figures in zip((few, many), found, strict=True):
            figures.append(await reads_per_second(server, random.sample(requests, len(requests))))
    return found[0][1:], found[1][1:]
