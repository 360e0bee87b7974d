"""Reads public documents as stored, without the ORM: the hot, cacheable few percent of all requests."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final, NamedTuple, Protocol, cast
from urllib.parse import quote

import orjson
from psycopg import AsyncConnection, Error, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError as DatabaseSilent
from sqlmodel import SQLModel, col, select

from app.db.engine.queries import RowStore, locked
from app.db.engine.session import check_campus
from app.db.engine.writes import IN_ONE_QUERY, among, insert_values
from app.domain.awards import Visibility
from app.domain.publishing import SignedList, StatusList, StatusSlot
from app.errors import NotFound

_AWARD = (
    "SELECT CASE WHEN n.award_id IS NULL THEN d.{0} ELSE n.{0} END, "
    "coalesce(n.{0}_digest, d.{0}_digest), a.align_due_at IS NULL, a.campus_id "
    "FROM signed_credential d JOIN award a ON a.id = d.award_id "
    "LEFT JOIN newer_credential n ON n.award_id = a.id AND n.edition = a.edition "
    "WHERE d.award_id = {{}} AND a.visibility = 'open'"
)
_FILE = {"json": _AWARD.format("embedded"), "jwt": _AWARD.format("token")}
_VERSION = (
    "SELECT definition FROM badge_version WHERE badge_id = {} AND number = {} AND frozen_at IS NOT NULL"
)
_STANDING = (
    "SELECT a.visibility, a.state, a.revoked_at, a.suspended_until, (SELECT MAX(v.number) FROM badge_version v "
    "WHERE v.badge_id = a.badge_id AND v.frozen_at IS NOT NULL), a.is_findable, a.edition, a.disclosures, "
    "(SELECT SUM(e.changes) FROM endorsement e WHERE e.award_id = a.id), "
    "(SELECT SUM(e.changes) FROM endorsement e JOIN badge_version w ON w.id = e.version_id "
    "JOIN badge_version v ON v.badge_id = w.badge_id AND v.number >= w.number WHERE v.id = a.version_id) "
    "FROM award a WHERE a.id = {}"
)
# Under row-level security, the public can read a closed award only by its id.
_CLOSED_STANDING = _STANDING.replace("award a WHERE a.id = {}", "award_named({}) a")
_KEYS = (
    "SELECT c.did, k.method_id, k.public_jwk, k.revoked_at FROM campus c LEFT JOIN signing_key k "
    "ON k.campus_id = c.id AND k.purpose <> 'activity_log' WHERE c.slug = {} ORDER BY k.created_at, k.method_id"
)
# Under row-level security, the application can only read the public half (app/db/engine/row_level_security.py).
_PUBLIC_KEYS = _KEYS.replace(" AND k.purpose <> 'activity_log'", "").replace("signing_key", "published_key")
_ERASED = "SELECT 1 FROM erased_award WHERE award_id = {}"
_SNAPSHOT = "SELECT pg_current_snapshot()::text"
_LIST = (
    "SELECT published, token, published_at, sequence, status_token, suspensions, suspensions_token "
    "FROM status_list WHERE id = {}"
)


@dataclass(frozen=True)
class StoredFile:
    """The newest document of an open award, in the requested form."""

    body: bytes | None
    """None where an object store has it."""
    digest: str
    is_aligned: bool
    campus_id: uuid.UUID


@dataclass(frozen=True)
class Standing:
    """The current state of an award according to its holder and campus; equal only if nothing changed."""

    visibility: str
    state: str
    revoked_at: str
    suspended_until: str
    newest_version: int
    is_findable: bool
    edition: int
    disclosures: int
    endorsed: tuple[int, int]
    """Change counters of the endorsements of it, and of its badge."""

    @property
    def is_open(self) -> bool:
        return self.visibility == Visibility.OPEN.value


@dataclass(frozen=True)
class StoredKey:
    """`public_jwk` as JSON text, so that two responses can be compared."""

    method_id: str
    public_jwk: str
    revoked_at: datetime | None


@dataclass(frozen=True)
class StoredKeys:
    """A campus's DID and all its published keys, the oldest first."""

    did: str
    keys: tuple[StoredKey, ...]


