"""Many rows of one table in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, insert
from sqlalchemy.engine import Dialect
from sqlmodel import Session, SQLModel

_AT_A_TIME = 1_000
IN_ONE_QUERY = 500
"""How many values one statement may name."""


def insert_rows(session: Session, rows: Sequence[SQLModel]) -> None:
    """Write new rows of one kind. Unlike what is added to a session, they are not followed from then on."""
    if not rows:
        return
    insert_values(session, type(rows[0]), values_of(rows))


def values_of(rows: Iterable[SQLModel]) -> list[dict[str, Any]]:
    """What each new row says, by column."""
    values = [row.__dict__.copy() for row in rows]
    for each in values:
        del each["_sa_instance_state"]
    return values


def insert_values(session: Session, kind: type[SQLModel], values: Iterable[dict[str, Any]]) -> None:
    """The same, of rows that nobody needs as objects; all have the same columns."""
    table: Any = kind.__table__  # type: ignore[attr-defined]
    session.flush()
    waiting = list(values)
    for start in range(0, len(waiting), _AT_A_TIME):
        _insert(session.connection(), table, waiting[start : start + _AT_A_TIME])


def _insert(connection: Connection, table: Table, values: list[dict[str, Any]]) -> None:
    """Column by column: thousands of rows say the same in most of them, and that is put into words once."""
    names = list(values[0])
    dialect = connection.dialect
    columns = [_written(table.c[name], [row[name] for row in values], dialect) for name in names]
    statement = insert(table).inline().compile(dialect=dialect, column_keys=names)
    in_order = getattr(statement, "positiontup", None)
    if in_order:
        columns = [columns[names.index(name)] for name in in_order]
        connection.exec_driver_sql(str(statement), list(zip(*columns, strict=True)))
    else:
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        connection.exec_driver_sql(str(statement), rows)


def _written(column: Column[Any], values: list[Any], dialect: Dialect) -> list[Any]:
    """The values as the driver takes them."""
    write = column.type.dialect_impl(dialect).bind_processor(dialect)
    if write is None:
        return values
    first = values[0]
    if all(value is first for value in values):
        return [write(first)] * len(values)
    return list(map(write, values))
