"""PostgreSQL inserts many rows while the writer continues; and those who change one row take turns.

The server takes longer for a thousand rows than the driver does, and a bulk award can sign its next
credentials meanwhile. Writes run in the order given; the connection's next other statement, and its commit,
first wait for them and raise their errors.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Final

import orjson
from psycopg import Error as PsycopgError
from psycopg.copy import LibpqWriter
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.types import NullType
from sqlmodel import Session, SQLModel

from app.domain.core import empty_rows
from app.errors import Unavailable

_FEW: Final = 50
"""For so few rows, a thread takes longer to start than the write."""
_MOST_AT_ONCE: Final = 8
_ALL: Final = 2**30
"""Bytes sent before waiting: a waiting thread must reacquire the GIL, which signing uses meanwhile."""
_ON_THEIR_WAY: Final = "writes on their way"
_writing = ThreadPoolExecutor(_MOST_AT_ONCE, "writing")


_UNUSABLE: Final = frozenset({"25006", "25P03", "25P04"})
"""SQLSTATE of a server that became read-only, as after a failover, and of transactions that it ended with their
connection: « internal errors » to the driver."""


def unusable_connection(error: BaseException) -> OperationalError | None:
    """What to raise where the connection is of no further use, although the driver calls it a fault."""
    if getattr(error, "sqlstate", None) not in _UNUSABLE:
        return None
    return OperationalError(None, None, error, hide_parameters=True, connection_invalidated=True)


def reply_of(error: DBAPIError) -> str:
    """The answer of a PostgreSQL server that refuses a connection, which never contains a password; empty where
    none answered."""
    found = re.search(r"\bFATAL:\s+(.+)", str(error.orig))
    return found[1].strip() if found else ""


def is_deadlock(error: object) -> bool:
    """Whether PostgreSQL refused one of two transactions that waited for each other."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "40P01"


def cause_of(error: DBAPIError) -> str:
    """For the log: a code of the database, else its answer, else the driver's own name of what happened."""
    found = error.orig
    code = getattr(found, "sqlstate", None) or getattr(found, "sqlite_errorname", "")
    return code or reply_of(error) or type(found).__name__


def let_writes_go_on(engine: Engine) -> None:
    """For a PostgreSQL engine: its other statements wait for pending writes."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: wait_for_writes(connection))
    event.listen(engine, "commit", _end_before_commit)
    event.listen(engine, "rollback", _let_writes_end)


def can_copy(connection: Connection) -> bool:
    """PostgreSQL refuses COPY into a table with active row-level security (see
    `app/db/engine/row_level_security.py`).
    """
    if connection.dialect.name != "postgresql":
        return False
    if "walled" not in connection.info:
        query = text("SELECT row_security_active('award')")
        connection.info["walled"] = connection.execute(query).scalar_one()
    return not connection.info["walled"]


def copy_rows(connection: Connection, columns: Sequence[Column[Any]], values: Sequence[list[Any]]) -> None:
    """Rows given by column, in PostgreSQL's binary format. Constraints apply as for any insert."""
    types = [_copied_as(column, connection) for column in columns]
    _write(connection, len(values[0]), partial(_copy, connection, columns, types, values))


def write_rows(connection: Connection, statement: str, values: Sequence[list[Any]]) -> None:
    """A statement in the driver's syntax that takes one array per column and returns nothing."""
    _write(connection, len(values[0]), partial(_execute, connection, statement, values))


def wait_for_writes(connection: Connection) -> None:
    """Raises the errors of pending writes."""
    last: Future[None] | None = connection.info.pop(_ON_THEIR_WAY, None)
    if last is not None:
        last.result()


def _write(connection: Connection, count: int, write: Callable[[], None]) -> None:
    if count <= _FEW:
        wait_for_writes(connection)
        write()
    else:
        before: Future[None] | None = connection.info.get(_ON_THEIR_WAY)
        connection.info[_ON_THEIR_WAY] = _writing.submit(_write_after, before, write)


def _write_after(before: Future[None] | None, write: Callable[[], None]) -> None:
    """After the first failure, nothing is written.

    The predecessor has started: threads process tasks in order.
    """
    if before is not None:
        before.result()
    write()


