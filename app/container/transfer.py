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
from sqlalchemy import Connection, Row, Table, delete, func, insert, select, text

from app.container.process import Process
from app.db.engine.session import open_engine
from app.language import gettext as _
from app.tenancy.metadata import METADATA
from app.tenancy.scope import WHOLE_DATABASE

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
    settings = process.settings
    writer = open_engine(settings.owner_database_url or settings.database_url)
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
            here.execute(insert(table), [dict(row._mapping) for row in chunk])
        _advance_sequences(here, table)
        before, after = _digest(_rows(there, table)), _digest(_rows(here, table))
        if before != after:
            raise TransferRefused(
                _("La table {table} n’est pas la même des deux côtés : rien n’a été gardé.").format(
                    table=table.name
                )
            )
        rows += before[0]
    return Moved(len(tables), rows)


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    yield from connection.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE))


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


def _digest(rows: Iterator[Row[Any]]) -> tuple[int, int]:
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
