"""Award a badge to 1,000 people at once, on both engines, against the unavoidable work and another
library."""

from __future__ import annotations

import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openbadgeslib.ob3 import ldp

from app.db.engine import session
from app.domain.awards import LineOutcome
from bench.measuring.measure import Row, rows
from sceau_credentials.keys import Algorithm
from tests.support.app import App, build_app
from tests.support.badges.credentials import Campus, badge_document
from tests.support.databases.postgres import database_of_this_run

LINES = 1000
ROUNDS = 3
# openbadgeslib signs some fifty lines a second: extrapolate a thousand from a few.
_THEIR_LINES = 25
OURS = "Sceau"
PYTHON = "openbadgeslib, signing one form only"
FLOOR = "bare signatures and rows"


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        measured = _measure(Path(folder), f"sqlite:///{folder}/database/sceau.sqlite")
        found = rows(f"award {LINES} lines, SQLite", measured, ours=OURS, unit="ms")
    with TemporaryDirectory(prefix="sceau-bench-") as folder, database_of_this_run() as url:
        if url is None:
            print("  without PostgreSQL: none is installed", file=sys.stderr)
            return found
        measured = _measure(Path(folder), url)
    return found + rows(f"award {LINES} lines, PostgreSQL", measured, ours=OURS, unit="ms")


def _measure(folder: Path, url: str) -> dict[str, list[float]]:
    """Milliseconds for a thousand lines, each contender once in every round."""
    session.upgrade(url)
    app = build_app(url, folder)
    numbers = count()
    measured: dict[str, list[float]] = {OURS: [], PYTHON: [], FLOOR: []}
    for _ in range(ROUNDS):
        measured[OURS].append(_timed(lambda: _award(app, numbers)))
        measured[PYTHON].append(_timed(_sign_theirs) * LINES / _THEIR_LINES)
        measured[FLOOR].append(_timed(lambda: _sign_and_store(folder)))
    app.close()
    return measured


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6


def _award(app: App, numbers: Iterator[int]) -> None:
    """New people: each is recorded, checked for eligibility, given an award, signed in both forms and
    stored."""
    people = [f"Nom{next(numbers)} Prénom;p{uuid.uuid4().hex[:12]}@exemple.fr" for _ in range(LINES)]
    result = app.award(*people)
    assert len(result.with_outcome(LineOutcome.AWARDED)) == LINES


def _sign_theirs() -> None:
    campus = Campus(Algorithm.EDDSA)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for _ in range(_THEIR_LINES):
        ldp.add_data_integrity_proof(badge_document(), pem, campus.signer.verification_method)


def _sign_and_store(folder: Path) -> None:
    """Two signatures for each line, and the bytes stored in one durable transaction."""
    key, body = Ed25519PrivateKey.generate(), bytes(3000)
    signed = [
        (uuid.uuid4().bytes, body + key.sign(bytes(64)), body + key.sign(bytes(64))) for _ in range(LINES)
    ]
    connection = sqlite3.connect(folder / "floor.sqlite")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    with connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS floor (id BLOB PRIMARY KEY, embedded BLOB, token BLOB)"
        )
        connection.executemany("INSERT INTO floor VALUES (?, ?, ?)", signed)
    connection.close()
