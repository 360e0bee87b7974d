"""Sessions: commits that survive a power cut, moments that come back as they were meant, all or nothing."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import select

from app.db.engine.queries import Store, locked
from app.db.engine.session import (
    NotDurable,
    ProcessTurns,
    WorkflowDatabase,
    WriterTurns,
    check_durable,
    open_engine,
    open_session,
)
from app.domain.people import Membership, Person, Role

PARIS = ZoneInfo("Europe/Paris")


def test_a_fresh_engine_is_durable(engine: Engine):
    check_durable(engine)


@pytest.mark.parametrize("is_there", [False, True])
def test_files_of_sqlite_belong_to_their_owner_alone(tmp_path: Path, is_there: bool):
    """Whatever the umask was, and of a database that an earlier version made."""
    path = tmp_path / "var" / "sceau.sqlite"
    before = os.umask(0o022)
    try:
        if is_there:
            path.parent.mkdir(mode=0o700)
            path.touch(0o644)
        engine = open_engine(f"sqlite:///{path}")
        WorkflowDatabase.beside(f"sqlite:///{path}").prepare()
        with open_session(engine) as session, session.begin():
            session.execute(text("CREATE TABLE t (x)"))
            files = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        engine.dispose()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(files.values()) == {0o600}
    assert {"sceau.sqlite", "sceau.sqlite-wal", "sceau.sqlite-shm", "sceau-work.sqlite"} <= set(files)


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_sqlite_that_may_forget_is_refused(sqlite_url: str, level: str):
    engine = open_engine(sqlite_url)
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA synchronous={level}"))
    with pytest.raises(NotDurable, match="synchronous"):
        check_durable(engine)
    engine.dispose()


@pytest.mark.postgres
def test_postgres_that_may_forget_is_refused(postgres_url: str):
    engine = open_engine(f"{postgres_url}?options=-csynchronous_commit%3Doff")
    with pytest.raises(NotDurable, match="synchronous_commit"):
        check_durable(engine)
    engine.dispose()


@pytest.mark.postgres
def test_postgres_plans_a_statement_for_its_values_however_often_it_was_asked(postgres_url: str):
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        for number in range(20):
            connection.execute(text("SELECT 1 WHERE :number IN (1, 2, 3)"), {"number": number})
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() == 0
    engine.dispose()


def test_sqlite_keeps_every_connection_strict(sqlite_url: str):
    engine = open_engine(sqlite_url)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    reading = engine.execution_options(reading=True)
    with reading.connect() as first, reading.connect() as second:
        for connection in (first, second):
            for pragma, value in wanted.items():
                assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
    engine.dispose()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 25, 12, 0, tzinfo=UTC),
        datetime(2026, 7, 14, 23, 59, 59, 999_999, tzinfo=PARIS),
        datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=0),
        datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1),
        datetime(1970, 1, 1, tzinfo=UTC) - timedelta(seconds=1),
        datetime(2400, 2, 29, 23, 0, tzinfo=timezone(timedelta(hours=-11))),
    ],
)
def test_a_moment_comes_back_aware_in_utc_to_the_second(engine: Engine, moment: datetime):
    with open_session(engine) as session, session.begin():
        session.add(Person(family_name="Martin", created_at=moment))
    with open_session(engine, reading=True) as session:
        read = session.exec(select(Person)).one().created_at
    assert read == moment.astimezone(UTC).replace(microsecond=0)
    assert read.tzinfo is UTC
    assert read.microsecond == 0


def test_a_moment_without_a_time_zone_is_refused(engine: Engine):
    with pytest.raises(StatementError), open_session(engine) as session, session.begin():
        session.add(Person(family_name="Martin", created_at=datetime(2026, 11, 25)))  # noqa: DTZ001


def test_moments_sort_as_time_does(engine: Engine):
    moments = [datetime(2026, 11, 25, hour, tzinfo=UTC) for hour in (9, 10, 23)]
    with open_session(engine) as session, session.begin():
        session.add_all(
            Person(family_name=str(moment), created_at=moment.astimezone(PARIS)) for moment in moments[::-1]
        )
    with open_session(engine, reading=True) as session:
        query = select(Person.created_at).order_by(Person.created_at)  # type: ignore[arg-type]
        assert list(session.exec(query)) == moments


def test_an_error_leaves_nothing_of_a_transaction(engine: Engine):
    def half_done() -> None:
        with open_session(engine) as session, session.begin():
            session.add(Person(family_name="Martin", created_at=datetime.now(UTC)))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with open_session(engine, reading=True) as session:
        assert session.exec(select(Person)).all() == []


def test_a_row_that_points_nowhere_is_refused(engine: Engine):
    with pytest.raises(IntegrityError), open_session(engine) as session, session.begin():
        session.add(
            Membership(
                person_id=uuid.uuid4(), campus_id=uuid.uuid4(), role=Role.TRAINER, since=datetime.now(UTC)
            )
        )


def test_somebody_who_only_reads_waits_for_no_writer(engine: Engine):
    with open_session(engine) as writing, writing.begin():
        writing.add(Person(family_name="Martin", created_at=datetime.now(UTC)))
        writing.flush()
        with open_session(engine, reading=True) as reading:
            assert reading.exec(select(Person)).all() == []


def test_reading_transaction_reads_one_snapshot_whatever_is_committed_meanwhile(engine: Engine):
    names = select(Person.given_name).order_by(Person.given_name)
    ada, zoe = (
        Person(given_name=name, family_name="Roy", created_at=datetime.now(UTC)) for name in ("Ada", "Zoé")
    )
    with open_session(engine) as session, session.begin():
        session.add(ada)
    with open_session(engine, reading=True) as reader, reader.begin():
        assert list(reader.exec(names)) == ["Ada"]
        with open_session(engine) as session, session.begin():
            session.add(zoe)
        assert list(reader.exec(names)) == ["Ada"]
    with open_session(engine, reading=True) as reader, reader.begin():
        assert list(reader.exec(names)) == ["Ada", "Zoé"]


def test_a_row_can_be_read_after_its_transaction_ended(engine: Engine):
    """The face answers with the row that was just committed."""
    with open_session(engine) as session, session.begin():
        person = Person(family_name="Martin", created_at=datetime.now(UTC))
        session.add(person)
    assert person.family_name == "Martin"


def test_writers_of_one_process_take_turns_in_the_order_in_which_they_came():
    turns, came = WriterTurns(), list[int]()
    assert turns.take()
    waiting = []
    for number in range(5):
        writer = threading.Thread(
            target=lambda number=number: (turns.take(), came.append(number), turns.give())
        )
        writer.start()
        while len(turns._waiting) <= number:
            pass
        waiting.append(writer)
    turns.give()
    # One that asks again at once stands behind those who wait.
    assert turns.take()
    assert came == [0, 1, 2, 3, 4]
    turns.give()
    for writer in waiting:
        writer.join()


def test_a_process_that_has_written_waits_for_one_that_waits(tmp_path: Path):
    """As a server and a worker of its own: each has open files of its own, as each process has."""
    server, worker = (WriterTurns(across=ProcessTurns(tmp_path / "sceau.sqlite")) for _ in range(2))
    came = list[str]()

    def write_once() -> None:
        assert server.take()
        came.append("server")
        server.give()

    assert worker.take()
    waiting = threading.Thread(target=write_once)
    waiting.start()
    while not is_locked(tmp_path / "sceau.sqlite-next"):
        pass
    worker.give()
    assert worker.take()
    assert came == ["server"]
    worker.give()
    waiting.join()
    assert not is_locked(tmp_path / "sceau.sqlite-turn")


def test_writer_that_kept_another_waiting_is_not_alone(tmp_path: Path):
    server, worker = (WriterTurns(across=ProcessTurns(tmp_path / "sceau.sqlite")) for _ in range(2))
    assert worker.take()
    worker.give()
    assert worker.is_alone
    assert worker.take()
    waiting = threading.Thread(target=lambda: (server.take(), server.give()))
    waiting.start()
    while not is_locked(tmp_path / "sceau.sqlite-next"):
        pass
    worker.give()
    waiting.join()
    assert not worker.is_alone
    assert server.is_alone


def test_thread_that_waits_for_the_turn_is_met():
    turns = WriterTurns()
    assert turns.take()
    waiting = threading.Thread(target=lambda: (turns.take(), turns.give()))
    waiting.start()
    while not turns._waiting:
        pass
    turns.give()
    waiting.join()
    assert not turns.is_alone


def is_locked(path: Path) -> bool:
    with suppress(FileNotFoundError), open(path, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_turn_of_another_process_that_does_not_come_leaves_the_decision_to_sqlite(tmp_path: Path):
    one, other = (WriterTurns(patience=0.01, across=ProcessTurns(tmp_path / "x.sqlite")) for _ in range(2))
    assert one.take()
    assert other.take()


def test_the_files_of_the_turns_are_their_owners_alone(tmp_path: Path):
    turns = ProcessTurns(tmp_path / "sceau.sqlite")
    turns.take(0.0)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("sceau.sqlite-*")} == {0o600}


def test_a_turn_that_does_not_come_is_given_up_and_leaves_the_order():
    turns = WriterTurns(patience=0.01)
    assert turns.take()
    assert not turns.take()
    turns.give()
    assert turns.take()


def test_a_writer_that_fails_or_is_dropped_leaves_its_turn(sqlite_url: str):
    engine = open_engine(sqlite_url)
    for _ in range(2):
        with suppress(ZeroDivisionError), open_session(engine) as session, session.begin():
            session.execute(text("SELECT 1"))
            raise ZeroDivisionError
        dropped = engine.connect()
        dropped.execute(text("SELECT 1"))
        dropped.close()
        with open_session(engine) as session:
            session.execute(text("SELECT 1"))
        with open_session(engine) as session, session.begin():
            assert session.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


@pytest.mark.parametrize("name", ["sceau.sqlite", "sceau.sqlite-shm", "data"])
def test_file_of_sqlite_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / "data" / "sceau.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    for end in ("", "-shm"):
        path.with_name(path.name + end).touch()
    monkeypatch.setattr(os, "access", lambda each, _mode: Path(each).name != name)
    with pytest.raises(NotDurable, match=f"{name} cannot be read and written"):
        check_durable(engine)


@pytest.mark.parametrize("as_rows", [True, False], ids=["query", "by key"])
def test_a_row_that_is_locked_has_the_values_that_another_transaction_wrote(postgres_url: str, as_rows: bool):
    engine = open_engine(postgres_url)
    with open_session(engine) as session:
        person = Person(given_name="Zoé", family_name="Martin", created_at=datetime.now(UTC))
        session.add(person)
        session.commit()
        key = person.id
    with open_session(engine) as session, open_session(engine) as other:
        mine, theirs = session.get_one(Person, key), other.get_one(Person, key)
        theirs.family_name = "Bernard"
        other.commit()
        if as_rows:
            session.exec(locked(select(Person).where(Person.id == key))).one()
        else:
            Store(session).find_locked(Person, key)
        assert mine.family_name == "Bernard"
    engine.dispose()
