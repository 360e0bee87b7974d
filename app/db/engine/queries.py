"""The most frequent page queries, executed by the driver itself.

SQLAlchemy takes ten times as long as the database for one read by key. The query's text, value order and
result converters are therefore computed once; transactions, types and errors stay SQLAlchemy's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, String, and_, false, inspect, literal, or_, tuple_
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Join
from sqlmodel import Session, SQLModel, col

from app.db.engine.writes import unusable_connection, wait_for_writes
from app.domain.awards import Award, AwardState
from app.domain.core import COMBINING, LIGATURES
from app.errors import NotFound

_Process = Callable[[Any], Any]
_Row = TypeVar("_Row", bound=SQLModel)
_Held = TypeVar("_Held", bound=SQLModel)
_Query = TypeVar("_Query", bound="Select[*tuple[Any, ...]]")


def locked(
    query: _Query, *, key_share: bool = False, read: bool = False, skip_locked: bool = False
) -> _Query:
    """Locked until the transaction ends, and read again: the session may have read the rows before another
    transaction changed them.
    """
    held = query.with_for_update(key_share=key_share, read=read, skip_locked=skip_locked)
    return held.execution_options(populate_existing=True)


class Store:
    """Queries within one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def hold_row(self, row: _Held) -> _Held:
        """Locked until the transaction ends, and read again: of two who change its state, the second sees it."""
        held = self.find_locked(type(row), inspect(row).identity, key_share=True)
        if held is None:
            raise NotFound("Un choix de la page n’existe plus : rechargez-la, puis recommencez.")
        return held

    def find_locked(self, model: type[_Held], key: object, *, key_share: bool = False) -> _Held | None:
        return self.session.get(
            model, key, populate_existing=True, with_for_update={"key_share": True} if key_share else True
        )


class RowStore(Store, Generic[_Row]):
    """Rows added, changed and removed one by one, at once visible to the queries that follow."""

    def add(self, *rows: _Row) -> None:
        self.session.add_all(rows)
        self.session.flush()

    save = add

    def remove(self, row: _Row) -> None:
        self.session.delete(row)
        self.session.flush()


def are_in_force(at: datetime) -> list[ColumnElement[bool]]:
    """As `is_in_force`, of rows."""
    until, paused = col(Award.valid_until), col(Award.suspended_until)
    return [
        col(Award.state) == AwardState.ISSUED,
        or_(until.is_(None), until > at),
        or_(paused.is_(None), paused <= at),
    ]


class _Compiled(NamedTuple):
    text: str
    order: list[str] | None
    """Names of the values if the driver uses positional parameters."""
    fixed: Mapping[str, Any]
    """Values contained in the query itself."""
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
        values_given = dict(compiled.fixed)
        for name, process in compiled.given:
            values_given[name] = process(values[name]) if process else values[name]
        given = values_given if compiled.order is None else [values_given[name] for name in compiled.order]
        cursor, found = _asked(connection, compiled.text, given)
        if compiled.read is None:
            # The driver describes a column only after execution, and each time anew.
            read = _processes(compiled.columns, cursor.description, dialect)
            self._compiled[dialect.name] = compiled = compiled._replace(read=read)
        rows = [list(row) for row in found]
        for row in rows:
            for place, process in compiled.read or ():
                row[place] = process(row[place])
        return rows


def _asked(connection: Connection, text: str, given: Any) -> tuple[Any, list[Any]]:
    """The driver's cursor, and the rows."""
    dialect = connection.dialect
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.execute(text, given)
        return cursor, cursor.fetchall()
    except dialect.loaded_dbapi.Error as error:
        failure = unusable_connection(error)
        is_lost = failure is not None or dialect.is_disconnect(error, driver, None)
        if is_lost:
            connection.invalidate(error)
        raise failure or DBAPIError.instance(
            text,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=dialect,
        ) from error


def tell(connection: Connection, text: str, given: Mapping[str, Any]) -> None:
    """A statement in the driver's own syntax, of which the answer does not matter."""
    wait_for_writes(connection)
    _asked(connection, text, given)


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


Order = Sequence[tuple[Any, bool]]
"""Expressions to sort by, each with whether it is descending; the last one is the row's own id."""


@dataclass(frozen=True)
class Start:
    """Where a page begins: after the row `after`. Its id reveals nothing about a person."""

    after: uuid.UUID | None = None
    limit: int = 50


