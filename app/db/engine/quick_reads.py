"""Queries of the pages that are asked for most, told to the driver itself.

Of one look-up by key SQLAlchemy's part takes ten times as long as the database's. The text of a query, the order of its
values, and what makes Python's values of the driver's are found once; transactions, types and errors stay SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

_Process = Callable[[Any], Any]


class _Compiled(NamedTuple):
    text: str
    order: list[str] | None
    """Names of the values where the driver takes them by their place."""
    fixed: Mapping[str, Any]
    """Values that the query itself holds."""
    given: Sequence[tuple[str, _Process | None]]
    columns: Sequence[ColumnElement[Any]]
    read: Sequence[tuple[int, _Process]] | None = None


class QuickRead:
    """`write` composes the query for a dialect; every value in it is a named `bindparam` of one value."""

    def __init__(self, write: Callable[[str], Select[Any]]) -> None:
        self._write: Final = write
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[list[Any]]:
        connection = session.connection()
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._write(dialect.name), dialect)
        told = dict(compiled.fixed)
        for name, process in compiled.given:
            told[name] = process(values[name]) if process else values[name]
        given = told if compiled.order is None else [told[name] for name in compiled.order]
        described, found = _asked(connection, compiled.text, given)
        if compiled.read is None:
            # What the driver says of a column is known once it has answered.
            read = _processes(compiled.columns, described, dialect)
            self._compiled[dialect.name] = compiled = compiled._replace(read=read)
        rows = [list(row) for row in found]
        for row in rows:
            for place, process in compiled.read or ():
                row[place] = process(row[place])
        return rows


def _asked(connection: Connection, text: str, given: Any) -> tuple[Sequence[Any], list[Any]]:
    """What the driver says of the columns, and the rows."""
    dialect = connection.dialect
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.execute(text, given)
        return cursor.description, cursor.fetchall()
    except dialect.loaded_dbapi.Error as error:
        is_lost = dialect.is_disconnect(error, driver, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=dialect,
        ) from error


def _compile(query: Select[Any], dialect: Dialect) -> _Compiled:
    compiled = query.compile(dialect=dialect)
    processes = {
        name: (bind, bind.type.dialect_impl(dialect).bind_processor(dialect))
        for bind, name in compiled.bind_names.items()
    }
    fixed = {
        name: process(bind.value) if process else bind.value
        for name, (bind, process) in processes.items()
        if not bind.required
    }
    given = [(name, process) for name, (_, process) in processes.items() if name not in fixed]
    order = list(compiled.positiontup) if compiled.positional and compiled.positiontup else None
    return _Compiled(str(compiled), order, fixed, given, list(query.selected_columns))


def _processes(
    columns: Sequence[ColumnElement[Any]], described: Sequence[Any], dialect: Dialect
) -> list[tuple[int, _Process]]:
    found: list[tuple[int, _Process]] = []
    for place, (column, (_, kind, *_)) in enumerate(zip(columns, described, strict=True)):
        process = column.type.dialect_impl(dialect).result_processor(dialect, kind)
        if process:
            found.append((place, process))
    return found
