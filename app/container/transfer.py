"""Move of a SQLite database into PostgreSQL, compared row by row before it is committed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Row, Table, delete, func, insert, select, text, tuple_
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from app.container.process import Process
from app.db.engine.row_level_security import METADATA, WHOLE_DATABASE
from app.db.engine.session import open_engine
from app.language import gettext as _

_ROWS_AT_ONCE: Final = 1000
_OF_THE_SERVICE: Final = ("signing_clock", "integrity_check", "worker", "rate_count")
"""Tables that a service without any campus fills."""
_DERIVED: Final = frozenset(
    (
        "activity_change", "activity_count", "award_change", "award_count", "campus_activity",
        "campus_person", "month_change", "month_count",
    )
)  # fmt: skip
"""Found again: the triggers of PostgreSQL follow what arrives."""


class TransferRefused(Exception):
    """Nothing was written; the message is in the operator's language."""


@dataclass(frozen=True)
class Moved:
    tables: int
    rows: int


def move_database(
    process: Process, source: Path, progress: Callable[[Sequence[Table]], Iterable[Table]]
) -> Moved:
    """Copies every row into the empty database of `process`, in one transaction.

    The source is locked against writers meanwhile, and not changed.
    """
    if process.engine.dialect.name != "postgresql":
        raise TransferRefused(_("SCEAU_DATABASE_URL doit désigner la base PostgreSQL, où les données iront."))
    if not source.is_file():
        raise TransferRefused(_("{path} n’existe pas.").format(path=source))
    if not process.is_ready():
        process.migrate()
    reader = open_engine(f"sqlite:///{source.resolve()}")
    writer = open_engine(process.owner_url)
    try:
        with reader.connect() as there, writer.begin() as here:
            here.exec_driver_sql("SET LOCAL {}".format(WHOLE_DATABASE.replace("=", " = ")))
            _check(there, here)
            return _copy_all(there, here, progress)
    finally:
        reader.dispose()
        writer.dispose()


def _check(there: Connection, here: Connection) -> None:
    found, expected = (MigrationContext.configure(each).get_current_revision() for each in (there, here))
    if found != expected:
        raise TransferRefused(
            _("La base SQLite n’est pas au schéma de ce programme. Lancez d’abord sur elle : sceau migrate")
        )
    filled = [table.name for table in METADATA.sorted_tables if _has_rows(here, table)]
    if unexpected := [name for name in filled if name not in _OF_THE_SERVICE]:
        raise TransferRefused(
            _("La base PostgreSQL n’est pas vide ({table}) : rien n’a été changé.").format(
                table=unexpected[0]
            )
        )
    for name in filled:
        here.execute(delete(METADATA.tables[name]))


def _copy_all(
    there: Connection, here: Connection, progress: Callable[[Sequence[Table]], Iterable[Table]]
) -> Moved:
    rows, tables = 0, [table for table in METADATA.sorted_tables if table.name not in _DERIVED]
    for table in progress(tables):
        ordered = _parents_first(table, _rows(there, table))
        while chunk := list(islice(ordered, _ROWS_AT_ONCE)):
            _insert(here, table, [dict(row._mapping) for row in chunk])
        _advance_sequences(here, table)
        before, after = _digest_of_rows(_rows(there, table)), _digest_of_rows(_rows(here, table))
        if before != after:
            raise TransferRefused(
                _(
                    "La ligne {key} de la table {table} n’est pas la même des deux côtés : rien n’a été gardé."
                ).format(key=_first_difference(there, here, table), table=table.name)
            )
        rows += before[0]
    return Moved(len(tables), rows)


def _insert(here: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Names the row that PostgreSQL refuses, of which SQLite stores more: NUL, longer texts."""
    try:
        with here.begin_nested():
            here.execute(insert(table), rows)
    except (DataError, IntegrityError) as error:
        if len(rows) > 1:
            for row in rows:
                _insert(here, table, [row])
        cause = getattr(getattr(error.orig, "diag", None), "message_primary", None) or str(error.orig)
        key = ", ".join(str(rows[0][column.name]) for column in table.primary_key.columns)
        raise TransferRefused(
            _(
                "PostgreSQL refuse la ligne {key} de la table {table} ({cause}). Rien n’a été gardé : corrigez-la dans la base SQLite, puis recommencez."
            ).format(key=key, table=table.name, cause=cause)
        ) from error


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    """Names the table with a value that is none of its type: SQLite stores any bytes."""
    try:
        yield from connection.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE))
    except (OperationalError, ValueError) as error:
        if connection.dialect.name != "sqlite":
            raise
        cause = str(getattr(error, "orig", error)).splitlines()[0]
        sentence = _("{path} ne se lit pas : {cause}.")
        if isinstance(error, ValueError) or cause.startswith("Could not decode"):
            sentence = _(
                "Une valeur de la table {table} ne se lit pas ({cause}). Rien n’a été gardé : corrigez-la dans la base SQLite, puis recommencez."
            )
        path = connection.engine.url.database
        raise TransferRefused(sentence.format(path=path, table=table.name, cause=cause)) from error


def _first_difference(there: Connection, here: Connection, table: Table) -> str:
    """The key of a row that is only on one side, or not the same on both; a few rows at a time."""
    columns = table.primary_key.columns
    for one, other in ((there, here), (here, there)):
        rows = _rows(one, table)
        while chunk := list(islice(rows, _ROWS_AT_ONCE)):
            mine = {tuple(row._mapping[each.name] for each in columns): row for row in chunk}
            same = other.execute(select(table).where(tuple_(*columns).in_(mine)))
            theirs = {_digest_of_rows(iter([row])) for row in same}
            if keys := [key for key, row in mine.items() if _digest_of_rows(iter([row])) not in theirs]:
                return ", ".join(map(str, keys[0]))
    return "?"


def _parents_first(table: Table, rows: Iterator[Row[Any]]) -> Iterator[Row[Any]]:
    """A row that refers to another of its own table comes after it."""
    own = [key for key in table.foreign_keys if key.column.table is table]
    if not own:
        yield from rows
        return
    waiting, known = list(rows), set[Any]()
    while waiting:
        ready = [
            row
            for row in waiting
            if all((value := row._mapping[key.parent.name]) is None or value in known for key in own)
        ]
        if not ready:
            raise TransferRefused(
                _("Dans la table {table}, des lignes renvoient à des lignes absentes.").format(
                    table=table.name
                )
            )
        yield from ready
        known |= {row._mapping[key.column.name] for row in ready for key in own}
        waiting = [row for row in waiting if all(row._mapping[key.column.name] not in known for key in own)]


def _advance_sequences(here: Connection, table: Table) -> None:
    """The next number that PostgreSQL gives follows the highest that was copied."""
    for column in table.primary_key.columns:
        sequence = here.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": column.name},
        ).scalar_one()
        if sequence is not None and (highest := here.execute(select(func.max(column))).scalar_one()):
            here.execute(
                text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest}
            )


def _digest_of_rows(rows: Iterator[Row[Any]]) -> tuple[int, int]:
    """Count and a digest that does not depend on the order, in which the engines differ."""
    count, total = 0, 0
    for row in rows:
        content = orjson.dumps(
            list(row),
            default=_plain,
            option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS,
        )
        total = (total + int.from_bytes(hashlib.sha256(content).digest())) % 2**256
        count += 1
    return count, total


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(table).limit(1)).first() is not None
