"""The schema of the database compared with this program's: current, older, or newer and still serving it.

Each migration from FIRST_DECLARED on contains `online`: whether programs of the previous revision work on while it
runs and after it. One that is not online contains `announced`, a key of ANNOUNCED.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from time import sleep
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DatabaseSession

from app.db.engine import row_level_security
from app.db.engine.session import configuration, open_engine, upgrade
from app.errors import Unavailable
from app.language import N_

FIRST_DECLARED: Final = "0101"
ANNOUNCED: Final = {
    "removes": N_("enlève ce que la version précédente lit encore"),
    "renames": N_("renomme ce que la version précédente lit encore"),
    "requires": N_("exige ce que la version précédente n’écrit pas"),
    "writes": N_("écrit ce que la version précédente ne sait pas lire"),
    "rewrites": N_("réécrit de grandes tables : le service attend"),
}
_UNDECLARED: Final = N_("antérieure aux annonces : arrêtez le service")


MIGRATION_LOCK: Final = 0x5CEA
"""Advisory lock of PostgreSQL that a migration has until it is committed."""


class SchemaState(StrEnum):
    CURRENT = "current"
    OLDER = "older"
    """`sceau migrate` brings it up to date."""
    SERVING = "serving"
    """Of a newer program, which declared that this one works on."""
    NEWER = "newer"
    """Of a newer program, and not for this one."""


@dataclass(frozen=True)
class Migration:
    revision: str
    title: str
    is_online: bool
    reason: str
    """Why it is not, in French; empty where it is."""


def schema_state(engine: Engine) -> SchemaState:
    with engine.connect().execution_options(reading=True) as connection:
        revision, newest = _revision(connection), _newest()
        if revision == newest:
            return SchemaState.CURRENT if row_level_security.stand(connection) else SchemaState.OLDER
        # The files may be a newer program's already, while this one still runs.
        if revision is None or (revision in _migrations() and revision < (newest or "")):
            return SchemaState.OLDER
        return SchemaState.SERVING if newest in row_level_security.served(connection) else SchemaState.NEWER


def is_serving(engine: Engine) -> bool:
    is_served = schema_state(engine) in (SchemaState.CURRENT, SchemaState.SERVING)
    return is_served and not is_half_restored(engine)


def is_empty(engine: Engine) -> bool:
    """Whether no migration has run here."""
    with engine.connect() as connection:
        return _revision(connection) is None


RESTORING: Final = "restore_unfinished"
"""Table of a database that a restore began to load. Until it is dropped, nothing but `sceau restore` starts."""
BEGIN_RESTORE: Final = f"CREATE TABLE IF NOT EXISTS {RESTORING} (id integer)"
_END_RESTORE: Final = f"DROP TABLE IF EXISTS {RESTORING}"


def is_half_restored(engine: Engine) -> bool:
    """Whether a restore loads this database, or was interrupted before sessions and secrets of the copy ended."""
    with engine.connect().execution_options(reading=True) as connection:
        return inspect(connection).has_table(RESTORING)


def begin_restore(owner_url: str) -> None:
    _as_owner(owner_url, BEGIN_RESTORE)


def end_restore(owner_url: str) -> None:
    _as_owner(owner_url, _END_RESTORE)


def _as_owner(url: str, statement: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def waiting_migrations(engine: Engine) -> Sequence[Migration]:
    """Those that `sceau migrate` would run, in its order."""
    with engine.connect() as connection:
        revision = _revision(connection)
    names = list(_migrations())
    # Of a newer program: none of ours wait.
    start = 0 if revision is None else names.index(revision) + 1 if revision in names else len(names)
    return [_declared(name, module) for name, module in list(_migrations().items())[start:]]


def check_knows_every_table(session: DatabaseSession) -> None:
    """Raises Unavailable where the database has, or is getting, a schema that this program does not know whole.

    Erasing a person, exporting their data and merging two records concern every table that refers to people; a
    program that serves a newer schema would leave rows of newer tables. No migration commits before the
    transaction of `session` ends.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        lock = text(f"SELECT pg_try_advisory_xact_lock_shared({MIGRATION_LOCK})")
        is_still = bool(connection.execute(lock).scalar_one())
    else:
        is_still = True  # a transaction that writes is alone
    if (
        not is_still
        or connection.execute(text("SELECT version_num FROM alembic_version")).scalar() != _newest()
    ):
        raise Unavailable(
            "Le service passe à une version plus récente. Recommencez plus tard : rien n’a été changé."
        )


def served_by_newest(script: ScriptDirectory) -> Iterator[str]:
    """The newest revision, and the earlier ones with programs that work on its schema."""
    for each in script.walk_revisions():
        yield each.revision
        if not _declared(each.revision, each.module).is_online:
            return


def recounts(script: ScriptDirectory, before: str | None) -> bool:
    """Whether one of the migrations after `before` contains `recount = True`: reports count otherwise from then on.

    False on the way down, where triggers have marked what changed.
    """
    for each in script.walk_revisions():
        if each.revision == before:
            return False
        if getattr(each.module, "recount", False):
            return True
    return False


_TRIES: Final = 20
_PAUSE: Final = 3.0
_LOCK_WAIT: Final = "4s"
_BUSY: Final = frozenset({"55P03", "40P01"})
"""SQLSTATE of a lock that was not granted in time, and of a deadlock."""


class SchemaBusy(Exception):
    """Other transactions hold locks for longer than a migration waits; nothing was changed."""


def migrate(url: str, *, granted_to: str = "", pause: Callable[[float], None] = sleep) -> None:
    """Runs the waiting migrations in one transaction.

    On PostgreSQL it waits some seconds for locks, then gives way and tries again: requests that queue behind it
    would otherwise wait for the longest transaction of all.
    """
    for _ in range(_TRIES):
        try:
            upgrade(url, granted_to=granted_to, lock_wait=_LOCK_WAIT)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _BUSY:
                raise
            pause(_PAUSE)
        else:
            return
    raise SchemaBusy


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _declared(revision: str, module: Any) -> Migration:
    title = str(module.__doc__ or "").strip().split("\n")[0].rstrip(".")
    if revision < FIRST_DECLARED:
        return Migration(revision, title, is_online=False, reason=_UNDECLARED)
    reason = "" if module.online else ANNOUNCED[module.announced]
    return Migration(revision, title, is_online=module.online, reason=reason)


@cache
def _migrations() -> dict[str, Any]:
    """Their modules, the oldest first. Cached: a release's scripts do not change."""
    script = ScriptDirectory.from_config(configuration(""))
    return {each.revision: each.module for each in reversed(list(script.walk_revisions()))}


@cache
def _newest() -> str | None:
    """Cached apart: loading every migration takes longer than a page."""
    return ScriptDirectory.from_config(configuration("")).get_current_head()
