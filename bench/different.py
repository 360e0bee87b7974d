"""CPU time of the first read of awards, once each: pages and files, compared with stored bytes.

Half of the awards have evidence in the log, an endorsement, and a campus with a label. Every server is new,
and receives one request after the other over one connection; the cost of a response is the CPU time of its
threads.
"""

from __future__ import annotations

import os
import pickle
import socket
import statistics
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from app.db.engine import session
from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Visibility
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from bench.measuring.bare import DIFFERENT_VARIABLE
from bench.measuring.measure import Row, ratio_of, summary
from bench.measuring.targets import BARE_DIFFERENT, STORED
from bench.ten_thousand import award_unlogged
from bench.web import Server, answer_of, request_for, serving
from tests.support.app import COMMAND, App, build_app, listed
from tests.support.badges.endorsed import endorsed
from tests.support.content.networks import label, network_of
from tests.support.databases.postgres import database_of_this_run

AWARDS = 2_000
_TOGETHER = 100
_WARM_UP = 10
"""Warm-up awards, never measured: data loaded once per process is not a page's cost."""
_CHUNKS = 4


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as name:
        found = _measure(Path(name), f"sqlite:///{name}/database/sceau.sqlite", "")
    with database_of_this_run() as url, TemporaryDirectory(prefix="sceau-bench-") as name:
        if url is None:
            print("  without PostgreSQL: none is installed", file=sys.stderr)
            return found
        return found + _measure(Path(name), url, ", PostgreSQL")


def _measure(folder: Path, url: str, engine: str) -> list[Row]:
    ids = [*populate(folder, url, AWARDS + _WARM_UP)]
    settings = {
        "SCEAU_DATABASE_URL": url,
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_WORK": "off",  # its time would be counted as that of reads
    }
    return [
        *_pages(folder, ids, settings, engine),
        *_files(folder, ids, settings, engine),
    ]


def _pages(folder: Path, ids: Sequence[uuid.UUID], settings: dict[str, str], engine: str) -> list[Row]:
    requests = [request_for(f"/attributions/{each}", "text/html") for each in ids]
    with ExitStack() as servers:
        ours = servers.enter_context(serving("app.main:served", settings))
        costs, answers = _ask_each(ours, requests)
        stored = folder / "pages"
        bodies = (answer.partition(b"\r\n\r\n")[2] for answer in answers)
        stored.write_bytes(pickle.dumps(dict(zip(ids, bodies, strict=True))))
        settings = settings | {DIFFERENT_VARIABLE: str(stored)}
        theirs = servers.enter_context(
            serving("bench.measuring.bare:same_pages_stored", settings, is_factory=True)
        )
        floor, _ = _ask_each(theirs, requests)
    return _rows("read different awards as a page", costs, floor, STORED, engine)


def _files(folder: Path, ids: Sequence[uuid.UUID], settings: dict[str, str], engine: str) -> list[Row]:
    paths = [f"/attributions/{each}.json" for each in ids]
    requests = [request_for(path, "application/json") for path in paths]
    with ExitStack() as servers:
        ours = servers.enter_context(serving("app.main:served", settings))
        costs, answers = _ask_each(ours, requests)
        stored = folder / "files"
        stored.write_bytes(pickle.dumps(dict(zip(paths, answers, strict=True))))
        result = {DIFFERENT_VARIABLE: str(stored)}
        theirs = servers.enter_context(serving("bench.measuring.bare:different", result))
        floor, _ = _ask_each(theirs, requests)
    return _rows("read different awards as JSON", costs, floor, BARE_DIFFERENT, engine)


