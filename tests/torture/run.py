"""One run: trainers award badges while processes are killed; then all guarantees are checked."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import update
from sqlmodel import select

from app.domain.awards.batches import AwardBatch, BatchState, Withdrawal, WithdrawalState
from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState, QueuedMessage
from tests.support.app import App
from tests.torture.checks import Evidence, faults_in
from tests.torture.scene import Scene, scene_on, seeded, wait_until
from tests.torture.trainers import OF_ALL_SIZES, Board, Sizes, Trainer

UNSETTLED = (BatchState.PLANNED, BatchState.RUNNING, BatchState.UNDOING)
AS_IT_STARTS = 0.1
"""The probability that a process is killed while it starts."""
QUIET = 900.0


@dataclass
class Result:
    kills: Counter[str] = field(default_factory=Counter)
    during_awards: int = 0
    """Number of kills during at least one bulk award."""
    figures: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


Told = Callable[[Result], None]
"""Called after each kill."""


def torture(
    database_url: str,
    *,
    kills: int,
    seed: int,
    trainers: int = 2,
    every: float = 0.5,
    pause: float = 2.0,
    sizes: Sizes = OF_ALL_SIZES,
    told: Told = lambda _: None,
) -> Result:
    """Runs one web server on SQLite, two on PostgreSQL; on both, a worker inside the first and a separate worker.

    `every` is the mean time in seconds from the start of a bulk award to a kill; `pause` the longest time between two
    lists of one trainer.
    """
    begun, result = time.monotonic(), Result()
    with scene_on(database_url) as scene:
        board = Board()
        for node in scene.nodes:
            node.start()
        scene.wait_until_up()
        crowd = [
            Trainer(scene, board, seeded(seed, f"trainer {number}"), pause=pause, sizes=sizes)
            for number in range(trainers)
        ]
        for trainer in crowd:
            trainer.start()
        _kill(scene, result, crowd, kills=kills, every=every, rng=seeded(seed, "killer"), told=told)
        _end(crowd)
        _until_quiet(scene)
        found = Evidence(scene, board)
        result.faults = faults_in(found)
        result.figures = _figures(found)
    result.seconds = time.monotonic() - begun
    return result


def _kill(
    scene: Scene,
    result: Result,
    crowd: list[Trainer],
    *,
    kills: int,
    every: float,
    rng: random.Random,
    told: Told,
) -> None:
    """Kill at random times during bulk awards, and sometimes while a process starts."""
    while result.kills.total() < kills:
        node = rng.choice(scene.nodes)
        if rng.random() > AS_IT_STARTS:
            wait_until(lambda node=node: scene.is_up(node), f"{node.name} does not start: see its log")
            _until_awarding(scene, crowd)
        time.sleep(rng.expovariate(1 / every))
        result.during_awards += bool(_unsettled(scene))
        node.kill()
        result.kills[node.name] += 1
        node.start()
        told(result)


def _until_awarding(scene: Scene, crowd: list[Trainer]) -> None:
    deadline = time.monotonic() + QUIET
    while not _unsettled(scene):
        for trainer in crowd:
            if trainer.trouble:
                raise trainer.trouble
        assert time.monotonic() < deadline, "no trainer awards anything any more"
        time.sleep(0.02)


def _end(crowd: list[Trainer]) -> None:
    for trainer in crowd:
        trainer.stopping.set()
    for trainer in crowd:
        trainer.join(timeout=QUIET)
        if trainer.trouble:
            raise trainer.trouble
        assert not trainer.is_alive(), "a trainer still waits for an answer"


def _until_quiet(scene: Scene) -> None:
    """Wait until every batch is settled and every letter is sent."""
    scene.wait_until_up()
    deadline = time.monotonic() + QUIET
    while _unsettled(scene) or _hurry(scene):
        if time.monotonic() > deadline:
            return  # The checks report unfinished work.
        time.sleep(0.5)


def _unsettled(scene: Scene) -> int:
    """Number of planned or running bulk awards and revocations."""
    with scene.app.unit_of_work(reading=True) as services:
        session = services.stores.session
        awards = session.exec(select(AwardBatch.id).where(AwardBatch.state.in_(UNSETTLED))).all()
        running = select(Withdrawal.id).where(Withdrawal.state == WithdrawalState.RUNNING)
        return len(awards) + len(session.exec(running).all())


def _hurry(scene: Scene) -> int:
    """End the undo period and the leases of killed processes without waiting; the number of waiting letters."""
    app = scene.app
    app.clock.now = now = datetime.now(UTC)
    with app.unit_of_work() as services:
        session = services.stores.session
        held_back = session.exec(
            select(AwardBatch.id).where(AwardBatch.state == BatchState.DONE, AwardBatch.undo_until > now)
        ).all()
        for batch_id in held_back:
            services.award_batches.hand_over(app.campus, batch_id, by=Actor(app.admin.id))
    return hurry_letters(app, attempted_before=now.replace(microsecond=0))


def hurry_letters(app: App, *, attempted_before: datetime) -> int:
    """End leases taken before `attempted_before`, by killed processes; the number of waiting letters."""
    app.clock.now = now = datetime.now(UTC)
    with app.unit_of_work() as services:
        session = services.stores.session
        waiting = session.exec(
            select(QueuedMessage.id).where(QueuedMessage.state == LetterState.WAITING)
        ).all()
        session.exec(
            update(QueuedMessage)
            .where(
                QueuedMessage.state == LetterState.WAITING,
                QueuedMessage.attempted_at < attempted_before,
                QueuedMessage.attempts > 0,
            )
            .values(not_before=now)
        )
    return len(waiting)


def _figures(found: Evidence) -> dict[str, int]:
    promises, lines = found.board.promises, [line for lines in found.lines.values() for line in lines]
    received = found.received
    return {
        "promises": len(promises),
        "acknowledged": len(found.board.acknowledged()),
        "presses": sum(promise.presses for promise in promises),
        "requests without an answer": found.board.unanswered,
        "taken back": len(found.undone),
        "awards withdrawn": len(found.board.withdrawn),
        "lines": len(lines),
        "awards": len(found.awards),
        "letters": len(received),
        "letters that came more than once": sum(count > 1 for count in received.values()),
    }
