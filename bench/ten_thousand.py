"""10,000 awards of one badge: signed in both forms, read back as the library does, and stored; on both engines."""

from __future__ import annotations

import resource
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.db import migrations
from app.domain.badges import Kind
from app.domain.history import Actor
from app.memory import collect_rarely
from app.services.awards import AwardRequest
from app.services.badges import Wording
from bench.credentials import OURS
from bench.measure import Row, rows
from bench.node import in_node, node_key, node_peer
from bench.targets import NODE
from tests.support.credentials import Campus, badge_document
from tests.support.house import House, build_house
from tests.support.postgres import database_of_this_run

PEOPLE = 10_000
ROUNDS = 3
_RECORDED_AT_A_TIME = 2_000
_THEIR_CREDENTIALS = 50  # tell what ten thousand would take
_FLOOR = "10,000 bare signatures"


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
    for start in range(0, PEOPLE, _RECORDED_AT_A_TIME):
        house.record(*(f"Nom{start + n} Prénom;p{start + n}@exemple.fr" for n in range(_RECORDED_AT_A_TIME)))
    secret = Ed25519PrivateKey.generate()
    with node_peer() as node:
        theirs = in_node(
            node,
            NODE,
            operation="signDataIntegrity",
            credential=badge_document(),
            key=node_key(secret, Campus()),
            created="2026-06-30T12:00:00Z",
        )
        stored: dict[str, list[float]] = {
            OURS: [],
            _FLOOR: [],
            **{f"{name}, signing one form": [] for name in theirs},
        }
        whole: dict[str, list[float]] = {OURS: []}
        for _ in range(ROUNDS):
            for name, turn in theirs.items():
                stored[f"{name}, signing one form"].append(turn(_THEIR_CREDENTIALS) * PEOPLE / 1000)
            stored[_FLOOR].append(_milliseconds(lambda: [secret.sign(bytes(64)) for _ in range(PEOPLE)]))
            request, part = _award(house)
            whole[OURS].append(request)
            stored[OURS].append(part)
    house.close()
    print(f"  {engine}: at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB in use")
    return [
        *rows(f"{PEOPLE:,} awards signed and stored, {engine}", stored, ours=OURS, unit="ms"),
        *rows(f"{PEOPLE:,} awards, the whole request, {engine}", whole, ours=OURS, unit="ms"),
    ]


def _award(house: House) -> tuple[float, float]:
    """Milliseconds of the whole request, commit included, and of all that follows the judging of the lines."""
    by = Actor(house.trainer.id)
    badge_id = _new_badge(house)
    request = AwardRequest(badge_id, house.activity.id, everybody=True)
    with house.unit_of_work(reading=True) as services:
        judging = services.awards.judging
        judged = _milliseconds(lambda: judging.preview(house.campus, request, by=by))

    def award_and_commit() -> None:
        with house.unit_of_work() as services:
            result = services.awards.award(house.campus, request, by=by)
            assert len([line for line in result.lines if line.award_id]) == PEOPLE

    whole = _milliseconds(award_and_commit)
    return whole, whole - judged


def _new_badge(house: House) -> uuid.UUID:
    """Awards are for ever: each round gives a badge of its own."""
    name = uuid.uuid4().hex[:12]
    wording = Wording(
        Kind.PARTICIPATION, name, f"Ce que dit le badge {name}.", "Avoir été là, du début à la fin."
    )
    with house.unit_of_work() as services:
        return services.badges.create(house.campus, wording, slug=name, by=Actor(house.admin.id)).badge.id


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6
