"""`sceau log check` of a log of a million lines, by two processes: elapsed seconds, CPU time, memory."""

from __future__ import annotations

import resource
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from app.container import Services, shared_between_processes
from app.db.activity_log import full_tile
from app.db.engine import session as engine_session
from app.db.engine.writes import insert_rows
from app.domain.activities import Activity, ActivityKind, Participation
from app.domain.activity_log import Fact, participation_fact
from bench.measuring.measure import Row
from sceau_credentials.transparency_log.notes import Frontier
from sceau_credentials.transparency_log.tiles import WIDTH
from tests.support.app import NOON, App, build_app

LINES = 1_000_000
PROCESSES = 2
# Of this many lines, the second half is repeated: derived data takes the same work for each.
_WRITTEN = 8_192
_BLOCK = _WRITTEN // 2


def run(lines: int = LINES) -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        url = f"sqlite:///{folder}/database/sceau.sqlite"
        engine_session.upgrade(url)
        app = build_app(url, Path(folder))
        _fill(app, lines)
        found = _checked(app, url)
        app.close()
        return found


def _fill(app: App, lines: int) -> None:
    with app.unit_of_work() as services:
        size = services.activity_log.open(app.campus).size
        services.activity_log.append(app.campus, list(_facts(_WRITTEN - size)))
    with app.unit_of_work() as services:
        _repeat(services, app, -(-lines // _BLOCK) - 2)
        services.activity_log.checkpoint(app.campus)


def _facts(count: int) -> Iterator[Fact]:
    activity = Activity(
        kind=ActivityKind.WORKSHOP,
        title="Robotique pour tous",
        starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24),
        place="Le Creusot",
        hours=3,
        created_at=NOON,
    )
    for _ in range(count):
        someone = Participation(
            activity_id=activity.id, person_id=uuid.uuid4(), line_key="", recorded_at=NOON, hours=2.5
        )
        yield participation_fact(activity, someone)


def _repeat(services: Services, app: App, times: int) -> None:
    """The last block of lines once more, so many times, with its tiles, the tiles above, and the edge of the
    tree."""
    store, log = services.activity_log.store, services.activity_log.open(app.campus)
    hashes = [entry.leaf_hash for entry in store.entries(log.id, _BLOCK, _WRITTEN)]
    for block in range(2, times + 2):
        shift = (block - 1) * _BLOCK
        for table, columns in (
            ("log_entry", "kind, at, commitment, leaf_hash"),
            ("log_payload", "noun, noun_id, about_id, key, facts"),
        ):
            _copy(services, f"INSERT INTO {table} (log_id, number, {columns}) SELECT log_id, number + :shift, {columns} "  # noqa: S608 - names of our own
                  f"FROM {table} WHERE number >= :first AND number < :last", shift, _BLOCK, _WRITTEN)  # fmt: skip
        _copy(services, "INSERT INTO log_tile (log_id, level, place, hashes, root) SELECT log_id, 0, place + :shift, hashes, "
              "root FROM log_tile WHERE level = 0 AND place >= :first AND place < :last",
              shift // WIDTH, _BLOCK // WIDTH, _WRITTEN // WIDTH)  # fmt: skip
    frontier = Frontier.from_bytes(log.size, log.edge)
    for each in hashes * times:
        frontier.append(each)
    query = text("SELECT root FROM log_tile WHERE level = 0 ORDER BY place")
    roots = [bytes(root) for (root,) in store.session.execute(query)]
    full = range(len(roots) // WIDTH)
    insert_rows(
        store.session, [full_tile(log.id, 1, at, roots[at * WIDTH : (at + 1) * WIDTH]) for at in full]
    )
    store.advance_head(log, frontier.size, frontier.to_bytes(), at=app.clock())


def _copy(services: Services, statement: str, shift: int, first: int, last: int) -> None:
    session = services.activity_log.store.session
    session.execute(text(statement), {"shift": shift, "first": first, "last": last})


def _checked(app: App, url: str) -> list[Row]:
    before, spent = time.perf_counter(), _processor()
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        faults = services.log_watch.check(log, shared_between_processes(url, PROCESSES))
        size = log.size
    seconds, spent = time.perf_counter() - before, _processor() - spent
    assert not faults, faults[:3]
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"  {size:,} lines, {most / 1024:.0f} MiB in the largest process", file=sys.stderr)
    return [
        Row("log check, a million lines, two processes", seconds, 0.0, "s"),
        Row("the same, processor time of all of them", spent, 0.0, "s"),
    ]


def _processor() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
