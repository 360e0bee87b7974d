"""A worker carries out what is due, and goes on with what a killed one had under way."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from unittest.mock import Mock, patch

import pytest
from dbos._sys_db import SystemDatabase
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import InternalError

from app.container.services import WorkerName
from app.db.engine.session import WorkflowDatabase
from app.jobs.kinds import REMINDERS, REVIEW_REMINDERS, JobType
from app.jobs.worker import PATIENCE, WORKFLOW_SHAPE, SparingLog, Worker, is_over
from tests.app.jobs.tally import Tally, process_on
from tests.support.app import App

LONG_ENOUGH = 120.0


@pytest.fixture
def tally(tmp_path: Path) -> Tally:
    (folder := tmp_path / "tally").mkdir()
    return Tally(folder)


@contextmanager
def working(database_url: str, tmp_path: Path, *kinds: JobType) -> Iterator[Worker]:
    process = process_on(database_url, tmp_path / "secrets")
    worker = Worker(process, kinds)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        process.engine.dispose()


def until(holds: Callable[[], bool]) -> None:
    deadline, pause = monotonic() + LONG_ENOUGH, threading.Event()
    while not holds():
        assert monotonic() < deadline, "it did not come about"
        pause.wait(0.02)


def killed_at_piece(
    piece: int, database_url: str, tmp_path: Path, tally: Tally, *, shape: str = WORKFLOW_SHAPE
) -> int:
    """Another worker gets as far as that piece, and is killed; its process number."""
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.app.jobs.tally", database_url, str(tmp_path / "secrets"),
         str(tally.folder), shape, str(piece)],
    )  # fmt: skip
    try:
        until((tally.folder / "hanging").exists)
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    return other.pid


def test_what_is_due_is_carried_out_piece_by_piece(database_url: str, tmp_path: Path, tally: Tally):
    rows = [tally.enqueue(pieces) for pieces in (1, 5)]
    with working(database_url, tmp_path, tally.kind()) as worker:
        until(lambda: not tally.due(worker.process))
    assert [len(tally.done(row)) for row in rows] == [1, 5]


def test_worker_gathers_the_statistics_that_sqlite_plans_by(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.db.engine.session._FEW_PAGES", 1)
    with working(sqlite_url, tmp_path) as worker:

        def has_statistics() -> bool:
            with worker.process.engine.connect() as connection:
                return connection.dialect.has_table(connection, "sqlite_stat1")

        until(has_statistics)


def test_what_a_killed_worker_began_is_finished_without_waiting_for_its_silence(
    database_url: str, tmp_path: Path, tally: Tally
):
    row = tally.enqueue(5)
    killed = killed_at_piece(3, database_url, tmp_path, tally)
    with working(database_url, tmp_path, tally.kind()):
        until(lambda: len(tally.done(row)) == 5)
    assert tally.done(row)[:3] == [str(killed)] * 3
    assert str(killed) not in tally.done(row)[3:]


def test_a_row_with_much_to_do_lets_the_others_of_its_type_go_first(
    database_url: str, tmp_path: Path, tally: Tally
):
    kind = replace(tally.kind(), at_once=1)
    with patch("app.jobs.worker.TURN", 0.0), working(database_url, tmp_path, kind) as worker:
        long = tally.enqueue(400)
        until(lambda: bool(tally.done(long)))
        short = tally.enqueue(1)
        worker.wake()
        until(lambda: bool(tally.done(short)))
        assert len(tally.done(long)) < 400
        until(lambda: not tally.due(worker.process))
    assert [len(tally.done(row)) for row in (long, short)] == [400, 1]


def test_what_another_shape_of_the_workflow_began_starts_anew_from_its_row(
    database_url: str, tmp_path: Path, tally: Tally
):
    row = tally.enqueue(4)
    killed_at_piece(2, database_url, tmp_path, tally, shape="another")
    with working(database_url, tmp_path, tally.kind()):
        until(lambda: len(tally.done(row)) == 4)


def test_a_worker_that_waits_asks_no_queue_of_any_kind(sqlite_url: str, tmp_path: Path):
    """The library's queues ask the database four times a second each: fifteen of them took a fifth of a processor."""
    process = process_on(sqlite_url, tmp_path / "secrets")
    worker = Worker(process)
    worker.start()
    try:
        until(lambda: any(thread.name == "sceau-award-0" for thread in threading.enumerate()))
        asking = {thread.name for thread in threading.enumerate() if thread.name.startswith("queue-worker-")}
    finally:
        worker.stop()
        process.engine.dispose()
    assert asking <= {"queue-worker-_dbos_internal_queue"}


def test_worker_starts_nothing_on_a_schema_of_a_newer_program(sqlite_url: str, tmp_path: Path, tally: Tally):
    tally.enqueue(1)
    process = process_on(sqlite_url, tmp_path / "secrets")
    with process.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    worker = Worker(process, [tally.kind()])
    worker.engine = Mock()
    worker._sweep()
    worker.engine.enqueue.assert_not_called()
    process.engine.dispose()