class PublishedStore(Protocol):
    """The interface of every engine's reader; None if there is no such document."""

    async def award(self, award_id: uuid.UUID, form: str) -> StoredFile | None:
        """As `json` or `jwt`. Also None for a closed award; its standing shows that."""
        ...

    async def is_erased(self, award_id: uuid.UUID) -> bool: ...

    async def standing(self, award_id: uuid.UUID) -> Standing | None: ...

    async def definition(self, badge_id: uuid.UUID, number: int) -> bytes | None: ...

    async def status_list(self, list_id: uuid.UUID) -> SignedList | None: ...

    async def keys_of(self, slug: str) -> StoredKeys | None: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def version(self) -> object:
        """Changes with every commit of any process; None if unknown."""
        ...


def _stored(row: Any) -> StoredFile | None:
    if row is None:
        return None
    written, digest, is_aligned, campus_id = row
    body = None if written is None else _bytes(written)
    return StoredFile(body, digest, bool(is_aligned), uuid.UUID(str(campus_id)))


def _standing(row: Any) -> Standing | None:
    if row is None:
        return None
    endorsed = int(row[8] or 0), int(row[9] or 0)
    return Standing(
        row[0], row[1], str(row[2]), str(row[3]), row[4] or 0, bool(row[5]), row[6], row[7], endorsed
    )


def _stored_list(row: Any) -> SignedList | None:
    if row is None:
        return None
    published, token, at, sequence, status_token, suspensions, suspensions_token = row
    return SignedList(
        bytes(published), token, _moment(at), sequence, status_token, _bytes(suspensions), suspensions_token
    )


def _bytes(stored: bytes | str) -> bytes:
    """A token is text, and so is an SQLite default."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)


def _stored_keys(rows: list[Any]) -> StoredKeys | None:
    if not rows:
        return None
    keys = (
        StoredKey(method_id, jwk if isinstance(jwk, str) else orjson.dumps(jwk).decode(), _moment(revoked_at))
        for _, method_id, jwk, revoked_at in rows
        if method_id is not None
    )
    return StoredKeys(rows[0][0], tuple(keys))


def _moment(at: datetime | str | None) -> datetime | None:
    # SQLite stores datetimes as UTC text (app/domain/core.py).
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


_KNOWS_FOR: Final = 0.02
"""Seconds. Shorter than the time between a commit and the first request for the changed page."""


class LastView:
    """The last known database version, and whether it is still valid.

    Valid until this process commits, and for 20 ms regarding commits of other processes.
    """

    def __init__(self, own_commits: Callable[[], int], seconds: Callable[[], float] = monotonic) -> None:
        """`own_commits` changes with each commit of this process."""
        self._own_commits = own_commits
        self._seconds = seconds
        self._version: object = None
        self._begun = float("-inf"), -1

    def begin(self) -> tuple[float, int]:
        """Called before the query: changes during it are not yet known."""
        return self._seconds(), self._own_commits()

    def keep(self, version: object, begun: tuple[float, int]) -> None:
        self._version, self._begun = version, begun

    @property
    def version(self) -> object:
        """None if it must be queried again."""
        at, commits = self._begun
        is_good = commits == self._own_commits() and self._seconds() - at < _KNOWS_FOR
        return self._version if is_good else None


_MAPPED_BYTES: Final = 256 * 1024 * 1024


class SqlitePublishedStore:
    """One read-only connection on the event loop: a read by key takes about ten microseconds."""

    def __init__(self, path: str, last_look: LastView) -> None:
        self.path = path
        self.last_look = last_look
        self.connection: sqlite3.Connection | None = None
        self._opened: object = None

    async def open(self) -> None:
        self._opened = object()
        # Only one event loop uses it, though a test client may run that loop in one thread after another.
        self.connection = sqlite3.connect(
            f"file:{quote(self.path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        # Pages are read by memory mapping, without copying.
        self.connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")

    async def close(self) -> None:
        if self.connection is not None:
            self.connection.close()

    async def version(self) -> object:
        """SQLite counts other connections' commits, and this one only reads: about three microseconds."""
        known = self.last_look.version
        if known is not None or self.connection is None:
            return known
        begun = self.last_look.begin()
        # Each connection has its own count: the number is meaningless on another.
        version = self._opened, self.connection.execute("PRAGMA data_version").fetchone()[0]
        self.last_look.keep(version, begun)
        return version

    def _rows(self, query: str, *values: Any) -> list[Any]:
        assert self.connection is not None, "the store is open while the application runs"
        return self.connection.execute(query.format(*"?" * len(values)), values).fetchall()

    def _row(self, query: str, *values: Any) -> Any:
        return next(iter(self._rows(query, *values)), None)

    async def award(self, award_id: uuid.UUID, form: str) -> StoredFile | None:
        return _stored(self._row(_FILE[form], award_id.hex))

    async def is_erased(self, award_id: uuid.UUID) -> bool:
        return self._row(_ERASED, award_id.hex) is not None

    async def standing(self, award_id: uuid.UUID) -> Standing | None:
        return _standing(self._row(_STANDING, award_id.hex))

    async def definition(self, badge_id: uuid.UUID, number: int) -> bytes | None:
        row = self._row(_VERSION, badge_id.hex, number)
        return bytes(row[0]) if row else None

    async def status_list(self, list_id: uuid.UUID) -> SignedList | None:
        return _stored_list(self._row(_LIST, list_id.hex))

    async def keys_of(self, slug: str) -> StoredKeys | None:
        return _stored_keys(self._rows(_KEYS, slug))