def _rows(task: str, costs: Sequence[float], floor: Sequence[float], peer: str, engine: str) -> list[Row]:
    """Reads per second against the peer; and milliseconds of CPU time of one read: median and 95th
    percentile."""
    ours, theirs = ([1000 / statistics.mean(chunk) for chunk in _in_chunks(each)] for each in (costs, floor))
    cuts = statistics.quantiles(costs, n=100)
    print(
        f"  {task}{engine}: p50 {cuts[49]:.2f}, p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f} ms of processor time"
    )
    halves, slow = (
        [statistics.quantiles(chunk, n=100)[at] for chunk in _in_chunks(costs)] for at in (49, 94)
    )
    return [
        Row(task + engine, *summary(ours), "/s", peer, *ratio_of(ours, theirs)),
        Row(f"processor time to {task}, p50{engine}", *_precise(halves), "ms"),
        Row(f"processor time to {task}, p95{engine}", *_precise(slow), "ms"),
    ]


def _precise(figures: Sequence[float]) -> tuple[float, float]:
    first, median, third = statistics.quantiles(figures, n=4, method="inclusive")
    return round(median, 3), round(third - first, 3)


def _in_chunks(costs: Sequence[float]) -> list[Sequence[float]]:
    size = len(costs) // _CHUNKS
    return [costs[at * size : (at + 1) * size] for at in range(_CHUNKS)]


def _ask_each(server: Server, requests: Sequence[bytes]) -> tuple[list[float], list[bytes]]:
    """Cost of each response, in milliseconds of the server's threads, without warm-up; and the responses."""
    costs, answers = [], []
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        for request in requests:
            before = _ran(server.pid)
            connection.sendall(request)
            answers.append(answer_of(connection))
            costs.append((_ran(server.pid) - before) / 1e6)
    return costs[_WARM_UP:], answers


def _ran(pid: int) -> int:
    """CPU nanoseconds of the threads of a process."""
    tasks = f"/proc/{pid}/task"
    return sum(int(Path(tasks, each, "schedstat").read_text().split()[0]) for each in os.listdir(tasks))


# --- data


def populate(folder: Path, url: str, count: int) -> Iterator[uuid.UUID]:
    """So many open awards, alternately with and without a label, evidence in the log and an endorsement."""
    session.upgrade(url)
    app = build_app(url, folder)
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label(services, network, app.campus, date(2026, 1, 1), date(2027, 12, 31))
        day = date(2026, 11, 24)
        elsewhere = services.activities.create(
            Activity(
                kind=ActivityKind.WORKSHOP, title="Atelier cuisine", starts_on=day, ends_on=day, hours=3
            ),
            [app.other_campus],
            by=COMMAND,
        )
        wording = Wording(
            BadgeKind.PARTICIPATION,
            "Cuisine pour tous",
            "Ce que dit le badge.",
            "Avoir été là, du début à la fin.",
        )
        plain = services.badges.create(app.other_campus, wording, slug="cuisine", by=COMMAND).badge.id
    rich = app.role.badge.id
    for start in range(0, count, 2 * _TOGETHER):
        size = min(_TOGETHER, -(-(count - start) // 2))
        full = _award(app, app.campus, app.activity.id, rich, start, size, logged=True)
        with app.unit_of_work() as services:
            for award_id in full:
                endorsed(services, app.campus, award=services.awards.record(award_id))
        bare = _award(app, app.other_campus, elsewhere.id, plain, start + size, size, logged=False)
        for pair in zip(full, bare, strict=True):
            yield from pair
    app.close()


def _award(
    app: App,
    campus: Campus,
    activity_id: uuid.UUID,
    badge_id: uuid.UUID,
    first: int,
    size: int,
    *,
    logged: bool,
) -> list[uuid.UUID]:
    people = (f"Nom{number} Prénom{number};p{number}@exemple.fr" for number in range(first, first + size))
    evidence = "A réglé le bras et montré le geste." if logged else ""
    request = AwardRequest(badge_id, activity_id, lines=listed(*people), evidence=evidence, tells=False)
    by = Actor((app.trainer if logged else app.stranger).id)
    with app.unit_of_work() as services:
        if not logged:
            award_unlogged(services.awards.bulk.issuer)
        given = services.awards.award(campus, request, by=by)
        ids = [line.award_id for line in given.lines if line.award_id]
        for award_id in ids:
            services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    assert len(ids) == size
    return ids
