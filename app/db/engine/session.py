"""The engine, and the single session of a unit of work."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import threading
import uuid
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import Any, Final, Self, cast

import orjson
import psycopg
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, Uuid, create_engine, event, text
from sqlalchemy.engine import URL, Dialect, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from alembic import command
from app.db.engine.queries import Store
from app.db.engine.writes import let_writes_go_on, unusable_connection
from app.domain.activity_log import CampusLog
from app.domain.awards import Award
from app.domain.core import WorkerBeat, plain_text, resource_folder


class NotDurable(Exception):
    """The database may lose acknowledged commits (I17)."""


class DatabaseUnusable(Exception):
    """The address of the database has an option that the driver does not know."""


def open_engine(url: str) -> Engine:
    """An engine with commits that survive a power cut, on SQLite and on PostgreSQL.

    Its errors repeat no values (I23).
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            keep_private(Path(parsed.database))
        # No connection limit: threads are limited, and one may read on one connection while it writes on
        # another. A connection reads the statistics of tables when it opens.
        is_file = parsed.database not in (None, "", ":memory:")
        pool = {"max_overflow": -1, "pool_recycle": 600} if is_file else {}
        engine = create_engine(
            parsed,
            connect_args={"timeout": 30, "check_same_thread": False},
            hide_parameters=True,
            json_serializer=_json_text,
            json_deserializer=orjson.loads,
            **pool,
        )
        # All the dialect's own types except one: rows here contain a dozen identifiers each.
        engine.dialect.colspecs = {**engine.dialect.colspecs, Uuid: _HexUuid}
        event.listen(engine, "connect", _prepare_sqlite)
        turns = WriterTurns(across=ProcessTurns(Path(str(parsed.database))) if is_file else None)
        event.listen(engine, "begin", turns.begin)
        event.listen(engine, "commit", turns.end)
        event.listen(engine, "rollback", turns.end)
        event.listen(engine.pool, "checkin", turns.checkin)
        vars(engine)[_TURN] = turns
        return engine
    engine = create_engine(
        _patient(parsed),
        pool_size=_POOLED,
        max_overflow=_OVERFLOW,
        pool_pre_ping=True,
        connect_args={"cursor_factory": _PreparingCursor},
        hide_parameters=True,
        json_serializer=_json_text,
        json_deserializer=orjson.loads,
    )
    parameters_of(parsed)
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "handle_error", _connect_again, retval=True)
    let_writes_go_on(engine)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """With row-level security, estimated costs are high: compiling a plan takes up to a second, running it milliseconds."""
    connection.autocommit = True
    connection.execute("SET jit = off")
    connection.autocommit = False


def _connect_again(context: ExceptionContext) -> Exception | None:
    """New connections replace those of the pool: they find the server that writes."""
    failure = unusable_connection(context.original_exception)
    context.is_disconnect |= failure is not None
    return failure


def parameters_of(url: URL, setting: str = "SCEAU_DATABASE_URL") -> dict[str, Any]:
    """Of the driver and of the programs of PostgreSQL: several hosts and every option included."""
    found = dict(url.get_dialect()().create_connect_args(url)[1])
    try:
        make_conninfo(**found)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnusable(f"{setting}: {str(error).strip()}.") from error
    return found


def is_database_at(engine: Engine, url: str) -> bool:
    """Whether a PostgreSQL address names the database of this engine, as another role or by another way."""
    other = open_engine(url)
    try:
        with other.connect() as there:
            named = there.execute(text(_WHICH)).one()
    except DBAPIError as error:
        error.add_note("SCEAU_OWNER_DATABASE_URL")
        raise
    finally:
        other.dispose()
    with engine.connect() as here:
        return here.execute(text(_WHICH)).one() == named


_WHICH: Final = (
    "SELECT pg_postmaster_start_time(), oid FROM pg_catalog.pg_database WHERE datname = current_database()"
)


def can_write(engine: Engine) -> bool:
    """Whether the disk of a SQLite file takes a file, or the PostgreSQL server is not read-only and takes one."""
    if engine.dialect.name == "sqlite":
        folder = Path(str(engine.url.database)).absolute().parent
        return engine.url.database in (None, "", ":memory:") or _takes_file(folder)
    with engine.connect() as connection:
        return connection.execute(text(_WRITES)).scalar_one() is True and _spills(connection)


