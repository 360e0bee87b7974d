"""PostgreSQL takes many rows by COPY, while whoever wrote them goes on with what comes next.

The server works longer on a thousand rows than the driver does, and a bulk award has its next credentials to sign
meanwhile. One command at a time is on its way; the next statement of the connection, and its commit, wait for it first,
and raise what became of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
_ON_ITS_WAY: Final = "copy on its way"
_copying = ThreadPoolExecutor(_MOST_AT_ONCE, "copying")


def let_copies_go_on(engine: Engine) -> None:
    """Of an engine for PostgreSQL: nothing else is asked of a connection before its copy has come to its end."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: wait_for_copy(connection))
    event.listen(engine, "commit", _end_before_commit)
    event.listen(engine, "rollback", _let_copy_end)


def can_copy(connection: Connection) -> bool:
    """PostgreSQL copies nothing into a table while it holds its reader back (`app/db/walls.py`)."""
    if connection.dialect.name != "postgresql":
        return False
    if "walled" not in connection.info:
        query = text("SELECT row_security_active('award')")
        connection.info["walled"] = connection.execute(query).scalar_one()
    return not connection.info["walled"]


def copy_rows(connection: Connection, columns: Sequence[Column[Any]], values: Sequence[list[Any]]) -> None:
    """Rows given column by column, in PostgreSQL's own binary form. Constraints hold as for any insert."""
    wait_for_copy(connection)
    types = [_copied_as(column, connection) for column in columns]
    if len(values[0]) <= _FEW:
        _copy(connection, columns, types, values)
    else:
        connection.info[_ON_ITS_WAY] = _copying.submit(_copy, connection, columns, types, values)


def wait_for_copy(connection: Connection) -> None:
    """Raises what the copy that is on its way raised."""
    on_its_way: Future[None] | None = connection.info.pop(_ON_ITS_WAY, None)
    if on_its_way is not None:
        on_its_way.result()


def _end_before_commit(connection: Connection) -> None:
    try:
        wait_for_copy(connection)
    except BaseException:
        # Whoever fails to commit is believed to have nothing open any more.
        connection.connection.rollback()
        raise


def _let_copy_end(connection: Connection) -> None:
    with contextlib.suppress(Exception):
        wait_for_copy(connection)


def _copy(
    connection: Connection, columns: Sequence[Column[Any]], types: Sequence[str], values: Sequence[list[Any]]
) -> None:
    names = ", ".join(f'"{column.name}"' for column in columns)
    command = f'COPY "{columns[0].table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
    cursor: Any = connection.connection.cursor()
    try:
        with cursor.copy(command, writer=LibpqWriter(cursor, flush_threshold=_ALL)) as copy:
            copy.set_types(types)
            for row in zip(*values, strict=True):
                copy.write_row(row)
    except PsycopgError as error:
        raise DBAPIError.instance(command, None, error, PsycopgError, hide_parameters=True) from error
    finally:
        cursor.close()


def _copied_as(column: Column[Any], connection: Connection) -> str:
    """The name by which the driver knows the column's type."""
    name = column.type.compile(dialect=connection.dialect).lower().partition("(")[0]
    return "double precision" if name == "float" else name
