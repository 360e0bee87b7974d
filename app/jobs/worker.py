"""A worker: heartbeats, a sweep that starts due jobs, and recovery of jobs from dead workers."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import uuid
from collections.abc import Sequence
from time import monotonic

import structlog

from app.container import Process
from app.container.process import collect_rarely
from app.container.services import WorkerName
from app.jobs.engine import WORKFLOW_SHAPE, Engine, Stopped
from app.jobs.enqueue import JobType
from app.jobs.kinds import (
    ALIGNMENTS,
    AWAITED_LETTERS,
    AWARDS,
    BROUGHT_BADGES,
    CALENDARS,
    CATALOGUE,
    CHECKPOINTS,
    COUNTS,
    ENDORSEMENTS,
    FOLLOWED_LISTS,
    IMPORTS,
    INTEGRITY,
    LETTERS,
    OWN_LISTS,
    PATHWAYS,
    REMINDERS,
    RETENTION,
    REVIEW_REMINDERS,
    REVIEWS,
    SCANS,
    SUSPENSIONS,
    UNDOINGS,
    WEBHOOKS,
    WITHDRAWALS,
)
from app.services.verification.metrics import note_chunk
from app.telemetry import span

KINDS: tuple[JobType, ...] = (
    AWAITED_LETTERS,
    AWARDS,
    UNDOINGS,
    WITHDRAWALS,
    SUSPENSIONS,
    IMPORTS,
    LETTERS,
    REMINDERS,
    REVIEW_REMINDERS,
    CHECKPOINTS,
    REVIEWS,
    ALIGNMENTS,
    INTEGRITY,
    RETENTION,
    SCANS,
    WEBHOOKS,
    BROUGHT_BADGES,
    OWN_LISTS,
    FOLLOWED_LISTS,
    ENDORSEMENTS,
    CALENDARS,
    CATALOGUE,
    COUNTS,
    PATHWAYS,
)

log = structlog.get_logger("worker")
SWEEP_EVERY = 2.0
BEAT_EVERY = 10.0
CLEAN_EVERY = 600.0
LONGEST_ROUND = 120.0
"""Seconds after which a worker that has not polled again counts as stopped: the database may block it for a while."""
LAST_PIECE = 20.0
"""Seconds that a stopping worker waits for running chunks."""
LONGEST_STOP = 45.0
"""Seconds after which a stopping worker leaves, whatever still waits in its threads."""


class Worker:
    """Runs in its own thread; chunks run in the engine's threads."""

    def __init__(
        self, process: Process, kinds: Sequence[JobType] = KINDS, *, shape: str = WORKFLOW_SHAPE
    ) -> None:
        self.process = process
        self.shape = shape
        self.kinds = {kind.name: kind for kind in kinds}
        host = socket.gethostname()[:80]
        name = f"{host[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.me = WorkerName(name, host, os.getpid(), process.clock())
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._idle = threading.Condition()
        self._pieces = 0
        self._thread = threading.Thread(target=self._run, name="sceau-worker", daemon=True)
        self._due_again: dict[str, float] = {}
        self._polled_at = monotonic()

    def start(self) -> None:
        self._beat()
        database = self.process.workflow_database()
        at_once = {kind.name: kind.at_once for kind in self.kinds.values()}
        self.engine = Engine(
            database.url, database.schema, self.me.id, at_once, self._piece, shape=self.shape
        )
        self.engine.start()
        self.engine.restart_other_shapes()
        self.process.on_promise = self.wake
        self._polled_at = monotonic()
        self.process.is_working = self.is_polling
        self._thread.start()

    def wake(self) -> None:
        """Called after an enqueue: polls now."""
        self._woken.set()

    def is_polling(self) -> bool:
        """False once its thread ended, or hangs."""
        return self._thread.is_alive() and monotonic() - self._polled_at < LONGEST_ROUND

    def stop(self) -> None:
        """Ends the running chunks, and releases the rest to other workers."""
        self.process.is_working = lambda: True
        self._stopping.set()
        self._woken.set()
        self._thread.join()
        with self._idle:
            self._idle.wait_for(lambda: self._pieces == 0, timeout=LAST_PIECE)
        mine = [each for each, worker in self.engine.under_way().items() if worker == self.me.id]
        self.engine.resume(mine)
        self.engine.stop()
        with self.process.unit_of_work() as services:
            services.workers.forget(self.me.id)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._polled_at = monotonic()
            for deed, every in (
                (self._beat, BEAT_EVERY),
                (self._take_over, BEAT_EVERY),
                (self._sweep, 0.0),
                (self._clean, CLEAN_EVERY),
            ):
                self._now_and_then(deed.__name__, deed, every)
            self._woken.wait(SWEEP_EVERY)
            self._woken.clear()

    def _now_and_then(self, name: str, deed: object, every: float) -> None:
        if monotonic() < self._due_again.get(name, 0.0):
            return
        try:
            deed()  # type: ignore[operator]
        except Exception as error:
            # The database may be unavailable for a while: a worker survives that.
            log.error("worker trouble", deed=name.strip("_"), kind=type(error).__name__)
        self._due_again[name] = monotonic() + every

    def _beat(self) -> None:
        with self.process.unit_of_work() as services:
            services.workers.beat(self.me)
            services.signing_clock.observe()

    def _take_over(self) -> None:
        # Read before the live workers: a worker sends its first heartbeat before it begins anything.
        under_way = self.engine.under_way()
        with self.process.unit_of_work() as services:
            alive = services.workers.alive(self.me, _is_running)
            services.workers.forget_all_but(alive)
        left = [workflow_id for workflow_id, worker in under_way.items() if worker not in alive]
        if left:
            log.info("taking over", workflows=len(left))
            self.engine.resume(left)

    def _sweep(self) -> None:
        if not self.process.is_ready():
            # Migrated for a newer program: its workers do what is due.
            log.error("schema does not serve this worker")
            return
        for kind in self.kinds.values():
            self.engine.enqueue(kind.name, map(str, kind.due(self.process)))

    def _clean(self) -> None:
        self.engine.clean()

    def _piece(self, kind: str, row_id: str) -> bool:
        if self._stopping.is_set():
            raise Stopped
        with self._idle:
            self._pieces += 1
        began, outcome = monotonic(), "done"
        try:
            with span("job", kind=kind):
                return self.kinds[kind].perform(self.process, uuid.UUID(row_id))
        except Exception as error:
            outcome = "failed"
            # The chunk was rolled back; the row is still due, and a sweep starts it again.
            log.error("promise not carried out", promise=kind, row=row_id, kind=type(error).__name__)
            return False
        finally:
            note_chunk(kind, outcome, monotonic() - began)
            with self._idle:
                self._pieces -= 1
                self._idle.notify_all()


def _is_running(pid: int) -> bool:
    """Whether a process of this host still runs, under any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def work(process: Process) -> None:
    """Processes jobs until SIGTERM or Ctrl+C."""
    told_to_stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told_to_stop.set())
    worker = Worker(process)
    worker.start()
    collect_rarely()
    told_to_stop.wait()
    leave_within(LONGEST_STOP)
    worker.stop()
    process.engine.dispose()


def leave_within(seconds: float) -> None:
    """End this process then: a thread that waits for the outcome of another worker would be joined for ever."""

    def leave() -> None:
        log.warning("left before its threads ended")
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
