"""PostgreSQL takes many rows in while whoever wrote them goes on with what comes next.

The server works longer on a thousand rows than the driver does, and a bulk award has its next credentials to sign
meanwhile. Writes follow each other in the order they were given; the next statement of the connection that is not one
of them, and its commit, wait for them first, and raise what became of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from psycopg import Error as PsycopgError
from psycopg.copy import LibpqWriter
from sqlalchemy import Column, Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

_FEW: Final = 50
"""So few rows are written sooner than a thread has begun."""
_MOST_AT_ONCE: Final = 8
_ALL: Final = 2**30
"""Bytes handed to the driver before anybody waits: whoever waits has to ask for the interpreter again, which signs meanwhile."""
_ON_THEIR_WAY: Final = "writes on their way"
_writing = ThreadPoolExecutor(_MOST_AT_ONCE, "writing")


def let_writes_go_on(engine: Engine) -> None:
    """Of an engine for PostgreSQL: nothing is asked of a connection before its writes have come to their end."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: wait_for_writes(connection))
    event.listen(engine, "commit", _end_before_commit)
    event.listen(engine, "rollback", _let_writes_end)


def can_copy(connection: Connection) -> bool:
    """PostgreSQL copies nothing into a table while it holds its reader back (`app/tenancy/row_level_security.py`)."""
    if connection.dialect.name != "postgresql":
        return False
    if "walled" not in connection.info:
        query = text("SELECT row_security_active('award')")
        connection.info["walled"] = connection.execute(query).scalar_one()
    return not connection.info["walled"]


def copy_rows(connection: Connection, columns: Sequence[Column[Any]], values: Sequence[list[Any]]) -> None:
    """Rows given column by column, in PostgreSQL's own binary form. Constraints hold as for any insert."""
    types = [_copied_as(column, connection) for column in columns]
    _write(connection, len(values[0]), partial(_copy, connection, columns, types, values))


def write_rows(connection: Connection, statement: str, values: Sequence[list[Any]]) -> None:
    """A statement in the driver's words that takes one array for each column and answers nothing."""
    _write(connection, len(values[0]), partial(_execute, connection, statement, values))


def wait_for_writes(connection: Connection) -> None:
    """Raises what the writes that are on their way raised."""
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
    """After the first that fails nothing is written. Whoever came before has begun: threads take up work in its order."""
    if before is not None:
        before.result()
    write()


def _end_before_commit(connection: Connection) -> None:
    try:
        wait_for_writes(connection)
    except BaseException:
        # Whoever fails to commit is believed to have nothing open any more.
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
    """The driver's own cursor; what it raises is raised as from any other statement."""
    cursor: Any = connection.connection.cursor()
    try:
        yield cursor
    except PsycopgError as error:
        raise DBAPIError.instance(statement, None, error, PsycopgError, hide_parameters=True) from error
    finally:
        cursor.close()


def _copied_as(column: Column[Any], connection: Connection) -> str:
    """The name by which the driver knows the column's type."""
    name = column.type.compile(dialect=connection.dialect).lower().partition("(")[0]
    return "double precision" if name == "float" else name
