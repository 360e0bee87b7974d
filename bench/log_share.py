"""What part of a bulk award the activity log takes: appended, signed, proved, and each evidence document written."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from app.db import migrations
from app.domain.history import Actor
from app.memory import collect_rarely
from app.services.awards import AwardRequest
from bench.credentials import OURS
from bench.measure import Row, rows
from bench.ten_thousand import Unlogged, new_badge
from tests.support.house import House, build_house
from tests.support.postgres import database_of_this_run

PEOPLE = 2_000
ROUNDS = 5


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        found = _measure(Path(folder), f"sqlite:///{folder}/database/sceau.sqlite", "SQLite")
    with TemporaryDirectory(prefix="sceau-bench-") as folder, database_of_this_run() as url:
        if url is None:
            print("  without PostgreSQL: none is installed", file=sys.stderr)
            return found
        return found + _measure(Path(folder), url, "PostgreSQL")


def _measure(folder: Path, url: str, engine: str) -> list[Row]:
    migrations.upgrade(url)
    collect_rarely()  # as every server process does
    house = build_house(url, folder)
    house.record(*(f"Nom{number} Prénom;p{number}@exemple.fr" for number in range(PEOPLE)))
    _award(house, logged=True)
    shares = []
    for _ in range(ROUNDS):
        without, whole = _award(house, logged=False), _award(house, logged=True)
        shares.append(100 * (1 - without / whole))
    house.close()
    return rows(f"share of the log in a bulk award, {engine}", {OURS: shares}, ours=OURS, unit="%")


def _award(house: House, *, logged: bool) -> float:
    """Seconds of processor time of ours for the whole request: the share does not depend on what else is at work."""
    request = AwardRequest(new_badge(house), house.activity.id, everybody=True)
    begun = time.process_time()
    with house.unit_of_work() as services:
        if not logged:
            services.awards.bulk.keeping.grounds = Unlogged()  # type: ignore[assignment]
        result = services.awards.award(house.campus, request, by=Actor(house.trainer.id))
        assert len([line for line in result.lines if line.award_id]) == PEOPLE
    return time.process_time() - begun