def _spills(connection: Connection) -> bool:
    """Whether the disk of PostgreSQL takes a temporary file of 4 MB, which needs neither a table nor WAL."""
    connection.execute(text("SELECT set_config('work_mem', '64kB', true)"))
    try:
        connection.execute(text("SELECT count(*) FROM unnest(array_fill(repeat('x', 8000), ARRAY[512]))"))
    except DBAPIError as error:  # other causes, such as a `temp_file_limit`, concern no disk
        return getattr(error.orig, "sqlstate", None) != "53100"  # disk_full
    return True


_WRITES: Final = "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'"


_PROBED_EVERY: Final = 2.0
"""Seconds: a probe waits for the disk, and so do the commits behind it."""
_taken_at: Final[dict[Path, float]] = {}


def _takes_file(folder: Path) -> bool:
    """After a fault a file system may refuse writes while it is still mounted as writable."""
    now = monotonic()
    if now - _taken_at.get(folder, -_PROBED_EVERY) < _PROBED_EVERY:
        return True
    try:
        with TemporaryFile(dir=folder) as probe:
            probe.write(b"1")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError:
        return False
    _taken_at[folder] = now
    return True


_PATIENCE: Final = {
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""What libpq waits for a server that vanished (seconds, milliseconds): by default two minutes to connect, and a quarter of
an hour within a connection. The address of the database may name other values."""


def _patient(url: URL) -> URL:
    return url.update_query_dict({**_PATIENCE, **url.query})


_POOLED: Final = 10
_OVERFLOW: Final = 20


def requests_at_once(engine: Engine) -> int | None:
    """How many requests may use the database at once; None if connections are not limited.

    A request may read on one connection while it writes on another; streams and probes take the rest.
    """
    return None if engine.dialect.name == "sqlite" else (_POOLED + _OVERFLOW - 4) // 2


def keep_private(path: Path) -> None:
    """Creates a SQLite file readable by its owner only, or removes other users' rights from an existing one.

    SQLite gives the files that it writes beside it the same rights.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        # Owned by another user, or already deleted: not ours to change.
        with suppress(PermissionError, FileNotFoundError):
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


class _PreparingCursor(psycopg.Cursor[Any]):
    """Lets the driver prepare statements, as it does with the fifth of a kind, except where the plan depends on values.

    Planning behind row-level security costs more than a point read. But a plan that fits any values compares
    each row with up to five hundred of a list, sixty times as long, and cannot use the index of a prefix.
    """

    def execute(self, query: Any, params: Any = None, *, prepare: bool | None = None, **options: Any) -> Self:
        if prepare is None and isinstance(query, str) and _depends_on_values(query):
            prepare = False
        return super().execute(query, params, prepare=prepare, **options)


_DEPENDING: Final = re.compile(
    r"\b(?:(?:ANY|IN) \(|I?LIKE\b|(?:ORDER|GROUP) BY\b|DISTINCT\b|(?:count|sum)\()"
)


@lru_cache(maxsize=4096)
def _depends_on_values(statement: str) -> bool:
    return _DEPENDING.search(statement) is not None


class _HexUuid(Uuid[uuid.UUID]):
    """Parses the 32 hexadecimal digits that this column wrote, in a third of the time of the base class."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], uuid.UUID | None]:  # noqa: ARG002
        new, put, unknown = uuid.UUID.__new__, object.__setattr__, uuid.SafeUUID.unknown

        def read(digits: str | None) -> uuid.UUID | None:
            if digits is None:
                return None
            value = new(uuid.UUID)
            put(value, "int", int(digits, 16))
            put(value, "is_safe", unknown)
            return value

        return read


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


_PAGES_KEPT: Final = "cache_size=-16384"
"""KiB of page cache per connection: identifiers are random, so that insertions touch any page of an index."""


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control would begin too late and never IMMEDIATE.
    connection.isolation_level = None
    settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", _PAGES_KEPT)
    for setting in settings:
        connection.execute(f"PRAGMA {setting}")
    connection.create_function("plain_text", 1, plain_text, deterministic=True)


class WriterTurns:
    """Writers of one process take turns in arrival order; so do processes of one database.

    SQLite retries after pauses of up to 100 ms: a worker with one transaction after another takes the lock
    each time before a waiting writer has retried.
    """

    def __init__(self, patience: float = 30.0, across: ProcessTurns | None = None) -> None:
        self._patience = patience
        self._across = across
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False
        self._met_at = float("-inf")

    @property
    def is_alone(self) -> bool:
        """Whether no other writer had to wait lately."""
        return monotonic() - self._met_at > _ALONE_AFTER

    def begin(self, connection: Connection) -> None:
        # A transaction that reads first and writes later would fail as busy if another writer came between:
        # take the lock at once.
        if connection.get_execution_options().get("reading", False):
            # Executed by the driver directly: SQLAlchemy's overhead per statement is ten times this one.
            connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]
            return
        # If no turn is granted, SQLite decides, which then knows the lock's holder.
        connection.info[_TURN] = self.take()
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end(self, connection: Connection) -> None:
        self._give(connection.info)

    def checkin(self, _connection: Any, record: Any) -> None:
        """For a connection dropped without an end."""
        self._give(record.info)

    def take(self) -> bool:
        until = monotonic() + self._patience
        if not self._take_among_threads():
            return False
        if self._across is not None:
            self._across.take(until)
        return True

    def _take_among_threads(self) -> bool:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(self._patience):
            return True
        with self._lock:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def give(self) -> None:
        if self._across is not None and self._across.give():
            self._met_at = monotonic()
        with self._lock:
            if self._waiting:
                self._met_at = monotonic()
                self._waiting.popleft().set()
            else:
                self._is_taken = False

    def _give(self, info: Any) -> None:
        if info.pop(_TURN, False):
            self.give()


_TURN: Final = "turn of a writer"
_ALONE_AFTER: Final = 2.0
"""Seconds; workers write their heartbeat every ten."""


def writes_alone(engine: Engine) -> bool:
    """Whether a long transaction would keep no other writer waiting, as far as was seen lately."""
    turns: WriterTurns | None = vars(engine).get(_TURN)
    return turns is None or turns.is_alone


class ProcessTurns:
    """The write order of several processes on one SQLite file: a server, its workers, a command.

    Two files beside it are locked. A process that had the turn must queue for it again, and one waiter at a
    time holds the second file: no process gets two turns while another waits. This only orders writers and
    protects nothing; if it fails, or no turn comes in time, SQLite's own lock decides. A process that dies
    releases it.
    """

    def __init__(self, database: Path) -> None:
        self._paths = (
            database.with_name(f"{database.name}-turn"),
            database.with_name(f"{database.name}-next"),
        )
        self._open: tuple[int, int, int] | None = None

    def take(self, until: float) -> None:
        with suppress(OSError):
            turn, following = self._files()
            if _locked(following, until):
                try:
                    _locked(turn, until)
                finally:
                    fcntl.flock(following, fcntl.LOCK_UN)

    def give(self) -> bool:
        """Whether another process waits for it."""
        with suppress(OSError):
            turn, following = self._files()
            is_awaited = not _locked(following, 0.0)
            if not is_awaited:
                fcntl.flock(following, fcntl.LOCK_UN)
            fcntl.flock(turn, fcntl.LOCK_UN)
            return is_awaited
        return False

    def _files(self) -> tuple[int, int]:
        """Of this process: a forked child would share its locks."""
        if self._open is None or self._open[0] != os.getpid():
            turn, following = (
                os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in self._paths
            )
            self._open = os.getpid(), turn, following
        return self._open[1:]

    def __del__(self) -> None:
        if self._open is not None and self._open[0] == os.getpid():
            for file in self._open[1:]:
                os.close(file)


_ASKED_AGAIN: Final = 0.002


def _locked(file: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= until:
                return False
            sleep(_ASKED_AGAIN)
        else:
            return True


def open_session(engine: Engine, *, reading: bool = False) -> Session:
    """`reading`: all queries see one snapshot, on both engines. A response may still read rows after commit."""
    return Session(_reader(engine) if reading else engine, expire_on_commit=False)


def _reader(engine: Engine) -> Engine:
    """The engine with the options of a reading transaction, created once per engine."""
    if _READER not in vars(engine):
        level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        vars(engine)[_READER] = engine.execution_options(reading=True, **level)
    return cast(Engine, vars(engine)[_READER])


_READER: Final = "_reader"


def refuse_rows_of(
    session: Session,
    campus_ids: Collection[uuid.UUID],
    refusal: Callable[[], Exception],
    *,
    also: tuple[type, ...] = (),
) -> None:
    """From now on, reading an award or a log of these campuses, or any row of the kinds in `also`, raises.

    Nothing may be shown or decided on their basis.
    """

    def check(_session: Session, row: object) -> None:
        if isinstance(row, also) or (isinstance(row, Award | CampusLog) and row.campus_id in campus_ids):
            raise refusal()

    event.listen(session, "loaded_as_persistent", check)
    session.info[_REFUSED] = campus_ids, refusal


_REFUSED: Final = "refused campuses"


def check_campus(session: Session, campus_id: uuid.UUID) -> None:
    """For a row that was read without the ORM, or of another kind: raises the error from `refuse_rows_of`."""
    campus_ids, refusal = session.info.get(_REFUSED, ((), OSError))
    if campus_id in campus_ids:
        raise refusal()


def check_durable(engine: Engine) -> None:
    """Refuse a database that acknowledges a commit before it is on disk, or a SQLite file that cannot be written."""
    _check_writable(engine.url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            if connection.execute(text("PRAGMA synchronous")).scalar_one() < 2:
                raise NotDurable(
                    "SQLite runs with synchronous below FULL: an acknowledged award could be lost."
                )
            return
        for setting in ("fsync", "synchronous_commit"):
            value = connection.execute(text(f"SHOW {setting}")).scalar_one()
            if value == "off":
                raise NotDurable(
                    f"PostgreSQL runs with {setting} = off: an acknowledged award could be lost."
                )


def _check_writable(url: URL) -> None:
    """SQLite reports that it cannot open a file, and not which."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    path = Path(url.database).absolute()
    files = (path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal", "-next", "-turn"))
    for each in (path.parent, *filter(os.path.exists, files)):
        if not os.access(each, os.R_OK | os.W_OK | (os.X_OK if each == path.parent else 0)):
            remedy = (
                "its file system is mounted read-only"
                if os.statvfs(each).f_flag & os.ST_RDONLY
                else "correct its owner and rights"
            )
            raise NotDurable(f"{each} cannot be read and written by this user: {remedy}.")


WORK_SCHEMA = "sceau_work"


_ROWS_OF_AN_INDEX: Final = 400
"""How many SQLite reads of each for its statistics: tens of milliseconds, however large the table."""
_FEW_PAGES: Final = 5_000
"""20 MB. Statistics of a few rows mislead once there are many."""


class WorkerStore(Store):
    def keep(self, beat: WorkerBeat) -> None:
        self.session.merge(beat)
        self.session.flush()

    def list_all(self) -> Sequence[WorkerBeat]:
        return self.session.exec(select(WorkerBeat)).all()

    def remove(self, worker_id: str) -> None:
        beat = self.session.get(WorkerBeat, worker_id)
        if beat is not None:
            self.session.delete(beat)
            self.session.flush()

    def refresh_statistics(self) -> None:
        """SQLite gathers none by itself, and without them reads all rows of a campus for one person."""
        connection = self.session.connection()
        if connection.dialect.name != "sqlite":
            return
        if connection.exec_driver_sql("PRAGMA page_count").scalar_one() < _FEW_PAGES:
            return
        connection.exec_driver_sql(f"PRAGMA analysis_limit={_ROWS_OF_AN_INDEX}")
        connection.exec_driver_sql("ANALYZE")


@dataclass(frozen=True)
class WorkflowDatabase:
    """On SQLite a file beside the application's; on PostgreSQL a separate schema of the same database."""

    url: str
    schema: str = WORK_SCHEMA

    @staticmethod
    def beside(database_url: str, chosen: str = "") -> WorkflowDatabase:
        """`chosen` is the operator's own location."""
        url = make_url(chosen or database_url)
        if url.get_backend_name() == "sqlite" and not chosen:
            path = Path(str(url.database))
            url = url.set(database=str(path.with_name(f"{path.stem}-work{path.suffix or '.sqlite'}")))
        elif url.get_backend_name() != "sqlite":
            # The workflow library opens connections of its own.
            url = _patient(url)
        return WorkflowDatabase(url.render_as_string(hide_password=False))

    def prepare(self) -> None:
        """Readers of a SQLite file must not wait for its writers."""
        url = make_url(self.url)
        if url.get_backend_name() != "sqlite":
            return
        keep_private(Path(str(url.database)))
        connection = sqlite3.connect(str(url.database), timeout=30)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()


SCRIPTS = resource_folder("alembic")


def configuration(url: str, *, granted_to: str = "", lock_wait: str = "") -> Config:
    """`granted_to`: the role that the application connects as, if it is not the tables' owner. `lock_wait`: how long
    a migration waits for a lock on PostgreSQL; empty: for ever."""
    config = Config()
    config.set_main_option("lock_wait", lock_wait)
    config.set_main_option("granted_to", granted_to.replace("%", "%%"))
    config.set_main_option("script_location", str(SCRIPTS))
    # Alembic interpolates %, which may occur in a password.
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head", *, granted_to: str = "", lock_wait: str = "") -> None:
    command.upgrade(configuration(url, granted_to=granted_to, lock_wait=lock_wait), revision)


def downgrade(url: str, revision: str = "base") -> None:
    command.downgrade(configuration(url), revision)