def page_of(session: Session, query: Any, order: Order, start: Start) -> list[Any]:
    """The rows of one page, and one more if there is a next one."""
    if start.after is not None:
        query = query.where(_behind(session, query, order, start.after))
    sorting = [expression.desc() if down else expression.asc() for expression, down in order]
    return list(session.execute(query.order_by(*sorting).limit(start.limit + 1)))


def page_with_nulls_last(session: Session, query: Any, order: Order, start: Start) -> list[Any]:
    """The same by a first expression that may be NULL: rows without a value come last in both directions, by their
    own index each, where one query would sort all rows."""
    (value, _), rest = order[0], order[1:]
    with_value, without = query.where(value.is_not(None)), query.where(value.is_(None))
    if start.after is None or not _is_among(session, without, rest[-1][0], start.after):
        found = page_of(session, with_value, order, start)
        if len(found) > start.limit or (
            start.after is not None and not _is_among(session, with_value, rest[-1][0], start.after)
        ):
            return found
        return found + page_of(session, without, rest, Start(limit=start.limit - len(found)))
    return page_of(session, without, rest, start)


def _is_among(session: Session, query: Any, row_id: Any, after: uuid.UUID) -> bool:
    return (
        session.execute(query.with_only_columns(row_id).where(row_id == after).limit(1)).first() is not None
    )


def _behind(session: Session, query: Any, order: Order, after: uuid.UUID) -> ColumnElement[bool]:
    row_id = order[-1][0]
    place = query.with_only_columns(*(expression for expression, _ in order)).order_by(None)
    last = session.execute(place.where(row_id == after).limit(1)).first()
    if last is None:
        return false()
    values_given = [
        literal(value, expression.type) for (expression, _), value in zip(order, last, strict=True)
    ]
    (first, down), rest = order[0], order[1:]
    tables = {getattr(expression, "table", None) for expression, _ in order}
    if all(each == down for _, each in rest) and len(tables) == 1:
        # Compared as a tuple, so that an index in this order is used from the page's beginning; no index has
        # the columns of two tables.
        here, before = tuple_(*(expression for expression, _ in order)), tuple_(*values_given)
        return here < before if down else here > before
    behind = or_(*(_step(order, values_given, depth) for depth in range(len(order))))
    return and_(first <= values_given[0] if down else first >= values_given[0], behind)


def _step(order: Order, values_given: Sequence[ColumnElement[Any]], depth: int) -> ColumnElement[bool]:
    """Equal up to `depth`, and greater from there."""
    same = [expression == value for (expression, _), value in zip(order[:depth], values_given, strict=False)]
    expression, down = order[depth]
    return and_(*same, expression < values_given[depth] if down else expression > values_given[depth])


class OrderedJoin(Join):
    """A join that SQLite runs from left to right: without statistics it would read and sort every row.

    PostgreSQL decides by its own.
    """

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _from_left_to_right(element: OrderedJoin, compiler: SQLCompiler, **options: Any) -> str:
    joined: str = compiler.visit_join(element, **options)  # type: ignore[no-untyped-call]
    return joined.replace(" JOIN ", " CROSS JOIN ", 1)


class unindexed(FunctionElement[Any]):
    """A column for which SQLite uses no index, where another index is better."""

    inherit_cache = True
    name = "unindexed"

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed)
def _as_it_is(element: unindexed, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    return compiler.process(column, **options)


@compiles(unindexed, "sqlite")
def _not_indexed(element: unindexed, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    return f"+{compiler.process(column, **options)}"


class plain(FunctionElement[str]):
    """`app.domain.core.plain_text` of a column."""

    type = String()
    inherit_cache = True
    name = "plain_text"


@compiles(plain, "postgresql")
def _on_postgresql(element: plain, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    decomposed = f"normalize(lower({compiler.process(text, **options)}), NFKD)"
    bare = f"regexp_replace({decomposed}, '[{COMBINING[0]}-{COMBINING[1]}]', '', 'g')"
    return reduce(lambda replaced, pair: f"replace({replaced}, '{pair[0]}', '{pair[1]}')", LIGATURES, bare)


@compiles(plain, "sqlite")
def _on_sqlite(element: plain, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return f"plain_text({compiler.process(text, **options)})"
