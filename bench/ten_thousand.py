"""10,000 awards of one badge: signed in both forms, read back as the library does, and stored; on both engines."""

from __future__ import annotations

import resource
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.container.process import collect_rarely
from app.db.engine import session
from app.domain.awards import Award
from app.domain.awards.batches import CHUNK_SIZE
from app.domain.awards.open_badges import AwardEvidence
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.services.awards.award_evidence import Grounded
from app.services.awards.awards import AwardRequest, CheckedLine
from app.services.badges import Wording
from bench.credentials import OURS
from bench.measuring.engines import on_both_engines
from bench.measuring.measure import Row, rows
from bench.measuring.node import in_node, node_key, node_peer
from bench.measuring.targets import BARE_SIGNATURES, NODE
from sceau_credentials.values import JsonObject
from tests.support.app import App, build_app
from tests.support.badges.credentials import Campus, badge_document

PEOPLE = 10_000
ROUNDS = 3
_RECORDED_AT_A_TIME = 2_000
_THEIR_CREDENTIALS = 50  # extrapolate to ten thousand


def run() -> list[Row]:
    return on_both_engines(_measure)


def _measure(folder: Path, url: str, engine: str) -> list[Row]:
    session.upgrade(url)
    collect_rarely()  # as every server process does
    app = build_app(url, folder)
    for start in range(0, PEOPLE, _RECORDED_AT_A_TIME):
        app.record(*(f"Nom{start + n} Prénom;p{start + n}@exemple.fr" for n in range(_RECORDED_AT_A_TIME)))
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
            BARE_SIGNATURES: [],
            **{f"{name}, signing one form": [] for name in theirs},
        }
        whole: dict[str, list[float]] = {OURS: []}
        for _ in range(ROUNDS):
            for name, turn in theirs.items():
                stored[f"{name}, signing one form"].append(turn(_THEIR_CREDENTIALS) * PEOPLE / 1000)
            stored[BARE_SIGNATURES].append(
                _milliseconds(lambda: [secret.sign(bytes(64)) for _ in range(PEOPLE)])
            )
            stored[OURS].append(_sign_and_keep(app))
            whole[OURS].append(_award(app))
    app.close()
    print(f"  {engine}: at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB in use")
    return [
        *rows(f"{PEOPLE:,} awards signed and stored, {engine}", stored, ours=OURS, unit="ms"),
        *rows(f"{PEOPLE:,} awards, the whole request, {engine}", whole, ours=OURS, unit="ms"),
    ]


class Unlogged:
    """Stands in for the activity log and its evidence; their cost is part of the whole request."""

    def decide(
        self, _case: object, awards: Sequence[Award], documents: Mapping[uuid.UUID, JsonObject], *_: object
    ) -> dict[uuid.UUID, Grounded]:
        none = AwardEvidence()
        return {award.id: Grounded(documents[award.id], none) for award in awards}

    def keep(self, _rows: object) -> None: ...


def award_unlogged(keeping: object) -> None:
    """Services are frozen: the stand-in is put in their place past that."""
    object.__setattr__(keeping, "grounds", Unlogged())


def _sign_and_keep(app: App) -> float:
    """Milliseconds, commits included, for people already checked: awards, documents, status positions, audit
    log."""
    by = Actor(app.trainer.id)
    request = AwardRequest(new_badge(app), app.activity.id, everybody=True, tells=False)
    with app.unit_of_work() as services:
        batch = services.awards.bulk.enqueue(app.campus, replace(request, everybody=False), by=by)
        checked = services.awards.eligibility.preview(app.campus, request, by=by).lines

    def keep(ready: Sequence[CheckedLine]) -> None:
        with app.unit_of_work() as services:
            keeping = services.awards.bulk.issuer
            award_unlogged(keeping)
            decided = keeping.decide(services.awards.eligibility.case(app.campus, request, by), batch, ready)
            keeping.sign(decided)
            assert all(isinstance(each, uuid.UUID) for each in decided.kept)

    assert len(checked) == PEOPLE
    return _milliseconds(lambda: [keep(checked[at : at + CHUNK_SIZE]) for at in range(0, PEOPLE, CHUNK_SIZE)])


def _award(app: App) -> float:
    """Milliseconds of the whole request: lines enqueued, checked, logged, signed, stored, e-mails
    enqueued."""
    request = AwardRequest(new_badge(app), app.activity.id, everybody=True)

    def award_and_commit() -> None:
        with app.unit_of_work() as services:
            result = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
            assert len([line for line in result.lines if line.award_id]) == PEOPLE

    return _milliseconds(award_and_commit)


def new_badge(app: App) -> uuid.UUID:
    """Awards are permanent: each round awards a badge of its own."""
    name = uuid.uuid4().hex[:12]
    wording = Wording(
        BadgeKind.PARTICIPATION, name, f"Ce que dit le badge {name}.", "Avoir été là, du début à la fin."
    )
    with app.unit_of_work() as services:
        return services.badges.create(app.campus, wording, slug=name, by=Actor(app.admin.id)).badge.id


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6
