"""A worker on DBOS Transact: heartbeats, a sweep that starts due jobs, and recovery of jobs from dead workers."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from time import monotonic
from typing import Any, Final

import structlog
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID

from app.container import DatabaseUnreachable, Process
from app.container.process import collect_rarely
from app.container.services import WorkerName
from app.jobs.kinds import (
    ALIGNMENTS,
    AWAITED_LETTERS,
    AWARDS,
    CALENDARS,
    CATALOGUE,
    CHECKPOINTS,
    CHILDREN_TEXTS,
    COUNTS,
    ENDORSEMENTS,
    FOLLOWED_LISTS,
    IMPORTED_BADGES,
    IMPORTS,
    INTEGRITY,
    LETTERS,
    OLD_BYTES,
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
    JobType,
)
from app.telemetry import note_chunk, span

# --- DBOS Transact behind a small interface: workflows named after their rows, recovered from dead workers


WORKFLOW_SHAPE = "2"
"""The engine's application version. Unchanged across upgrades, so that any release continues workflows of
another; increase it only when `carry_out` changes the order of its steps, or how it begins: unfinished
workflows then restart from their rows."""
PATIENCE = timedelta(seconds=5)
"""Retry interval of a job that is still due although its workflow has ended."""
TURN = 2.0
"""Seconds after which a row lets another of its type go first, and goes on after it."""
KEPT = timedelta(days=1)
_UNFINISHED = ("ENQUEUED", "PENDING", "DELAYED")

SAID_EVERY = 60.0
_DATABASE_AWAY = ("psycopg.OperationalError", "connection failed", "server closed the connection")

Step = Callable[[str, str], bool]
"""(kind, row id) -> whether more is left."""


class JsonText(Serializer):
    """Plain JSON instead of pickles: write access to the engine's tables must not allow code execution."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=_said)

    def deserialize(cls, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "sceau_json"


class Stopped(BaseException):
    """Raised by a step when its worker stops: the workflow stays unfinished, and continues in another
    worker."""


def _said(value: object) -> object:
    """An exception by its type only: its text may name a person (I23)."""
    return type(value).__name__ if isinstance(value, BaseException) else str(value)


class SparingLog(logging.Filter):
    """The engine's threads repeat their trouble each second: one line of each text a minute, and how many were left out.

    Errors all pass, but for those of a database that is away.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock, self._lock = clock, threading.Lock()
        self._seen, self._left_out = dict[str, float](), 0

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        is_away = any(each in message for each in _DATABASE_AWAY)
        message = "The job engine does not reach its database" if is_away else message.partition("\n")[0]
        now = self._clock()
        with self._lock:
            self._seen = {each: at for each, at in self._seen.items() if now - at < SAID_EVERY}
            if message in self._seen and (is_away or record.levelno < logging.ERROR):
                self._left_out += 1
                return False
            self._seen.setdefault(message, now)
            left_out, self._left_out = self._left_out, 0
        record.msg, record.args = message + (f" ({left_out} left out before)" if left_out else ""), ()
        return True


class Engine:
    """One per process: the library behind it is a singleton.

    For each job type a few threads wait for rows and start their workflows themselves. The library's own
    queues would each poll the database several times per second, busy or not, and start at most two of a type
    per poll.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        worker_id: str,
        kinds: Mapping[str, int],
        step: Step,
        *,
        shape: str = WORKFLOW_SHAPE,
    ) -> None:
        """`kinds` is the concurrency of each job type in this worker."""
        self.kinds, self.shape = kinds, shape
        logging.getLogger("dbos").setLevel(logging.WARNING)
        # An explicit handler stops the library from adding one with its own format.
        logging.getLogger("dbos").handlers[:] = [logging.NullHandler()]
        logging.getLogger("dbos").filters[:] = [SparingLog()]
        config: DBOSConfig = {
            "name": "sceau",
            "system_database_url": url,
            "dbos_system_schema": schema,
            "application_version": shape,
            "executor_id": worker_id,
            "sys_db_pool_size": 5,
            "serializer": JsonText(),
            "log_level": "WARNING",
            "enable_otlp": False,
        }
        DBOS(config=config)
        self._running, self._left = set[str](), set[str]()
        self._waiting: dict[str, SimpleQueue[str | None]] = {kind: SimpleQueue() for kind in kinds}
        self.workflow = DBOS.workflow(name="carry_out")(_carry_out(step, self._running, self._others_wait))
        self._taken = set[str]()

    def start(self) -> None:
        DBOS.listen_queues([])
        DBOS.launch()
        for kind, at_once in self.kinds.items():
            for number in range(at_once):
                name = f"sceau-{kind}-{number}"
                threading.Thread(target=self._carry_out, args=[kind], name=name, daemon=True).start()

    def stop(self) -> None:
        for kind, at_once in self.kinds.items():
            for _ in range(at_once):
                self._waiting[kind].put(None)
        DBOS.destroy(destroy_registry=True)

    def enqueue(self, kind: str, row_ids: Iterable[str]) -> None:
        """Starts a workflow for each row without an active one. Idempotent."""
        ids = {f"{kind}:{row_id}": row_id for row_id in row_ids}
        ids = {workflow_id: row_id for workflow_id, row_id in ids.items() if workflow_id not in self._taken}
        if not ids:
            return
        known = DBOS.list_workflows(workflow_ids=list(ids), load_input=False, load_output=False)
        over = {
            each.workflow_id
            for each in known
            if each.status not in _UNFINISHED and is_over(_ended(each), datetime.now(UTC))
        }
        _delete(over)
        started = {each.workflow_id for each in known} - over
        for workflow_id, row_id in ids.items():
            if workflow_id not in started:
                self._taken.add(workflow_id)
                self._waiting[kind].put(row_id)

    def _carry_out(self, kind: str) -> None:
        while (row_id := self._waiting[kind].get()) is not None:
            workflow_id, is_left = f"{kind}:{row_id}", False
            try:
                # Another worker may have begun it meanwhile: starting it again would block until that one
                # ends.
                if not DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False):
                    with SetWorkflowID(workflow_id):
                        is_left = self.workflow(kind, row_id)
                    if is_left:
                        _delete([workflow_id])
            except Stopped:
                return
            except Exception as error:
                # The database may be unavailable: the row is still due, and a later sweep finds it.
                log.error("workflow trouble", job=kind, row=row_id, kind=type(error).__name__)
            finally:
                if is_left:
                    self._waiting[kind].put(row_id)
                else:
                    self._taken.discard(workflow_id)

    def _others_wait(self, kind: str) -> bool:
        return not self._waiting[kind].empty()

    def under_way(self) -> dict[str, str]:
        """The worker of each started workflow, alive or not."""
        begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {each.workflow_id: each.executor_id or "" for each in begun}

    def interrupted(self, workflow_ids: Iterable[str]) -> set[str]:
        """Of this worker's own, those that no thread runs, now and when last asked: the database refused to store
        how they went on or ended, as a server that became a standby does."""
        idle = {each for each in workflow_ids if each not in self._taken and each not in self._running}
        before, self._left = self._left, idle
        return idle & before

    def resume(self, workflow_ids: Collection[str]) -> None:
        """For any live worker, within a second: continues after the last committed chunk."""
        for workflow_id in workflow_ids:
            DBOS.resume_workflow(workflow_id)

    def restart_other_shapes(self) -> None:
        """Workflows of another shape, which no worker can continue, restart from their rows."""
        unfinished = DBOS.list_workflows(status=list(_UNFINISHED), load_input=False, load_output=False)
        _delete(each.workflow_id for each in unfinished if each.app_version != self.shape)

    def clean(self) -> None:
        """Deletes ended workflows, which contain nothing beyond the rows."""
        before = (datetime.now(UTC) - KEPT).isoformat()
        ended = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=before,
            limit=1_000,
            load_input=False,
            load_output=False,
        )
        _delete(each.workflow_id for each in ended)