def _end_before_commit(connection: Connection) -> None:
    try:
        wait_for_writes(connection)
    except BaseException:
        # After a failed commit, callers assume that no transaction is open.
        connection.connection.rollback()
        raise


def _let_writes_end(connection: Connection) -> None:
    with contextlib.suppress(Exception):
        wait_for_writes(connection)


def _copy(
    connection: Connection, columns: Sequence[Column[Any]], types: Sequence[str], values: Sequence[list[Any]]
) -> None:
    names = ", ".join(f'"{column.name}"' for column in columns)
    command = f'COPY "{columns[0].table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
    with (
        _cursor(connection, command) as cursor,
        cursor.copy(command, writer=LibpqWriter(cursor, flush_threshold=_ALL)) as copy,
    ):
        copy.set_types(types)
        for row in zip(*values, strict=True):
            copy.write_row(row)


def _execute(connection: Connection, statement: str, values: Sequence[list[Any]]) -> None:
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement, values)


@contextlib.contextmanager
def _cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """The driver's own cursor; its errors are converted like those of any other statement."""
    cursor: Any = connection.connection.cursor()
    try:
        yield cursor
    except PsycopgError as error:
        failure = unusable_connection(error)
        raise failure or DBAPIError.instance(
            statement, None, error, PsycopgError, hide_parameters=True
        ) from error
    finally:
        cursor.close()


def _copied_as(column: Column[Any], connection: Connection) -> str:
    """The driver's name for the column's type."""
    name = column.type.compile(dialect=connection.dialect).lower().partition("(")[0]
    return "double precision" if name == "float" else name


_AT_A_TIME = 1_000
IN_ONE_QUERY = 500
"""Maximum number of values in one statement."""
ON_INSERT: Final = "on insert"
"""In the session's `info`: called with the table's name and the values of rows that the session does not track."""


def insert_rows(session: Session, rows: Sequence[SQLModel]) -> None:
    """Inserts new rows of one kind. Unlike rows added to a session, they are not tracked."""
    if not rows:
        return
    insert_values(session, type(rows[0]), values_of(rows))


def add_rows(session: Session, rows: Sequence[SQLModel]) -> None:
    """The same, tracked from then on. A flush would send PostgreSQL one statement for each row, and so run its
    triggers for each."""
    insert_rows(session, rows)
    for row in rows:
        make_transient_to_detached(row)
    session.add_all(rows)


def values_of(rows: Iterable[SQLModel]) -> list[dict[str, Any]]:
    """The values of each new row, by column."""
    values = [row.__dict__.copy() for row in rows]
    for each in values:
        del each["_sa_instance_state"]
    return values


def insert_values(session: Session, kind: type[SQLModel], values: Iterable[dict[str, Any]]) -> None:
    """The same, for rows not needed as objects; all have the same columns."""
    table: Any = kind.__table__  # type: ignore[attr-defined]
    session.flush()
    waiting = list(values)
    if watch := session.info.get(ON_INSERT):
        watch(table.name, waiting)
    for start in range(0, len(waiting), _AT_A_TIME):
        _insert(session.connection(), table, waiting[start : start + _AT_A_TIME])


def read_bare(session: Session, query: Select[Any], *kinds: type[SQLModel]) -> Iterator[list[Any]]:
    """The entities of these kinds from a query, in batches, in less than half of the time.

    For thousands of rows that are only read: they are not tracked, and changes to them are never written.
    """
    tables: list[Table] = [kind.__table__ for kind in kinds]  # type: ignore[attr-defined]
    columns = query.with_only_columns(*(column for table in tables for column in table.c))
    rows = session.execute(columns.execution_options(yield_per=_AT_A_TIME))
    for some in rows.partitions():
        made = (bare_rows(row, kinds) for row in some)
        yield [each if len(kinds) > 1 else each[0] for each in made]


def bare_rows(row: Sequence[Any], kinds: tuple[type[SQLModel], ...]) -> list[Any]:
    """An entity of each kind, from a row that begins with all of their columns in turn."""
    made = []
    for begin, names, part in _makers(kinds):
        entity = begin()
        entity.__dict__.update(zip(names, row[part], strict=True))
        made.append(entity)
    return made