class _Line:
    """One connection in pipeline mode: a question does not wait for the answers to those before it.

    Each is a transaction of its own. psycopg's pool and cursors take three times as long for a row by its key.
    """

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.is_over = False
        self._connection, self._server = connection, connection.pgconn
        self._socket, self._loop = self._server.socket, asyncio.get_running_loop()
        self._reader = Transformer(connection)
        self._prepared: dict[str, bytes] = {}
        self._waiting: deque[asyncio.Future[list[Any]]] = deque()
        self._rows: list[Any] = []
        self._is_sending = False
        self._server.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._hear)

    def ask(self, query: str, values: Sequence[Any]) -> asyncio.Future[list[Any]]:
        asked: asyncio.Future[list[Any]] = self._loop.create_future()
        try:
            name = self._prepared.get(query)
            if name is None:
                name = self._prepared[query] = b"read%d" % len(self._prepared)
                numbered = (f"${number}" for number in range(1, len(values) + 1))
                self._server.send_prepare(name, query.format(*numbered).encode())
            texts = [str(value).encode() for value in values]
            self._server.send_query_prepared(name, texts, result_format=Format.BINARY)
            self._server.pipeline_sync()
            self._waiting.append(asked)
            self._send()
        except Error as error:
            self.end(error)
            raise
        return asked

    def _send(self) -> None:
        is_left = bool(self._server.flush())
        if is_left and not self._is_sending:
            self._loop.add_writer(self._socket, self._send)
        elif self._is_sending and not is_left:
            self._loop.remove_writer(self._socket)
        self._is_sending = is_left

    def _hear(self) -> None:
        try:
            self._server.consume_input()
            while self._waiting and not self._server.is_busy():
                self._take(self._server.get_result())
        except Error as error:
            self.end(error)

    def _take(self, result: PGresult | None) -> None:
        if result is None or result.status == ExecStatus.COMMAND_OK:
            return
        if result.status == ExecStatus.TUPLES_OK:
            self._reader.set_pgresult(result)
            self._rows = self._reader.load_rows(0, result.ntuples, tuple)
        elif result.status == ExecStatus.PIPELINE_SYNC:
            asked, rows, self._rows = self._waiting.popleft(), self._rows, []
            if not asked.done():
                asked.set_result(rows)
        else:
            raise error_from_result(result)

    def end(self, error: Error) -> None:
        """Pending questions get `error`; the next ones need another line."""
        if self.is_over:
            return
        self.is_over = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._server.finish()
        for asked in self._waiting:
            if not asked.done():
                asked.set_exception(error)
        self._waiting.clear()


