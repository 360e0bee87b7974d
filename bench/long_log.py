"""`sceau log check` of a log of a million lines, by two processes: seconds by the clock, processor time, memory."""

from __future__ import annotations

import os
import resource
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from app.db import migrations
from app.domain.activities import Activity, ActivityKind, Participation
from app.domain.activity_log import Fact
from app.domain.log_facts import participation_fact
from app.wiring import shared_between_processes
from bench.measure import Row
from tests.support.house import NOON, House, build_house

LINES = 1_000_000
PROCESSES = 2
_AT_A_TIME = 20_000


def run(lines: int = LINES) -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        return measure(Path(folder), lines)


def measure(folder: Path, lines: int) -> list[Row]:
    """A log that is there already is checked as it is."""
    url = f"sqlite:///{folder}/database/sceau.sqlite"
    is_new = not (folder / "database" / "sceau.sqlite").exists()
    migrations.upgrade(url)
    if is_new:
        house = build_house(url, folder)
        fill(house, lines)
        house.close()
    return _checked(folder, url)


def fill(house: House, lines: int) -> None:
    facts = _facts()
    for start in range(0, lines, _AT_A_TIME):
        with house.unit_of_work() as services:
            some = [next(facts) for _ in range(min(_AT_A_TIME, lines - start))]
            services.activity_log.append(house.campus, some)
        if start % 200_000 == 0:
            with house.unit_of_work() as services:
                services.activity_log.checkpoint(house.campus)
    with house.unit_of_work() as services:
        services.activity_log.checkpoint(house.campus)


def _facts() -> Iterator[Fact]:
    activity = Activity(
        kind=ActivityKind.WORKSHOP,
        title="Robotique pour tous",
        starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24),
        place="Le Creusot",
        hours=3,
        created_at=NOON,
    )
    while True:
        someone = Participation(
            activity_id=activity.id, person_id=uuid.uuid4(), line_key="", recorded_at=NOON, hours=2.5
        )
        yield participation_fact(activity, someone)


def _checked(folder: Path, url: str) -> list[Row]:
    from app.settings import Settings
    from app.wiring import Process

    settings = Settings(base_url="http://localhost:8000", database_url=url, development_dir=folder / "secrets", fetch=False)
    process = Process(settings)
    before, cpu = time.perf_counter(), _processor()
    with process.unit_of_work(reading=True) as services:
        log = services.log_watch.logs(services.campuses.get("itip"))[0]
        faults = services.log_watch.check(log, shared_between_processes(url, PROCESSES))
        size = log.size
    seconds, spent = time.perf_counter() - before, _processor() - cpu
    assert not faults, faults[:3]
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(f"  {size:,} lines: {seconds:.0f} s by the clock, {spent:.0f} s of processor, {most:.0f} MiB", file=sys.stderr)
    process.engine.dispose()
    return [
        Row(f"log check, {size:,} lines, {PROCESSES} processes", seconds, 0.0, "s"),
        Row(f"the same, processor time of both, {os.cpu_count()} cores", spent, 0.0, "s"),
    ]


def _processor() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