@cache
def _makers(kinds: tuple[type[SQLModel], ...]) -> list[tuple[Callable[[], Any], Sequence[str], slice]]:
    makers, start = [], 0
    for kind in kinds:
        names = kind.__table__.c.keys()  # type: ignore[attr-defined]
        makers.append((empty_rows(kind), names, slice(start, start + len(names))))
        start += len(names)
    return makers


def _insert(connection: Connection, table: Table, values: list[dict[str, Any]]) -> None:
    """By column: thousands of rows share most values, which are converted once."""
    names = list(values[0])
    dialect = connection.dialect
    columns = [_written(table.c[name], [row[name] for row in values], dialect) for name in names]
    if can_copy(connection):
        copy_rows(connection, [table.c[name] for name in names], columns)
        return
    # Without RETURNING: row-level security may hide an inserted row from its writer.
    _insert_columns(connection, table, names, columns)


def _insert_columns(
    connection: Connection, table: Table, names: Sequence[str], columns: Sequence[Any], otherwise: str = ""
) -> None:
    named = ", ".join(f'"{name}"' for name in names)
    into = f'INSERT INTO "{table.name}" ({named})'
    if connection.dialect.name == "postgresql":
        arrays = _arrays(table, names, connection.dialect)
        written = f"{into} SELECT * FROM unnest({arrays}) {otherwise}"  # noqa: S608 - names of our own columns
        write_rows(connection, written, columns)
    else:
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"{into} VALUES ({marks}) {otherwise}", list(zip(*columns, strict=True)))


def unique_constraint_of(error: IntegrityError) -> str:
    """The constraint, or on SQLite the columns, by which a row exists already; empty for any other violation."""
    if getattr(error.orig, "sqlstate", "") == _UNIQUE_VIOLATION:
        return str(error.orig.diag.constraint_name)  # type: ignore[union-attr]
    kind, _, columns = str(error.orig).partition(": ")
    return columns if kind == "UNIQUE constraint failed" else ""


def names_deleted_row(error: IntegrityError) -> bool:
    is_foreign_key = getattr(error.orig, "sqlstate", "") == _FOREIGN_KEY_VIOLATION
    return is_foreign_key or str(error.orig) == "FOREIGN KEY constraint failed"


_UNIQUE_VIOLATION: Final = "23505"
_FOREIGN_KEY_VIOLATION: Final = "23503"


def insert_unless_there(session: Session, rows: Sequence[SQLModel], unique: str) -> None:
    """Inserts new rows of one kind, except those with a value of the column `unique` that already exists."""
    if not rows:
        return
    table: Any = type(rows[0]).__table__  # type: ignore[attr-defined]
    session.flush()
    connection, names, values = session.connection(), *_columns_of(table, values_of(rows), session)
    _insert_columns(connection, table, names, values, f"ON CONFLICT ({unique}) DO NOTHING")


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether `column` contains one of these values, in any number.

    They are one parameter, which the driver writes and the database reads in a fraction of the time that
    hundreds take.
    """
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        array: Any = ARRAY(column.type)
        if not isinstance(column.type, Uuid):
            return column == any_(literal(list(values), array))  # type: ignore[no-any-return]
        # Thousands of ids: the driver would write each by itself. The text has no type, so that it is read once: a
        # cast from text is read again for each row that is compared.
        written = "{" + ",".join([each.hex for each in values]) + "}"
        untyped = bindparam(None, written, type_=NullType(), unique=True)
        return column == any_(cast(untyped, array))  # type: ignore[no-any-return]
    encoded = orjson.dumps(_written(column, list(values), dialect)).decode()
    one_each = func.json_each(literal(encoded, Text())).table_valued("value")
    return column.in_(select(one_each.c.value))  # type: ignore[no-any-return]


def among_named(dialect: str, column: Any, name: str) -> ColumnElement[bool]:
    """The same for a query that is composed once: `name` takes the result of `numbers_named`."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))  # type: ignore[no-any-return]
    one_each = func.json_each(bindparam(name, type_=Text())).table_valued("value")
    return column.in_(select(one_each.c.value))  # type: ignore[no-any-return]