def test_a_worker_counts_as_stopped_when_its_thread_ended_or_hangs(
    sqlite_url: str, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    with working(sqlite_url, tmp_path, tally.kind()) as worker:
        assert worker.process.is_working()
        monkeypatch.setattr("app.jobs.worker.LONGEST_ROUND", -1.0)
        assert not worker.process.is_working()
        monkeypatch.undo()
    assert not worker.is_polling()


def test_a_promise_that_failed_is_tried_again(sqlite_url: str, tmp_path: Path, tally: Tally):
    row, failures = tally.enqueue(1), []

    def fails_once(process, row_id: uuid.UUID) -> bool:
        if not failures:
            failures.append(row_id)
            raise RuntimeError
        return tally.perform(process, row_id)

    with working(sqlite_url, tmp_path, JobType("tally", tally.due, fails_once)):
        until(lambda: len(tally.done(row)) == 1)
    assert failures == [row]


def test_a_job_of_which_nothing_could_be_stored_goes_on_in_the_same_worker(
    database_url: str, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
):
    """As when PostgreSQL becomes a standby in the middle: the engine gives up, and its row stays unfinished."""
    monkeypatch.setattr("app.jobs.worker.BEAT_EVERY", 0.2)
    row, refused = tally.enqueue(3), []

    def fails_first(process, row_id: uuid.UUID) -> bool:
        if not refused:
            refused.append(row_id)
            raise RuntimeError
        return tally.perform(process, row_id)

    stored = SystemDatabase.update_workflow_outcome

    def refuses_first(*given: object, **named: object) -> bool:
        if len(refused) == 1:
            refused.append(row)
            raise InternalError("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction"))
        return stored(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SystemDatabase, "update_workflow_outcome", refuses_first)
    with working(database_url, tmp_path, JobType("tally", tally.due, fails_first)):
        until(lambda: len(tally.done(row)) == 3)
    assert len(refused) == 2


def test_a_kind_whose_rows_cannot_be_read_does_not_stop_the_others(
    sqlite_url: str, tmp_path: Path, tally: Tally
):
    row = tally.enqueue(1)
    broken = JobType("broken", Mock(side_effect=ValueError), Mock())
    with working(sqlite_url, tmp_path, broken, JobType("tally", tally.due, tally.perform)):
        until(lambda: len(tally.done(row)) == 1)


@pytest.mark.parametrize("kind", [REMINDERS, REVIEW_REMINDERS])
def test_reminders_are_looked_for_again_after_the_clock_went_back(app: App, kind: JobType):
    def polled() -> bool:
        with patch.object(app.process, "unit_of_work", wraps=app.process.unit_of_work) as opened:
            kind.due(app.process)
        return opened.called

    app.clock.move(days=300)
    assert [polled(), polled()] == [True, False]
    app.clock.move(days=-1)
    assert [polled(), polled()] == [True, False]


def test_a_worker_that_stops_in_good_order_leaves_its_work_to_the_next(
    sqlite_url: str, tmp_path: Path, tally: Tally
):
    row, stopping = tally.enqueue(3), []

    def stops_after_one(process, row_id: uuid.UUID) -> bool:
        more = tally.perform(process, row_id)
        until(lambda: bool(stopping) and stopping[0]._stopping.is_set())
        return more

    with working(sqlite_url, tmp_path, JobType("tally", tally.due, stops_after_one)) as worker:
        until(lambda: len(tally.done(row)) == 1)
        stopping.append(worker)
    assert len(tally.done(row)) == 1
    with working(sqlite_url, tmp_path, tally.kind()):
        until(lambda: len(tally.done(row)) == 3)


def test_a_worker_is_gone_when_it_is_silent_or_its_own_host_knows_better(app: App):
    def beat(name: str, host: str, pid: int) -> WorkerName:
        worker = WorkerName(name, host, pid, app.clock())
        with app.unit_of_work() as services:
            services.workers.beat(worker)
        return worker

    def alive(running: set[int]) -> set[str]:
        with app.unit_of_work(reading=True) as services:
            return services.workers.alive(me, running.__contains__)

    beat("far", "far.example", 7)
    beat("crashed", "here.example", 8)
    beat("neighbour", "here.example", 9)
    beat("my number before", "here.example", 10)
    me = beat("me", "here.example", 10)
    assert alive({9, 10}) == {"me", "far", "neighbour"}
    app.clock.move(seconds=59)
    beat("neighbour", "here.example", 9)
    app.clock.move(seconds=1)
    assert alive({9, 10}) == {"me", "neighbour"}
    app.clock.move(days=400)
    beat("ahead", "far.example", 11)
    app.clock.move(days=-400)
    assert alive({9, 10}) == {"me", "neighbour"}, "its clock was wrong; nobody knows whether it lives"


def test_a_worker_that_stops_is_forgotten(sqlite_url: str, tmp_path: Path, tally: Tally):
    with working(sqlite_url, tmp_path, tally.kind()) as worker:
        process, me = worker.process, worker.me
    elsewhere = WorkerName("other", "elsewhere.example", 1, datetime.now(UTC))
    with process.unit_of_work(reading=True) as services:
        assert me.id not in services.workers.alive(elsewhere, lambda pid: True)
    process.engine.dispose()


