"""Triggers that keep what is derived from rows true in the transaction of the change, on both engines.

Whichever program writes, an older release too, they run. On SQLite they are dropped before migrations, which rebuild
tables, and created again after them. On PostgreSQL they stand through a migration that leaves them as they are, so
that its own writes are followed too and no table is locked for them.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from app.db.engine.row_level_security import schema_of, search_path


class Trigger(NamedTuple):
    """`on_sqlite` is the statement after its name. On PostgreSQL `body` runs once for each statement, at `moment`,
    with the planner's `options`; without a body there is none."""

    name: str
    on_sqlite: str
    body: str
    moment: str
    options: str = ""

    @property
    def digest(self) -> str:
        parts = filter(None, (self.body, self.moment, self.options))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def stand(connection: Connection, prefix: str, triggers: Sequence[Trigger]) -> bool:
    """Whether those with names that begin with `prefix` are there as this program defines them."""
    if connection.dialect.name != "postgresql":
        return False
    found = connection.execute(
        text(
            "SELECT p.proname, d.description FROM pg_proc p JOIN pg_trigger t ON t.tgfoid = p.oid AND NOT t.tgisinternal "
            "LEFT JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass "
            "WHERE p.pronamespace = current_schema()::regnamespace"
        )
    )
    there = {name: digest for name, digest in found if name.startswith(prefix)}
    return there == {each.name: each.digest for each in triggers if each.body}


def build(connection: Connection, triggers: Sequence[Trigger]) -> None:
    for each in triggers:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"CREATE TRIGGER {each.name} {each.on_sqlite}")
            continue
        if not each.body:
            continue
        connection.exec_driver_sql(
            f"CREATE FUNCTION {each.name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {each.options} "
            f"{search_path(schema_of(connection))} AS $$ BEGIN {each.body}; RETURN NULL; END $$"
        )
        connection.exec_driver_sql(f"COMMENT ON FUNCTION {each.name}() IS '{each.digest}'")
        connection.exec_driver_sql(
            f"CREATE TRIGGER {each.name} {each.moment} FOR EACH STATEMENT EXECUTE FUNCTION {each.name}()"
        )


def refresh_statistics(connection: Connection, *tables: str) -> None:
    """Before a table is filled from these: after a restore PostgreSQL has no statistics yet, and plans for a few rows.
    It then reads all awards of a campus for each of its activities. Statistics of an empty table would mislead."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {table})").scalar():  # noqa: S608 - names of our own
            connection.exec_driver_sql(f"ANALYZE {table}")


_NAMES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
}


def take_down(connection: Connection, prefix: str) -> None:
    dialect = connection.dialect.name
    drop = "DROP TRIGGER {}" if dialect == "sqlite" else "DROP FUNCTION {}() CASCADE"
    for name in connection.execute(text(_NAMES[dialect])).scalars().all():
        if name.startswith(prefix):
            connection.exec_driver_sql(drop.format(name))


CHANGED: Final = (("insert", "NEW TABLE AS new_rows"), ("delete", "OLD TABLE AS old_rows"), ("update", "OLD TABLE AS old_rows NEW TABLE AS new_rows"))  # fmt: skip
"""Each event with the transition tables that PostgreSQL hands to its trigger."""
ONE_BY_ONE: Final = "SET enable_hashjoin TO off SET enable_mergejoin TO off SET enable_seqscan TO off"
"""A plan is made once for a connection: that of ten thousand rows, or of an empty table, would read the whole table."""


@dataclass(frozen=True)
class Strays:
    """Campuses of which stored rows differ from those they are derived from, and the number of rows compared."""

    checked: int = 0
    campuses: Sequence[uuid.UUID] = field(default_factory=list)