def _carry_out(
    step: Step, running: set[str], others_wait: Callable[[str], bool]
) -> Callable[[str, str], bool]:
    def process_chunk(kind: str, row_id: str) -> bool:
        """Each chunk is one step, committed by the step itself; after a crash the next chunk follows. Returns whether
        some are left, since others wait."""
        workflow_id, began = f"{kind}:{row_id}", monotonic()
        running.add(workflow_id)
        try:
            while DBOS.run_step({"name": "piece"}, step, kind, row_id):
                if monotonic() - began >= TURN and others_wait(kind):
                    return True
            return False
        finally:
            running.discard(workflow_id)

    return process_chunk


def is_over(ended: datetime, now: datetime) -> bool:
    """Whether its job may start again; also where a clock that ran ahead dated its end."""
    return not now - PATIENCE < ended <= now


def _ended(status: Any) -> datetime:
    milliseconds = status.completed_at or status.updated_at or 0
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _delete(workflow_ids: Iterable[str]) -> None:
    if ids := list(workflow_ids):
        DBOS.delete_workflows(ids)


# --- A worker: heartbeats, a sweep that starts due jobs, and recovery of jobs from dead workers


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
    CHILDREN_TEXTS,
    SCANS,
    WEBHOOKS,
    IMPORTED_BADGES,
    OWN_LISTS,
    FOLLOWED_LISTS,
    ENDORSEMENTS,
    CALENDARS,
    CATALOGUE,
    COUNTS,
    PATHWAYS,
    OLD_BYTES,
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
        self.process.on_enqueue = self.wake
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
            for task, every in (
                (self._beat, BEAT_EVERY),
                (self._take_over, BEAT_EVERY),
                (self._sweep, 0.0),
                (self._clean, CLEAN_EVERY),
            ):
                self._now_and_then(task.__name__, task, every)
            self._woken.wait(SWEEP_EVERY)
            self._woken.clear()

    def _now_and_then(self, name: str, task: object, every: float) -> None:
        if monotonic() < self._due_again.get(name, 0.0):
            return
        try:
            task()  # type: ignore[operator]
        except Exception as error:
            # The database may be unavailable for a while: a worker survives that.
            log.error("worker trouble", task=name.strip("_"), kind=type(error).__name__)
        self._due_again[name] = monotonic() + every

    def _beat(self) -> None:
        with self.process.unit_of_work() as services:
            services.workers.beat(self.me)
            services.signing_clock.observe()
            services.signing.note_secret(self.process.secret)

    def _take_over(self) -> None:
        # Read before the live workers: a worker sends its first heartbeat before it begins anything.
        under_way = self.engine.under_way()
        with self.process.unit_of_work() as services:
            alive = services.workers.alive(self.me, _is_running)
            services.workers.forget_all_but(alive)
        mine = [workflow_id for workflow_id, worker in under_way.items() if worker == self.me.id]
        left = {workflow_id for workflow_id, worker in under_way.items() if worker not in alive}
        left |= self.engine.interrupted(mine)
        if left:
            log.info("taking over", workflows=len(left))
            self.engine.resume(left)

    def _sweep(self) -> None:
        if not self.process.is_ready():
            # Migrated for a newer program: its workers do what is due.
            log.error("schema does not serve this worker")
            return
        for kind in self.kinds.values():
            try:
                self.engine.enqueue(kind.name, map(str, kind.due(self.process)))
            except DatabaseUnreachable:
                raise
            except Exception as error:
                # What is wrong with rows of one kind must not stop the others.
                log.error("poll failed", job=kind.name, kind=type(error).__name__)

    def _clean(self) -> None:
        self.engine.clean()
        with self.process.unit_of_work() as services:
            services.stores.workers.refresh_statistics()

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
            log.error("job failed", job=kind, row=row_id, kind=type(error).__name__)
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
    # Unlike an Event, this queue takes an item while the interrupted thread itself is waiting for one.
    stop_requested = SimpleQueue[int]()

    def stop(number: int, _frame: object) -> None:
        _end_at_the_latest_in(LONGEST_STOP)
        stop_requested.put(number)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    worker = Worker(process)
    worker.start()
    collect_rarely()
    stop_requested.get()
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
    _end_at_the_latest_in(seconds)


def _end_at_the_latest_in(seconds: float) -> None:
    """The system ends this process some seconds later, also where no thread runs Python any more."""
    signal.setitimer(signal.ITIMER_REAL, seconds + _BEYOND)


_BEYOND: Final = 5.0