@pytest.mark.parametrize(
    ("database", "work"),
    [
        ("sqlite:///var/sceau.sqlite", "sqlite:///var/sceau-work.sqlite"),
        ("sqlite:////data/campus.db", "sqlite:////data/campus-work.db"),
    ],
)
def test_unfinished_work_is_kept_beside_the_database(database: str, work: str):
    assert WorkflowDatabase.beside(database).url == work
    assert WorkflowDatabase.beside(database, "sqlite:////elsewhere/w.db").url == "sqlite:////elsewhere/w.db"


def test_no_connection_of_a_worker_waits_for_minutes_for_a_server_that_vanished(
    postgres_url: str, tmp_path: Path
) -> None:
    seen = list[dict[str, object]]()

    def note(_dialect: object, _record: object, _args: object, values: dict[str, object]) -> None:
        seen.append(dict(values))

    event.listen(Engine, "do_connect", note)
    try:
        with working(f"{postgres_url}?tcp_user_timeout=5000", tmp_path):
            pass
    finally:
        event.remove(Engine, "do_connect", note)
    assert any(each.get("application_name") == "dbos_transact" for each in seen)
    assert {(each.get("tcp_user_timeout"), each.get("keepalives_idle")) for each in seen} == {("5000", "30")}


def test_process_ends_though_a_thread_waits_for_another_workers_outcome() -> None:
    script = (
        "import threading; from concurrent.futures import ThreadPoolExecutor; from app.jobs.worker import leave_within; "
        "leave_within(0.1); ThreadPoolExecutor().submit(threading.Event().wait)"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=LONG_ENOUGH).returncode == 0


def test_worker_ends_at_whichever_line_the_signal_interrupts_it() -> None:
    """Each child interrupts itself at another line, from the start of the worker to its wait."""
    script = """
import os, signal, sys, threading
from unittest.mock import Mock, patch
from app.jobs import worker

def interrupted_at(line):
    left = [line]
    def trace(frame, *_):
        left[0] -= 1
        if not left[0]:
            sys.settrace(None)
            os.kill(os.getpid(), signal.SIGTERM)
        return trace
    def start():
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        sys.settrace(trace)
        worker_frame = next(frame for frame in frames() if frame.f_code.co_name == "work")
        worker_frame.f_trace = trace
    def frames():
        frame = sys._getframe()
        while frame := frame.f_back:
            yield frame
    made = Mock(**{"return_value.start": start})
    with patch.object(worker, "Worker", made), patch.object(worker, "collect_rarely", int):
        worker.work(Mock())

children = []
for line in range(1, 51):
    if not (child := os.fork()):
        signal.alarm(10)
        interrupted_at(line)
        os._exit(0)
    children.append(child)
print({os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONG_ENOUGH)
    assert done.stdout.strip() == "{0}", done.stderr


def test_process_ends_though_no_thread_runs_python_any_more() -> None:
    script = (
        "import ctypes; from app.jobs import worker; worker._BEYOND = 0.1; worker.leave_within(0.1); "
        "ctypes.PyDLL(None).pause()"
    )
    done = subprocess.run([sys.executable, "-c", script], timeout=LONG_ENOUGH)
    assert done.returncode == -signal.SIGALRM


def test_lines_of_the_engine_are_one_a_minute_while_the_database_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    logger = logging.getLogger("tests.engine")
    logger.addFilter(SparingLog(lambda: now))
    for second in range(90):
        now = float(second)
        for task in ("listing queues", "polling schedules", "taking the lock"):
            logger.warning(
                "Exception %s: (psycopg.OperationalError) connection failed\n\tIs it running?", task
            )
        if second == 30:
            logger.warning("Another trouble: of another kind")
    assert [record.getMessage() for record in caplog.records] == [
        "The job engine does not reach its database",
        "Another trouble: of another kind (92 left out before)",
        "The job engine does not reach its database (87 left out before)",
    ]


def test_errors_of_the_engine_keep_their_text_and_what_was_said_is_forgotten_after_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now, logger = 0.0, logging.getLogger("tests.engine.errors")
    sparing = SparingLog(lambda: now)
    logger.addFilter(sparing)
    full = "Exception in a queue: (sqlite3.OperationalError) database or disk is full"
    for cause in (full, full, "Exception in a queue: of another cause"):
        logger.error(cause)
    for second in range(600):
        now = float(second)
        logger.warning("Workflow %s: is late", second)
        logger.warning("Workflow %s: is late", second)
    said = [record.getMessage() for record in caplog.records]
    assert said[:3] == [full, full, "Exception in a queue: of another cause"]
    assert (len(said), said[-1]) == (603, "Workflow 599: is late (1 left out before)")
    assert len(sparing._seen) == 60


def test_job_that_a_clock_ahead_ended_starts_again_once_the_clock_is_set_back() -> None:
    now = datetime(2026, 12, 2, 9, 30, tzinfo=UTC)
    ends = (now - PATIENCE, now, now + timedelta(minutes=15))
    assert [is_over(ended, now) for ended in ends] == [True, False, True]