class PostgresPublishedStore:
    def __init__(self, conninfo: str, last_look: LastView) -> None:
        self.conninfo = conninfo
        self.last_look = last_look
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()
        self._attempts, self._failure = 0, cast(OperationalError | None, None)
        self._look_under_way: asyncio.Task[object] | None = None
        self._next_look: asyncio.Task[object] | None = None

    async def open(self) -> None:
        """The first question connects."""

    async def close(self) -> None:
        if self._line is not None:
            self._line.end(OperationalError("closed"))

    async def version(self) -> object:
        """The snapshot that a reader sees: different after every commit.

        Requests that arrive during a query wait for the next query, so that many share it.
        """
        known = self.last_look.version
        if known is not None:
            return known
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look(after=self._look_under_way))
        return await asyncio.shield(self._next_look)

    async def _look(self, *, after: asyncio.Task[object] | None) -> object:
        if after is not None:
            await asyncio.wait([after])
        self._look_under_way, self._next_look = self._next_look, None
        begun = self.last_look.begin()
        try:
            snapshot = await self._row(_SNAPSHOT)
        except (Error, DatabaseSilent):
            return None
        self.last_look.keep(snapshot, begun)
        return snapshot

    async def _row(self, query: str, *values: Any) -> Any:
        return next(iter(await self._rows(query, *values)), None)

    async def _rows(self, query: str, *values: Any) -> list[Any]:
        try:
            return await self._asked(query, values)
        except OperationalError:
            # The server restarted while the connection was idle: a second attempt shows whether it is up.
            pass
        try:
            return await self._asked(query, values)
        except OperationalError as error:
            raise DatabaseSilent(query, None, error, hide_parameters=True) from error

    async def _asked(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        line = self._line
        if line is None or line.is_over:
            attempts = self._attempts
            async with self._connecting:
                line = self._line
                if line is None or line.is_over:
                    if self._failure is not None and self._attempts > attempts:
                        # Begun while this question waited: a silent server is not asked once for each question.
                        raise self._failure
                    line = self._line = await self._connect()
        return await line.ask(query, values)

    async def _connect(self) -> _Line:
        self._attempts += 1
        self._failure = None
        try:
            connection = await AsyncConnection.connect(self.conninfo, autocommit=True)
        except OperationalError as error:
            self._failure = error
            raise
        return _Line(connection)

    async def award(self, award_id: uuid.UUID, form: str) -> StoredFile | None:
        return _stored(await self._row(_FILE[form], award_id))

    async def is_erased(self, award_id: uuid.UUID) -> bool:
        return await self._row(_ERASED, award_id) is not None

    async def standing(self, award_id: uuid.UUID) -> Standing | None:
        row = await self._row(_STANDING, award_id) or await self._row(_CLOSED_STANDING, award_id)
        return _standing(row)

    async def definition(self, badge_id: uuid.UUID, number: int) -> bytes | None:
        row = await self._row(_VERSION, badge_id, number)
        return bytes(row[0]) if row else None

    async def status_list(self, list_id: uuid.UUID) -> SignedList | None:
        return _stored_list(await self._row(_LIST, list_id))

    async def keys_of(self, slug: str) -> StoredKeys | None:
        return _stored_keys(await self._rows(_PUBLIC_KEYS, slug))


def published_store(engine: Engine, own_commits: Callable[[], int]) -> PublishedStore:
    """The reader for the engine's database; `own_commits` changes with each commit of this process."""
    url, last_look = engine.url, LastView(own_commits)
    if url.get_backend_name() == "sqlite":
        return SqlitePublishedStore(str(url.database), last_look)
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresPublishedStore(conninfo, last_look)


class PublishedSlot(NamedTuple):
    list_id: uuid.UUID
    position: int


class StatusStore(RowStore[SQLModel]):
    def get(self, list_id: uuid.UUID) -> StatusList:
        row = self.session.get(StatusList, list_id)
        if row is None:
            raise NotFound("Cette liste de statuts n’existe pas ici.")
        return row

    def find(self, list_id: uuid.UUID) -> StatusList | None:
        return self.session.get(StatusList, list_id)

    def check_not_refused(self, status_list: StatusList) -> None:
        """Raises where the rows of its campus come from an older copy of the database."""
        check_campus(self.session, status_list.campus_id)

    def sequences(self) -> dict[uuid.UUID, int]:
        """How often each list of every campus was signed."""
        return dict(self.session.exec(select(StatusList.id, StatusList.sequence)).all())

    def slots_at(self, list_id: uuid.UUID, positions: Collection[int]) -> list[StatusSlot]:
        """The slots at these positions, in order."""
        asked = among(self.session, col(StatusSlot.position), positions)
        query = select(StatusSlot).where(StatusSlot.list_id == list_id, asked)
        return list(self.session.exec(query.order_by(col(StatusSlot.position))))

    def ids_of(self, campus_id: uuid.UUID) -> Sequence[uuid.UUID]:
        return self.session.exec(select(StatusList.id).where(StatusList.campus_id == campus_id)).all()

    def lock_open(self, campus_id: uuid.UUID) -> StatusList | None:
        """The campus's open list, locked until the transaction ends: slots are assigned sequentially."""
        query = select(StatusList).where(
            StatusList.campus_id == campus_id, col(StatusList.closed_at).is_(None)
        )
        return self.session.exec(locked(query)).first()

    def lock(self, list_id: uuid.UUID) -> StatusList:
        return self.session.exec(locked(select(StatusList).where(StatusList.id == list_id))).one()

    def taken(self, list_id: uuid.UUID, positions: Collection[int]) -> set[int]:
        """Which of these slots are taken."""
        asked = among(self.session, col(StatusSlot.position), positions)
        return set(self.session.exec(select(StatusSlot.position).where(StatusSlot.list_id == list_id, asked)))

    def add_slots(self, places: Mapping[uuid.UUID, PublishedSlot]) -> None:
        """The slot of each award, none of them raised."""
        insert_values(
            self.session,
            StatusSlot,
            [
                {"list_id": place.list_id, "position": place.position, "award_id": award_id}
                for award_id, place in places.items()
            ],
        )

    def slots_of(self, award_ids: Sequence[uuid.UUID]) -> list[StatusSlot]:
        found: list[StatusSlot] = []
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            query = select(StatusSlot).where(
                col(StatusSlot.award_id).in_(award_ids[start : start + IN_ONE_QUERY])
            )
            found += self.session.exec(query)
        return found

    def raised(self, list_id: uuid.UUID) -> Sequence[int]:
        query = select(StatusSlot.position).where(
            StatusSlot.list_id == list_id, col(StatusSlot.raised_at).is_not(None)
        )
        return self.session.exec(query).all()

    def suspended(self, list_id: uuid.UUID, *, at: datetime) -> Sequence[int]:
        query = select(StatusSlot.position).where(
            StatusSlot.list_id == list_id, col(StatusSlot.suspended_until) > at
        )
        return self.session.exec(query).all()

    def suspensions_ended(self, *, at: datetime, limit: int) -> Sequence[uuid.UUID]:
        """Awards with a suspension that has ended and is still published."""
        query = select(StatusSlot.award_id).where(col(StatusSlot.suspended_until) <= at)
        return self.session.exec(query.order_by(col(StatusSlot.suspended_until)).limit(limit)).all()

    def suspend_slot(self, slot: StatusSlot, until: datetime | None) -> None:
        slot.suspended_until = until
        self.session.add(slot)
        self.session.flush()

    def raise_slots(self, slots: Sequence[StatusSlot], *, at: datetime) -> None:
        for slot in slots:
            if slot.raised_at is None:
                slot.raised_at, slot.suspended_until = at, None
        self.session.add_all(slots)
        self.session.flush()