def numbers_named(dialect: str, numbers: Iterable[int]) -> object:
    return list(numbers) if dialect == "postgresql" else orjson.dumps(list(numbers)).decode()


def upsert_rows(
    session: Session, kind: type[SQLModel], keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts rows of one kind; a row with the same `keys` gets the other values instead."""
    if not rows:
        return
    table: Any = kind.__table__  # type: ignore[attr-defined]
    session.flush()
    connection, names, values = session.connection(), *_columns_of(table, rows, session)
    settings = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    otherwise = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {settings}"
    _insert_columns(connection, table, names, values, otherwise)


def update_rows(
    session: Session, kind: type[SQLModel], keys: Sequence[str], changes: Sequence[Mapping[str, Any]]
) -> None:
    """Updates columns of many rows of one kind.

    `changes` contain the columns named by `keys`, which identify the row, and the changed ones, the same for
    all.
    """
    if not changes:
        return
    table: Any = kind.__table__  # type: ignore[attr-defined]
    session.flush()
    connection, names, values = session.connection(), *_columns_of(table, changes, session)
    changed = [name for name in names if name not in keys]
    if connection.dialect.name == "postgresql":
        given = f"unnest({_arrays(table, names, connection.dialect)}) AS given({', '.join(names)})"
        settings = ", ".join(f"{name} = given.{name}" for name in changed)
        meant = " AND ".join(f"{table.name}.{name} = given.{name}" for name in keys)
        written = f"UPDATE {table.name} SET {settings} FROM {given} WHERE {meant}"  # noqa: S608 - the same
        write_rows(connection, written, values)
    else:
        settings = ", ".join(f"{name} = ?" for name in changed)
        meant = " AND ".join(f"{name} = ?" for name in keys)
        in_order = [values[names.index(name)] for name in (*changed, *keys)]
        written = f"UPDATE {table.name} SET {settings} WHERE {meant}"  # noqa: S608 - the same
        connection.exec_driver_sql(written, list(zip(*in_order, strict=True)))


def _columns_of(
    table: Table, rows: Sequence[Mapping[str, Any]], session: Session
) -> tuple[list[str], list[list[Any]]]:
    """The column names of these rows, and their values as the driver takes them."""
    names, dialect = list(rows[0]), session.connection().dialect
    return names, [_written(table.c[name], [row[name] for row in rows], dialect) for name in names]


def _arrays(table: Table, names: Sequence[str], dialect: Dialect) -> str:
    """One array per column: PostgreSQL's cost per statement equals that of some dozen rows."""
    return ", ".join(f"%s::{table.c[name].type.compile(dialect)}[]" for name in names)


def _as_float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _written(column: Column[Any], values: list[Any], dialect: Dialect) -> list[Any]:
    """The values as the driver takes them."""
    write = column.type.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(column.type, Float):
        write = _as_float  # an array has values of one type
    if write is None or not values:
        return values
    first = values[0]
    if all(value is first for value in values):
        return [write(first)] * len(values)
    return list(map(write, values))


def take_turns(session: Session, row_ids: Iterable[uuid.UUID]) -> None:
    """Of transactions that read a row, decide, and write; SQLite has one writer at a time.

    To be called before any row is locked: who waits for a turn holds no lock that another may wait for. It holds a
    connection, so that it gives up after some seconds.
    """
    keys = sorted({int.from_bytes(row_id.bytes[8:], signed=True) for row_id in row_ids})
    if not keys or session.get_bind().dialect.name != "postgresql":
        return
    session.execute(text(f"SET LOCAL lock_timeout = '{_TURN_WITHIN}'"))
    try:
        # In one order, so that two who want the same rows do not wait for each other.
        for key in keys:
            session.execute(_TURN_OF_ROW, {"key": key})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise Unavailable(
            "Une autre demande s’enregistre ici en ce moment. Réessayez dans quelques secondes."
        ) from error
    session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))


_TURN_OF_ROW: Final = text("SELECT pg_advisory_xact_lock(:key)")
_TURN_WITHIN: Final = "5s"
_LOCK_NOT_AVAILABLE: Final = "55P03"
